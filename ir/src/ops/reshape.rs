//! The same elements under another shape.

use crate::{
    BinaryFn, Build, Compute, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y` holds the elements of `x` in the same row-major order.
    ///
    /// Shapes: `x: s` -> `shape`, with as many elements. Source: NumPy, `reshape`.
    pub struct Reshape = "reshape" {
        /// Shape of the result.
        shape: Vec<Dim>,
    }
}

/// Runs of axes `(of x, of y)` with the same number of elements, as short as they can be found.
fn groups(x: &[Dim], y: &[Dim]) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let product = |dims: &[Dim]| dims.iter().product::<Dim>();
    let (mut out, mut i, mut j) = (Vec::new(), 0, 0);
    while i < x.len() || j < y.len() {
        let found = (1..=x.len() - i + y.len() - j).find_map(|total| {
            let takes = total.saturating_sub(y.len() - j)..=total.min(x.len() - i);
            takes
                .map(|a| (a, total - a))
                .find(|(a, b)| product(&x[i..i + a]) == product(&y[j..j + b]))
        });
        // Without elements, some runs have no like; what is left is one group.
        let (a, b) = found.unwrap_or((x.len() - i, y.len() - j));
        out.push((i..i + a, j..j + b));
        (i, j) = (i + a, j + b);
    }
    out
}

impl OpDef for Reshape {
    fn keeps_order(&self) -> bool {
        true
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let out = TensorType::new(x.dtype, self.shape.clone());
        if out.elements() != x.elements() {
            return Err(ShapeError::Attribute {
                attribute: "shape",
                wanted: format!("as many elements as {x}, {}", x.elements()),
                found: format!("{out}, {}", out.elements()),
            });
        }
        Ok(out)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let mut index = Vec::new();
        for (from, to) in groups(&x.shape, &self.shape) {
            // The position within the group, then its coordinates under the shape of `x`.
            let mut at = to.clone().fold(None, |at: Option<Expr>, axis| {
                Some(at.map_or(Expr::Axis(axis), |at| {
                    at * Expr::Size(self.shape[axis].clone()) + Expr::Axis(axis)
                }))
            });
            let mut coordinates = Vec::new();
            for axis in from.clone().rev() {
                let size = Expr::Size(x.shape[axis].clone());
                let (here, rest) = match at {
                    None => (Expr::int(0), None),
                    Some(at) if axis == from.start => (at, None),
                    Some(at) => (
                        at.clone().with(BinaryFn::Mod, size.clone()),
                        Some(at.with(BinaryFn::FloorDiv, size)),
                    ),
                };
                coordinates.push(here);
                at = rest;
            }
            index.extend(coordinates.into_iter().rev());
        }
        let body = Expr::load(0, index);
        Meaning::Compute(Compute {
            axes: self.shape.clone(),
            reduce: None,
            body,
        })
    }
}
