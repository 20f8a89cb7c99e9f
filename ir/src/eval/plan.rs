//! Graphs as flat lists of steps, with terms expanded.

use std::collections::BTreeMap;

use crate::{
    Build, Compute, Exchange, Graph, Meaning, Op, Primitive, TensorType, ValueId,
    ops::{Absent, Input},
};

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Takes an input or a weight.
    Leaf,
    /// Index notation.
    Compute(Compute),
    /// A collective.
    Exchange(Exchange),
    /// A meaning written out by hand.
    Primitive(Primitive),
}

/// One tensor.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Steps before this one.
    pub(crate) inputs: Vec<usize>,
    /// Type of the result.
    pub(crate) ty: TensorType,
    /// The graph's value that this is, or is a part of.
    pub(crate) value: ValueId,
}

/// The steps of a graph, each after its operands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The step of each value; none if no output needs the value.
    pub(crate) of_values: Vec<Option<usize>>,
}

/// The definition of an op over operands of some types, which are the first nodes of `graph`.
struct Expansion {
    graph: Graph,
    meaning: Meaning,
}

/// The plan of all values that outputs need.
pub(crate) fn plan(graph: &Graph) -> Plan {
    let mut planner = Planner::default();
    let of_values = planner.append(graph, &[], None);
    Plan {
        steps: planner.steps,
        of_values,
    }
}

#[derive(Default)]
struct Planner {
    steps: Vec<Step>,
    expansions: BTreeMap<(Op, Vec<TensorType>), std::rc::Rc<Expansion>>,
}

impl Planner {
    /// Appends the steps of `graph`, whose first values are the steps `given`. `part_of` is the value
    /// of the outermost graph that all this belongs to.
    fn append(
        &mut self,
        graph: &Graph,
        given: &[usize],
        part_of: Option<ValueId>,
    ) -> Vec<Option<usize>> {
        let live = graph.live();
        let mut steps: Vec<Option<usize>> = given.iter().copied().map(Some).collect();
        for v in graph.values().skip(given.len()) {
            if !live[v.index()] {
                steps.push(None);
                continue;
            }
            let node = graph.node(v);
            let of = |i: &ValueId| steps[i.index()].expect("operands of live values are live");
            let inputs: Vec<usize> = node.inputs.iter().map(of).collect();
            let types: Vec<_> = node.inputs.iter().map(|i| graph.ty(*i).clone()).collect();
            let expansion = self.expand(&node.op, types);
            let value = part_of.unwrap_or(v);
            let action = match &expansion.meaning {
                Meaning::Term(result) => {
                    let inner = self.append(&expansion.graph, &inputs, Some(value));
                    steps.push(inner[result.index()]);
                    continue;
                }
                Meaning::Leaf => Action::Leaf,
                Meaning::Compute(c) => Action::Compute(c.clone()),
                Meaning::Exchange(e) => Action::Exchange(e.clone()),
                Meaning::Primitive(p) => Action::Primitive(p.clone()),
            };
            self.steps.push(Step {
                action,
                inputs,
                ty: node.ty.clone(),
                value,
            });
            steps.push(Some(self.steps.len() - 1));
        }
        steps
    }

    fn expand(&mut self, op: &Op, types: Vec<TensorType>) -> std::rc::Rc<Expansion> {
        let key = (op.clone(), types);
        if let Some(expansion) = self.expansions.get(&key) {
            return expansion.clone();
        }
        let mut graph = Graph::new("");
        let operands: Vec<ValueId> = key.1.iter().map(|ty| operand(&mut graph, ty)).collect();
        let meaning = op.meaning(&operands, &mut Build::new(&mut graph));
        if let Meaning::Term(result) = meaning {
            graph.output("result", result);
        }
        let expansion = std::rc::Rc::new(Expansion { graph, meaning });
        self.expansions.insert(key, expansion.clone());
        expansion
    }
}

fn operand(graph: &mut Graph, ty: &TensorType) -> ValueId {
    let name = graph.nodes().len().to_string();
    let input = Input {
        name,
        ty: ty.clone(),
        absent: Absent::Required,
        below: 0,
    };
    graph.push(input, &[]).expect("an input fits any type")
}
