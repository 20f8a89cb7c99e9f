//! A program in two parts: the sums of products, for the cube, and all else, for the vector units.

use std::collections::BTreeSet;

use ir::{
    DType,
    tile::{
        Access, Array, Counter, For, Index, Memory, Place, Program, Shape, Stmt, Types, Value, Var,
    },
};

use crate::ascend::{
    emit::window::{place, replace},
    live::operands,
};

/// Sums of products that one tile of the cube computes.
pub(super) struct Product {
    /// The loops around the product, the outermost first; without bodies.
    pub loops: Vec<For>,
    /// `r x k`
    pub left: Operand,
    /// `k x l`
    pub right: Operand,
    /// Of the result.
    pub shape: Shape,
    /// Terms of a round.
    pub depth: u32,
}

/// A tile of memory that is multiplied.
pub(super) struct Operand {
    /// Where it lies.
    pub from: Access,
    /// As it is read; repeated to the operand's shape.
    pub shape: Shape,
    pub dtype: DType,
}

/// A program whose sums are read from a workspace, by two vector cores in turn.
pub(super) struct Split {
    pub product: Product,
    /// With the workspace as last parameter: a tile of sums for each block.
    pub rest: Program,
    /// Which of both vector cores: the rows are halved. None if the first does all.
    pub half: Option<Counter>,
}

/// Above any counter of a program.
const HALF: Counter = Counter(1 << 29);

/// Both parts of a program with one product; nothing if it has none.
pub(super) fn split(
    program: &Program,
    body: &[Stmt],
    types: &Types,
) -> Result<Option<Split>, (Place, String)> {
    let of = |i: usize| Place(vec![i]);
    let with: Vec<usize> = (0..body.len()).filter(|i| dots(&body[*i]) > 0).collect();
    let at = match with.as_slice() {
        [] => return Ok(None),
        [at] if dots(&body[*at]) == 1 => *at,
        [at, ..] => return Err((of(*at), "one of several products".into())),
    };
    let fault = |what: &str| (of(at), what.to_owned());
    let mut loops = vec![];
    let (result, init) = match &body[at] {
        Stmt::For(l) => match l.carried.as_slice() {
            [c] => (c.result, c.init),
            _ => return Err(fault("a loop of products that carries more than their sum")),
        },
        Stmt::Let(var, Value::Dot { acc, .. }) => (*var, *acc),
        _ => unreachable!("the statement holds a product"),
    };
    if !zero(&body[..at], init) {
        return Err(fault(
            "a product that is added to a tile of the vector units",
        ));
    }
    let (scope, a, b) = innermost(&body[at], &body[..at], &mut loops).map_err(|w| fault(&w))?;
    let shape = types[&result].1;
    let operand = |var| {
        operand(&scope, var, types)
            .ok_or_else(|| fault("an operand of a product that the vector units make"))
    };
    let product = Product {
        left: operand(a)?,
        right: operand(b)?,
        depth: types[&a].1.lanes,
        shape,
        loops,
    };
    let rest = rest(program, body, at, result, shape);
    let half = halves(&rest.body, shape.rows, types).then_some(HALF);
    let rest = Program {
        body: match half {
            Some(counter) => rest
                .body
                .iter()
                .map(|s| halved(s, shape.rows, types, counter))
                .collect(),
            None => rest.body,
        },
        ..rest
    };
    Ok(Some(Split {
        product,
        rest,
        half,
    }))
}

fn dots(stmt: &Stmt) -> usize {
    match stmt {
        Stmt::Let(_, Value::Dot { .. }) => 1,
        Stmt::For(l) => l.body.iter().map(dots).sum(),
        _ => 0,
    }
}

fn defined(scope: &[Stmt], var: Var) -> Option<&Value> {
    scope.iter().find_map(|s| match s {
        Stmt::Let(v, value) if *v == var => Some(value),
        _ => None,
    })
}

fn zero(scope: &[Stmt], var: Var) -> bool {
    matches!(defined(scope, var), Some(Value::Splat(x, ..)) if x.get() == 0.0)
}

/// The statements before the product, around it and in it, and its operands.
fn innermost(
    stmt: &Stmt,
    before: &[Stmt],
    loops: &mut Vec<For>,
) -> Result<(Vec<Stmt>, Var, Var), String> {
    let l = match stmt {
        Stmt::Let(_, Value::Dot { a, b, .. }) => return Ok((before.to_vec(), *a, *b)),
        Stmt::For(l) => l,
        _ => unreachable!("the statement holds a product"),
    };
    let at = l.body.iter().position(|s| dots(s) > 0);
    let at = at.expect("the loop holds a product");
    let (made, acc) = match &l.body[at] {
        Stmt::For(inner) if inner.carried.len() == 1 => {
            (inner.carried[0].result, inner.carried[0].init)
        }
        Stmt::Let(var, Value::Dot { acc, .. }) => (*var, *acc),
        _ => return Err("a loop of products that carries more than their sum".into()),
    };
    if l.carried[0].next != made || l.carried[0].current != acc {
        return Err("a sum of products that is changed from round to round".into());
    }
    loops.push(For {
        body: vec![],
        ..l.clone()
    });
    let scope = [before, &l.body[..at]].concat();
    innermost(&l.body[at], &scope, loops)
}

