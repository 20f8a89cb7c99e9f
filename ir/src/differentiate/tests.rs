use std::collections::BTreeMap;

use super::adjoints;
use crate::{
    Graph, Meaning, Tensor, TensorType, WeightMap,
    eval::{
        self, Values,
        compute::{self, known},
        plan::{Action, plan},
    },
    text,
};

fn meaning(action: &Action) -> Meaning {
    match action {
        Action::Leaf => Meaning::Leaf,
        Action::Compute(c) => Meaning::Compute(c.clone()),
        Action::Exchange(e) => Meaning::Exchange(e.clone()),
        Action::Primitive(p) => Meaning::Primitive(p.clone()),
    }
}

/// The value of a meaning on operands of these types.
fn value(meaning: &Meaning, operands: &[(&[f64], &TensorType)]) -> Vec<f64> {
    let values: Vec<_> = operands
        .iter()
        .map(|(v, _)| Values::Exact((*v).into()))
        .collect();
    let shapes: Vec<_> = operands.iter().map(|(_, ty)| known(&ty.shape)).collect();
    let operands: Vec<_> = values
        .iter()
        .zip(shapes.iter().map(Vec::as_slice))
        .collect();
    match meaning {
        Meaning::Compute(c) => compute::evaluate(c, &operands).unwrap(),
        Meaning::Primitive(p) => p.values(&operands).unwrap(),
        other => panic!("{other:?} is evaluated between ranks or as its parts"),
    }
}

/// The derivative of `sum(seed * output)` by each input, by adjoints.
fn gradients(
    graph: &Graph,
    inputs: &BTreeMap<String, Tensor>,
    seed: &[f64],
) -> BTreeMap<String, Vec<f64>> {
    let plan = plan(graph);
    let mut values: Vec<Vec<f64>> = Vec::new();
    for step in &plan.steps {
        let operands: Vec<_> = step
            .inputs
            .iter()
            .map(|i| (values[*i].as_slice(), &plan.steps[*i].ty))
            .collect();
        values.push(match (&step.action, graph.node(step.value).op.leaf()) {
            (Action::Leaf, Some(leaf)) => inputs[leaf.name()].values().into_owned(),
            (action, _) => value(&meaning(action), &operands),
        });
    }
    let mut flow: Vec<Option<Vec<f64>>> = vec![None; plan.steps.len()];
    flow[plan.of_values[graph.outputs()[0].value.index()].unwrap()] = Some(seed.to_vec());
    let mut found = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate().rev() {
        let Some(adjoint) = flow[at].take() else {
            continue;
        };
        if let Some(leaf) = graph.node(step.value).op.leaf() {
            found.insert(leaf.name().to_owned(), adjoint);
            continue;
        }
        let types: Vec<_> = step
            .inputs
            .iter()
            .map(|i| plan.steps[*i].ty.clone())
            .collect();
        let mut operands: Vec<(&[f64], &TensorType)> = step
            .inputs
            .iter()
            .zip(&types)
            .map(|(i, ty)| (values[*i].as_slice(), ty))
            .collect();
        operands.push((&values[at], &step.ty));
        operands.push((&adjoint, &step.ty));
        for (i, input) in step.inputs.iter().enumerate() {
            for meaning in adjoints(&meaning(&step.action), i, &types).unwrap() {
                let more = value(&meaning, &operands);
                let sum = flow[*input].get_or_insert_with(|| vec![0.0; more.len()]);
                sum.iter_mut().zip(more).for_each(|(s, x)| *s += x);
            }
        }
    }
    found
}

/// Compares the derivatives of a graph by its float inputs with central differences.
fn check(inputs: &[(&str, &str)], body: &str) {
    let mut text = String::from("graph \"g\" {\n");
    for (name, ty) in inputs {
        text += &format!(
            "%{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
        );
    }
    let graph = text::parse(&format!("{text} {body} return y = %y }}")).unwrap();
    let tensors = inputs.iter().enumerate().map(|(i, (name, ty))| {
        let ty = text::parse_type(ty).unwrap();
        let shape = known(&ty.shape);
        let at = |k: i64| {
            if ty.dtype.is_int() {
                return ((k * 5 + 2) % 3) as f64;
            }
            // Spread without ties, away from zero.
            let x = ((k * 37 + i as i64 * 11 + 3) % 101) as f64 / 101.0;
            if k % 2 == 0 { 0.1 + x } else { -0.15 - x }
        };
        let values = (0..shape.iter().product()).map(at).collect();
        (
            (*name).to_owned(),
            Tensor::from_f64(ty.dtype, &shape, values).unwrap(),
        )
    });
    let tensors: BTreeMap<String, Tensor> = tensors.collect();
    let output = |tensors: &BTreeMap<String, Tensor>| {
        let out = eval::evaluate(&graph, tensors, &WeightMap::default()).unwrap();
        out["y"].values().into_owned()
    };
    let seed: Vec<f64> = (0..output(&tensors).len())
        .map(|i| ((i * 13 + 5) % 7) as f64 / 7.0 + 0.2)
        .collect();
    let found = gradients(&graph, &tensors, &seed);
    for (name, tensor) in &tensors {
        if !tensor.dtype().is_float() {
            assert!(!found.contains_key(name), "{name} has no derivative");
            continue;
        }
        for k in 0..tensor.elements() {
            let step = 1e-5;
            let moved = |by: f64| -> f64 {
                let mut values = tensor.values().into_owned();
                values[k] += by;
                let mut tensors = tensors.clone();
                let moved = Tensor::from_f64(tensor.dtype(), tensor.shape(), values).unwrap();
                tensors.insert(name.clone(), moved);
                output(&tensors).iter().zip(&seed).map(|(y, s)| y * s).sum()
            };
            // The error of a central difference is of the order of step^2, of its rounding epsilon / step.
            let (wanted, found) = ((moved(step) - moved(-step)) / (2.0 * step), found[name][k]);
            let bound = 1e-8 * (1.0 + wanted.abs());
            assert!(
                (wanted - found).abs() < bound,
                "{name}[{k}]: {wanted} != {found}\n{body}"
            );
        }
    }
}

