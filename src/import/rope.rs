//! Frequencies of rotary position embeddings, in f32 and in the order of operations of `transformers`.
//!
//! Source: Su et al. 2021 (arXiv:2104.09864), equation 15; `transformers.modeling_rope_utils`, 5.23.

use std::f32::consts::TAU;

use ir::{
    DType, Dim, UnaryFn, ValueId,
    ops::{self, Cast, Reshape},
};
use serde_json::Value;

use super::{ImportError, config::Config, layers::Layers};

/// How frequencies are stretched to longer contexts.
enum Scaling {
    None,
    Dynamic,
    Linear,
    Llama3,
    Long,
    Yarn,
}

/// By `rope_type`.
const SCALINGS: &[(&str, Scaling)] = &[
    ("default", Scaling::None),
    ("dynamic", Scaling::Dynamic),
    ("linear", Scaling::Linear),
    ("llama3", Scaling::Llama3),
    ("longrope", Scaling::Long),
    ("su", Scaling::Long),
    ("yarn", Scaling::Yarn),
];

/// Which elements of a head are turned, and how fast.
pub(super) struct Rope {
    /// One for each pair of elements that are turned.
    frequencies: Vec<f32>,
    /// Factor of sines and cosines.
    factor: f64,
    /// Positions that the frequencies are for are below this; 0 if they are for all.
    pub(super) below: i64,
}

/// Sines and cosines of a run's positions, `[batch, 1, seq, pairs]`: the same for all heads.
#[derive(Clone, Copy)]
pub(super) struct Turns {
    cos: ValueId,
    sin: ValueId,
}

impl Turns {
    /// `x: [batch, heads, seq, size]`, turned; pairs are neighbours, or halves apart.
    pub(super) fn turn(self, l: &mut Layers, interleaved: bool, x: ValueId) -> ValueId {
        l.op(ops::Rope { interleaved }, &[x, self.cos, self.sin])
    }
}

impl Rope {
    /// What `config` says for heads of `size` elements: a `partial` share is turned unless it says otherwise, or, without
    /// one, every element.
    pub(super) fn read(
        config: &Config,
        size: i64,
        partial: Option<f64>,
        positions: i64,
    ) -> Result<Self, ImportError> {
        let keys = ["rope_theta", "partial_rotary_factor"];
        Self::read_as(config, keys, size, partial, positions)
    }

    /// As [`Rope::read`], where older configurations have other keys for base and share.
    pub(super) fn read_as(
        config: &Config,
        [base, share]: [&str; 2],
        size: i64,
        partial: Option<f64>,
        positions: i64,
    ) -> Result<Self, ImportError> {
        let section = match config.section("rope_scaling")? {
            Some(section) if section.len() > 0 => Some(section),
            _ => config.section("rope_parameters")?,
        };
        let at = section.as_ref().unwrap_or(config);
        let base = at.number("rope_theta", config.number(base, 10_000.0)?)?;
        let key = "partial_rotary_factor";
        let share = at.number(key, config.number(share, partial.unwrap_or(1.0))?)?;
        if partial.is_none() && share != 1.0 {
            // Frameworks disagree on what it would mean: `transformers` turns all, others the share.
            let by = if at.get(key).is_some() { at } else { config };
            return Err(by.unsupported(key, "1.0"));
        }
        let turned = (size as f64 * share) as i64;
        if turned < 2 || turned > size || turned % 2 != 0 {
            let wanted = format!("an even number of the {size} elements of a head to be turned");
            return Err(at.wrong(key, wanted));
        }
        let mut rope = Self::plain(base, turned);
        if let Some(section) = &section {
            rope.scale(config, section, positions, base, turned)?;
        }
        Ok(rope)
    }

    /// The first `turned` elements are turned, as fast as the paper says for `base`.
    pub(super) fn plain(base: f64, turned: i64) -> Self {
        let exponents = (0..turned).step_by(2).map(|i| i as f32 / turned as f32);
        Self {
            frequencies: exponents.map(|e| 1.0 / (base as f32).powf(e)).collect(),
            factor: 1.0,
            below: 0,
        }
    }

    /// Applies the scaling that `section` names.
    fn scale(
        &mut self,
        config: &Config,
        section: &Config,
        positions: i64,
        base: f64,
        turned: i64,
    ) -> Result<(), ImportError> {
        let nested = |key: &&str| section.get(key).is_some_and(Value::is_object);
        if let Some(key) = section.keys().find(nested) {
            return Err(section.unsupported(key, "one set of values for all layers"));
        }
        let key = if section.get("rope_type").is_some() {
            "rope_type"
        } else {
            "type"
        };
        let trained = section.size("original_max_position_embeddings", positions, 1 << 24)?;
        let trained = config.size("original_max_position_embeddings", trained, 1 << 24)?;
        let word = section.text(key)?.unwrap_or("default");
        let Some((_, scaling)) = SCALINGS.iter().find(|(name, _)| *name == word) else {
            let known: Vec<_> = SCALINGS.iter().map(|(name, _)| *name).collect();
            return Err(section.unsupported(key, known.join(", ")));
        };
        match scaling {
            Scaling::None => Ok(()),
            Scaling::Dynamic => {
                // Further positions would stretch the frequencies of all.
                self.below = positions;
                Ok(())
            }
            Scaling::Linear => {
                let factor = required(section, "factor")? as f32;
                self.frequencies.iter_mut().for_each(|f| *f /= factor);
                Ok(())
            }
            Scaling::Llama3 => self.scale_llama3(section, trained),
            Scaling::Long => self.scale_long(section, positions, trained),
            Scaling::Yarn => self.scale_yarn(section, trained, base, turned),
        }
    }

