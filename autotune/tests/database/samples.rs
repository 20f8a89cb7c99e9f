//! A workload, and trials of it.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use autotune::database::{CAREFUL, Origin, Outcome, Place, Trial, Workload};
use ir::{Kernel, MapSchedule, Schedule, Target};

/// A kernel over `rows` times 64 numbers.
pub fn kernel(rows: i64) -> Kernel {
    let graph = format!(
        "graph \"doubled\" {{
           %x = input {{name = \"x\", ty = f32[{rows},64], absent = required, below = 0}} : f32[{rows},64]
           %y = add(%x, %x) : f32[{rows},64]
           return y = %y }}"
    );
    of(&graph, vec![false])
}

/// A product of `rows` rows.
pub fn product(rows: i64) -> Kernel {
    let graph = format!(
        "graph \"product\" {{
           %x = input {{name = \"x\", ty = f32[{rows},64], absent = required, below = 0}} : f32[{rows},64]
           %w = input {{name = \"w\", ty = f32[64,48], absent = required, below = 0}} : f32[64,48]
           %y = matmul(%x, %w) {{ta = false, tb = false}} : f32[{rows},48]
           return y = %y }}"
    );
    of(&graph, vec![false, true])
}

fn of(graph: &str, constant: Vec<bool>) -> Kernel {
    let graph = ir::text::parse(graph).unwrap();
    Kernel {
        name: graph.name().into(),
        graph,
        constant,
        rules: vec![],
    }
}

pub fn workload(rows: i64) -> Workload {
    Workload::of(&kernel(rows)).unwrap()
}

pub fn target() -> Target {
    backends::resolve("cpu:znver4").unwrap()
}

pub fn place() -> Place {
    Place {
        target: "cpu:znver4".into(),
        fingerprint: "f".repeat(64),
        toolchain: "tilewright 0.1.0, LLVM 22.1.8".into(),
    }
}

/// A right trial of blocks of this size, which took so many microseconds; the default took 20.
pub fn trial(workload: &Workload, block: u32, microseconds: f64) -> Trial {
    Trial {
        workload: workload.meaning.clone(),
        place: place(),
        schedule: Schedule::Map(MapSchedule { lanes: 64, block }),
        outcome: Outcome::Ok,
        reason: None,
        origin: Origin::Measured,
        samples_s: vec![microseconds * 1e-6; CAREFUL],
        baseline_s: vec![2e-5; CAREFUL],
        error: Some(1e-7),
        threads: 2,
        device: "AMD EPYC 9B14".into(),
        seed: 1,
        unix_time: 1_795_564_799,
        by: "a test".into(),
        more: BTreeMap::new(),
    }
}
