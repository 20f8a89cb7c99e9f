//! Bodies of index notation as straight-line programs over strips of points.

use std::collections::BTreeMap;

use super::linear::Linear;
use crate::{BinaryFn, DType, Expr, UnaryDef, UnaryFn};

/// The instruction whose result is meant, by position.
pub(super) type Reg = usize;

/// `base + sum over axes of coordinate * stride`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walk {
    pub(super) base: i64,
    pub(super) strides: Vec<i64>,
}

impl Walk {
    pub(super) fn at(&self, coordinates: &[i64]) -> i64 {
        let steps = self.strides.iter().zip(coordinates).map(|(s, c)| s * c);
        self.base + steps.sum::<i64>()
    }
}

/// One number for each point of a strip.
#[derive(Clone, Debug)]
pub(super) enum Ins {
    /// A constant.
    Num(f64),
    /// The coordinate on an axis.
    Axis(usize),
    /// An element at a flat offset; it exists where each walk of `within` lies in `0..size`.
    Load {
        operand: usize,
        at: Walk,
        within: Vec<(Walk, i64)>,
    },
    /// An element by an index and a size for each of its axes; it exists where they fit.
    Gather {
        operand: usize,
        index: Vec<(Reg, i64)>,
    },
    /// A primitive function of one number.
    Unary(fn(f64) -> f64, Reg),
    /// A function of two numbers.
    Binary(BinaryFn, Reg, Reg),
    /// Rounding to an element type.
    Cast(DType, Reg),
    /// The second where the first is not 0, else the third.
    Select(Reg, Reg, Reg),
}

/// The last instruction gives the body's value.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) ins: Vec<Ins>,
    /// Whether an instruction may lack a value at some points, because a load has none there.
    pub(super) partial: Vec<bool>,
    /// Size of each axis of the iteration space, none of them 1.
    pub(super) sizes: Vec<i64>,
    /// How many of them are output axes; the others are folded.
    pub(super) outer: usize,
}

impl Program {
    /// Compiles `body` over axes of `sizes`, the first `outer` of them output axes.
    pub(super) fn new(body: &Expr, sizes: &[i64], outer: usize, shapes: &[&[i64]]) -> Self {
        let body = body.clone().expand();
        let mut builder = Builder {
            sizes,
            shapes,
            ins: Vec::new(),
            regs: BTreeMap::new(),
        };
        builder.lower(&body);
        let mut program = Self {
            partial: Vec::new(),
            ins: builder.ins,
            sizes: sizes.to_vec(),
            outer,
        };
        program.mark_partial();
        program.merge_axes();
        program
    }

    fn mark_partial(&mut self) {
        for ins in &self.ins {
            let p = &self.partial;
            self.partial.push(match ins {
                Ins::Num(_) | Ins::Axis(_) => false,
                Ins::Load { within, .. } => !within.is_empty(),
                Ins::Gather { .. } => true,
                Ins::Unary(_, a) | Ins::Cast(_, a) => p[*a],
                Ins::Binary(_, a, b) => p[*a] || p[*b],
                Ins::Select(c, a, b) => p[*c] || p[*a] || p[*b],
            });
        }
    }

    /// Drops axes of size 1 and joins neighbours that every walk crosses as one, so that strips are long.
    fn merge_axes(&mut self) {
        let counted = |axis: usize| {
            self.ins
                .iter()
                .any(|i| matches!(i, Ins::Axis(a) if *a == axis))
        };
        let joins = |outer: usize, inner: usize| {
            let mut walks = self.ins.iter().flat_map(walks);
            !counted(outer)
                && !counted(inner)
                && walks.all(|w| w.strides[outer] == w.strides[inner] * self.sizes[inner])
        };
        // Innermost first: for each new axis its old innermost axis and its size.
        let mut merged: Vec<(usize, i64)> = Vec::new();
        let mut outer = 0;
        let mut last_seen = None;
        for axis in (0..self.sizes.len()).rev().filter(|a| self.sizes[*a] != 1) {
            let same_side = last_seen.is_some_and(|l| (l < self.outer) == (axis < self.outer));
            let joined = same_side && last_seen.is_some_and(|l| joins(axis, l));
            match merged.last_mut() {
                Some((_, size)) if joined => *size *= self.sizes[axis],
                _ => {
                    merged.push((axis, self.sizes[axis]));
                    outer += usize::from(axis < self.outer);
                }
            }
            last_seen = Some(axis);
        }
        merged.reverse();
        for ins in &mut self.ins {
            for walk in walks_mut(ins) {
                walk.strides = merged.iter().map(|(a, _)| walk.strides[*a]).collect();
            }
            if let Ins::Axis(a) = ins {
                let new = merged.iter().position(|(old, _)| old == a);
                *a = new.expect("counted axes are not merged, and those of size 1 not counted");
            }
        }
        self.sizes = merged.into_iter().map(|(_, size)| size).collect();
        self.outer = outer;
    }
}

