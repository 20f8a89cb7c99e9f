//! Folds along axes.

use std::collections::BTreeMap;

use crate::{
    Attr, Build, Compute, Expr, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::{AttrError, AttrField, Attrs, documented, field},
    ops::{OpSyntax, axes_of, exactly},
};

documented! {
    /// `y[i..] = fold over axes of x`, named as the monoid.
    ///
    /// Shapes: `x: s` -> `s` without `axes`, or with size 1 there. Source: NumPy, `ufunc.reduce`.
    pub struct Reduce {
        /// How numbers are folded.
        monoid: Monoid,
        /// Axes that are folded, ascending.
        axes: Vec<i64>,
        /// Whether they stay, with size 1.
        keep: bool,
    }
}

impl OpSyntax for Reduce {
    fn names() -> Vec<&'static str> {
        Monoid::ALL.iter().map(|m| m.name()).collect()
    }

    fn name(&self) -> &'static str {
        self.monoid.name()
    }

    fn attr_names() -> Vec<&'static str> {
        vec!["axes", "keep"]
    }

    fn attrs(&self) -> Attrs {
        Attrs::from([("axes", self.axes.to_attr()), ("keep", self.keep.to_attr())])
    }

    fn parse(name: &str, attrs: &BTreeMap<String, Attr>) -> Result<Self, AttrError> {
        let monoid = Monoid::ALL.into_iter().find(|m| m.name() == name);
        let monoid = monoid.expect("the caller looked the name up");
        Ok(Self {
            monoid,
            axes: field(attrs, "axes")?,
            keep: field(attrs, "keep")?,
        })
    }
}

/// Fails unless `monoid` folds elements of `x`, operand `operand`.
pub(crate) fn require_foldable(
    monoid: Monoid,
    operand: usize,
    x: &TensorType,
) -> Result<(), ShapeError> {
    let domain = monoid.function().domain();
    x.require_dtype(operand, domain.name(), |d| domain.contains(d))
}

/// The shape of `x` after `axes` are folded.
pub(crate) fn folded_shape(
    x: &TensorType,
    axes: &[i64],
    keep: bool,
) -> Result<TensorType, ShapeError> {
    let axes = axes_of(axes, x.rank())?;
    let shape = x
        .shape
        .iter()
        .enumerate()
        .filter_map(|(i, d)| match (axes.contains(&i), keep) {
            (false, _) => Some(d.clone()),
            (true, true) => Some(1.into()),
            (true, false) => None,
        });
    Ok(TensorType::new(x.dtype, shape))
}

impl OpDef for Reduce {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        require_foldable(self.monoid, 0, x)?;
        folded_shape(x, &self.axes, self.keep)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let out = folded_shape(&x, &self.axes, self.keep).expect("types were inferred");
        let folded = axes_of(&self.axes, x.rank()).expect("types were inferred");
        let (mut kept, mut next) = (0, out.rank());
        let index = (0..x.rank()).map(|axis| {
            let counter = if folded.contains(&axis) {
                kept += usize::from(self.keep);
                &mut next
            } else {
                &mut kept
            };
            *counter += 1;
            Expr::Axis(*counter - 1)
        });
        let body = Expr::load(0, index.collect::<Vec<_>>());
        let sizes = folded.iter().map(|a| x.shape[*a].clone()).collect();
        Meaning::Compute(Compute {
            axes: out.shape,
            reduce: Some((self.monoid, sizes)),
            body,
        })
    }
}
