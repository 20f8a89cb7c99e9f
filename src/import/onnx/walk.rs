//! The nodes of a model, one after the other, each by its line in the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use ir::Graph;

use super::{
    builder::Builder,
    call::Call,
    error::{NodeError, NodeProblem, OnnxError},
    file::{Folder, domain_of},
    fold::fold,
    inputs::{Kind, Symbols, id_bounds, kind_of},
    order::{name_of, order},
    proto,
    table::{Convert, converter},
    tensor::Constant,
    value::Value,
};
use crate::import::Weights;

/// Most nodes, functions written out.
const NODE_LIMIT: usize = 1 << 20;
/// Most calls of functions within calls.
const DEPTH_LIMIT: usize = 16;

/// Values by name, in one graph or function.
type Scope = BTreeMap<String, Value>;
/// Attributes by name.
type Attributes<'a> = BTreeMap<&'a str, &'a proto::Attribute>;

/// The graph that `model` says, and its weights.
pub(super) fn walk<'a>(
    model: &'a proto::Model,
    folder: &'a Folder,
) -> Result<(Graph, Weights), OnnxError> {
    let graph = model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
    let name = if graph.name.is_empty() {
        "onnx"
    } else {
        &graph.name
    };
    let mut walk = Walk {
        folder,
        b: Builder::new(name),
        functions: functions(model)?,
        failed: Vec::new(),
        nodes: 0,
    };
    let mut scope = walk.initializers(graph)?;
    walk.inputs(graph, &mut scope)?;
    let outputs: Vec<_> = graph.output.iter().map(|o| o.name.as_str()).collect();
    walk.nodes(&graph.node, &mut scope, &outputs, &BTreeMap::new(), 0)?;
    if !walk.failed.is_empty() {
        return Err(OnnxError::Nodes(walk.failed));
    }
    walk.outputs(graph, &scope)?;
    Ok((walk.b.graph, walk.b.weights))
}

/// Functions by domain and name.
type Functions<'a> = BTreeMap<(&'a str, &'a str), &'a proto::Function>;

fn functions(model: &proto::Model) -> Result<Functions<'_>, OnnxError> {
    let mut found = BTreeMap::new();
    for f in &model.functions {
        if found
            .insert((domain_of(&f.domain), f.name.as_str()), f)
            .is_some()
        {
            return Err(OnnxError::Duplicate {
                what: "function",
                name: f.name.clone(),
            });
        }
    }
    Ok(found)
}

struct Walk<'a> {
    folder: &'a Folder,
    b: Builder,
    functions: Functions<'a>,
    failed: Vec<NodeError>,
    /// How many so far.
    nodes: usize,
}

impl<'a> Walk<'a> {
    /// The initializers of a graph.
    fn initializers(&mut self, graph: &proto::Graph) -> Result<Scope, OnnxError> {
        let mut scope = Scope::new();
        let sparse = graph
            .sparse_initializer
            .iter()
            .filter_map(|s| s.values.as_ref());
        for tensor in sparse.clone() {
            scope.insert(
                tensor.name.clone(),
                Value::Foreign("a sparse tensor".into()),
            );
        }
        if scope.len() < sparse.count() {
            return Err(OnnxError::Duplicate {
                what: "sparse initializer",
                name: String::new(),
            });
        }
        for tensor in &graph.initializer {
            let left = self.folder.leaves(tensor);
            let read = match left {
                true => Constant::absent(tensor).map(Err),
                false => Constant::read(tensor, self.folder).map(Ok),
            };
            let value =
                match read {
                    Ok(Err(ty)) => Value::Graph(self.b.weight(&tensor.name, ty).map_err(|e| {
                        OnnxError::Input {
                            name: tensor.name.clone(),
                            wanted: "a tensor".into(),
                            found: e.to_string(),
                        }
                    })?),
                    Ok(Ok(mut constant)) => {
                        constant.name = Some(tensor.name.clone());
                        Value::Constant(constant.into())
                    }
                    Err(super::TensorProblem::Elem(name)) => Value::Foreign(name.into()),
                    Err(problem) => {
                        return Err(OnnxError::Tensor {
                            name: tensor.name.clone(),
                            problem,
                        });
                    }
                };
            if scope.insert(tensor.name.clone(), value).is_some() {
                return Err(OnnxError::Duplicate {
                    what: "initializer",
                    name: tensor.name.clone(),
                });
            }
        }
        Ok(scope)
    }

