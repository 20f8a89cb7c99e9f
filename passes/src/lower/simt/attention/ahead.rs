//! Scores of the next tile of keys are computed beside the weights of this one (Shah et al. 2024, arXiv:2407.08608,
//! section 3.2).

use ir::{
    Scores,
    tile::{Index, Var},
};

use super::{Builder, Masking, Parts, Range, State};

impl Parts<'_> {
    /// Whether scores are computed ahead: then each query tile sees at least one tile of keys.
    pub(super) fn looks_ahead(&self) -> bool {
        let sizes = self.spec.sizes;
        let sees = !self.spec.causal || self.spec.past.is_none() && sizes.keys >= sizes.queries;
        self.masking == Masking::AtEdges(Scores::Ahead) && sees
    }

    /// Maximum, sum and result after all keys. The last tile has a round of its own, after which there is no next.
    pub(super) fn look_ahead(&self, b: &mut Builder, init: &[Var]) -> Vec<Var> {
        let whole = self.keys(b);
        let step = whole.step;
        let passed = whole.end + whole.start.clone() * -1 + (-1);
        let last = whole.start.clone() + passed.floor_div(step) * step;
        let mut state = vec![self.products(b, &whole.start)];
        state.extend(init);
        let mut masked = false;
        for (range, looks) in self.pieces(b) {
            masked |= looks;
            let range = Range {
                start: range.start.min(last.clone()),
                end: range.end.min(last.clone()),
                ..range
            };
            state = b.for_each(range, &state, |b, key, carried| {
                let next = self.products(b, &(key.clone() + step));
                let state = self.tile(b, &key, carried, looks);
                vec![next, state.max, state.sum, state.acc]
            });
        }
        let end = self.tile(b, &last, &state, masked);
        vec![end.max, end.sum, end.acc]
    }

    /// A round whose products and state are these.
    fn tile(&self, b: &mut Builder, key: &Index, state: &[Var], masked: bool) -> State {
        let before = State {
            max: state[1],
            sum: state[2],
            acc: state[3],
        };
        self.round(b, (key, state[0]), &before, masked)
    }
}
