//! Groups ops into kernels: which values are written to memory, and which exist only inside a kernel.
//!
//! At first every fold (and attention) is a kernel of its own, with the maps before it inlined; then each
//! takes over the maps after it, as long as a template still computes the whole.

use std::collections::{BTreeMap, BTreeSet};

use ir::{DType, Graph, Kernel, Op, ValueId};

use crate::{
    family::{Family, Shaped, shape},
    nest::{Body, StageKind, is_cast, is_load, is_movement, leaf, nest},
};

/// A graph cut into kernels.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Distinct kernels.
    pub kernels: Vec<Kernel>,
    /// Their launches, in order.
    pub launches: Vec<Launch>,
    /// Values that weights alone decide, in ascending order; they are computed when compiling.
    pub constants: Vec<ValueId>,
}

/// One launch of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// By position in [`Groups::kernels`].
    pub kernel: usize,
    /// Values that it reads: inputs, constants, results of earlier launches.
    pub operands: Vec<ValueId>,
    /// The value that it computes.
    pub result: ValueId,
}

/// Why a graph cannot be cut into kernels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} = {op}: {reason}")]
pub struct GroupError {
    /// The value.
    pub value: ValueId,
    /// The op that computes it.
    pub op: &'static str,
    /// Why no kernel computes it.
    pub reason: String,
}

const COMPUTED_AGAIN: &str = "an operand is computed more than once";

/// How a value comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Given at each run.
    Input,
    /// Decided by weights.
    Constant,
    /// A float as wide as it was before it was narrowed to be stored: what lies in memory is the narrow one.
    Widened,
    /// Elements moved.
    Movement,
    /// Each element by itself.
    Map,
    /// With a fold.
    Anchor,
}

/// Cuts a bound graph; `rules` names the rewrite rules that made a value.
///
/// # Errors
/// An op that no kernel template computes.
pub fn group(graph: &Graph, rules: &[Vec<String>]) -> Result<Groups, GroupError> {
    let kinds = kinds(graph)?;
    let mut grouping = Grouping {
        graph,
        kinds,
        written: BTreeSet::new(),
    };
    grouping.start();
    grouping.split_what_does_not_fit()?;
    grouping.absorb();
    Ok(grouping.finish(rules))
}

fn kinds(graph: &Graph) -> Result<Vec<Kind>, GroupError> {
    let outputs: BTreeSet<_> = graph.outputs().iter().map(|o| o.value).collect();
    let mut kinds: Vec<Kind> = Vec::new();
    // Whether a value depends on an input, and on a weight.
    let mut needs: Vec<(bool, bool)> = Vec::new();
    for v in graph.values() {
        let node = graph.node(v);
        let of = |f: fn(&(bool, bool)) -> bool| node.inputs.iter().any(|i| f(&needs[i.index()]));
        let need = match node.op {
            Op::Input(_) => (true, false),
            Op::Weight(_) => (false, true),
            _ if node.op.holds() => (true, false),
            _ => (of(|n| n.0), of(|n| n.1)),
        };
        let types: Vec<_> = node.inputs.iter().map(|i| graph.ty(*i)).collect();
        let kind = match need {
            _ if matches!(node.op, Op::Input(_)) => Kind::Input,
            _ if is_widened(graph, v) => Kind::Widened,
            (false, true) if !outputs.contains(&v) => Kind::Constant,
            _ if is_movement(&node.op, &types) => Kind::Movement,
            (dynamic, _) => match alone(graph, v)?.family {
                Family::Map => Kind::Map,
                _ if dynamic => Kind::Anchor,
                _ => Kind::Constant,
            },
        };
        needs.push(need);
        kinds.push(kind);
    }
    Ok(kinds)
}

fn is_widened(graph: &Graph, v: ValueId) -> bool {
    let cast = |v: ValueId, from: &[DType], to: &[DType]| {
        let node = graph.node(v);
        let &[x] = node.inputs.as_slice() else {
            return None;
        };
        let (x_ty, ty) = (graph.ty(x), &node.ty);
        let fits = from.contains(&x_ty.dtype) && to.contains(&ty.dtype);
        (fits && is_cast(&node.op, &[x_ty])).then_some(x)
    };
    let narrow = [DType::F16, DType::Bf16];
    cast(v, &narrow, &[DType::F32]).is_some_and(|x| cast(x, &[DType::F32], &narrow).is_some())
}

/// The kernel of one op by itself.
pub(crate) fn alone(graph: &Graph, v: ValueId) -> Result<Shaped, GroupError> {
    let node = graph.node(v);
    let mut own = Graph::new("op");
    let inputs: Vec<_> = node
        .inputs
        .iter()
        .map(|i| {
            own.push(leaf(graph.ty(*i)), &[])
                .expect("a leaf takes any type")
        })
        .collect();
    let result = own
        .push(node.op.clone(), &inputs)
        .expect("operands fitted before");
    own.output("out", result);
    let error = |reason: String| GroupError {
        value: v,
        op: node.op.name(),
        reason,
    };
    let nest = nest(&own).map_err(|e| error(e.to_string()))?;
    shape(nest).map_err(|e| error(e.to_string()))
}