#[test]
fn of_products_of_matrices() {
    check(
        &[("a", "f32[2,3,4]"), ("b", "f32[5,4]")],
        "%y = matmul(%a, %b) {ta = false, tb = true} : f32[2,3,5]",
    );
}

#[test]
fn of_softmax() {
    check(
        &[("x", "f32[3,4]")],
        "%y = softmax(%x) {axis = 1} : f32[3,4]",
    );
}

#[test]
fn of_layer_norm() {
    check(
        &[("x", "f32[2,5]"), ("g", "f32[5]"), ("b", "f32[5]")],
        "%y = layer_norm(%x, %g, %b) {eps = 1e-5} : f32[2,5]",
    );
}

#[test]
fn of_activations() {
    for f in [
        "gelu",
        "gelu_tanh",
        "silu",
        "sigmoid",
        "relu",
        "square",
        "tanh",
        "sin",
        "cos",
    ] {
        check(&[("x", "f32[6]")], &format!("%y = {f}(%x) : f32[6]"));
    }
    for f in ["div", "maximum", "minimum", "mul", "sub"] {
        check(
            &[("a", "f32[2,3]"), ("b", "f32[3]")],
            &format!("%y = {f}(%a, %b) : f32[2,3]"),
        );
    }
}

#[test]
fn of_gathers_by_scatters() {
    check(
        &[("t", "f32[4,3]"), ("i", "i64[2,3]")],
        "%y = embedding(%t, %i) : f32[2,3,3]",
    );
}

#[test]
fn of_folds() {
    for f in ["sum", "max", "min", "prod"] {
        let body = format!("%y = {f}(%x) {{axes = (0), keep = false}} : f32[4]");
        check(&[("x", "f32[3,4]")], &body);
    }
}

#[test]
fn of_movement_with_borders() {
    check(
        &[("a", "f32[2,3]"), ("b", "f32[1,3]")],
        "%c = concat(%a, %b) {axis = 0} : f32[3,3]
         %p = pad(%c) {lo = [1,0], hi = [0,2], value = 0.5} : f32[4,5]
         %r = reshape(%p) {shape = [2,10]} : f32[2,10]
         %q = mul(%r, %r) : f32[2,10]
         %y = slice(%q) {axis = 1, start = [8], size = [4], step = -2} : f32[2,4]",
    );
}

#[test]
fn of_windows_and_what_is_chosen() {
    check(
        &[("x", "f32[5,3]")],
        "%w = windows(%x) {after = (1), axes = (0), before = (1), dilations = (2), sizes = (2), strides = (2), value = 0.0} : f32[3,3,2]
         %y = mul(%w, %w) : f32[3,3,2]",
    );
    check(
        &[("x", "f32[3,2]"), ("i", "i64[4,2]")],
        "%y = take_along(%x, %i) {axis = 0} : f32[4,2]",
    );
    check(
        &[("x", "f32[2,4]"), ("w", "f32[3,4,5]"), ("i", "i64[2]")],
        "%y = expert_linear(%x, %w, %i) : f32[2,5]",
    );
}

#[test]
fn of_running_sums() {
    for (exclusive, reverse) in [(false, false), (true, false), (false, true), (true, true)] {
        let attrs = format!("axis = 0, exclusive = {exclusive}, reverse = {reverse}");
        let body = format!("%y = cum_sum(%x) {{{attrs}}} : f32[4,2]");
        check(&[("x", "f32[4,2]")], &body);
    }
}

#[test]
fn of_attention() {
    check(
        &[
            ("q", "f32[1,4,3,2]"),
            ("k", "f32[1,2,3,2]"),
            ("v", "f32[1,2,3,2]"),
        ],
        "%y = attention(%q, %k, %v) {scale = 0.7, causal = true, window = 0, softcap = 2.0, mask = false, alibi = false} : f32[1,4,3,2]",
    );
}
