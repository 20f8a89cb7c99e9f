//! Whole graphs, rewritten.

#[path = "../../benches/graph_stage/llama.rs"]
mod llama;
mod support;

use ir::{Symbol, text};
use passes::{candidates, prove, rewrite};
use support::{
    Encoder,
    cases::{outputs, relative_error},
    encoder, options,
};

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

#[test]
fn a_flat_decoder_is_rolled_and_keeps_its_values() {
    let sizes = llama::Sizes {
        layers: 3,
        hidden: 16,
        heads: 4,
        keys: 2,
        head: 4,
        inner: 24,
        vocabulary: 20,
    };
    let graph = text::parse(&llama::text(&sizes)).unwrap();
    let out = rewrite(&graph, &options()).unwrap();
    assert_eq!(out.layers.iter().map(|l| l.times).collect::<Vec<_>>(), [3]);
    for proof in &out.proofs {
        prove::check(proof).unwrap();
    }
    let ops: Vec<&str> = out.graph.nodes().iter().map(|n| n.op.name()).collect();
    for (name, wanted) in [
        ("rope", 6),
        ("attention", 3),
        ("rms_norm", 7),
        ("softmax", 0),
    ] {
        let count = ops.iter().filter(|n| **n == name).count();
        assert_eq!(count, wanted, "{name}");
    }
    let bound = [("batch", 2), ("seq", 5)]
        .map(|(s, n)| (Symbol::new(s), n))
        .into();
    let [wanted, found] = [&graph, &out.graph].map(|g| outputs(&g.bind(&bound).unwrap()));
    for (name, wanted) in wanted {
        let error = relative_error(&found[&name].values(), &wanted.values());
        assert!(error < 1e-9, "{name}: {error:e}");
    }
}

#[test]
fn candidates_are_distinct_equal_and_ranked() {
    let graph = encoder(&Encoder {
        layers: 2,
        width: 16,
        heads: 2,
        inner: 24,
    });
    let all = candidates(&graph, &options()).unwrap();
    assert!((2..=8).contains(&all.len()), "{}", all.len());
    assert!(all.is_sorted_by(|a, b| a.seconds <= b.seconds));
    let bound = [("batch", 2), ("seq", 5)]
        .map(|(s, n)| (Symbol::new(s), n))
        .into();
    let wanted = outputs(&graph.bind(&bound).unwrap());
    for (i, candidate) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| other.graph != candidate.graph));
        candidate
            .proofs
            .iter()
            .for_each(|p| prove::check(p).unwrap());
        for (name, found) in outputs(&candidate.graph.bind(&bound).unwrap()) {
            let error = relative_error(&found.values(), &wanted[&name].values());
            assert!(error < 1e-9, "{name}: {error:e}");
        }
    }
}

/// 64 steps in an order in which no stretch follows itself, so that there are no layers: as a tree, the input is
/// written 2^64 times.
#[test]
fn values_that_are_shared_all_the_way_down_are_rewritten_and_proved() {
    let mut lines = vec![
        "graph \"shared\" (n in 1..8) {".to_owned(),
        "%0 = input {absent = required, below = 0, name = \"x\", ty = f32[n]} : f32[n]".into(),
        "%1 = constant {ty = f32[], value = 4.0} : f32[]".into(),
    ];
    let (mut x, mut next) = (0, 2);
    let mut quarters = 0;
    for step in 0..64u32 {
        // Differences of the sequence of Thue and Morse.
        let [now, then] = [step, step + 1].map(|n| n.count_ones() % 2);
        if now == then {
            lines.push(format!("%{next} = mul(%{x},%{x}) : f32[n]"));
        } else {
            let with = if now < then { "add" } else { "maximum" };
            lines.push(format!("%{next} = div(%{x},%1) : f32[n]"));
            lines.push(format!("%{} = {with}(%{x},%{next}) : f32[n]", next + 1));
            next += 1;
            quarters += 1;
        }
        x = next;
        next += 1;
    }
    lines.push(format!("return y = %{x}\n}}\n"));
    let graph = text::parse(&lines.join("\n")).unwrap();
    let out = rewrite(&graph, &options()).unwrap();
    assert!(out.layers.is_empty(), "{:?}", out.layers);
    out.proofs.iter().for_each(|p| prove::check(p).unwrap());
    let made = |op: &str, rule: &str| {
        let nodes = out.graph.nodes().iter().zip(&out.rules);
        nodes
            .filter(|(n, rules)| n.op.name() == op && **rules == [rule])
            .count()
    };
    assert_eq!(made("mul", "div-by-constant"), quarters);
    assert_eq!(made("square", "define-square"), 64 - quarters);
}
