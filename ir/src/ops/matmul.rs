//! Matrix products.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{binary::broadcast_load, exactly},
    tensor_type::broadcast_shapes,
};

op_struct! {
    /// `y[.., i, j] = sum_k a[.., i, k] b[.., k, j]`; with `ta` the last two axes of `a` are swapped, with `tb` those of `b`.
    ///
    /// Shapes: `a: [.., m, k], b: [.., k, n]` -> `[.., m, n]`; leading axes broadcast. Source: NumPy, `matmul`.
    pub struct MatMul = "matmul" {
        /// `a` is stored as `[.., k, m]`.
        ta: bool,
        /// `b` is stored as `[.., n, k]`.
        tb: bool,
    }
}

impl MatMul {
    fn parts(&self, a: &TensorType, b: &TensorType) -> Result<(Vec<Dim>, Dim), ShapeError> {
        for (operand, x) in [(0, a), (1, b)] {
            if x.rank() < 2 {
                return Err(x.rank_error(operand, "at least 2"));
            }
        }
        let (ar, br) = (a.rank(), b.rank());
        let (m, k) = if self.ta {
            (ar - 1, ar - 2)
        } else {
            (ar - 2, ar - 1)
        };
        let (bk, n) = if self.tb {
            (br - 1, br - 2)
        } else {
            (br - 2, br - 1)
        };
        b.require_size(1, bk, &a.shape[k])?;
        b.require_dtype(1, a.dtype.name(), |d| d == a.dtype)?;
        a.require_dtype(0, "a float or an integer", |d| d != DType::Bool)?;
        let lead = |x: &TensorType| TensorType::new(x.dtype, x.shape[..x.rank() - 2].to_vec());
        let mut axes = broadcast_shapes(&lead(a), &lead(b))?;
        axes.extend([a.shape[m].clone(), b.shape[n].clone()]);
        Ok((axes, a.shape[k].clone()))
    }
}

impl OpDef for MatMul {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [a, b] = exactly(inputs)?;
        Ok(TensorType {
            dtype: a.dtype,
            shape: self.parts(a, b)?.0,
        })
    }

    fn meaning(&self, inputs: &[ValueId], build: &mut Build<'_>) -> Meaning {
        let (a, b) = (build.ty(inputs[0]), build.ty(inputs[1]));
        let (axes, k) = self.parts(&a, &b).expect("types were inferred");
        let rank = axes.len();
        let load = |operand, ty: &TensorType, swap: bool, row: usize, column: usize| {
            let lead = TensorType::new(ty.dtype, ty.shape[..ty.rank() - 2].to_vec());
            let Expr::Load { mut index, .. } = broadcast_load(operand, &lead, rank - 2) else {
                unreachable!("broadcast_load gives a load")
            };
            let (first, last) = if swap { (column, row) } else { (row, column) };
            index.extend([Expr::Axis(first), Expr::Axis(last)]);
            Expr::load(operand, index)
        };
        let body = load(0, &a, self.ta, rank - 2, rank) * load(1, &b, self.tb, rank, rank - 1);
        Meaning::Compute(Compute {
            axes,
            reduce: Some((Monoid::Sum, vec![k])),
            body,
        })
    }
}
