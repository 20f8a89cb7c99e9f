//! Where an access happens: decided when compiling, once per register, or lane by lane.

use ir::tile::{Access, Index, Shape};

use super::{Emitter, typed};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Elem, Type, Value},
};

/// What decides whether an access happens at the lanes of one register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    /// It happens at no lane.
    pub never: bool,
    /// All of these must be above 0, the same for every lane.
    pub whole: Vec<Linear>,
    /// In each pair the first must be below the second, at each lane.
    pub lanes: Vec<(Index, Index)>,
}

impl Emitter<'_> {
    /// The guard of an access of this shape at the current row, for lanes from `first`.
    pub(super) fn guard(
        &mut self,
        access: &Access,
        shape: Shape,
        first: u32,
        width: Option<u32>,
    ) -> Guard {
        let mut guard = Guard::default();
        for (low, high) in &access.guard {
            if self
                .granted
                .contains(&(low.clone(), high.clone(), (shape.rows, shape.lanes)))
            {
                continue;
            }
            let low_sum = self.at_lanes(low, first, width);
            let room = self.at_lanes(high, first, width).minus(&low_sum);
            let span = self.scope.span(&room);
            if span.lo >= 1 {
                continue;
            }
            guard.never |= span.hi <= 0;
            if room.mentions(&|atom| *atom == Atom::Lane) {
                guard.lanes.push((low.clone(), high.clone()));
            } else if !guard.whole.contains(&room) {
                guard.whole.push(room);
            }
        }
        guard
    }

    /// Whether every sum is above 0; none if there is no sum.
    pub(super) fn all_positive(&mut self, sums: &[Linear]) -> Option<Value> {
        let zero = self.text.int(Type::scalar(Elem::I64), 0);
        let mut all = None;
        for sum in sums {
            let value = self.integer(sum);
            let holds = self.text.compare("sgt", value, zero);
            all = Some(match all {
                None => holds,
                Some(all) => self.text.binary("arith.andi", all, holds),
            });
        }
        all
    }

    /// The lanes at which every pair holds; none if there is no pair.
    pub(super) fn mask(
        &mut self,
        pairs: &[(Index, Index)],
        first: u32,
        width: u32,
    ) -> Option<Value> {
        let mut all = None;
        for (low, high) in pairs {
            let holds = self.mask_of(low, high, first, width);
            all = Some(match all {
                None => holds,
                Some(all) => self.text.binary("arith.andi", all, holds),
            });
        }
        all
    }

    fn mask_of(&mut self, low: &Index, high: &Index, first: u32, width: u32) -> Value {
        let low_sum = self.at_lanes(low, first, Some(width));
        let room = self.at_lanes(high, first, Some(width)).minus(&low_sum);
        let narrow = self
            .scope
            .span(&room)
            .within(i64::from(i32::MIN), i64::from(i32::MAX));
        let Some(stride) = room.lane_stride().filter(|_| narrow) else {
            let low = self.integers(low, first, width);
            let high = self.integers(high, first, width);
            return self.text.compare("slt", low, high);
        };
        let start = self.integer(&room.at_lane(i64::from(first)));
        let start = self
            .text
            .convert("arith.trunci", start, Type::scalar(Elem::I32));
        let start = self.text.broadcast(start, Some(width));
        let lanes = self.text.iota(Elem::I32, width);
        if stride == -1 {
            return self.text.compare("slt", lanes, start);
        }
        let ty = typed(Elem::I32, Some(width));
        let stride = self.text.int(ty, stride);
        let steps = self.text.binary("arith.muli", lanes, stride);
        let room = self.text.binary("arith.addi", start, steps);
        let zero = self.text.int(ty, 0);
        self.text.compare("sgt", room, zero)
    }
}
