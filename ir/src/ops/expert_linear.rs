//! Matrix products whose matrix each row chooses.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{binary::broadcast_load, exactly},
    tensor_type::broadcast_shapes,
};

op_struct! {
    /// `y[j.., n] = sum_k x[j.., k] w[ids[j..], k, n]`: only the products with the chosen experts' matrices are computed.
    ///
    /// Shapes: `x: [J.., k], w: [experts, k, n], ids: I (an integer type, values in 0..experts)` -> `[the broadcast of J and I.., n]`.
    /// Source: Shazeer et al. 2017 (arXiv:1701.06538), section 2, without the weights of experts.
    pub struct ExpertLinear = "expert_linear" {}
}

/// `x` without its last axis.
fn lead(x: &TensorType) -> TensorType {
    TensorType::new(x.dtype, x.shape[..x.rank() - 1].to_vec())
}

fn axes(inputs: &[TensorType]) -> Result<Vec<Dim>, ShapeError> {
    let [x, w, ids] = exactly(inputs)?;
    let k = x.last_dim(0)?;
    w.require_rank(1, 3)?;
    w.require_size(1, 1, k)?;
    let mut axes = broadcast_shapes(ids, &lead(x)).map_err(|e| match e {
        // Which of its own operands does not fit; here that is `x`.
        ShapeError::Size {
            axis,
            wanted,
            found,
            ..
        } => ShapeError::Size {
            operand: 0,
            axis,
            wanted,
            found,
        },
        other => other,
    })?;
    axes.push(w.shape[2].clone());
    Ok(axes)
}

impl OpDef for ExpertLinear {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, w, ids] = exactly(inputs)?;
        x.require_dtype(0, "a float or an integer", |d| d != DType::Bool)?;
        w.require_dtype(1, x.dtype.name(), |d| d == x.dtype)?;
        ids.require_dtype(2, "an integer", DType::is_int)?;
        Ok(TensorType {
            dtype: x.dtype,
            shape: axes(inputs)?,
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let types: Vec<_> = inputs.iter().map(|v| b.ty(*v)).collect();
        let axes = axes(&types).expect("types were inferred");
        let (last, depth) = (axes.len() - 1, axes.len());
        let Expr::Load { mut index, .. } = broadcast_load(0, &lead(&types[0]), last) else {
            unreachable!("broadcast_load gives a load")
        };
        index.push(Expr::Axis(depth));
        let expert = broadcast_load(2, &types[2], last);
        let weight = Expr::load(1, [expert, Expr::Axis(depth), Expr::Axis(last)]);
        Meaning::Compute(Compute {
            axes,
            reduce: Some((Monoid::Sum, vec![types[1].shape[1].clone()])),
            body: Expr::load(0, index) * weight,
        })
    }
}
