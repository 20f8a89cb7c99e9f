//! Functions of one number, elementwise.

use std::collections::BTreeMap;

use crate::{
    Attr, Build, Compute, Expr, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::{AttrError, Attrs, documented},
    ops::{OpSyntax, exactly},
};

documented! {
    /// `y[i..] = f(x[i..])`, named as the function.
    ///
    /// Shapes: `x: s` -> `s`. Source: each function's line.
    pub struct Unary {
        /// The function.
        f: UnaryFn,
    }
}

impl OpSyntax for Unary {
    fn names() -> Vec<&'static str> {
        UnaryFn::ALL.iter().map(|f| f.name()).collect()
    }

    fn name(&self) -> &'static str {
        self.f.name()
    }

    fn attrs(&self) -> Attrs {
        Attrs::new()
    }

    fn parse(name: &str, _: &BTreeMap<String, Attr>) -> Result<Self, AttrError> {
        let f = UnaryFn::ALL.iter().find(|f| f.name() == name);
        Ok(Self {
            f: *f.expect("the caller looked the name up"),
        })
    }
}

/// Fails unless `f` is defined on the elements of `x`, operand `operand`.
pub(crate) fn require_argument(
    f: UnaryFn,
    operand: usize,
    x: &TensorType,
) -> Result<(), ShapeError> {
    x.require_dtype(operand, f.domain().name(), |d| f.domain().contains(d))
}

impl OpDef for Unary {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        require_argument(self.f, 0, x)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let body = Expr::load(0, (0..x.rank()).map(Expr::Axis)).apply(self.f);
        Meaning::Compute(Compute {
            axes: x.shape,
            reduce: None,
            body,
        })
    }
}
