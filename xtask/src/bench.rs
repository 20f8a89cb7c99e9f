//! `cargo xtask bench NAME`: benchmarks by name.

use std::fs;

use crate::{error::Error, process, root::Root, setup};

/// One benchmark: a target of `benches/`, and the peers it is measured beside.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    /// The name of the cargo bench target.
    target: &'static str,
    /// Wheels that only this benchmark needs.
    peers: &'static [&'static str],
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "cost-model",
        about: "the learned cost model on shapes it has not seen, and how many trials searches take",
        target: "cost_model",
        peers: &[],
    },
    Benchmark {
        name: "dynamic",
        about: "one artifact for ranges of sizes beside artifacts for one size each: results and times",
        target: "dynamic",
        peers: &[],
    },
    Benchmark {
        name: "first-choice",
        about: "the schedule chosen without measuring beside 300 samples of its space; resumes",
        target: "first_choice",
        peers: &[],
    },
    Benchmark {
        name: "graph-stage",
        about: "rewrite a flat 80-layer LLaMA-70B graph: layers found, nodes, time, peak memory",
        target: "graph_stage",
        peers: &[],
    },
    Benchmark {
        name: "side-by-side",
        about: "MiniLM beside onnxruntime, openvino and torch, interleaved, with errors",
        target: "side_by_side",
        peers: &["onnx==1.23.2", "onnxruntime==1.32.0", "openvino==2026.4.1"],
    },
    Benchmark {
        name: "tuning",
        about: "tune MiniLM: what it gains, whether seeds agree, what kills leave behind",
        target: "tuning",
        peers: &[],
    },
];

/// Runs one benchmark with the arguments after its name; lists them without one.
pub fn run(root: &Root, arguments: &[String]) -> Result<(), Error> {
    let Some((name, rest)) = arguments.split_first() else {
        for Benchmark { name, about, .. } in BENCHMARKS {
            println!("  {name:<14} {about}");
        }
        return Ok(());
    };
    let benchmark = BENCHMARKS
        .iter()
        .find(|benchmark| benchmark.name == name)
        .ok_or_else(|| Error::NoBenchmark { name: name.clone() })?;
    setup::run(root)?;
    install(root, benchmark.peers)?;
    process::run(
        root.cargo()
            .args(["build", "--release", "--bin", "tilewright"]),
    )?;
    process::run(
        root.cargo()
            .args(["bench", "--bench", benchmark.target, "--"])
            .args(rest),
    )
}

/// Peers with their own needs, into the venv; what tests run with keeps its versions.
fn install(root: &Root, peers: &[&str]) -> Result<(), Error> {
    let stamp = root.toolchain("stamps/peers");
    let pins = peers.join("\n");
    if peers.is_empty() || fs::read_to_string(&stamp).is_ok_and(|found| found == pins) {
        return Ok(());
    }
    println!("set-up: {}", peers.join(", "));
    let constraint = root.join("xtask/src/setup/requirements.txt");
    process::output(
        setup::pip(root)
            .args(["install", "--quiet", "--only-binary=:all:", "--constraint"])
            .arg(constraint)
            .args(peers),
    )?;
    fs::write(&stamp, pins).map_err(Error::file("write", stamp))
}
