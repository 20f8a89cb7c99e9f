//! Matrices of weights in few bits, widened where they are read.

mod codes;
mod graph;

use std::collections::BTreeMap;

use ir::{Graph, GraphError, Tensor, WeightSource, WeightView};

/// How matrices are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantize {
    /// Eight bits and a scale for each output.
    W8,
    /// Four bits, and a scale for each output and so many inputs in a row.
    W4 {
        /// How many inputs share a scale; even.
        group: i64,
    },
}

/// Why matrices cannot be stored so.
#[derive(Debug, thiserror::Error)]
pub enum QuantizeError {
    /// A weight that the model's files do not hold.
    #[error("weight `{0}`: the graph uses it, the model's files do not hold it")]
    NoWeight(String),
    /// A number that no scale reaches.
    #[error(
        "weight `{name}`: the value at {position:?} is {value}; wanted finite numbers, so that a scale reaches them"
    )]
    NotFinite {
        /// The weight.
        name: String,
        /// Index along each axis.
        position: [usize; 2],
        /// What is there.
        value: f64,
    },
    /// No matrix can be stored so.
    #[error(
        "--quantize: no weight is only a matrix that rows are multiplied by, with {wanted}; help: leave --quantize out"
    )]
    Nothing {
        /// What a matrix must be like.
        wanted: String,
    },
    /// A graph that does not take what stands for a weight.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Storage of another kind.
    #[error("--quantize: wanted f32 beside it, found {0}; help: leave --dtype out")]
    Storage(&'static str),
}

/// What quantising did to one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// The weight.
    pub name: String,
    /// Root of the mean square of the differences, relative to that of the values: how far the product of a random row
    /// is off.
    pub error: f64,
    /// Bytes of codes and scales.
    pub bytes: usize,
    /// Elements.
    pub elements: usize,
}

/// A graph, its weights, and what was done.
pub struct Outcome<'a> {
    /// The graph, in which matrices are computed from codes.
    pub graph: Graph,
    /// Codes, scales, and the other weights.
    pub weights: Weights<'a>,
    /// Each matrix.
    pub matrices: Vec<Quantized>,
}

/// Weights of which some are made.
pub struct Weights<'a> {
    given: &'a dyn WeightSource,
    made: BTreeMap<String, Tensor>,
}

impl WeightSource for Weights<'_> {
    fn weight(&self, name: &str) -> Option<WeightView<'_>> {
        let Some(made) = self.made.get(name) else {
            return self.given.weight(name);
        };
        Some(WeightView {
            dtype: made.dtype(),
            shape: made.shape().to_vec(),
            bytes: made.stored().expect("codes and scales are made of bytes"),
        })
    }
}

impl Quantize {
    /// How many inputs share a scale.
    fn group(self, inputs: i64) -> i64 {
        match self {
            Self::W8 => inputs,
            Self::W4 { group } => group,
        }
    }

    /// Whether a matrix of so many inputs can be stored so.
    fn fits(self, inputs: i64) -> bool {
        match self {
            Self::W8 => true,
            Self::W4 { group } => inputs % group == 0,
        }
    }

    /// What a matrix must be like.
    fn wanted(self) -> String {
        match self {
            Self::W8 => "two axes".into(),
            Self::W4 { group } => format!("a multiple of {group} inputs"),
        }
    }
}

impl std::str::FromStr for Quantize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "w8" {
            return Ok(Self::W8);
        }
        let group = text.strip_prefix("w4g").and_then(|n| n.parse().ok());
        match group {
            Some(group) if group > 0 && group % 2 == 0 && group <= 1 << 20 => {
                Ok(Self::W4 { group })
            }
            _ => Err(format!(
                "wanted w8, or w4g and an even number of inputs that share a scale, such as w4g128; found `{text}`"
            )),
        }
    }
}

impl std::fmt::Display for Quantize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::W8 => f.write_str("w8"),
            Self::W4 { group } => write!(f, "w4g{group}"),
        }
    }
}

/// The graph with each weight that is only a matrix by which rows are multiplied stored as `how` says. Round to nearest,
/// with the scale by which the largest value of a group becomes the largest code.
///
/// # Errors
/// A matrix with numbers that are not finite, or no matrix.
pub fn quantize<'a>(
    graph: &Graph,
    weights: &'a dyn WeightSource,
    how: Quantize,
) -> Result<Outcome<'a>, QuantizeError> {
    let found = graph::matrices(graph, how);
    if found.is_empty() {
        let wanted = how.wanted();
        return Err(QuantizeError::Nothing { wanted });
    }
    let mut made = BTreeMap::new();
    let mut matrices = Vec::new();
    for matrix in found.values() {
        let (parts, done) = codes::encode(matrix, weights, how)?;
        matrices.push(done);
        made.extend(parts);
    }
    let graph = graph::with_codes(graph, &found, how)?;
    let given = weights;
    Ok(Outcome {
        graph,
        weights: Weights { given, made },
        matrices,
    })
}
