//! Tile programs against plain loops.

use ir::{
    DType,
    tile::{
        Access, Arithmetic, Array, Carried, Counter, For, Index, Memory, Program, Shape, Stmt,
        Value, Var, evaluate,
    },
};

fn array(name: &str, len: i64, written: bool) -> Array {
    Array {
        name: name.into(),
        dtype: DType::F32,
        len,
        written,
    }
}

fn load(memory: u32, at: Index, guard: Vec<(Index, Index)>, shape: Shape) -> Value {
    Value::Load {
        from: Access {
            memory: Memory::Param(memory),
            at,
            guard,
        },
        shape,
        other: 0.0.into(),
    }
}

/// `y[m, n] = x[m, k] w[k, n]` in tiles of 8 x 32 with guards at both edges.
fn contraction(m: i64, k: i64, n: i64) -> Program {
    let row = Index::from(Counter(0)) * 8 + Index::Row;
    let column = Index::from(Counter(1)) * 32 + Index::Lane;
    let depth = Index::from(Counter(2));
    let in_rows = (row.clone(), Index::Const(m));
    let in_columns = (column.clone(), Index::Const(n));
    let tile = Shape::new(8, 32);
    Program {
        name: "contraction".into(),
        params: vec![
            array("x", m * k, false),
            array("w", k * n, false),
            array("y", m * n, true),
        ],
        locals: vec![],
        grid: vec![(m + 7) / 8, (n + 31) / 32],
        body: vec![
            Stmt::Let(Var(0), Value::Splat(0.0.into(), DType::F32, tile)),
            Stmt::For(For {
                counter: Counter(2),
                start: 0.into(),
                end: k.into(),
                step: 1,
                unroll: 4,
                carried: vec![Carried {
                    init: Var(0),
                    current: Var(1),
                    next: Var(4),
                    result: Var(5),
                }],
                body: vec![
                    Stmt::Let(
                        Var(2),
                        load(
                            0,
                            row.clone() * k + depth.clone(),
                            vec![in_rows.clone()],
                            Shape::new(8, 1),
                        ),
                    ),
                    Stmt::Let(
                        Var(3),
                        load(
                            1,
                            depth * n + column.clone(),
                            vec![in_columns.clone()],
                            Shape::new(1, 32),
                        ),
                    ),
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
                to: Access {
                    memory: Memory::Param(2),
                    at: row * n + column,
                    guard: vec![in_rows, in_columns],
                },
                value: Var(5),
            },
        ],
    }
}

#[test]
fn a_contraction_with_ragged_edges() {
    let (m, k, n) = (128, 384, 1536);
    let x: Vec<f64> = (0..m * k)
        .map(|i| f64::from((i * 7919 % 101) as i32 - 50))
        .collect();
    let w: Vec<f64> = (0..k * n)
        .map(|i| f64::from((i * 104_729 % 97) as i32 - 48))
        .collect();
    let start = std::time::Instant::now();
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; (m * n) as usize]];
    evaluate(&contraction(m, k, n), &mut params, Arithmetic::Exact).unwrap();
    println!("{:?}", start.elapsed());
    let sum = |i: i64, j: i64| -> f64 {
        (0..k)
            .map(|d| x[(i * k + d) as usize] * w[(d * n + j) as usize])
            .sum()
    };
    for (i, j) in [(0, 0), (127, 1535), (77, 801), (8, 31)] {
        assert_eq!(params[2][(i * n + j) as usize], sum(i, j));
    }
}
