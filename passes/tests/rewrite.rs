//! Whole graphs, rewritten.

mod support;

use passes::rewrite;
use support::{Encoder, encoder, options};

#[test]
fn an_encoder_layer_becomes_seven_kernels() {
    let graph = encoder(&Encoder {
        layers: 1,
        width: 384,
        heads: 12,
        inner: 1536,
    });
    let out = rewrite(&graph, &options()).unwrap();
    // What is left besides movement and leaves: each is one kernel, but for the mask's arithmetic.
    let ops: Vec<&str> = out.graph.nodes().iter().map(|n| n.op.name()).collect();
    let kernels = [
        "linear",
        "attention",
        "layer_norm",
        "matmul",
        "add",
        "gelu",
        "softmax",
    ];
    let found: Vec<&str> = ops
        .into_iter()
        .filter(|name| kernels.contains(name))
        .collect();
    let wanted = [
        "linear",
        "attention",
        "linear",
        "layer_norm",
        "linear",
        "linear",
        "layer_norm",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn repeated_layers_are_found_and_rewritten_once() {
    let graph = encoder(&Encoder {
        layers: 12,
        width: 384,
        heads: 12,
        inner: 1536,
    });
    let out = rewrite(&graph, &options()).unwrap();
    let times: Vec<usize> = out.layers.iter().map(|l| l.times).collect();
    assert_eq!(times, [12]);
    let ops = out.graph.nodes().iter().map(|n| n.op.name());
    assert_eq!(
        ops.filter(|n| ["linear", "attention", "layer_norm"].contains(n))
            .count(),
        7 * 12
    );
    assert_eq!(out.graph.outputs()[0].name, "last_hidden_state");
    assert_eq!(
        out.graph.ty(out.graph.outputs()[0].value),
        graph.ty(graph.outputs()[0].value)
    );
}
