//! Which values an index can take: to prove accesses within bounds, and guards always or never true.
//!
//! Everything here assumes that no index passes 64 bits.

use std::collections::BTreeMap;

use super::{Access, Affine, Counter, For, Index, Memory, Program, Shape};
use crate::DType;

/// How many replacements of an atom a bound tries: loops and minima nest less deep in practice.
const DEPTH: u32 = 10;

/// The values `min, min + step, .., max`, or some of them; `step` is 0 if there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// Not above any value.
    pub min: i64,
    /// Not below any value.
    pub max: i64,
    /// Divides the difference of any two values.
    pub step: i64,
}

/// What is known of counters, tile shape and guards where an index stands.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    /// Values of each counter, whatever the others are.
    counters: BTreeMap<Counter, Range>,
    /// Loops around, outermost first.
    loops: Vec<Loop>,
    /// Values of elements, where their type bounds them.
    elements: BTreeMap<Memory, Range>,
    shape: Option<Shape>,
    /// Sums that are not positive: of guards. Atoms are bounded without them, or a fact would bound itself.
    facts: Vec<Affine>,
}

#[derive(Clone, Debug)]
struct Loop {
    counter: Index,
    start: Affine,
    /// The counter exceeds `start` by no more than this.
    span: i64,
}

impl Range {
    /// Every 64-bit integer.
    pub const ALL: Self = Self {
        min: i64::MIN,
        max: i64::MAX,
        step: 1,
    };

    /// `0..len`; just 0 if `len` is less than 2.
    pub fn below(len: i64) -> Self {
        Self::strided(0, len - 1, 1)
    }

    fn strided(min: i64, max: i64, step: i64) -> Self {
        if max <= min || step == 0 {
            return Self {
                min,
                max: min,
                step: 0,
            };
        }
        let max = max.saturating_sub(max.saturating_sub(min) % step);
        let step = if max == min { 0 } else { step };
        Self { min, max, step }
    }

    /// The sums of a value of this and `by` times a value of `other`.
    fn plus(self, by: i64, other: Self) -> Self {
        let scaled = |x: i64| i128::from(x) * i128::from(by);
        let ends = [scaled(other.min), scaled(other.max)];
        let min = i128::from(self.min) + ends[0].min(ends[1]);
        let max = i128::from(self.max) + ends[0].max(ends[1]);
        match (i64::try_from(min), i64::try_from(max)) {
            (Ok(min), Ok(max)) => Self {
                min,
                max,
                step: gcd(self.step, other.step.saturating_mul(by)),
            },
            (min, max) => Self {
                min: min.unwrap_or(i64::MIN),
                max: max.unwrap_or(i64::MAX),
                step: 1,
            },
        }
    }