fn walks(ins: &Ins) -> Vec<&Walk> {
    match ins {
        Ins::Load { at, within, .. } => within.iter().map(|(w, _)| w).chain([at]).collect(),
        _ => vec![],
    }
}

fn walks_mut(ins: &mut Ins) -> Vec<&mut Walk> {
    match ins {
        Ins::Load { at, within, .. } => within.iter_mut().map(|(w, _)| w).chain([at]).collect(),
        _ => vec![],
    }
}

struct Builder<'a> {
    sizes: &'a [i64],
    shapes: &'a [&'a [i64]],
    ins: Vec<Ins>,
    /// Equal parts are computed once.
    regs: BTreeMap<Expr, Reg>,
}

impl Builder<'_> {
    fn lower(&mut self, expr: &Expr) -> Reg {
        if let Some(reg) = self.regs.get(expr) {
            return *reg;
        }
        let ins = match expr {
            Expr::Num(x) => Ins::Num(x.get()),
            Expr::Size(d) => Ins::Num(
                d.known()
                    .expect("graphs are bound before they are evaluated") as f64,
            ),
            Expr::Axis(a) if self.sizes[*a] == 1 => Ins::Num(0.0),
            Expr::Axis(a) => Ins::Axis(*a),
            Expr::Load { operand, index } => match self.walk(*operand, index) {
                Some(load) => load,
                None => {
                    let sizes = self.shapes[*operand];
                    let index = index.iter().zip(sizes).map(|(i, n)| (self.lower(i), *n));
                    Ins::Gather {
                        operand: *operand,
                        index: index.collect(),
                    }
                }
            },
            Expr::Unary(f, x) => Ins::Unary(primitive(*f), self.lower(x)),
            Expr::Cast(dtype, x) => Ins::Cast(*dtype, self.lower(x)),
            Expr::Binary(f, a, b) => {
                let a = self.lower(a);
                Ins::Binary(*f, a, self.lower(b))
            }
            Expr::Select(c, a, b) => {
                let (c, a) = (self.lower(c), self.lower(a));
                Ins::Select(c, a, self.lower(b))
            }
        };
        self.ins.push(ins);
        self.regs.insert(expr.clone(), self.ins.len() - 1);
        self.ins.len() - 1
    }

    /// The load as a walk, if its flat offset and its doubtful indices are sums over axes.
    fn walk(&self, operand: usize, index: &[Expr]) -> Option<Ins> {
        let mut total = Linear::default();
        let mut within = Vec::new();
        let mut stride = 1i64;
        for (expr, size) in index.iter().zip(self.shapes[operand]).rev() {
            let sum = Linear::of(expr, self.sizes)?;
            if !sum
                .range(self.sizes)
                .is_some_and(|(lo, hi)| lo >= 0 && hi < *size)
            {
                within.push((self.along_axes(&sum)?, *size));
            }
            total = total.plus(stride, &sum)?;
            stride = stride.checked_mul(*size)?;
        }
        let at = self.along_axes(&total.joined(self.sizes)?)?;
        Some(Ins::Load {
            operand,
            at,
            within,
        })
    }

    fn along_axes(&self, sum: &Linear) -> Option<Walk> {
        let strides = sum.strides(self.sizes.len())?;
        Some(Walk {
            base: sum.constant,
            strides,
        })
    }
}

fn primitive(f: UnaryFn) -> fn(f64) -> f64 {
    match f.def() {
        UnaryDef::Primitive(f) => f,
        UnaryDef::Derived(_) => unreachable!("the body was expanded"),
    }
}