/// What a variable is loaded from, perhaps repeated.
fn operand(scope: &[Stmt], var: Var, types: &Types) -> Option<Operand> {
    match defined(scope, var)? {
        Value::Load { from, shape, other } if other.get() == 0.0 => Some(Operand {
            from: from.clone(),
            shape: *shape,
            dtype: types[&var].0,
        }),
        Value::Broadcast(x, _) => operand(scope, *x, types),
        _ => None,
    }
}

/// The program with the statement at `at` replaced by a load of its result, without what only that read.
fn rest(program: &Program, body: &[Stmt], at: usize, result: Var, shape: Shape) -> Program {
    let tile = i64::from(shape.rows) * i64::from(shape.lanes);
    let block = program
        .grid
        .iter()
        .zip(0..)
        .fold(Index::Const(0), |sum, (n, c)| sum * *n + Counter(c));
    let mut params = program.params.clone();
    let memory = Memory::Param(params.len() as u32);
    params.push(Array {
        name: "workspace".into(),
        dtype: DType::F32,
        len: program.blocks() * tile,
        written: false,
    });
    let from = Access {
        memory,
        at: block * tile + Index::Row * i64::from(shape.lanes) + Index::Lane,
        guard: vec![],
    };
    let load = Value::Load {
        from,
        shape,
        other: 0.0.into(),
    };
    let mut wanted: BTreeSet<Var> = BTreeSet::new();
    let mut kept = vec![];
    for (i, stmt) in body.iter().enumerate().rev() {
        let stmt = if i == at {
            &Stmt::Let(result, load.clone())
        } else {
            stmt
        };
        let keep = match stmt {
            Stmt::Let(var, _) => wanted.contains(var),
            Stmt::Store { .. } | Stmt::For(_) => true,
        };
        if keep {
            wanted.extend(reads(stmt));
            kept.push(stmt.clone());
        }
    }
    kept.reverse();
    Program {
        params,
        body: kept,
        ..program.clone()
    }
}

/// Every tile that a statement reads.
pub(super) fn reads(stmt: &Stmt) -> Vec<Var> {
    match stmt {
        Stmt::Let(_, value) => operands(value),
        Stmt::Store { value, .. } => vec![*value],
        Stmt::For(l) => {
            let carried = l.carried.iter().flat_map(|c| [c.init, c.next]);
            carried.chain(l.body.iter().flat_map(reads)).collect()
        }
    }
}

/// Whether every tile has the rows of the result or one row, and none is folded across rows.
fn halves(body: &[Stmt], rows: u32, types: &Types) -> bool {
    rows.is_multiple_of(2)
        && body.iter().all(|stmt| match stmt {
            Stmt::Let(_, Value::Reduce(_, ir::tile::Axis::Rows, _)) => false,
            Stmt::Let(var, _) => matches!(types[var].1.rows, r if r == rows || r == 1),
            Stmt::Store { .. } => true,
            Stmt::For(_) => false,
        })
}

/// The statement for one half of the rows.
fn halved(stmt: &Stmt, rows: u32, types: &Types, half: Counter) -> Stmt {
    let row = Index::Row + Index::Counter(half) * i64::from(rows / 2);
    let access = |a: &Access| place(a, &Index::Row, &row);
    let shape = |s: &Shape| Shape::new(if s.rows == rows { rows / 2 } else { s.rows }, s.lanes);
    match stmt {
        Stmt::Let(var, value) => Stmt::Let(
            *var,
            match value {
                Value::Load {
                    from,
                    shape: s,
                    other,
                } if s.rows == rows => Value::Load {
                    from: access(from),
                    shape: shape(s),
                    other: *other,
                },
                Value::Coordinate(at, s) if s.rows == rows => {
                    Value::Coordinate(replace(at, &Index::Row, &row), shape(s))
                }
                Value::Splat(x, dtype, s) => Value::Splat(*x, *dtype, shape(s)),
                Value::Broadcast(x, s) => Value::Broadcast(*x, shape(s)),
                other => other.clone(),
            },
        ),
        Stmt::Store { to, value } if types[value].1.rows == rows => Stmt::Store {
            to: access(to),
            value: *value,
        },
        other => other.clone(),
    }
}
