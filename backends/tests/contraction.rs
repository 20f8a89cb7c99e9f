//! A contraction with a packed right operand.

mod support;

use ir::tile::Shape;
use support::{contraction, run};

#[test]
fn products_are_summed() {
    let (rows, columns, depth) = (12, 64, 37);
    let left: Vec<f32> = (0..rows * depth).map(|i| (i % 7) as f32 - 3.0).collect();
    let right: Vec<f32> = (0..depth * columns).map(|i| (i % 5) as f32 - 2.0).collect();
    for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
        for tile in [Shape::new(6, 16), Shape::new(12, 32), Shape::new(4, 64)] {
            let n = i64::from(tile.lanes);
            let mut packed = vec![0.0; right.len()];
            for k in 0..depth {
                for j in 0..columns {
                    let at = j / n * n * depth + k * n + j % n;
                    packed[at as usize] = right[(k * columns + j) as usize];
                }
            }
            let program = contraction("contraction", rows, columns, depth, tile, 4);
            let result: Vec<f32> =
                match run(&program, target, &[left.clone().into(), packed.into()]) {
                    Some(results) => results[0].f32(),
                    None => continue,
                };
            for i in 0..rows {
                for j in 0..columns {
                    let terms = (0..depth).map(|k| {
                        left[(i * depth + k) as usize] * right[(k * columns + j) as usize]
                    });
                    // Small whole numbers: exact in any order.
                    assert_eq!(result[(i * columns + j) as usize], terms.sum::<f32>());
                }
            }
        }
    }
}
