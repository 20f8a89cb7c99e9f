//! Which tiles exist at each step of a program.

use std::collections::{BTreeMap, BTreeSet};

use ir::tile::{For, Place, Shape, Stmt, Types, Value, Var};

/// A step, with the tiles that exist while it runs: what it reads, what it makes, what is read later.
pub(super) struct Point<'a> {
    pub place: Place,
    pub stmt: &'a Stmt,
    pub live: BTreeSet<Var>,
    /// Those that nothing reads later.
    pub last: BTreeSet<Var>,
}

/// The body with each tile under one name: where a tile is repeated to the shape that it has, nothing is made. Steps keep
/// their places.
pub(super) fn without_copies(body: &[Stmt], types: &Types) -> Vec<Stmt> {
    let mut names = BTreeMap::new();
    body.iter().map(|s| renamed(s, types, &mut names)).collect()
}

fn renamed(stmt: &Stmt, types: &Types, names: &mut BTreeMap<Var, Var>) -> Stmt {
    let name = |x: &Var| *names.get(x).unwrap_or(x);
    match stmt {
        Stmt::Let(var, Value::Broadcast(x, shape)) if types[x].1 == *shape => {
            let of = name(x);
            names.insert(*var, of);
            // A number of no tile stands in the place of the step.
            Stmt::Let(*var, Value::Splat(0.0.into(), types[x].0, Shape::ONE))
        }
        Stmt::Let(var, value) => {
            let mut value = value.clone();
            match &mut value {
                Value::Splat(..) | Value::Coordinate(..) | Value::Load { .. } => {}
                Value::Unary(_, x)
                | Value::Cast(_, x)
                | Value::Broadcast(x, _)
                | Value::Reduce(_, _, x) => *x = name(x),
                Value::Binary(_, a, b) => [*a, *b] = [name(a), name(b)],
                Value::Select(a, b, c) | Value::Dot { a, b, acc: c } => {
                    [*a, *b, *c] = [name(a), name(b), name(c)];
                }
            }
            Stmt::Let(*var, value)
        }
        Stmt::Store { to, value } => Stmt::Store {
            to: to.clone(),
            value: name(value),
        },
        Stmt::For(l) => {
            let mut l = l.clone();
            for carried in &mut l.carried {
                carried.init = name(&carried.init);
            }
            l.body = l.body.iter().map(|s| renamed(s, types, names)).collect();
            for carried in &mut l.carried {
                carried.next = *names.get(&carried.next).unwrap_or(&carried.next);
            }
            Stmt::For(l)
        }
    }
}

/// All steps but loops themselves, in no order.
pub(super) fn points(body: &[Stmt]) -> Vec<Point<'_>> {
    let mut points = vec![];
    walk(body, BTreeSet::new(), &[], &mut points);
    points
}

/// The tiles that a value is made from.
pub(in crate::ascend) fn operands(value: &Value) -> Vec<Var> {
    match value {
        Value::Splat(..) | Value::Coordinate(..) | Value::Load { .. } => vec![],
        Value::Unary(_, x)
        | Value::Cast(_, x)
        | Value::Broadcast(x, _)
        | Value::Reduce(_, _, x) => vec![*x],
        Value::Binary(_, a, b) => vec![*a, *b],
        Value::Select(a, b, c) | Value::Dot { a, b, acc: c } => vec![*a, *b, *c],
    }
}

/// Goes through a body from its end, where `live` tiles are read later; gives those read at its start.
fn walk<'a>(
    body: &'a [Stmt],
    mut live: BTreeSet<Var>,
    around: &[usize],
    points: &mut Vec<Point<'a>>,
) -> BTreeSet<Var> {
    for (i, stmt) in body.iter().enumerate().rev() {
        let place = Place([around, &[i]].concat());
        match stmt {
            Stmt::Let(var, value) => {
                let last = operands(value).into_iter().filter(|x| !live.contains(x));
                let last = last.collect();
                live.extend(operands(value));
                let mut during = live.clone();
                during.insert(*var);
                points.push(Point {
                    place,
                    stmt,
                    live: during,
                    last,
                });
                live.remove(var);
            }
            Stmt::Store { value, .. } => {
                let last = BTreeSet::from_iter(live.insert(*value).then_some(*value));
                points.push(Point {
                    place,
                    stmt,
                    live: live.clone(),
                    last,
                });
            }
            Stmt::For(l) => live = in_loop(l, live, &place, points),
        }
    }
    live
}

/// What is read in a round and made before the loop exists for all rounds.
fn in_loop<'a>(
    l: &'a For,
    mut live: BTreeSet<Var>,
    place: &Place,
    points: &mut Vec<Point<'a>>,
) -> BTreeSet<Var> {
    for carried in &l.carried {
        live.remove(&carried.result);
    }
    let nexts = || l.carried.iter().map(|c| c.next);
    let mut free = walk(&l.body, nexts().collect(), &place.0, &mut vec![]);
    for carried in &l.carried {
        free.remove(&carried.current);
    }
    live.extend(free);
    let end = live.iter().copied().chain(nexts()).collect();
    walk(&l.body, end, &place.0, points);
    live.extend(l.carried.iter().map(|c| c.init));
    live
}
