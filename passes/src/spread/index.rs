//! Indices of a tile's elements as integers of lanes.

use ir::{
    lane::{self, Layout},
    tile::{Affine, Counter, Index, Ranges, Var},
};

use super::{Spreader, memory};

/// Numbers beyond these are not kept in 32-bit registers.
const SMALL: i64 = 1 << 30;

/// The elements of a tile, as lanes hold them.
pub(super) struct Frame<'l> {
    pub layout: &'l Layout,
    /// What is known at each element.
    pub ranges: Ranges,
    /// Row and column of the first register.
    place: (lane::Index, lane::Index),
}

/// An index as a sum.
pub(super) struct Sum {
    pub affine: Affine,
    /// Whether it fits a 32-bit register.
    small: bool,
}

impl Spreader<'_> {
    /// A loop's bound.
    pub(super) fn bound(&mut self, bound: &Index) -> lane::Index {
        let ranges = self.scopes[self.at].ranges.clone();
        let index: Index = ranges.affine(bound).into();
        self.plain(&index)
    }

    /// What a counter of the tile program is in the lane program.
    fn counter(&self, counter: Counter) -> lane::Index {
        let known = self.counters.get(&counter).cloned();
        known.unwrap_or_else(|| counter.into())
    }

    /// An index without `Row` and `Lane`.
    fn plain(&mut self, index: &Index) -> lane::Index {
        match index {
            Index::Const(n) => (*n).into(),
            Index::Counter(c) => self.counter(*c),
            Index::Add(a, b) => self.plain(a) + self.plain(b),
            Index::Mul(a, b) => self.plain(a) * self.plain(b),
            Index::Div(a, b) => lane::Index::Div(self.plain(a).into(), self.plain(b).into()),
            Index::Mod(a, b) => lane::Index::Mod(self.plain(a).into(), self.plain(b).into()),
            Index::Min(a, b) => self.plain(a).min(self.plain(b)),
            Index::Max(a, b) => self.plain(a).max(self.plain(b)),
            Index::Load(array, at) => {
                let from = lane::Access {
                    memory: memory(*array),
                    at: self.plain(at),
                    guard: vec![],
                };
                lane::Index::Var(self.gathered(from))
            }
            Index::Row | Index::Lane => {
                unreachable!("bounds of lowered loops are the same for all elements")
            }
        }
    }

    /// An index at a register's element. Gathered elements are read where the guard holds.
    pub(super) fn index(
        &mut self,
        frame: &Frame<'_>,
        sum: &Sum,
        register: u32,
        guard: &[(lane::Index, lane::Index)],
    ) -> lane::Index {
        let (row, column) = frame.layout.place(register, 0, 0);
        let mut base = lane::Index::Const(0);
        let mut shift = sum.affine.constant;
        let mut hidden = lane::Index::Const(0);
        for (atom, by) in &sum.affine.terms {
            match atom {
                Index::Row => {
                    base = base + frame.place.0.clone() * *by;
                    shift += i64::from(row) * by;
                }
                Index::Lane => {
                    base = base + frame.place.1.clone() * *by;
                    shift += i64::from(column) * by;
                }
                Index::Counter(c) => base = base + self.counter(*c) * *by,
                atom => hidden = hidden + self.atom(frame, atom, register, guard) * *by,
            }
        }
        let base = if sum.small { self.kept(base) } else { base };
        base + hidden + shift
    }

    /// An index that is no sum.
    fn atom(
        &mut self,
        frame: &Frame<'_>,
        atom: &Index,
        register: u32,
        guard: &[(lane::Index, lane::Index)],
    ) -> lane::Index {
        let mut part = |x: &Index| {
            let sum = frame.sum(x);
            self.index(frame, &sum, register, guard)
        };
        match atom {
            Index::Div(a, b) | Index::Mod(a, b) => {
                let (x, by) = (part(a), part(b));
                let divided = match (atom, by) {
                    (Index::Div(..), lane::Index::Const(by)) => x.floor_div(by),
                    (_, lane::Index::Const(by)) => x.modulo(by),
                    (Index::Div(..), by) => lane::Index::Div(x.into(), by.into()),
                    (_, by) => lane::Index::Mod(x.into(), by.into()),
                };
                // Where a guard keeps the dividend from being negative, it must not be divided elsewhere.
                let range = frame.ranges.range(a);
                if range.min >= 0 && range.max < SMALL {
                    self.kept(divided)
                } else {
                    divided
                }
            }
            Index::Min(a, b) => part(a).min(part(b)),
            Index::Max(a, b) => part(a).max(part(b)),
            Index::Mul(a, b) => part(a) * part(b),
            Index::Add(a, b) => part(a) + part(b),
            Index::Load(array, at) => {
                let from = lane::Access {
                    memory: memory(*array),
                    at: part(at),
                    guard: guard.to_vec(),
                };
                lane::Index::Var(self.gathered(from))
            }
            Index::Const(n) => (*n).into(),
            Index::Counter(c) => self.counter(*c),
            Index::Row | Index::Lane => unreachable!("terms of their own"),
        }
    }

    /// An element of an integer array, in a register.
    fn gathered(&mut self, from: lane::Access) -> Var {
        let key = (from.memory, from.at.clone(), from.guard.clone());
        if let Some(var) = self.scopes[self.at].gathered.get(&key) {
            return *var;
        }
        let var = self.set(lane::Value::Load {
            from,
            width: 1,
            other: 0.0.into(),
        });
        self.scopes[self.at].gathered.insert(key, var);
        var
    }

    /// The number in a register, computed once in the outermost scope that can; small parts are left as they are.
    pub(super) fn kept(&mut self, index: lane::Index) -> lane::Index {
        if index.parts().iter().all(|p| p.parts().is_empty()) {
            return index;
        }
        let needs = |scope: &super::Scope<'_>| {
            let counter = scope.counter.map(lane::Index::from);
            counter.is_some_and(|c| index.mentions(&c))
        };
        let at = if varies(&index) {
            self.at
        } else {
            let inner = self.scopes[..=self.at].iter().rposition(needs);
            inner.unwrap_or(0)
        };
        if let Some(var) = self.scopes[at].indices.get(&index) {
            return lane::Index::Var(*var);
        }
        let value = lane::Value::Index(vec![index.clone()]);
        let var = self.within(at, |s| s.set(value));
        self.scopes[at].indices.insert(index, var);
        lane::Index::Var(var)
    }
}

/// Whether a variable occurs.
fn varies(index: &lane::Index) -> bool {
    matches!(index, lane::Index::Var(_)) || index.parts().into_iter().any(varies)
}

impl<'l> Frame<'l> {
    /// The elements of a tile of which `ranges` tell.
    pub fn new(layout: &'l Layout, ranges: Ranges) -> Self {
        Self {
            layout,
            ranges,
            place: layout.index(0),
        }
    }

    /// An index as a sum, by what is known at the elements.
    pub fn sum(&self, index: &Index) -> Sum {
        let range = self.ranges.range(index);
        Sum {
            affine: self.ranges.affine(index),
            small: -SMALL < range.min && range.max < SMALL,
        }
    }
}
