//! Scaled dot-product attention, with all its options in one definition.

use crate::{
    BinaryFn, Build, Dim, F64, Meaning, OpDef, ShapeError, Template, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{Broadcast, Distance, MatMul, Reshape, Select, Softmax},
};

op_struct! {
    /// `y = softmax(cap(scale q k^T) + bias) v` for each head.
    ///
    /// With positions `p = i + t - s` of query `i` and `j` of key `j`: `cap(x) = c tanh(x / c)` where
    /// `softcap = c > 0`; the bias is the sum of the additive mask, of `-slope[h] (p - j)` (ALiBi), and of
    /// minus infinity where `j > p` (causal) or `p - j >= window` (sliding window, `window > 0`).
    /// Head `h` of `q` reads head `h / (hq / hk)` of `k` and `v` (grouped queries).
    ///
    /// Shapes: `q: [b, hq, s, d], k: [b, hk, t, d], v: [b, hk, t, e]`, then, if set, `mask` (broadcasts to
    /// `[b, hq, s, t]`) and `slope: [hq]` -> `[b, hq, s, e]`. Source: Vaswani et al. 2017 (arXiv:1706.03762), equation 1;
    /// grouped queries: Ainslie et al. 2023 (arXiv:2305.13245); window: Beltagy et al. 2020
    /// (arXiv:2004.05150); ALiBi: Press et al. 2021 (arXiv:2108.12409); soft-cap: Gemma Team 2024 (arXiv:2408.00118).
    pub struct Attention = "attention" {
        /// Factor of the scores.
        scale: F64,
        /// Keys after the query's position are left out.
        causal: bool,
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

impl OpDef for Attention {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let wanted = 3 + usize::from(self.mask) + usize::from(self.alibi);
        if inputs.len() != wanted {
            return Err(ShapeError::Arity {
                wanted: wanted.to_string(),
                found: inputs.len(),
            });
        }
        let (q, k, v) = (&inputs[0], &inputs[1], &inputs[2]);
        for (i, x) in inputs[..3].iter().enumerate() {
            x.require_rank(i, 4)?;
            x.require_dtype(i, "a float, the same for all", |d| {
                d.is_float() && d == q.dtype
            })?;
        }
        k.require_size(1, 0, &q.shape[0])?;
        k.require_size(1, 3, &q.shape[3])?;
        if q.shape[1].exact_div(&k.shape[1]).is_none() {
            return Err(ShapeError::Size {
                operand: 1,
                axis: 1,
                wanted: q.shape[1].clone(),
                found: k.clone(),
            });
        }
        v.require_shape(
            2,
            &[
                k.shape[0].clone(),
                k.shape[1].clone(),
                k.shape[2].clone(),
                v.shape[3].clone(),
            ],
        )?;
        if self.mask {
            let scores = TensorType::new(
                q.dtype,
                [
                    q.shape[0].clone(),
                    q.shape[1].clone(),
                    q.shape[2].clone(),
                    k.shape[2].clone(),
                ],
            );
            inputs[3].require_dtype(3, q.dtype.name(), |d| d == q.dtype)?;
            if crate::broadcast_shapes(&scores, &inputs[3]).ok().as_ref() != Some(&scores.shape) {
                return Err(
                    inputs[3].rank_error(3, &format!("a shape that broadcasts to {scores};"))
                );
            }
        }
        if self.alibi {
            inputs[wanted - 1].require_dtype(wanted - 1, q.dtype.name(), |d| d == q.dtype)?;
            inputs[wanted - 1].require_shape(wanted - 1, &q.shape[1..2])?;
        }
        Ok(TensorType::new(
            q.dtype,
            q.shape[..3].iter().chain(&v.shape[3..]).cloned(),
        ))
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let q = b.ty(inputs[0]);
        let (k, v) = (
            repeat_heads(b, inputs[1], &q.shape[1]),
            repeat_heads(b, inputs[2], &q.shape[1]),
        );
        let scores = b.op(
            MatMul {
                ta: false,
                tb: true,
            },
            &[inputs[0], k],
        );
        let mut x = b.mul_scalar(scores, self.scale);
        if self.softcap.get() > 0.0 {
            let c = self.softcap.get();
            let small = b.mul_scalar(x, (1.0 / c).into());
            let bent = b.unary(UnaryFn::Tanh, small);
            x = b.mul_scalar(bent, self.softcap);
        }
        if self.mask {
            x = b.add(x, inputs[3]);
        }
        let ty = b.ty(x);
        if self.alibi || self.causal || self.window > 0 {
            let distance = b.op(
                Distance {
                    rows: ty.shape[2].clone(),
                    columns: ty.shape[3].clone(),
                    dtype: q.dtype,
                },
                &[],
            );
            if self.alibi {
                let slope = *inputs.last().expect("alibi has slopes");
                let slope = b.op(
                    Reshape {
                        shape: vec![q.shape[1].clone(), 1.into(), 1.into()],
                    },
                    &[slope],
                );
                let far = b.mul(slope, distance);
                x = b.sub(x, far);
            }
            let low = b.scalar(x, f64::NEG_INFINITY.into());
            if self.causal {
                let zero = b.scalar(x, 0.0.into());
                let ahead = b.binary(BinaryFn::Lt, distance, zero);
                x = b.op(Select {}, &[ahead, low, x]);
            }
            if self.window > 0 {
                let limit = b.scalar(x, (self.window as f64).into());
                let behind = b.binary(BinaryFn::Ge, distance, limit);
                x = b.op(Select {}, &[behind, low, x]);
            }
        }
        let weights = b.op(Softmax { axis: 3 }, &[x]);
        Meaning::Term(b.matmul(weights, v))
    }

    fn template(&self) -> Template<'_> {
        Template::Attention(self)
    }
}

/// `x: [b, hk, t, d]` as `[b, hq, t, d]`, each head repeated `hq / hk` times in place.
fn repeat_heads(b: &mut Build<'_>, x: ValueId, heads: &Dim) -> ValueId {
    let ty = b.ty(x);
    let [batch, hk, t, d] = <[Dim; 4]>::try_from(ty.shape).expect("rank was checked");
    if hk == *heads {
        return x;
    }
    let group = heads.exact_div(&hk).expect("group size was checked");
    let split = b.op(
        Reshape {
            shape: vec![batch.clone(), hk.clone(), 1.into(), t.clone(), d.clone()],
        },
        &[x],
    );
    let wide = b.op(
        Broadcast {
            shape: vec![batch.clone(), hk, group, t.clone(), d.clone()],
        },
        &[split],
    );
    b.op(
        Reshape {
            shape: vec![batch, heads.clone(), t, d],
        },
        &[wide],
    )
}
