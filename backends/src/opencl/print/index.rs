//! Integer expressions.
//!
//! An expression is in `int` if no part of it can leave 32 bits, else in 64 bits from its leaves on.

use std::collections::BTreeMap;

use ir::{
    lane::Index,
    tile::{Counter, Var},
};

use super::{Dialect, Printer};

/// The least and the largest value.
type Range = (i128, i128);

/// What is known of the leaves.
pub(super) struct Leaves<'a> {
    pub counters: &'a BTreeMap<Counter, Range>,
    pub lanes: u32,
    pub warps: u32,
}

const INT: Range = (i32::MIN as i128, i32::MAX as i128);

impl Leaves<'_> {
    /// The range of an expression, and whether all of its parts fit 32 bits.
    pub fn range(&self, index: &Index) -> (Range, bool) {
        let corners = |a: &Index, b: &Index, f: fn(i128, i128) -> i128| {
            let ((a, x), (b, y)) = (self.range(a), self.range(b));
            let all = [f(a.0, b.0), f(a.0, b.1), f(a.1, b.0), f(a.1, b.1)];
            let low = all.into_iter().fold(i128::MAX, i128::min);
            let high = all.into_iter().fold(i128::MIN, i128::max);
            ((low, high), x && y)
        };
        let (range, parts) = match index {
            Index::Const(n) => ((i128::from(*n), i128::from(*n)), true),
            Index::Counter(c) => (self.counters.get(c).copied().unwrap_or(INT), true),
            Index::Lane => ((0, i128::from(self.lanes) - 1), true),
            Index::Warp => ((0, i128::from(self.warps) - 1), true),
            // A number that was read may be any; 64-bit ones are taken to be indices of something that fits memory.
            Index::Var(_) => (INT, true),
            Index::Add(a, b) => corners(a, b, i128::saturating_add),
            Index::Mul(a, b) => corners(a, b, i128::saturating_mul),
            Index::Div(a, b) => corners(a, b, |a, b| if b > 0 { a.max(0) / b } else { a.max(0) }),
            Index::Mod(a, b) => {
                let ((a, x), (b, y)) = (self.range(a), self.range(b));
                ((0, a.1.max(0).min((b.1 - 1).max(0))), x && y)
            }
            Index::Min(a, b) => corners(a, b, i128::min),
            Index::Max(a, b) => corners(a, b, i128::max),
            Index::Xor(a, b) => {
                let ((a, x), (b, y)) = (self.range(a), self.range(b));
                let most = (a.1 | b.1).max(0) as u128;
                ((0, (most + 1).next_power_of_two() as i128 - 1), x && y)
            }
        };
        (range, parts && range.0 >= INT.0 && range.1 <= INT.1)
    }
}

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bind {
    Any,
    Sum,
    Product,
    Whole,
}

/// Names of integer registers, and whether they are 64-bit.
pub(super) type Names<'a> = dyn Fn(Var) -> (String, bool) + 'a;

struct Writer<'a> {
    names: &'a Names<'a>,
    wide: bool,
    dialect: Dialect,
}

/// The text of an expression, and whether it is 64-bit.
pub(super) fn text(
    index: &Index,
    leaves: &Leaves<'_>,
    names: &Names<'_>,
    dialect: Dialect,
) -> (String, bool) {
    let wide = !leaves.range(index).1 || has_wide(index, names);
    let writer = Writer {
        names,
        wide,
        dialect,
    };
    (writer.at(index, Bind::Any), wide)
}

fn has_wide(index: &Index, names: &Names<'_>) -> bool {
    match index {
        Index::Var(v) => names(*v).1,
        _ => index.parts().into_iter().any(|p| has_wide(p, names)),
    }
}

