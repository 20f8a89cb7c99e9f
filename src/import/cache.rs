//! Keys and values that stay between runs: a decoder reads what it saw before instead of computing it again.
//!
//! A run sees `seq` tokens, of which `past` stand before it in the same text, and puts their keys and values into states
//! that have room for `context` tokens. Sequences of a batch have equal length: shorter ones start with `padding`.

use std::num::NonZeroU32;

use ir::{
    BinaryFn, DType, Dim, TensorType, ValueId,
    ops::{self, Absent, Attention},
};

use super::{layers::Layers, pages::Rows};

/// What a model is imported for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Inputs in, outputs out: every run by itself.
    #[default]
    Run,
    /// Token by token: runs that remember the tokens before, and score the next one.
    Generate,
    /// The same, for texts that share room: they have pages of so many tokens.
    GenerateInPages(NonZeroU32),
}

impl Task {
    /// Whether runs remember.
    pub(super) fn remembers(self) -> bool {
        self != Self::Run
    }

    /// Tokens of a page.
    pub(super) fn page(self) -> Option<i64> {
        match self {
            Self::GenerateInPages(page) => Some(page.get().into()),
            Self::Run | Self::Generate => None,
        }
    }
}

/// Most pages of a state, so that no product of sizes leaves 64 bits.
const PAGES_LIMIT: i64 = 1 << 20;

/// What layers need to remember tokens.
pub(super) struct Cache {
    /// Where the run's tokens stand in the states, `[seq]`.
    slots: ValueId,
    /// How many tokens of no meaning each sequence starts with, `[batch]`.
    padding: ValueId,
    /// Positions of the run's tokens, `[batch, seq]`.
    positions: ValueId,
    /// How many tokens precede the run's, `[1]`.
    past: ValueId,
    /// What is added to scores, once it is asked for.
    hidden: Option<ValueId>,
    /// Tokens that there is room for.
    context: Dim,
    /// Where they are, if they have pages.
    rows: Option<Rows>,
    /// Layers so far.
    layers: usize,
    /// The token whose next one is asked for, `[1]`.
    last: ValueId,
}

impl Layers {
    /// Declares what runs that remember take, for at most `most` tokens in all, in pages of so many.
    pub(super) fn begin_cache(&mut self, most: i64, page: Option<i64>) {
        let seq = Dim::symbol("seq");
        let context = match page {
            None => self.declare("context", most),
            Some(page) => {
                self.declare("pages", PAGES_LIMIT);
                self.declare("table", (most / page).max(1)) * page.into()
            }
        };
        let one = || vec![Dim::from(1)];
        let past = self.integers("past", one(), most);
        let last = self.integers("last", one(), most);
        let padding = self.integers("padding", vec![Dim::symbol("batch")], most);
        let least = |l: &mut Self, x, size| {
            let most = l.op(
                ops::Extent {
                    size: vec![size],
                    dtype: DType::I64,
                },
                &[],
            );
            l.binary(BinaryFn::Min, x, most)
        };
        // What would pass the end is moved back, so that nothing is written beyond it.
        let first = least(self, past, context.clone() + seq.clone() * (-1).into());
        let last = least(self, last, seq.clone() + (-1).into());
        let steps = self.count(DType::I64, seq.clone());
        let slots = self.add(first, steps);

        let row = self.shaped([1.into(), seq.clone()], slots);
        let column = self.shaped([Dim::symbol("batch"), 1.into()], padding);
        let positions = self.binary(BinaryFn::Sub, row, column);
        let zero = ops::Constant {
            value: 0.0.into(),
            ty: TensorType::new(DType::I64, []),
        };
        let zero = self.op(zero, &[]);
        let positions = self.binary(BinaryFn::Max, positions, zero);

        let rows = page.map(|page| self.paged(page, slots));
        self.cache = Some(Cache {
            context,
            rows,
            slots,
            padding,
            positions,
            past,
            hidden: None,
            layers: 0,
            last,
        });
    }

    /// Whether any layer remembers.
    pub(super) fn remembers(&self) -> bool {
        self.cache.as_ref().is_some_and(|c| c.layers > 0)
    }

    /// Positions of a run that remembers.
    pub(super) fn cached_positions(&self) -> Option<ValueId> {
        self.cache.as_ref().map(|c| c.positions)
    }

