//! Which values lie in memory as narrower floats than they are computed in.

use std::collections::BTreeSet;

use ir::{DType, Graph, Kernel, ValueId, ops};

use crate::{
    family::{Family, shape},
    group::{GroupError, group},
    nest::{Body, StageKind, nest},
};

/// The float type of matrices of weights, and of the values between kernels that they decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// As computed.
    #[default]
    F32,
    /// Half the bytes and 11 bits of precision; what is beyond 65504 becomes infinite.
    F16,
    /// Half the bytes, the range of f32, and 8 bits of precision.
    Bf16,
}

impl Storage {
    /// The element type.
    pub const fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::Bf16,
        }
    }

    /// The largest number that it holds.
    pub fn largest(self) -> f64 {
        match self {
            Self::F32 => f32::MAX.into(),
            Self::F16 => 65504.0,
            // The upper half of the bits of `f32::MAX`.
            Self::Bf16 => f32::from_bits(0x7F7F_0000).into(),
        }
    }
}

/// The graph with a cast to `storage` after every value that lies in memory so, and one back to f32 at each use: all
/// arithmetic stays as it was, and so do the kernels. `rules` names the rewrite rules that made a value; those of the
/// new graph are returned with it.
///
/// Narrow are f32 tensors of weights that have two axes or more, and results of kernels that read what is narrow. So
/// these stay f32:
/// - gains, biases, slopes and rotary frequencies, which have one axis;
/// - positions, angles and masks, which no matrix decides;
/// - what a number beyond the range of `storage` was put into without a fold: scores with a mask added, of which a row
///   that hides all would become NaN;
/// - plain sums: their results are small and their range is not;
/// - inputs and outputs.
///
/// # Errors
/// An op that no kernel computes.
pub fn store_as(
    graph: &Graph,
    rules: &[Vec<String>],
    storage: Storage,
) -> Result<(Graph, Vec<Vec<String>>), GroupError> {
    if storage == Storage::F32 {
        return Ok((graph.clone(), rules.to_vec()));
    }
    let narrow = narrow(graph, storage)?;
    let at_run = depends_on_inputs(graph);
    let mut made = Made {
        graph: Graph::new(graph.name()),
        rules: Vec::new(),
    };
    // Of each value, what it became and, if it is narrow, that in memory.
    let mut new: Vec<(ValueId, Option<ValueId>)> = Vec::new();
    for v in graph.values() {
        let node = graph.node(v);
        let mut inputs: Vec<ValueId> = Vec::new();
        for i in &node.inputs {
            inputs.push(match new[i.index()] {
                (_, Some(stored)) if at_run[v.index()] => made.cast(stored, DType::F32),
                (same, _) => same,
            });
        }
        let of = rules.get(v.index()).cloned().unwrap_or_default();
        let same = made.push(node.op.clone(), &inputs, of);
        let stored = narrow
            .contains(&v)
            .then(|| made.cast(same, storage.dtype()));
        new.push((same, stored));
    }
    for o in graph.outputs() {
        made.graph.output(&o.name, new[o.value.index()].0);
    }
    let live = made.graph.live();
    let kept = made.rules.into_iter().zip(&live).filter(|(_, live)| **live);
    Ok((made.graph.keep(&live), kept.map(|(r, _)| r).collect()))
}

/// A graph, and the rules that made each of its values.
struct Made {
    graph: Graph,
    rules: Vec<Vec<String>>,
}

impl Made {
    fn push(&mut self, op: impl Into<ir::Op>, inputs: &[ValueId], rules: Vec<String>) -> ValueId {
        self.rules.push(rules);
        self.graph
            .push(op, inputs)
            .expect("operands have the types that they had")
    }

    fn cast(&mut self, x: ValueId, dtype: DType) -> ValueId {
        self.push(ops::Cast { dtype }, &[x], vec![])
    }
}

/// The values that lie in memory narrow.
fn narrow(graph: &Graph, storage: Storage) -> Result<BTreeSet<ValueId>, GroupError> {
    let groups = group(graph, &[])?;
    let outputs: BTreeSet<_> = graph.outputs().iter().map(|o| o.value).collect();
    let is_f32 = |v: ValueId| graph.ty(v).dtype == DType::F32;
    let axes = |v: ValueId| {
        let shape = graph.ty(v).shape.iter();
        shape.filter(|n| n.known() != Some(1)).count()
    };
    let matrices = groups.constants.into_iter();
    let mut narrow: BTreeSet<ValueId> = matrices.filter(|v| is_f32(*v) && axes(*v) > 1).collect();
    let mut far: BTreeSet<ValueId> = BTreeSet::new();
    for launch in &groups.launches {
        let operand = |of: &BTreeSet<ValueId>| {
            let all = launch.operands.iter();
            all.map(|v| of.contains(v)).collect::<Vec<_>>()
        };
        let result = result(
            &groups.kernels[launch.kernel],
            &operand(&far),
            storage.largest(),
        );
        if result == Range::Far {
            far.insert(launch.result);
        }
        if result == Range::Plain
            && operand(&narrow).contains(&true)
            && is_f32(launch.result)
            && !outputs.contains(&launch.result)
        {
            narrow.insert(launch.result);
        }
    }
    Ok(narrow)
}

/// What is known about the size of a kernel's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// Nothing.
    Plain,
    /// They are plain sums, maxima or the like.
    Folded,
    /// A number that is too large to be stored takes part.
    Far,
}

fn result(kernel: &Kernel, far: &[bool], largest: f64) -> Range {
    let nest = nest(&kernel.graph).expect("groups have nests");
    let is_far = |b: &&Body| match b {
        Body::Num(n) => n.get().is_finite() && n.get().abs() > largest,
        Body::Load { operand, .. } => far[*operand],
        _ => false,
    };
    if let Some(StageKind::Map(body)) = nest.stages.last().map(|s| &s.kind)
        && body.walk().iter().any(is_far)
    {
        return Range::Far;
    }
    match shape(nest).expect("groups have templates").family {
        Family::Fold | Family::Scan => Range::Folded,
        _ => Range::Plain,
    }
}

fn depends_on_inputs(graph: &Graph) -> Vec<bool> {
    let mut depends = Vec::new();
    for node in graph.nodes() {
        let given = matches!(node.op, ir::Op::Input(_));
        depends.push(given || node.inputs.iter().any(|i| depends[i.index()]));
    }
    depends
}
