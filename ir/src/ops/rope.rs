//! Rotary position embedding.

use crate::{
    BinaryFn, Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{binary::broadcast_load, exactly, require_same},
    tensor_type::broadcast_shapes,
};

op_struct! {
    /// `y[.., j] = x[.., j] cos[.., n] - x[.., k] sin[.., n]` for the first number `j` of pair `n`, with `k` the second;
    /// `y[.., k] = x[.., k] cos[.., n] + x[.., j] sin[.., n]`; numbers of no pair stay as they are.
    ///
    /// Pair `n` of `h` is `(n, n + h)`, or `(2n, 2n + 1)` if interleaved.
    ///
    /// Shapes: `x: [.., d], cos: [.., h], sin: [.., h]` with `2 h <= d`; the leading axes of `cos` and `sin` broadcast
    /// to those of `x` -> `[.., d]`. Source: Su et al. 2021 (arXiv:2104.09864), "Computational efficient realization of
    /// rotary matrix multiplication", which is interleaved;
    /// Hugging Face `transformers`, `apply_rotary_pos_emb` of `models/llama` (pairs `(n, n + h)`) and of
    /// `models/glm` (interleaved, part of the head).
    pub struct Rope = "rope" {
        /// Pairs are neighbours.
        interleaved: bool,
    }
}

impl OpDef for Rope {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, cos, sin] = exactly(inputs)?;
        x.require_dtype(0, "a float", DType::is_float)?;
        cos.require_dtype(1, x.dtype.name(), |d| d == x.dtype)?;
        let (d, half) = (x.last_dim(0)?, cos.last_dim(1)?);
        if (d.clone() + Dim::from(-2) * half.clone()).is_below(0) {
            return Err(cos.size_error(1, cos.rank() - 1, "at most half of operand 0's last axis"));
        }
        let lead = |ty: &TensorType| TensorType::new(ty.dtype, ty.shape[..ty.rank() - 1].to_vec());
        if broadcast_shapes(&lead(x), &lead(cos)).ok().as_ref() != Some(&lead(x).shape) {
            return Err(cos.rank_error(1, &format!("leading axes that broadcast to {};", lead(x))));
        }
        require_same(cos, 2, sin)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let (x, table) = (b.ty(inputs[0]), b.ty(inputs[1]));
        let last = x.rank() - 1;
        let half = table.shape[table.rank() - 1].clone();
        let number = |at: Expr| Expr::load(0, (0..last).map(Expr::Axis).chain([at]));
        let at = Expr::Axis(last);
        let h = Expr::Size(half.clone());
        // The pair's other number and the pair, seen from the first of the two and from the second.
        let (first, second) = if self.interleaved {
            let pair = at.clone().with(BinaryFn::FloorDiv, Expr::int(2));
            (
                (at.clone() + Expr::int(1), pair.clone()),
                (at.clone() - Expr::int(1), pair),
            )
        } else {
            (
                (at.clone() + h.clone(), at.clone()),
                (at.clone() - h.clone(), at.clone() - h.clone()),
            )
        };
        let entry = |operand: usize, pair: &Expr| {
            let lead = TensorType::new(table.dtype, table.shape[..table.rank() - 1].to_vec());
            let Expr::Load { mut index, .. } = broadcast_load(operand, &lead, last) else {
                unreachable!("broadcast_load gives a load")
            };
            index.push(pair.clone());
            Expr::load(operand, index)
        };
        let parts = |(other, pair): (Expr, Expr)| {
            (
                number(at.clone()) * entry(1, &pair),
                number(other) * entry(2, &pair),
            )
        };
        let (own, other) = parts(first);
        let of_first = own - other;
        let (own, other) = parts(second);
        let of_second = own + other;
        let is_first = if self.interleaved {
            at.clone()
                .with(BinaryFn::Mod, Expr::int(2))
                .with(BinaryFn::Eq, Expr::int(0))
        } else {
            at.clone().with(BinaryFn::Lt, h)
        };
        let mut body = is_first.select(of_first, of_second);
        let rotated = half * 2.into();
        if rotated != x.shape[last] {
            let inside = at.clone().with(BinaryFn::Lt, Expr::Size(rotated));
            body = inside.select(body, number(at));
        }
        Meaning::Compute(Compute {
            axes: x.shape,
            reduce: None,
            body,
        })
    }
}
