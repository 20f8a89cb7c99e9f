//! Inputs and weights for a graph, and what it computes from them.

use std::collections::BTreeMap;

use ir::{DType, Graph, Op, Sizes, Tensor, TensorType, WeightMap, eval};

/// Outputs by name.
pub type Outputs = BTreeMap<String, Tensor>;

/// What a case is computed with.
pub struct Given {
    pub sizes: Sizes,
    pub inputs: BTreeMap<String, Tensor>,
    pub weights: WeightMap,
    /// What the graph computes, by its meaning.
    wanted: Outputs,
    /// Largest error, relative to the largest element of an output.
    tolerance: f64,
}

impl Given {
    /// Small unequal sizes, and numbers from a fixed seed. `allowed` is the error that rules of the
    /// case are known to make.
    pub fn new(graph: &Graph, allowed: f64) -> Given {
        let sizes: Sizes = graph
            .symbols()
            .iter()
            .zip(2..)
            .map(|((symbol, bounds), size)| (symbol.clone(), bounds.max.min(bounds.min.max(size))))
            .collect();
        let bound = graph.bind(&sizes).unwrap();
        let mut numbers = Numbers(1);
        let (mut inputs, mut weights) = (BTreeMap::new(), WeightMap::default());
        for node in bound.nodes() {
            match &node.op {
                Op::Input(input) => {
                    inputs.insert(input.name.clone(), numbers.tensor(&input.ty, input.below));
                }
                Op::Weight(weight) => {
                    weights.insert(&weight.name, numbers.tensor(&weight.ty, 0));
                }
                _ => {}
            }
        }
        let wanted = eval::evaluate(&bound, &inputs, &weights).unwrap();
        // Each node rounds sums of at most `longest` terms, in f64.
        let elements = |ty: &TensorType| shape_of(ty).iter().product::<i64>();
        let longest = bound
            .nodes()
            .iter()
            .map(|node| elements(&node.ty))
            .max()
            .unwrap_or(1);
        let tolerance = allowed + f64::EPSILON * longest as f64 * bound.nodes().len() as f64;
        Given {
            sizes,
            inputs,
            weights,
            wanted,
            tolerance,
        }
    }

    /// Panics unless the outputs are the wanted ones, but for roundings, and for an error relative to
    /// the largest element of `within`. What is no number must be none in both.
    pub fn compare(&self, path: &str, found: &Outputs, within: f64) {
        let tolerance = self.tolerance.max(within);
        assert!(
            self.wanted.keys().eq(found.keys()),
            "{path}: outputs are {:?}",
            found.keys()
        );
        for (name, wanted) in &self.wanted {
            let found = &found[name];
            assert_eq!(wanted.shape(), found.shape(), "{path}: shape of {name}");
            let (wanted, found) = (wanted.values(), found.values());
            let scale = wanted.iter().fold(0.0f64, |max, x| max.max(x.abs()));
            for (at, (wanted, found)) in wanted.iter().zip(found.iter()).enumerate() {
                let error = (wanted - found).abs();
                assert!(
                    error <= tolerance * scale || wanted.is_nan() && found.is_nan(),
                    "{path}: {name}, element {at}: wanted {wanted}, found {found}"
                );
            }
        }
    }
}

/// Numbers that look random: a linear congruential generator with Knuth's constants.
struct Numbers(u64);

impl Numbers {
    /// In `0..1`.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }

    /// Integers in `0..below` (0 and 1 without a limit), floats in `-1..1`.
    fn tensor(&mut self, ty: &TensorType, below: i64) -> Tensor {
        let shape = shape_of(ty);
        let count = shape.iter().product();
        let limit = if below == 0 { 2.0 } else { below as f64 };
        let values = (0..count)
            .map(|_| match ty.dtype {
                DType::F32 | DType::F16 | DType::Bf16 => 2.0 * self.next() - 1.0,
                _ => (limit * self.next()).floor(),
            })
            .collect();
        Tensor::from_f64(ty.dtype, &shape, values).unwrap()
    }
}

/// The shape of a bound type.
pub fn shape_of(ty: &TensorType) -> Vec<i64> {
    ty.shape
        .iter()
        .map(|dim| dim.at(&Sizes::new()).expect("sizes are bound"))
        .collect()
}
