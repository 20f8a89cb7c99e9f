//! Attention of a decoder over a cache that is larger than what is in it.

use crate::{
    BinaryFn, Build, DType, F64, Meaning, OpDef, ShapeError, Template, TensorType, ValueId,
    attr::op_struct,
    ops::{Attention, Distance, Extent, Reshape, Select},
};

op_struct! {
    /// Causal attention whose query `i` stands at position `past + i` of keys that have room for more: as `attention`, with
    /// `p = min(max(past, 0), t - s) + i`. Keys after the last query are not read.
    ///
    /// Shapes: `q: [b, hq, s, d], k: [b, hk, t, d], v: [b, hk, t, e]`, then, if set, `mask` (broadcasts to `[b, hq, s, t]`)
    /// and `slope: [hq]`, then `past: [1]` (an integer type) -> `[b, hq, s, e]`, for `s <= t`. Source: as `attention`; the
    /// cache of keys and values: Shazeer 2019 (arXiv:1911.02150), section 2.4.
    pub struct CachedAttention = "cached_attention" {
        /// Factor of the scores.
        scale: F64,
        /// Keys this far behind the query's position, or farther, are left out; 0 leaves out none.
        window: i64,
        /// Scores are bent into `-softcap..softcap`; 0 leaves them as they are.
        softcap: F64,
        /// A mask is added to the scores.
        mask: bool,
        /// ALiBi slopes are given.
        alibi: bool,
    }
}

impl CachedAttention {
    /// The attention of a cache that is full, which has all operands but `past`.
    const fn full(&self) -> Attention {
        Attention {
            scale: self.scale,
            causal: true,
            window: self.window,
            softcap: self.softcap,
            mask: self.mask,
            alibi: self.alibi,
        }
    }
}

impl OpDef for CachedAttention {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let Some((past, others)) = inputs.split_last() else {
            return Err(ShapeError::Arity {
                wanted: "4 or more".into(),
                found: 0,
            });
        };
        let out = self.full().infer(others)?;
        past.require_dtype(others.len(), "an integer", DType::is_int)?;
        past.require_shape(others.len(), &[1.into()])?;
        Ok(out)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let (past, others) = inputs.split_last().expect("the arity was checked");
        let q = b.ty(inputs[0]);
        let (rows, columns) = (q.shape[2].clone(), b.ty(inputs[1]).shape[2].clone());
        // How far the key lies behind the query, were the cache full; then with `past` tokens in it.
        let distance = Distance {
            rows: rows.clone(),
            columns: columns.clone(),
            dtype: q.dtype,
        };
        let distance = b.op(distance, &[]);
        let most = Extent {
            size: vec![columns + rows * (-1).into()],
            dtype: q.dtype,
        };
        let most = b.op(most, &[]);
        let past = b.cast(q.dtype, *past);
        let past = b.binary(BinaryFn::Min, past, most);
        let zero = b.scalar(past, 0.0.into());
        let past = b.binary(BinaryFn::Max, past, zero);
        let behind = b.sub(past, most);
        let distance = b.add(distance, behind);

        let zero = b.scalar(distance, 0.0.into());
        let low = b.scalar(distance, f64::NEG_INFINITY.into());
        let ahead = b.binary(BinaryFn::Lt, distance, zero);
        let mut bias = b.op(Select {}, &[ahead, low, zero]);
        if self.window > 0 {
            let window = b.scalar(distance, (self.window as f64).into());
            let far = b.binary(BinaryFn::Ge, distance, window);
            bias = b.op(Select {}, &[far, low, bias]);
        }
        if self.alibi {
            let shape = vec![q.shape[1].clone(), 1.into(), 1.into()];
            let slope = b.op(Reshape { shape }, &others[others.len() - 1..]);
            let share = b.mul(slope, distance);
            bias = b.sub(bias, share);
        }
        if self.mask {
            bias = b.add(others[3], bias);
        }
        let over_all = Attention {
            causal: false,
            window: 0,
            mask: true,
            alibi: false,
            ..self.full()
        };
        Meaning::Term(b.op(over_all, &[inputs[0], inputs[1], inputs[2], bias]))
    }

    fn template(&self) -> Template<'_> {
        Template::CachedAttention(self.full())
    }
}
