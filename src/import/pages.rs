//! Pages: keys and values of many texts in one state, a text's in pages that a table names.
//!
//! A state is `[pages * page, heads, size]`; the input `pages: [batch, table]` says which page holds the tokens from
//! `i * page` on of each text, -1 where it needs none yet. Source: Kwon et al. 2023 (arXiv:2309.06180), section 4.1.

use ir::{
    BinaryFn, DType, Dim, TensorType, ValueId,
    ops::{self, Absent},
};

use super::layers::Layers;

/// Rows of states.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Those of all tokens of each text, `[batch, context]`: some row for tokens without a page.
    all: ValueId,
    /// Those of the run's tokens, `[batch, seq]`: below 0 without a page.
    own: ValueId,
    /// Tokens of a page.
    page: i64,
}

impl Layers {
    /// Declares the table, for pages of `page` tokens; the run's tokens stand at `slots` of their texts.
    pub(super) fn paged(&mut self, page: i64, slots: ValueId) -> Rows {
        let (batch, table) = (Dim::symbol("batch"), Dim::symbol("table"));
        let input = ops::Input {
            name: "pages".into(),
            ty: TensorType::new(DType::I64, [batch.clone(), table.clone()]),
            absent: Absent::Required,
            below: 0,
        };
        let pages = self.op(input, &[]);
        let pages = self.reshape([batch.clone(), table.clone(), 1.into()], pages);
        let size = self.whole(page);
        let first = self.mul(pages, size);
        let within = ops::Iota {
            axis: 0,
            ty: TensorType::new(DType::I64, [page.into()]),
        };
        let within = self.op(within, &[]);
        let rows = self.add(first, within);
        let rows = self.reshape([batch, table * page.into()], rows);
        let own = self.op(ops::Gather { axis: 1 }, &[rows, slots]);

        let last = ops::Extent {
            size: vec![Dim::symbol("pages") * page.into() + (-1).into()],
            dtype: DType::I64,
        };
        let last = self.op(last, &[]);
        let zero = self.whole(0);
        let all = self.binary(BinaryFn::Max, rows, zero);
        let all = self.binary(BinaryFn::Min, all, last);
        Rows { all, own, page }
    }

    /// `[batch, heads, context, size]`: `x` and what the runs before left in the pages of the state `name`.
    pub(super) fn remember_in_pages(&mut self, name: &str, x: ValueId, rows: Rows) -> ValueId {
        let [_, heads, _, size] =
            <[Dim; 4]>::try_from(self.shape(x)).expect("heads have four axes");
        let count = Dim::symbol("pages") * rows.page.into();
        let state = ops::Input {
            name: name.into(),
            ty: TensorType::new(DType::F32, [count, heads, size]),
            absent: Absent::State,
            below: 0,
        };
        let state = self.op(state, &[]);
        let x = self.permute(&[0, 2, 1, 3], x);
        let scatter = ops::Scatter {
            axis: 0,
            combine: None,
        };
        let next = self.op(scatter, &[state, rows.own, x]);
        self.state(name, next);
        let seen = self.op(ops::Gather { axis: 0 }, &[next, rows.all]);
        self.permute(&[0, 2, 1, 3], seen)
    }

    fn whole(&mut self, value: i64) -> ValueId {
        let constant = ops::Constant {
            value: (value as f64).into(),
            ty: TensorType::new(DType::I64, []),
        };
        self.op(constant, &[])
    }
}