    /// Inputs that are no initializers too.
    fn inputs(&mut self, graph: &proto::Graph, scope: &mut Scope) -> Result<(), OnnxError> {
        let below = id_bounds(graph);
        let mut symbols = Symbols::default();
        let mut seen = BTreeSet::new();
        for info in &graph.input {
            if !seen.insert(&info.name) {
                return Err(OnnxError::Duplicate {
                    what: "input",
                    name: info.name.clone(),
                });
            }
            if scope.contains_key(&info.name) {
                continue;
            }
            let value = match kind_of(info, &mut symbols, &mut self.b.graph)? {
                Kind::Foreign(what) => Value::Foreign(what.into()),
                Kind::Tensor(ty) => {
                    let whole = ty.dtype.is_int();
                    let below = below.get(info.name.as_str()).filter(|_| whole);
                    let wrong = |problem: NodeProblem| OnnxError::Input {
                        name: info.name.clone(),
                        wanted: "a tensor".into(),
                        found: problem.to_string(),
                    };
                    let input = self.b.input(&info.name, ty, below.copied().unwrap_or(0));
                    Value::Graph(input.map_err(wrong)?)
                }
            };
            scope.insert(info.name.clone(), value);
        }
        Ok(())
    }

    fn outputs(&mut self, graph: &proto::Graph, scope: &Scope) -> Result<(), OnnxError> {
        let mut seen = BTreeSet::new();
        for info in &graph.output {
            if !seen.insert(&info.name) {
                return Err(OnnxError::Duplicate {
                    what: "output",
                    name: info.name.clone(),
                });
            }
            let value = scope
                .get(&info.name)
                .ok_or_else(|| OnnxError::NoOutput(info.name.clone()))?;
            let wrong = |wanted: String, found: String| OnnxError::Output {
                name: info.name.clone(),
                wanted,
                found,
            };
            let placed = self.b.place(value, 0);
            let id = placed.map_err(|e| wrong("a tensor".into(), e.to_string()))?;
            let declared = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
            let declared = declared.and_then(|t| super::tensor::Elem::of_code(t.elem_type));
            let found = self.b.graph.ty(id);
            if let Some(elem) = declared.filter(|e| e.dtype != Some(found.dtype)) {
                return Err(wrong(
                    format!("elements of type {}", elem.name),
                    found.to_string(),
                ));
            }
            self.b.graph.output(&info.name, id);
        }
        Ok(())
    }

    /// Imports the nodes that `wanted` needs into `scope`; `given` are the attributes of the function that they are in.
    fn nodes(
        &mut self,
        nodes: &'a [proto::Node],
        scope: &mut Scope,
        wanted: &[&str],
        given: &Attributes<'a>,
        depth: usize,
    ) -> Result<(), OnnxError> {
        for i in order(nodes, &|name| scope.contains_key(name), wanted)? {
            let node = &nodes[i];
            let attributes = resolved(node, given);
            let operand = |name: &String| match name.as_str() {
                "" => Value::Absent,
                name => scope.get(name).cloned().unwrap_or(Value::Failed),
            };
            let inputs: Vec<_> = node.input.iter().map(operand).collect();
            let key = (domain_of(&node.domain), node.op_type.as_str());
            self.nodes += 1;
            if self.nodes > NODE_LIMIT || depth > DEPTH_LIMIT {
                return Err(OnnxError::TooLarge {
                    name: node.op_type.clone(),
                    limit: NODE_LIMIT,
                    depth: DEPTH_LIMIT,
                });
            }
            let results = match self.functions.get(&key) {
                Some(function) => self.function(function, inputs, attributes, depth)?,
                None => match self.branch(key, &inputs, &attributes) {
                    Some(branch) => self.inline(branch, scope, given, depth)?,
                    None => self.node(node, inputs, attributes),
                },
            };
            for (at, name) in node
                .output
                .iter()
                .enumerate()
                .filter(|(_, n)| !n.is_empty())
            {
                let value = results.get(at).cloned().unwrap_or(Value::Failed);
                scope.insert(name.clone(), value);
            }
        }
        Ok(())
    }

