//! Values for the operands of a kernel, from a seed.

use ir::{DType, Graph, Op, Tensor, TensorType};

/// Pseudo-random numbers (splitmix64: Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What values floats have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Floats {
    /// In -1..1: sums of many stay small.
    Signed,
    /// In 1/4..5/4: roots, logarithms and quotients of them are numbers.
    Positive,
}

/// An operand of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    /// Name of the graph's input.
    pub name: String,
    /// Its type; sizes are known.
    pub ty: TensorType,
    /// Integers lie in `0..below`, as the graph says; 0 if it does not.
    pub below: i64,
}

impl Operand {
    /// Number of elements; none if a size is open.
    pub fn elements(&self) -> Option<i64> {
        self.ty.elements().known()
    }

    /// Whether the graph leaves open which integers it takes.
    pub fn is_open(&self) -> bool {
        self.ty.dtype.is_int() && self.below <= 0
    }
}

/// The operands of a kernel, in order.
pub(super) fn operands(graph: &Graph) -> Vec<Operand> {
    let inputs = graph.nodes().iter().filter_map(|node| match &node.op {
        Op::Input(input) => Some(Operand {
            name: input.name.clone(),
            ty: node.ty.clone(),
            below: input.below,
        }),
        _ => None,
    });
    inputs.collect()
}

/// Values of an operand; each operand and each seed has its own.
pub(super) fn values(
    operand: &Operand,
    position: usize,
    seed: u64,
    floats: Floats,
) -> Option<Tensor> {
    let mut random = Random(seed);
    let start = random.next() ^ (position as u64).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mut random = Random(start);
    let dtype = operand.ty.dtype;
    let shape = operand.ty.shape.iter().map(|d| d.known());
    let shape: Vec<i64> = shape.collect::<Option<_>>()?;
    let below = if operand.below > 0 { operand.below } else { 2 };
    let one = |random: &mut Random| {
        let bits = random.next();
        match dtype {
            // Mostly true: masks leave something.
            DType::Bool => f64::from(!bits.is_multiple_of(4)),
            _ if dtype.is_int() => (bits % below as u64) as f64,
            _ => {
                let unit = (bits >> 40) as f64 / (1 << 24) as f64;
                match floats {
                    Floats::Signed => 2.0 * unit - 1.0,
                    Floats::Positive => unit + 0.25,
                }
            }
        }
    };
    let values = (0..operand.elements()?).map(|_| one(&mut random)).collect();
    let tensor = Tensor::from_f64(dtype, &shape, values).expect("there are as many as elements");
    Some(tensor.rounded())
}
