//! Where an access happens: decided when compiling, or by each lane.

use ir::lane::Index;

use super::Emitter;
use crate::mlir::text::Value;

/// What decides whether something happens in a lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guard {
    Always,
    Never,
    Where(Value),
}

impl Emitter<'_> {
    /// Whether in every pair the first is below the second.
    pub(super) fn guard(&mut self, pairs: &[(Index, Index)]) -> Guard {
        let mut open = Vec::new();
        for (low, high) in pairs {
            let (low, high) = (self.linear(low), self.linear(high));
            let span = self.span(&high.clone().minus(&low));
            if span.hi <= 0 {
                return Guard::Never;
            }
            if span.lo < 1 && !open.contains(&(low.clone(), high.clone())) {
                open.push((low, high));
            }
        }
        let mut all = None;
        for (low, high) in open {
            let ty = self.room(&[&low, &high]);
            let (low, high) = (self.integer(&low, ty), self.integer(&high, ty));
            let holds = self.text.compare("slt", low, high);
            all = Some(match all {
                None => holds,
                Some(all) => self.text.binary("arith.andi", all, holds),
            });
        }
        all.map_or(Guard::Always, Guard::Where)
    }
}