struct Grouping<'a> {
    graph: &'a Graph,
    kinds: Vec<Kind>,
    /// Values that a kernel writes to memory.
    written: BTreeSet<ValueId>,
}

impl Grouping<'_> {
    fn kind(&self, v: ValueId) -> Kind {
        self.kinds[v.index()]
    }

    fn start(&mut self) {
        let live = self.graph.live();
        let uses = self.graph.uses();
        for v in self.graph.values().filter(|v| live[v.index()]) {
            let write = match self.kind(v) {
                Kind::Anchor => true,
                // Inlined twice, it would be computed twice; what needs no operand costs nothing.
                Kind::Map => {
                    uses[v.index()] > 1 && !self.graph.node(v).inputs.is_empty() && self.is_large(v)
                }
                _ => false,
            };
            if write {
                self.written.insert(v);
            }
        }
        // An output is written where it is computed; inputs and constants are copied.
        let outputs = self.graph.outputs().iter().map(|o| o.value);
        self.written.extend(outputs);
    }

    /// Whether a value is about as large as what it is computed from, so that computing it again costs more
    /// than reading it.
    fn is_large(&self, v: ValueId) -> bool {
        let size = |v: ValueId| self.graph.ty(v).elements().known().unwrap_or(i64::MAX);
        size(v) > 1
    }

    /// The ops of the kernel that writes `v`, ascending, and what it reads.
    fn region(&self, v: ValueId) -> (Vec<ValueId>, Vec<ValueId>) {
        let (mut ops, mut reads) = (BTreeSet::new(), Vec::new());
        let mut open = vec![v];
        while let Some(u) = open.pop() {
            let outside = match self.kind(u) {
                Kind::Input | Kind::Constant => true,
                _ => u != v && self.written.contains(&u),
            };
            if outside {
                if !reads.contains(&u) {
                    reads.push(u);
                }
            } else if ops.insert(u) {
                open.extend(self.graph.node(u).inputs.iter().rev());
            }
        }
        (ops.into_iter().collect(), reads)
    }

    /// The graph of the kernel that writes `v`.
    fn kernel_graph(&self, ops: &[ValueId], reads: &[ValueId], v: ValueId) -> Graph {
        let mut out = Graph::new("kernel");
        let mut new = BTreeMap::new();
        for (i, r) in reads.iter().enumerate() {
            let mut input = leaf(self.graph.ty(*r));
            input.name = format!("in{i}");
            if let Op::Input(of) = &self.graph.node(*r).op
                && of.is_state()
            {
                input.absent = of.absent;
            }
            new.insert(*r, out.push(input, &[]).expect("a leaf takes any type"));
        }
        for u in ops {
            let node = self.graph.node(*u);
            let inputs: Vec<_> = node.inputs.iter().map(|i| new[i]).collect();
            new.insert(
                *u,
                out.push(node.op.clone(), &inputs)
                    .expect("operands fitted before"),
            );
        }
        out.output("out", new[&v]);
        out
    }

    /// The template of the kernel that writes `v`, if there is one that computes each operand once.
    fn shaped(&self, v: ValueId) -> Result<Shaped, String> {
        let (ops, reads) = self.region(v);
        let graph = self.kernel_graph(&ops, &reads, v);
        let shaped = shape(nest(&graph).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
        let is_constant = |operand: usize| self.kind(reads[operand]) == Kind::Constant;
        if operands_are_loads(&shaped, &is_constant) {
            Ok(shaped)
        } else {
            Err(COMPUTED_AGAIN.into())
        }
    }

    /// Whether elements of `v` are elements of an operand at places that a run says.
    fn is_gather(&self, v: ValueId) -> bool {
        let body = |s: &Shaped| match s.nest.stages[0].body() {
            Some(Body::Load { at, .. }) => at.loads(),
            _ => false,
        };
        alone(self.graph, v).is_ok_and(|s| body(&s))
    }

    /// Writes more values to memory until every kernel has a template.
    fn split_what_does_not_fit(&mut self) -> Result<(), GroupError> {
        let mut open: Vec<ValueId> = self.written.iter().copied().collect();
        while let Some(v) = open.pop() {
            let Err(reason) = self.shaped(v) else {
                continue;
            };
            let (ops, _) = self.region(v);
            let of = |kind: Kind| {
                ops.iter()
                    .rev()
                    .copied()
                    .find(|u| *u != v && self.kind(*u) == kind)
            };
            // An element that is only found by a number of a run costs no more each time.
            let computes =
                |u: &ValueId| *u != v && self.kind(*u) == Kind::Map && !self.is_gather(*u);
            let computed = match reason == COMPUTED_AGAIN {
                true => ops.iter().rev().copied().find(computes),
                false => None,
            };
            let cut = computed.or_else(|| of(Kind::Map));
            let Some(cut) = cut.or_else(|| of(Kind::Movement)) else {
                return Err(GroupError {
                    value: v,
                    op: self.graph.node(v).op.name(),
                    reason,
                });
            };
            self.written.insert(cut);
            open.extend([v, cut]);
        }
        Ok(())
    }

    /// Lets kernels take over the maps after them.
    fn absorb(&mut self) {
        let uses = self.graph.uses();
        let mut user = vec![None; self.kinds.len()];
        for v in self.graph.values() {
            for i in &self.graph.node(v).inputs {
                user[i.index()] = Some(v);
            }
        }
        let live = self.graph.live();
        for v in self.graph.values().filter(|v| live[v.index()]) {
            let mut at = v;
            while self.kind(v) == Kind::Anchor
                && self.written.contains(&at)
                && uses[at.index()] == 1
            {
                let Some(next) = user[at.index()] else { break };
                if !matches!(self.kind(next), Kind::Map | Kind::Movement)
                    || !self.takes_over(at, next)
                {
                    break;
                }
                at = next;
            }
        }
    }

    /// Makes the kernel that writes `v` write `next` instead, if its template stays the same.
    fn takes_over(&mut self, v: ValueId, next: ValueId) -> bool {
        let Ok(before) = self.shaped(v) else {
            return false;
        };
        let had = self.written.clone();
        self.written.remove(&v);
        self.written.insert(next);
        let same = |after: &Shaped| {
            std::mem::discriminant(&after.family) == std::mem::discriminant(&before.family)
        };
        let fits = self.shaped(next).is_ok_and(|after| same(&after));
        // What inlined the map until now must still have a template.
        let others = had
            .iter()
            .filter(|u| **u != v)
            .all(|u| !self.region(*u).1.contains(&next) || self.shaped(*u).is_ok());
        if !fits || !others {
            self.written = had;
            return false;
        }
        true
    }

    fn finish(self, rules: &[Vec<String>]) -> Groups {
        let mut groups = Groups {
            kernels: vec![],
            launches: vec![],
            constants: vec![],
        };
        let mut constants = BTreeSet::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for v in self.written.iter().copied() {
            if matches!(self.kind(v), Kind::Input | Kind::Constant) {
                constants.extend((self.kind(v) == Kind::Constant).then_some(v));
                continue;
            }
            let (ops, reads) = self.region(v);
            let graph = self.kernel_graph(&ops, &reads, v);
            let constant: Vec<bool> = reads
                .iter()
                .map(|r| self.kind(*r) == Kind::Constant)
                .collect();
            constants.extend(reads.iter().filter(|r| self.kind(**r) == Kind::Constant));
            let key = format!("{graph:?}{constant:?}");
            let kernel = *known.entry(key).or_insert(groups.kernels.len());
            if kernel == groups.kernels.len() {
                let anchor = ops
                    .iter()
                    .rev()
                    .find(|u| self.kind(**u) == Kind::Anchor)
                    .unwrap_or(&v);
                let name = format!("k{kernel}_{}", self.graph.node(*anchor).op.name());
                groups.kernels.push(Kernel {
                    name,
                    graph,
                    constant,
                    rules: vec![],
                });
            }
            let made = &mut groups.kernels[kernel].rules;
            made.extend(
                ops.iter()
                    .filter_map(|u| rules.get(u.index()))
                    .flatten()
                    .cloned(),
            );
            made.sort();
            made.dedup();
            groups.launches.push(Launch {
                kernel,
                operands: reads,
                result: v,
            });
        }
        groups.constants = constants.into_iter().collect();
        groups
    }
}

/// Whether the operands of products and of primitives are read, not computed, since each element is used many times.
/// What constants alone decide and is not computed ahead is held: of a matrix that becomes what is computed from its codes.
fn operands_are_loads(shaped: &Shaped, is_constant: &dyn Fn(usize) -> bool) -> bool {
    let held = |body: &Body| {
        let loads = body.walk().into_iter().filter_map(|b| match b {
            Body::Load { operand, .. } => Some(*operand),
            _ => None,
        });
        let operands: Vec<usize> = loads.collect();
        !operands.is_empty() && operands.into_iter().all(is_constant)
    };
    match &shaped.family {
        Family::Contract(c) => is_load(&c.left) && (is_load(&c.right) || held(&c.right)),
        Family::Attention => match &shaped.nest.stages[0].kind {
            StageKind::Attention(a) => [&a.q, &a.k, &a.v].into_iter().all(is_load),
            _ => false,
        },
        Family::TopK | Family::Scan => shaped.nest.stages[0].body().is_some_and(is_load),
        _ => true,
    }
}
