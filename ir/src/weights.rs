//! Where the values of weights come from.

use std::collections::BTreeMap;

use crate::{DType, Tensor};

/// One weight, borrowed from where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: Vec<i64>,
    /// Elements, row-major, little endian.
    pub bytes: &'a [u8],
}

/// Gives weights by name.
pub trait WeightSource: Sync {
    /// The weight of this name, if there is one. Its bytes fill its shape.
    fn weight(&self, name: &str) -> Option<WeightView<'_>>;
}

/// Weights held in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightMap(BTreeMap<String, Tensor>);

impl WeightMap {
    /// Adds a weight, rounded to its element type.
    pub fn insert(&mut self, name: &str, weight: Tensor) {
        self.0.insert(name.into(), weight.rounded());
    }
}

impl<S: AsRef<str>> FromIterator<(S, Tensor)> for WeightMap {
    fn from_iter<I: IntoIterator<Item = (S, Tensor)>>(weights: I) -> Self {
        let mut map = Self::default();
        for (name, weight) in weights {
            map.insert(name.as_ref(), weight);
        }
        map
    }
}

impl WeightSource for WeightMap {
    fn weight(&self, name: &str) -> Option<WeightView<'_>> {
        let weight = self.0.get(name)?;
        Some(WeightView {
            dtype: weight.dtype(),
            shape: weight.shape().to_vec(),
            bytes: weight
                .stored()
                .expect("weights are rounded when they are added"),
        })
    }
}