    /// Llama 3.1: low frequencies are divided, high ones stay, those between are blended.
    fn scale_llama3(&mut self, section: &Config, trained: i64) -> Result<(), ImportError> {
        let factor = required(section, "factor")? as f32;
        let low = required(section, "low_freq_factor")?;
        let high = required(section, "high_freq_factor")?;
        if high <= low {
            return Err(section.wrong(
                "high_freq_factor",
                format!("more than low_freq_factor, {low}"),
            ));
        }
        let trained = trained as f32;
        let (longest, shortest) = (trained / low as f32, trained / high as f32);
        for f in &mut self.frequencies {
            let wave = TAU / *f;
            if wave > longest {
                *f /= factor;
            } else if wave >= shortest {
                let smooth = (trained / wave - low as f32) / (high - low) as f32;
                *f = (1.0 - smooth) * *f / factor + smooth * *f;
            }
        }
        Ok(())
    }

    /// LongRoPE; Ding et al. 2024 (arXiv:2402.13753), as long as no sequence is longer than those of the first training:
    /// further positions have other factors for all.
    fn scale_long(
        &mut self,
        section: &Config,
        positions: i64,
        trained: i64,
    ) -> Result<(), ImportError> {
        let factors = section.numbers("short_factor", self.frequencies.len())?;
        for (f, factor) in self.frequencies.iter_mut().zip(factors) {
            *f /= factor as f32;
        }
        let longer = section.number("factor", positions as f64 / trained as f64)?;
        let absent = match longer > 1.0 {
            true => (1.0 + longer.ln() / (trained.max(2) as f64).ln()).sqrt(),
            false => 1.0,
        };
        self.factor = section.number("attention_factor", absent)?;
        self.below = trained.min(positions);
        Ok(())
    }

    /// YaRN; Peng et al. 2023 (arXiv:2309.00071), section 3.
    fn scale_yarn(
        &mut self,
        section: &Config,
        trained: i64,
        base: f64,
        turned: i64,
    ) -> Result<(), ImportError> {
        let factor = required(section, "factor")?;
        let magnitude = |m: f64| {
            if factor <= 1.0 {
                1.0
            } else {
                0.1 * m * factor.ln() + 1.0
            }
        };
        let absent = match (section.get("mscale"), section.get("mscale_all_dim")) {
            (Some(_), Some(_)) => {
                magnitude(section.number("mscale", 1.0)?)
                    / magnitude(section.number("mscale_all_dim", 1.0)?)
            }
            _ => magnitude(1.0),
        };
        self.factor = section.number("attention_factor", absent)?;
        let pair_of = |rotations: f64| {
            let turns = trained as f64 / (rotations * std::f64::consts::TAU);
            turned as f64 * turns.ln() / (2.0 * base.ln())
        };
        let mut first = pair_of(section.number("beta_fast", 32.0)?);
        let mut last = pair_of(section.number("beta_slow", 1.0)?);
        if section.flag("truncate", true)? {
            (first, last) = (first.floor(), last.ceil());
        }
        let (first, mut last) = (first.max(0.0), last.min((turned - 1) as f64));
        if first == last {
            last += 0.001;
        }
        for (i, f) in self.frequencies.iter_mut().enumerate() {
            let ramp = ((i as f32 - first as f32) / (last - first) as f32).clamp(0.0, 1.0);
            let kept = 1.0 - ramp;
            *f = *f / factor as f32 * (1.0 - kept) + *f * kept;
        }
        Ok(())
    }

    /// Sines and cosines of `positions: [batch, seq]`.
    pub(super) fn turns(self, layers: &mut Layers, positions: ValueId) -> Turns {
        let frequencies = layers.made("rope.inv_freq", self.frequencies);
        let positions = layers.op(Cast { dtype: DType::F32 }, &[positions]);
        let [batch, seq] =
            <[Dim; 2]>::try_from(layers.shape(positions)).expect("ids have two axes");
        let shape = vec![batch, 1.into(), seq, 1.into()];
        let column = layers.op(Reshape { shape }, &[positions]);
        let angles = layers.mul(column, frequencies);
        let mut of = |f| {
            let x = layers.unary(f, angles);
            if self.factor == 1.0 {
                return x;
            }
            let factor = layers.scalar(self.factor);
            layers.mul(x, factor)
        };
        Turns {
            cos: of(UnaryFn::Cos),
            sin: of(UnaryFn::Sin),
        }
    }
}

/// A positive number that must be given.
fn required(section: &Config, key: &str) -> Result<f64, ImportError> {
    match section.get(key) {
        Some(_) => section.number(key, 1.0),
        None => Err(section.wrong(key, "a positive number")),
    }
}
