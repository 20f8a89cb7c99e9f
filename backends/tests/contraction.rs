//! A contraction with a packed right operand.

mod support;

use ir::{
    DType,
    tile::{Carried, Counter, For, Index, Memory, Program, Shape, Stmt, Value, Var},
};

use support::{access, array, run};

const LEFT: Memory = Memory::Param(0);
const RIGHT: Memory = Memory::Param(1);
const RESULT: Memory = Memory::Param(2);

/// `[rows, depth] x [depth, columns]`, the right one in panels of `tile.lanes` columns; a block is one tile.
pub fn contraction(rows: i64, columns: i64, depth: i64, tile: Shape, unroll: u32) -> Program {
    let (m, n) = (i64::from(tile.rows), i64::from(tile.lanes));
    let (row, column) = (Index::from(Counter(1)) * m, Index::from(Counter(0)) * n);
    let k = || Index::from(Counter(2));
    let load = |memory, at, shape| Value::Load {
        from: access(memory, at),
        shape,
        other: 0.0.into(),
    };
    let left = (row.clone() + Index::Row) * depth + k();
    let right = column.clone() * depth + k() * n + Index::Lane;
    Program {
        name: "contraction".into(),
        params: vec![
            array("left", DType::F32, rows * depth, false),
            array("right", DType::F32, columns * depth, false),
            array("result", DType::F32, rows * columns, true),
        ],
        locals: vec![],
        grid: vec![columns / n, rows / m],
        body: vec![
            Stmt::Let(Var(0), Value::Splat(0.0.into(), DType::F32, tile)),
            Stmt::For(For {
                counter: Counter(2),
                start: 0.into(),
                end: depth.into(),
                step: 1,
                unroll,
                carried: vec![Carried {
                    init: Var(0),
                    current: Var(1),
                    next: Var(4),
                    result: Var(5),
                }],
                body: vec![
                    Stmt::Let(Var(2), load(LEFT, left, Shape::new(tile.rows, 1))),
                    Stmt::Let(Var(3), load(RIGHT, right, Shape::new(1, tile.lanes))),
                    Stmt::Let(
                        Var(4),
                        Value::Dot {
                            a: Var(2),
                            b: Var(3),
                            acc: Var(1),
                        },
                    ),
                ],
            }),
            Stmt::Store {
                to: access(RESULT, (row + Index::Row) * columns + column + Index::Lane),
                value: Var(5),
            },
        ],
    }
}

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
            let program = contraction(rows, columns, depth, tile, 4);
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
