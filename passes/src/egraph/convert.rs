//! Graphs to terms and back.

use egg::{Id, RecExpr};
use ir::{Graph, GraphError, ValueId};

use super::language::Term;

/// The outputs of `graph` as one term; equal subterms are shared. Also the place of each live value.
pub fn term_of(graph: &Graph) -> (RecExpr<Term>, Vec<Option<Id>>) {
    let mut expr = Interner::default();
    let live = graph.live();
    let mut places = vec![None; graph.nodes().len()];
    for v in graph.values().filter(|v| live[v.index()]) {
        let node = graph.node(v);
        let attrs = node.op.attrs().into_values();
        let mut children: Vec<Id> = attrs.map(|a| expr.add(Term::Attr(a))).collect();
        children.extend(
            node.inputs.iter().map(|i| {
                places[i.index()].expect("operands of live values are live and come first")
            }),
        );
        places[v.index()] = Some(expr.add(Term::Op(node.op.name(), children)));
    }
    let outputs = graph.outputs().iter();
    let outputs = outputs
        .map(|o| places[o.value.index()].expect("outputs are live"))
        .collect();
    expr.add(Term::Outputs(outputs));
    (expr.done(), places)
}

/// The graph that `expr`, a term of outputs, says; name, sizes and names of outputs are those of `like`.
///
/// Also the value of each place of `expr` that is an op.
///
/// # Errors
/// An op does not fit its operands.
pub fn graph_of(
    expr: &RecExpr<Term>,
    like: &Graph,
) -> Result<(Graph, Vec<Option<ValueId>>), GraphError> {
    let mut graph = Graph::new(like.name());
    for (symbol, bounds) in like.symbols() {
        graph.declare(symbol.name(), *bounds);
    }
    let mut values: Vec<Option<ValueId>> = vec![None; expr.len()];
    for (id, term) in expr.items() {
        match term {
            Term::Attr(_) => {}
            Term::Op(..) => {
                let op = term
                    .op(|a| {
                        if let Term::Attr(a) = &expr[a] {
                            Some(a.clone())
                        } else {
                            None
                        }
                    })
                    .expect("the attributes of a term spell its op");
                let operands = term.split().1.iter();
                let operands: Vec<_> = operands
                    .map(|o| values[usize::from(*o)].expect("operands are ops"))
                    .collect();
                values[usize::from(id)] = Some(graph.push(op, &operands)?);
            }
            Term::Outputs(outputs) => {
                for (name, id) in like.outputs().iter().zip(outputs) {
                    let value = values[usize::from(*id)].expect("outputs are ops");
                    graph.output(&name.name, value);
                }
            }
        }
    }
    Ok((graph, values))
}

/// Builds expressions without duplicates.
#[derive(Default)]
pub(crate) struct Interner {
    expr: RecExpr<Term>,
    places: std::collections::HashMap<Term, Id>,
}

impl Interner {
    /// The place of `term`.
    pub(crate) fn add(&mut self, term: Term) -> Id {
        if let Some(id) = self.places.get(&term) {
            return *id;
        }
        let id = self.expr.add(term.clone());
        self.places.insert(term, id);
        id
    }

    /// The expression; its root is the term that was new last.
    pub(crate) fn done(self) -> RecExpr<Term> {
        self.expr
    }
}
