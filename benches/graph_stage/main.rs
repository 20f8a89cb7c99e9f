//! The graph stage on a large model: a flat text of LLaMA 70B to its cheapest graph.
//!
//! Prints the layers found, nodes before and after, wall time of reading and of rewriting, and the peak
//! memory of the process. Run by `cargo xtask bench graph-stage`.

mod llama;

use std::{fs, time::Instant};

use ir::Roofline;
use passes::{RewriteOptions, prove};

/// LLaMA 2 70B: Touvron et al. 2023 (arXiv:2307.09288), and `config.json` of meta-llama/Llama-2-70b-hf.
const LLAMA_70B: llama::Sizes = llama::Sizes {
    layers: 80,
    hidden: 8192,
    heads: 64,
    keys: 8,
    head: 128,
    inner: 28672,
    vocabulary: 32000,
};

/// Peak resident memory of this process, as Linux counts it.
fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn main() {
    let text = llama::text(&LLAMA_70B);
    println!(
        "text: {} lines, {:.1} MB",
        text.lines().count(),
        text.len() as f64 / 1e6
    );
    let start = Instant::now();
    let graph = ir::text::parse(&text).expect("the generator writes well-formed text");
    let read = start.elapsed();
    drop(text);
    // Only the ratio of both matters here: an accelerator's 100 flops for each byte.
    let roofline = Roofline {
        flops_per_second: 1e14,
        bytes_per_second: 1e12,
        dispatch_seconds: 5e-6,
    };
    let start = Instant::now();
    let out = passes::rewrite(&graph, &RewriteOptions::new(roofline)).expect("rules keep types");
    let rewritten = start.elapsed();
    let start = Instant::now();
    for proof in &out.proofs {
        prove::check(proof).expect("proofs of rewrites hold");
    }
    let checked = start.elapsed();
    for layers in &out.layers {
        println!(
            "layers found: {} of {} nodes each",
            layers.times, layers.nodes
        );
    }
    println!(
        "nodes: {} before, {} after",
        graph.nodes().len(),
        out.graph.nodes().len()
    );
    println!(
        "wall time: {:.2} s (reading {:.2}, rewriting {:.2}, checking the proof {:.2})",
        (read + rewritten + checked).as_secs_f64(),
        read.as_secs_f64(),
        rewritten.as_secs_f64(),
        checked.as_secs_f64(),
    );
    match peak_megabytes() {
        Some(peak) => println!("peak memory: {peak:.0} MB"),
        None => println!("peak memory: not known on this system"),
    }
    let mut names: Vec<&str> = Vec::new();
    let per_layer = out.layers.first().map_or(1, |l| l.times);
    for node in out.graph.nodes() {
        if !names.contains(&node.op.name()) {
            names.push(node.op.name());
        }
    }
    for name in names {
        let count = out
            .graph
            .nodes()
            .iter()
            .filter(|n| n.op.name() == name)
            .count();
        println!(
            "  {name}: {count} ({:.1} per layer)",
            count as f64 / per_layer as f64
        );
    }
}