    /// The values that are not below `min` and not above `max`.
    fn clip(self, min: i64, max: i64) -> Self {
        if min <= self.min || self.step == 0 {
            return Self::strided(self.min, self.max.min(max), self.step);
        }
        let past = min.saturating_sub(self.min) % self.step;
        let min = if past == 0 {
            min
        } else {
            min.saturating_add(self.step - past)
        };
        Self::strided(min, self.max.min(max), self.step)
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ranges {
    /// What is known at the start of a block.
    pub fn of(program: &Program) -> Self {
        let axes = (0..).zip(&program.grid);
        let params = (0..).map(Memory::Param).zip(&program.params);
        let arrays = params.chain((0..).map(Memory::Local).zip(&program.locals));
        Self {
            counters: axes.map(|(i, n)| (Counter(i), Range::below(*n))).collect(),
            elements: arrays.map(|(m, a)| (m, of_dtype(a.dtype))).collect(),
            ..Self::default()
        }
    }

    /// What is known in the body of a loop that stands here.
    pub fn in_loop(&self, l: &For) -> Self {
        let start = self.affine(&l.start);
        let (first, end) = (self.range(&l.start), self.range(&l.end));
        let trip = match self.affine(&l.end).plus(-1, &start) {
            Some(trip) => self.upper(&trip, &[], DEPTH),
            None => i64::MAX,
        };
        let step = gcd(first.step, l.step);
        let range = Range::strided(first.min, end.max.saturating_sub(1), step);
        let mut inner = self.clone();
        inner.counters.insert(l.counter, range);
        inner.loops.push(Loop {
            counter: l.counter.into(),
            start,
            span: (trip.saturating_sub(1).max(0) / l.step) * l.step,
        });
        inner
    }

    /// What is known at each element of a tile of this shape.
    pub fn in_tile(&self, shape: Shape) -> Self {
        Self {
            shape: Some(shape),
            ..self.clone()
        }
    }

    /// What is known where every pair's first is below its second.
    pub fn where_below(&self, guard: &[(Index, Index)]) -> Self {
        let mut inner = self.clone();
        let facts = guard.iter().filter_map(|(a, b)| self.difference(a, b));
        let facts = facts.filter_map(|d| d.plus(1, &Affine::constant(1)));
        inner.facts.extend(facts);
        inner
    }

    /// Bounds on the values of `index`, and what divides their differences.
    pub fn range(&self, index: &Index) -> Range {
        self.bounds(index, &self.facts)
    }

    /// Whether `a < b` is always true, never true, or neither (none).
    pub fn below(&self, a: &Index, b: &Index) -> Option<bool> {
        let difference = self.difference(a, b)?;
        if self.upper(&difference, &self.facts, DEPTH) < 0 {
            Some(true)
        } else {
            (self.lower(&difference, &self.facts) >= 0).then_some(false)
        }
    }

    /// Whether an access of this tile shape lies within an array of `len` elements, as far as can be proven.
    pub fn contains(&self, access: &Access, shape: Shape, len: i64) -> bool {
        let at = self.in_tile(shape).where_below(&access.guard);
        let range = at.range(&access.at);
        0 <= range.min && range.max < len
    }

    /// `index` as a sum, with quotients, remainders, minima and maxima taken apart where the ranges allow.
    pub fn affine(&self, index: &Index) -> Affine {
        self.sum(index)
            .unwrap_or_else(|| Affine::atom(index.clone()))
    }

    /// An index of the same value, written as [`Ranges::affine`] finds it.
    pub fn simplify(&self, index: &Index) -> Index {
        self.affine(index).into()
    }

    fn sum(&self, index: &Index) -> Option<Affine> {
        match index {
            Index::Const(c) => Some(Affine::constant(*c)),
            Index::Counter(_) | Index::Row | Index::Lane => {
                let range = self.atom(index);
                (range.min == range.max).then(|| Affine::constant(range.min))
            }
            Index::Load(memory, at) => {
                Some(Affine::atom(Index::Load(*memory, self.simplify(at).into())))
            }
            Index::Add(a, b) => self.affine(a).plus(1, &self.affine(b)),
            Index::Mul(a, b) => {
                let (a, b) = (self.affine(a), self.affine(b));
                match (a.known(), b.known()) {
                    (Some(c), _) => Affine::default().plus(c, &b),
                    (_, Some(c)) => Affine::default().plus(c, &a),
                    _ => Some(Affine::atom(Index::Mul(
                        Index::from(a).into(),
                        Index::from(b).into(),
                    ))),
                }
            }
            Index::Div(a, b) => self.quotient(a, b).map(|(quotient, _)| quotient),
            Index::Mod(a, b) => self.quotient(a, b).map(|(_, rest)| rest),
            Index::Min(a, b) | Index::Max(a, b) => {
                let least = matches!(index, Index::Min(..));
                let (a, b) = (self.affine(a), self.affine(b));
                Some(if self.never_above(&a, &b) {
                    if least { a } else { b }
                } else if self.never_above(&b, &a) {
                    if least { b } else { a }
                } else {
                    let either = if least { Index::Min } else { Index::Max };
                    Affine::atom(either(Index::from(a).into(), Index::from(b).into()))
                })
            }
        }
    }

    fn never_above(&self, a: &Affine, b: &Affine) -> bool {
        let difference = a.plus(-1, b);
        difference.is_some_and(|d| self.upper(&d, &[], DEPTH) <= 0)
    }

    /// `floor(a / b)` and `a mod b`.
    fn quotient(&self, a: &Index, b: &Index) -> Option<(Affine, Affine)> {
        let by = self.affine(b).known().filter(|by| *by > 0)?;
        let sum = self.affine(a);
        let (whole, rest) = sum.split(by);
        let min = self.lower(&rest, &[]);
        let first = min.div_euclid(by);
        let last = self.upper(&rest, &[], DEPTH).div_euclid(by);
        if first == last {
            let first = Affine::constant(first);
            return Some((whole.plus(1, &first)?, rest.plus(-by, &first)?));
        }
        // Only numbers that are not negative may be divided.
        let (whole, rest) = if min >= 0 {
            (whole, rest)
        } else {
            (Affine::default(), sum)
        };
        let rest: Box<Index> = Index::from(rest).into();
        let by: Box<Index> = Index::Const(by).into();
        let quotient = Affine::atom(Index::Div(rest.clone(), by.clone()));
        Some((
            whole.plus(1, &quotient)?,
            Affine::atom(Index::Mod(rest, by)),
        ))
    }

    fn difference(&self, a: &Index, b: &Index) -> Option<Affine> {
        self.affine(a).plus(-1, &self.affine(b))
    }

    /// The values of a sum, each atom taken by itself.
    fn interval(&self, sum: &Affine) -> Range {
        let constant = Range::strided(sum.constant, sum.constant, 0);
        let terms = sum.terms.iter();
        terms.fold(constant, |range, (atom, c)| range.plus(*c, self.atom(atom)))
    }

    fn atom(&self, atom: &Index) -> Range {
        match atom {
            Index::Counter(c) => self.counters.get(c).copied().unwrap_or(Range::ALL),
            Index::Row => self
                .shape
                .map_or(Range::ALL, |s| Range::below(s.rows.into())),
            Index::Lane => self
                .shape
                .map_or(Range::ALL, |s| Range::below(s.lanes.into())),
            Index::Load(memory, _) => self.elements.get(memory).copied().unwrap_or(Range::ALL),
            Index::Div(a, b) => match self.affine(b).known() {
                Some(by) if by > 0 => {
                    let a = self.bounds(a, &[]);
                    Range::strided(a.min.div_euclid(by), a.max.div_euclid(by), 1)
                }
                _ => Range::ALL,
            },
            Index::Mod(_, b) => match self.affine(b).known() {
                Some(by) if by > 0 => Range::below(by),
                _ => Range::ALL,
            },
            Index::Min(a, b) => {
                let (a, b) = (self.bounds(a, &[]), self.bounds(b, &[]));
                Range::strided(a.min.min(b.min), a.max.min(b.max), 1)
            }
            Index::Max(a, b) => {
                let (a, b) = (self.bounds(a, &[]), self.bounds(b, &[]));
                Range::strided(a.min.max(b.min), a.max.max(b.max), 1)
            }
            Index::Mul(a, b) => {
                let (a, b) = (self.bounds(a, &[]), self.bounds(b, &[]));
                let ends = [a.min, a.max].map(|x| [b.min, b.max].map(|y| x.saturating_mul(y)));
                let ends = ends.as_flattened();
                let (min, max) = (ends.iter().min(), ends.iter().max());
                Range::strided(*min.expect("four ends"), *max.expect("four ends"), 1)
            }
            Index::Const(_) | Index::Add(..) => self.bounds(atom, &[]),
        }
    }

    fn bounds(&self, index: &Index, facts: &[Affine]) -> Range {
        let sum = self.affine(index);
        let (min, max) = (self.lower(&sum, facts), self.upper(&sum, facts, DEPTH));
        self.interval(&sum).clip(min, max)
    }

    fn lower(&self, sum: &Affine, facts: &[Affine]) -> i64 {
        match Affine::default().plus(-1, sum) {
            Some(negated) => self.upper(&negated, facts, DEPTH).saturating_neg(),
            None => i64::MIN,
        }
    }

    /// A number that `sum` does not exceed: the least found by replacing atoms by what bounds them.
    fn upper(&self, sum: &Affine, facts: &[Affine], depth: u32) -> i64 {
        let plain = self.interval(sum).max;
        if depth == 0 || sum.terms.is_empty() {
            return plain;
        }
        if let [fact, facts @ ..] = facts {
            // `sum <= sum - k fact`, for any `k >= 0`.
            let cancelled = fact.terms.iter().filter_map(|(atom, c)| {
                let k = sum.terms.get(atom)?.checked_div(*c).filter(|k| *k > 0)?;
                sum.plus(-k, fact)
            });
            let bounds = cancelled.map(|s| self.upper(&s, facts, depth - 1));
            return bounds.fold(self.upper(sum, facts, depth), i64::min);
        }
        let bound = |atom: &Index, value: &Affine| {
            let sum = sum.replace(atom, value);
            sum.map_or(i64::MAX, |sum| self.upper(&sum, &[], depth - 1))
        };
        for l in self.loops.iter().rev() {
            let better = match sum.terms.get(&l.counter) {
                None => continue,
                Some(..0) => bound(&l.counter, &l.start),
                Some(_) => l
                    .start
                    .plus(1, &Affine::constant(l.span))
                    .map_or(i64::MAX, |last| bound(&l.counter, &last)),
            };
            return plain.min(better);
        }
        for (atom, c) in &sum.terms {
            let (Index::Min(a, b) | Index::Max(a, b)) = atom else {
                continue;
            };
            let ends = [a, b].map(|x| bound(atom, &self.affine(x)));
            let both = matches!(atom, Index::Min(..)) == (*c > 0);
            let better = if both {
                ends[0].min(ends[1])
            } else {
                ends[0].max(ends[1])
            };
            return plain.min(better);
        }
        plain
    }
}

fn of_dtype(dtype: DType) -> Range {
    let (min, max) = match dtype {
        DType::Bool => (0, 1),
        DType::U8 => (0, 255),
        DType::I8 => (i8::MIN.into(), i8::MAX.into()),
        DType::I32 => (i32::MIN.into(), i32::MAX.into()),
        DType::I64 | DType::F32 | DType::F16 | DType::Bf16 => (i64::MIN, i64::MAX),
    };
    Range { min, max, step: 1 }
}