impl Writer<'_> {
    fn at(&self, index: &Index, bind: Bind) -> String {
        let (own, text) = match index {
            Index::Const(n) => (Bind::Whole, self.number(*n)),
            Index::Counter(c) => (Bind::Whole, self.leaf(&format!("c{}", c.0))),
            Index::Lane => (Bind::Whole, self.leaf("lane")),
            Index::Warp => (Bind::Whole, self.leaf("warp")),
            Index::Var(v) => match (self.names)(*v) {
                (name, true) => (Bind::Whole, name),
                (name, false) => (Bind::Whole, self.leaf(&name)),
            },
            Index::Add(a, b) => {
                let a = self.at(a, Bind::Sum);
                let text = match &**b {
                    Index::Const(n) if *n < 0 && *n > i64::MIN => {
                        format!("{a} - {}", self.number(-n))
                    }
                    b => format!("{a} + {}", self.at(b, Bind::Sum)),
                };
                (Bind::Sum, text)
            }
            Index::Mul(a, b) => (
                Bind::Product,
                format!(
                    "{} * {}",
                    self.at(a, Bind::Product),
                    self.at(b, Bind::Whole)
                ),
            ),
            // Neither side is negative, so powers of two are shifts and masks; compilers warn of a bare sum in them.
            Index::Div(a, b) => match power(b) {
                Some(n) => {
                    let text = format!("({} >> {})", self.at(a, Bind::Product), n.ilog2());
                    (Bind::Whole, text)
                }
                None => (
                    Bind::Product,
                    format!(
                        "{} / {}",
                        self.at(a, Bind::Product),
                        self.at(b, Bind::Whole)
                    ),
                ),
            },
            Index::Mod(a, b) => match power(b) {
                Some(n) => {
                    let text = format!("({} & {})", self.at(a, Bind::Product), self.number(n - 1));
                    (Bind::Whole, text)
                }
                None => (
                    Bind::Product,
                    format!(
                        "{} % {}",
                        self.at(a, Bind::Product),
                        self.at(b, Bind::Whole)
                    ),
                ),
            },
            Index::Min(a, b) => (Bind::Whole, self.call("min", a, b)),
            Index::Max(a, b) => (Bind::Whole, self.call("max", a, b)),
            Index::Xor(a, b) => {
                let text = format!(
                    "({} ^ {})",
                    self.at(a, Bind::Product),
                    self.at(b, Bind::Product)
                );
                (Bind::Whole, text)
            }
        };
        if own >= bind {
            text
        } else {
            format!("({text})")
        }
    }

    fn call(&self, name: &str, a: &Index, b: &Index) -> String {
        format!(
            "{name}({}, {})",
            self.at(a, Bind::Any),
            self.at(b, Bind::Any)
        )
    }

    fn leaf(&self, name: &str) -> String {
        match self.wide {
            true => format!("({}){name}", self.dialect.long()),
            false => name.into(),
        }
    }

    fn number(&self, n: i64) -> String {
        let suffix = if self.wide {
            self.dialect.long_suffix()
        } else {
            ""
        };
        integer(n, suffix)
    }
}

/// A literal; the least number of each width has none of its own.
pub(super) fn integer(n: i64, suffix: &str) -> String {
    match n {
        i64::MIN => format!("(-{}{suffix} - 1)", i64::MAX),
        _ if n == i64::from(i32::MIN) && suffix.is_empty() => format!("(-{} - 1)", i32::MAX),
        n if n < 0 => format!("({n}{suffix})"),
        n => format!("{n}{suffix}"),
    }
}

fn power(index: &Index) -> Option<i64> {
    match index {
        Index::Const(n) if *n > 0 && n.count_ones() == 1 => Some(*n),
        _ => None,
    }
}

impl Printer<'_> {
    /// The text of an expression, and whether it is 64-bit.
    pub(super) fn index(&self, index: &Index) -> (String, bool) {
        let names = |v: Var| {
            let r = &self.registers[&v];
            (r.names[0].clone(), r.dtype == ir::DType::I64)
        };
        text(index, &self.leaves(), &names, self.dialect)
    }

    pub(super) fn leaves(&self) -> Leaves<'_> {
        Leaves {
            counters: &self.counters,
            lanes: self.program.lanes,
            warps: self.program.warps,
        }
    }

    /// The condition that in every pair the first is below the second; none if there are no pairs.
    pub(super) fn guard(&self, pairs: &[(Index, Index)]) -> Option<String> {
        let each = pairs.iter().map(|(a, b)| {
            let (a, b) = (self.index(a).0, self.index(b).0);
            format!("{a} < {b}")
        });
        (!pairs.is_empty()).then(|| each.collect::<Vec<_>>().join(" && "))
    }
}
