//! How fast each pair of a rotary embedding turns.

use serde::{Deserialize, Serialize};

use crate::{
    BinaryFn, Build, Compute, DType, Expr, F64, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::{op_struct, word_fields},
    ops::exactly,
};

/// How the frequencies of a rotary embedding are stretched to longer contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All by the same factor.
    Linear,
    /// Low ones by the factor, high ones not at all, those between by degrees.
    Llama3,
}

impl RopeScaling {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::Linear, Self::Llama3];

    /// The word used in text forms.
    pub const fn name(self) -> &'static str {
        ["none", "linear", "llama3"][self as usize]
    }
}

word_fields! {
    RopeScaling, "none, linear or llama3";
}

op_struct! {
    /// `y[n] = s f + (1 - s) f / factor` with `f = theta^(-2n / dims)`: radians per position of pair `n`.
    ///
    /// `s` is 1 without scaling, 0 with `linear`, and with `llama3` the number of turns within `context`,
    /// `context f / 2 pi`, mapped so that `low` turns give 0 and `high` turns give 1, and clamped to that.
    ///
    /// Shapes: -> `[dims / 2]`. Source: Su et al. 2021 (arXiv:2104.09864), section 3.2; Hugging Face `transformers`,
    /// `modeling_rope_utils.py`, `_compute_linear_scaling_rope_parameters` and `_compute_llama3_parameters`.
    pub struct RopeFrequencies = "rope_frequencies" {
        /// Numbers of a head that turn; even.
        dims: i64,
        /// `f` of a pair after the last would be `1 / theta`.
        theta: F64,
        /// Which frequencies are divided by `factor`.
        scaling: RopeScaling,
        /// How much longer contexts become.
        factor: F64,
        /// `low_freq_factor` of `llama3`.
        low: F64,
        /// `high_freq_factor` of `llama3`.
        high: F64,
        /// `original_max_position_embeddings` of `llama3`.
        context: F64,
        /// Element type of the result.
        dtype: DType,
    }
}

impl OpDef for RopeFrequencies {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        let require = |attribute, fits: bool, wanted: &str, found: String| {
            let wanted = wanted.into();
            if fits {
                Ok(())
            } else {
                Err(ShapeError::Attribute {
                    attribute,
                    wanted,
                    found,
                })
            }
        };
        let positive = |x: F64| x.get() > 0.0 && x.get().is_finite();
        let llama3 = self.scaling == RopeScaling::Llama3;
        let between = self.high.get() > self.low.get();
        require(
            "dims",
            self.dims >= 0 && self.dims % 2 == 0,
            "an even number",
            self.dims.to_string(),
        )?;
        require(
            "theta",
            positive(self.theta),
            "a number above 0",
            self.theta.to_string(),
        )?;
        require(
            "factor",
            positive(self.factor),
            "a number above 0",
            self.factor.to_string(),
        )?;
        require(
            "high",
            !llama3 || between,
            "more than `low`",
            self.high.to_string(),
        )?;
        require(
            "context",
            !llama3 || positive(self.context),
            "a number above 0",
            self.context.to_string(),
        )?;
        require(
            "dtype",
            self.dtype.is_float(),
            "a float",
            self.dtype.to_string(),
        )?;
        Ok(TensorType::fixed(self.dtype, &[self.dims / 2]))
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let num = |x: F64| Expr::Num(x);
        let exponent = Expr::Axis(0) * Expr::num(-2.0 / self.dims as f64);
        let plain = num(self.theta).with(BinaryFn::Pow, exponent);
        let stretched = plain.clone() / num(self.factor);
        let body = match self.scaling {
            RopeScaling::None => plain,
            RopeScaling::Linear => stretched,
            RopeScaling::Llama3 => {
                let turns = plain.clone() * Expr::num(self.context.get() / std::f64::consts::TAU);
                let share = (turns - num(self.low)) / (num(self.high) - num(self.low));
                let share = share.max(Expr::num(0.0)).min(Expr::num(1.0));
                share.clone() * plain + (Expr::num(1.0) - share) * stretched
            }
        };
        let axes = vec![(self.dims / 2).into()];
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