    /// Causal attention by `op`; of a run that remembers, over all tokens so far, of which padding is hidden instead of what
    /// `mask` hides.
    pub(super) fn look_back(
        &mut self,
        op: Attention,
        [q, k, v]: [ValueId; 3],
        mask: ValueId,
        slopes: Option<ValueId>,
    ) -> ValueId {
        let Some(cache) = &mut self.cache else {
            let inputs: Vec<_> = [q, k, v, mask].into_iter().chain(slopes).collect();
            return self.op(op, &inputs);
        };
        let layer = cache.layers;
        cache.layers += 1;
        let k = self.remember(&format!("layers.{layer}.key"), k);
        let v = self.remember(&format!("layers.{layer}.value"), v);
        let mask = self.hidden();
        let past = self.cache.as_ref().expect("the caller looked").past;
        let over_all = ops::CachedAttention {
            scale: op.scale,
            window: op.window,
            softcap: op.softcap,
            mask: true,
            alibi: slopes.is_some(),
        };
        let inputs = [q, k, v, mask].into_iter().chain(slopes).chain([past]);
        self.op(over_all, &inputs.collect::<Vec<_>>())
    }

    /// `[batch, heads, context, size]`: `x` and what the runs before left in the state `name`.
    fn remember(&mut self, name: &str, x: ValueId) -> ValueId {
        let cache = self.cache.as_ref().expect("the caller looked");
        if let Some(rows) = cache.rows {
            return self.remember_in_pages(name, x, rows);
        }
        let (context, slots) = (cache.context.clone(), cache.slots);
        let [batch, heads, _, size] =
            <[Dim; 4]>::try_from(self.shape(x)).expect("heads have four axes");
        let shape = [batch, heads, context, size];
        let state = ops::Input {
            name: name.into(),
            ty: TensorType::new(DType::F32, shape),
            absent: Absent::State,
            below: 0,
        };
        let state = self.op(state, &[]);
        let scatter = ops::Scatter {
            axis: 2,
            combine: None,
        };
        let all = self.op(scatter, &[state, slots, x]);
        self.state(name, all);
        all
    }

    /// What is added to scores to hide padding.
    fn hidden(&mut self) -> ValueId {
        let cache = self.cache.as_ref().expect("the caller looked");
        if let Some(hidden) = cache.hidden {
            return hidden;
        }
        let (padding, context) = (cache.padding, cache.context.clone());
        let padding = self.op(ops::Cast { dtype: DType::F32 }, &[padding]);
        let padding = self.shaped([Dim::symbol("batch"), 1.into()], padding);
        let keys = self.count(DType::F32, context);
        let kept = self.binary(BinaryFn::Ge, keys, padding);
        let kept = self.op(ops::Cast { dtype: DType::F32 }, &[kept]);
        let hidden = self.additive_mask(kept);
        let cache = self.cache.as_mut().expect("the caller looked");
        cache.hidden = Some(hidden);
        hidden
    }

    /// Of `x: [batch, seq, n]` the token whose next one is asked for, `[batch, 1, n]`; all of `x` where runs do not
    /// remember.
    pub(super) fn asked(&mut self, x: ValueId) -> ValueId {
        match &self.cache {
            Some(cache) if self.shape(x)[1] == Dim::symbol("seq") => {
                let last = cache.last;
                self.op(ops::Gather { axis: 1 }, &[x, last])
            }
            _ => x,
        }
    }

    /// An input of integers below `below`, zeros where it is left out.
    fn integers(&mut self, name: &str, shape: Vec<Dim>, below: i64) -> ValueId {
        let input = ops::Input {
            name: name.into(),
            ty: TensorType::new(DType::I64, shape),
            absent: Absent::Zeros,
            below,
        };
        self.op(input, &[])
    }

    /// `0, 1, .. < size`
    fn count(&mut self, dtype: DType, size: Dim) -> ValueId {
        let ty = TensorType::new(dtype, [size]);
        self.op(ops::Iota { axis: 0, ty }, &[])
    }

    fn shaped(&mut self, shape: impl Into<Vec<Dim>>, x: ValueId) -> ValueId {
        let shape = shape.into();
        self.op(ops::Reshape { shape }, &[x])
    }
}
