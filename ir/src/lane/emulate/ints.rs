//! Integers of the lanes of a warp.

use super::super::Index;
use super::{
    code::Code,
    fault::{RunFault, Stop},
    warp::Warp,
};

/// One integer for each lane, or one for all.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ints {
    One(i64),
    Each(Vec<i64>),
}

/// The lanes of a mask, in order.
pub(super) fn lanes_of(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (mask > 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(lane)
    })
}

impl Ints {
    pub fn at(&self, lane: usize) -> i64 {
        match self {
            Self::One(n) => *n,
            Self::Each(each) => each[lane],
        }
    }

    /// The number that all lanes of `mask`, of which there are some, have in common.
    ///
    /// # Errors
    /// Two that differ.
    pub fn common(&self, mask: u64) -> Result<i64, (i64, i64)> {
        let first = self.at(mask.trailing_zeros() as usize);
        let mut others = lanes_of(mask).map(|lane| self.at(lane));
        others
            .find(|n| *n != first)
            .map_or(Ok(first), |other| Err((first, other)))
    }

    /// `f` of the numbers of both, where it is defined; 0 in lanes outside `mask`, of which nobody asks.
    fn with(
        self,
        other: Self,
        mask: u64,
        f: impl Fn(i64, i64) -> Option<i64>,
        fault: fn(i64, i64) -> RunFault,
    ) -> Result<Self, Stop> {
        let f = |lane: usize, a, b| match f(a, b) {
            Some(n) => Ok(n),
            None if mask >> lane & 1 == 0 => Ok(0),
            None => Err(fault(a, b).in_lane(lane)),
        };
        match (self, other) {
            (Self::One(a), Self::One(b)) => f(mask.trailing_zeros() as usize, a, b).map(Self::One),
            (Self::Each(mut each), Self::One(b)) => {
                for (lane, a) in each.iter_mut().enumerate() {
                    *a = f(lane, *a, b)?;
                }
                Ok(Self::Each(each))
            }
            (Self::One(a), Self::Each(mut each)) => {
                for (lane, b) in each.iter_mut().enumerate() {
                    *b = f(lane, a, *b)?;
                }
                Ok(Self::Each(each))
            }
            (Self::Each(mut each), Self::Each(others)) => {
                for (lane, (a, b)) in each.iter_mut().zip(others).enumerate() {
                    *a = f(lane, *a, b)?;
                }
                Ok(Self::Each(each))
            }
        }
    }
}

impl Warp {
    /// The value of an index in the lanes of `mask`, of which there are some.
    pub(super) fn index(&self, code: &Code, index: &Index, mask: u64) -> Result<Ints, Stop> {
        // Not a function that takes functions, so that each one is compiled into its loop.
        macro_rules! pair {
            ($a:ident, $b:ident, $f:expr, $fault:expr) => {{
                let a = self.index(code, $a, mask)?;
                a.with(self.index(code, $b, mask)?, mask, $f, $fault)
            }};
        }
        let overflow = |_, _| RunFault::Overflow;
        let division = RunFault::Division;
        let divisible = |a, b| a >= 0 && b > 0;
        let lanes = code.lanes();
        match index {
            Index::Const(n) => Ok(Ints::One(*n)),
            Index::Counter(c) => Ok(Ints::One(self.counters[code.counters.of(*c)])),
            Index::Lane => Ok(Ints::Each((0..lanes as i64).collect())),
            Index::Warp => Ok(Ints::One(self.number as i64)),
            Index::Var(var) => {
                let values = &self.vars[code.vars.of(*var)];
                Ok(Ints::Each(values.iter().map(|x| *x as i64).collect()))
            }
            Index::Add(a, b) => pair!(a, b, i64::checked_add, overflow),
            Index::Mul(a, b) => pair!(a, b, i64::checked_mul, overflow),
            Index::Div(a, b) => pair!(a, b, |a, b| divisible(a, b).then(|| a / b), division),
            Index::Mod(a, b) => pair!(a, b, |a, b| divisible(a, b).then(|| a % b), division),
            Index::Min(a, b) => pair!(a, b, |a, b| Some(a.min(b)), overflow),
            Index::Max(a, b) => pair!(a, b, |a, b| Some(a.max(b)), overflow),
            Index::Xor(a, b) => {
                let xor = |a, b| (a >= 0 && b >= 0).then_some(a ^ b);
                pair!(a, b, xor, RunFault::Negative)
            }
        }
    }

    /// The number that an index is in all lanes that take part.
    pub(super) fn common(
        &self,
        code: &Code,
        index: &Index,
        what: &'static str,
    ) -> Result<i64, Stop> {
        let ints = self.index(code, index, self.mask)?;
        ints.common(self.mask).map_err(|(first, second)| {
            let fault = RunFault::Differs {
                what,
                first,
                second,
            };
            fault.in_warp()
        })
    }

    /// The lanes of `mask` in which every pair holds.
    pub(super) fn below(
        &self,
        code: &Code,
        guard: &[(Index, Index)],
        mut mask: u64,
    ) -> Result<u64, Stop> {
        for (a, b) in guard {
            if mask == 0 {
                break;
            }
            let (a, b) = (self.index(code, a, mask)?, self.index(code, b, mask)?);
            for lane in lanes_of(mask) {
                if a.at(lane) >= b.at(lane) {
                    mask &= !(1 << lane);
                }
            }
        }
        Ok(mask)
    }
}
