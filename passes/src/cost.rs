//! What ops cost: work from their meanings, seconds from a roofline.

use ir::{Build, Dim, Expr, Graph, Meaning, Op, Roofline, Sizes, TensorType, ValueId, ops};

/// What one op does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// Numbers computed, including those of folds.
    pub flops: f64,
    /// Bytes read from each operand.
    pub read: Vec<f64>,
    /// Bytes written.
    pub written: f64,
    /// It only renames elements of an operand, so that its user can read that operand instead.
    pub moves: bool,
}

/// A size as a number; a size that is not known counts as one.
fn count(size: &Dim) -> f64 {
    size.known().map_or(1.0, |n| n as f64)
}

fn elements(dims: &[Dim]) -> f64 {
    dims.iter().map(count).product()
}

fn bytes(ty: &TensorType) -> f64 {
    elements(&ty.shape) * ty.dtype.size() as f64
}

/// Functions at one point, without those of indices.
fn functions(e: &Expr) -> f64 {
    let parts: f64 = match e {
        Expr::Load { .. } => 0.0,
        e => e.parts().into_iter().map(functions).sum(),
    };
    let own = matches!(e, Expr::Unary(..) | Expr::Binary(..) | Expr::Select(..));
    parts + f64::from(u8::from(own))
}

/// How often each operand is loaded at one point.
fn loads(e: &Expr, of: &mut [f64]) {
    if let Expr::Load { operand, .. } = e {
        of[*operand] += 1.0;
    }
    for part in e.parts() {
        loads(part, of);
    }
}

/// Whether the expression is one element of an operand, at a place that no data decides.
fn is_movement(e: &Expr) -> bool {
    let Expr::Load { index, .. } = e else {
        return false;
    };
    let mut counts = [0.0; 8];
    index.iter().for_each(|i| loads(i, &mut counts));
    counts.iter().all(|c| *c == 0.0)
}

impl Work {
    /// The work of `op` on operands of these types, which fit it and whose sizes are known.
    pub fn of(op: &Op, types: &[TensorType]) -> Self {
        let mut graph = Graph::new("work");
        let operands: Vec<ValueId> = types
            .iter()
            .map(|ty| {
                let (name, ty, absent) = (String::new(), ty.clone(), ops::Absent::Required);
                graph
                    .push(
                        ops::Input {
                            name,
                            ty,
                            absent,
                            below: 0,
                        },
                        &[],
                    )
                    .expect("an input has no operands to fit")
            })
            .collect();
        let out = op.infer(types).expect("the caller's operands fit");
        let meaning = op.meaning(&operands, &mut Build::new(&mut graph));
        let mut work = Self {
            read: vec![0.0; types.len()],
            ..Self::default()
        };
        match meaning {
            Meaning::Leaf => return work,
            Meaning::Compute(c) => {
                let folded = c
                    .reduce
                    .iter()
                    .map(|(_, sizes)| elements(sizes))
                    .product::<f64>();
                let points = elements(&c.axes) * folded;
                let fold = f64::from(u8::from(c.reduce.is_some()));
                work.flops = points * (functions(&c.body) + fold);
                let mut times = vec![0.0; types.len()];
                loads(&c.body, &mut times);
                for ((read, times), ty) in work.read.iter_mut().zip(times).zip(types) {
                    *read = bytes(ty).min(points * times * ty.dtype.size() as f64);
                }
                work.moves = c.reduce.is_none() && is_movement(&c.body);
            }
            Meaning::Term(_) => {
                for v in graph.values().skip(types.len()) {
                    let node = graph.node(v);
                    let types: Vec<_> = node.inputs.iter().map(|i| graph.ty(*i).clone()).collect();
                    let inner = Self::of(&node.op, &types);
                    work.flops += inner.flops;
                    for (input, read) in node.inputs.iter().zip(inner.read) {
                        if let Some(total) = work.read.get_mut(input.index()) {
                            *total = total.max(read);
                        }
                    }
                }
            }
            Meaning::Exchange(_) | Meaning::Primitive(_) => {
                work.read = types.iter().map(bytes).collect();
            }
        }
        work.written = bytes(&out);
        work
    }

    /// Seconds as a kernel of its own; movement and tensors that nothing is read for take none.
    pub fn seconds(&self, on: &Roofline) -> f64 {
        let read: f64 = self.read.iter().sum();
        if self.moves || read == 0.0 {
            return 0.0;
        }
        let memory = (read + self.written) / on.bytes_per_second;
        (self.flops / on.flops_per_second).max(memory) + on.dispatch_seconds
    }
}

/// Sizes at which a graph with symbols is costed: 128, or the nearest that each allows.
pub fn typical_sizes(graph: &Graph) -> Sizes {
    let sizes = graph.symbols().iter();
    sizes
        .map(|(s, bounds)| (s.clone(), 128.clamp(bounds.min, bounds.max)))
        .collect()
}