    /// The branch of an `If` that is taken, where that is known.
    fn branch(
        &self,
        key: (&str, &str),
        inputs: &[Value],
        attributes: &Attributes<'a>,
    ) -> Option<&'a proto::Graph> {
        if key != ("", "If") {
            return None;
        }
        let condition = self.b.known(inputs.first()?)?;
        let taken = match condition.numbers().as_slice() {
            [n] if *n != 0.0 => "then_branch",
            [_] => "else_branch",
            _ => return None,
        };
        attributes.get(taken)?.g.as_deref()
    }

    /// The results of a branch, whose nodes see the names around it.
    fn inline(
        &mut self,
        branch: &'a proto::Graph,
        scope: &mut Scope,
        given: &Attributes<'a>,
        depth: usize,
    ) -> Result<Vec<Value>, OnnxError> {
        let mut own = self.initializers(branch)?;
        let made = branch.node.iter().flat_map(|n| &n.output);
        let names: Vec<_> = own
            .keys()
            .chain(made)
            .filter(|n| !n.is_empty())
            .cloned()
            .collect();
        if let Some(name) = names.iter().find(|n| scope.contains_key(*n)) {
            return Err(OnnxError::Duplicate {
                what: "value",
                name: name.clone(),
            });
        }
        scope.append(&mut own);
        let outputs: Vec<_> = branch.output.iter().map(|o| o.name.as_str()).collect();
        self.nodes(&branch.node, scope, &outputs, given, depth + 1)?;
        let value = |name: &&str| {
            let found = scope.get(*name).cloned();
            found.ok_or_else(|| OnnxError::NoOutput((*name).into()))
        };
        let results = outputs.iter().map(value).collect();
        names.iter().for_each(|name| drop(scope.remove(name)));
        results
    }

    /// The results of a function's call.
    fn function(
        &mut self,
        function: &'a proto::Function,
        inputs: Vec<Value>,
        mut attributes: Attributes<'a>,
        depth: usize,
    ) -> Result<Vec<Value>, OnnxError> {
        for default in &function.attribute_proto {
            attributes.entry(default.name.as_str()).or_insert(default);
        }
        let absent = inputs.into_iter().chain(std::iter::repeat(Value::Absent));
        let mut scope: Scope = function.input.iter().cloned().zip(absent).collect();
        if scope.len() < function.input.len() {
            return Err(OnnxError::Duplicate {
                what: "input of a function",
                name: function.name.clone(),
            });
        }
        let outputs: Vec<_> = function.output.iter().map(String::as_str).collect();
        self.nodes(&function.node, &mut scope, &outputs, &attributes, depth + 1)?;
        let value = |name: &String| {
            let found = scope.get(name).cloned();
            found.ok_or_else(|| OnnxError::NoOutput(name.clone()))
        };
        function.output.iter().map(value).collect()
    }

    /// The results of a node; a node that cannot be imported is noted, and has none.
    fn node(
        &mut self,
        node: &proto::Node,
        inputs: Vec<Value>,
        attributes: Attributes<'_>,
    ) -> Vec<Value> {
        let convert = converter(domain_of(&node.domain), &node.op_type);
        // What waits for a failed node is not to blame itself, unless nothing imports it anyway.
        if convert.is_some() && inputs.iter().any(|v| matches!(v, Value::Failed)) {
            return Vec::new();
        }
        let made = match convert {
            None => Err(NodeProblem::Operator),
            Some(convert) => {
                let mut call = Call {
                    b: &mut self.b,
                    node,
                    attributes,
                    inputs,
                };
                run(convert, &mut call)
            }
        };
        let wanted = node
            .output
            .iter()
            .rposition(|n| !n.is_empty())
            .map_or(0, |i| i + 1);
        let made = made.and_then(|values| {
            if values.len() < wanted {
                let what = format!("output {} of {}", values.len(), node.op_type);
                return Err(NodeProblem::Use(what));
            }
            Ok(values)
        });
        made.unwrap_or_else(|problem| {
            let node = name_of(node);
            self.failed.push(NodeError { node, problem });
            Vec::new()
        })
    }
}

fn run(convert: Convert, call: &mut Call<'_>) -> Result<Vec<Value>, NodeProblem> {
    if let Some(sizes) = fold(call)? {
        return Ok(vec![sizes]);
    }
    convert.run(call)
}

/// The attributes of a node, with references to those of its function resolved; one that the function was not given is
/// left out.
fn resolved<'a>(node: &'a proto::Node, given: &Attributes<'a>) -> Attributes<'a> {
    let value = |a: &'a proto::Attribute| match a.ref_attr_name.as_str() {
        "" => Some((a.name.as_str(), a)),
        other => Some((a.name.as_str(), *given.get(other)?)),
    };
    node.attribute.iter().filter_map(value).collect()
}

/// A value that several names share.
pub(super) fn shared(constant: Constant) -> Value {
    Value::Constant(Rc::new(constant))
}
