//! A workload, and trials of it.

use std::collections::BTreeMap;

use autotune::database::{Origin, Outcome, Place, Trial, Workload, meaning};
use ir::{Bytes, DType, Flops, Graph, Schedule, SimtMapSchedule, TensorType, ops};

/// A kernel over `rows` numbers.
pub fn workload(rows: i64) -> Workload {
    let mut graph = Graph::new("doubled");
    let x = graph
        .push(
            ops::Input {
                name: "x".into(),
                ty: TensorType::new(DType::F32, [rows.into()]),
                absent: ops::Absent::Required,
                below: 0,
            },
            &[],
        )
        .unwrap();
    graph.output("y", x);
    Workload {
        meaning: meaning(&graph, &[]),
        family: "map".into(),
        sizes: BTreeMap::from([("rows".into(), rows)]),
        graph: serde_json::to_value(&graph).unwrap(),
        constant: vec![],
        flops: Flops(rows as u64),
        bytes: Bytes(8 * rows as u64),
        more: BTreeMap::new(),
    }
}

pub fn place() -> Place {
    Place {
        target: "cpu:znver4".into(),
        fingerprint: "f".repeat(64),
        toolchain: "tilewright 0.1.0, LLVM 22.1.8".into(),
    }
}

/// A right trial of a tile of `rows`, which took so many microseconds.
pub fn trial(workload: &Workload, rows: u32, microseconds: f64) -> Trial {
    Trial {
        workload: workload.meaning.clone(),
        place: place(),
        schedule: Schedule::SimtMap(SimtMapSchedule {
            block_rows: rows,
            block_columns: 64,
            warps: 4,
        }),
        outcome: Outcome::Ok,
        reason: None,
        origin: Origin::Measured,
        samples_s: vec![microseconds * 1e-6; 3],
        baseline_s: vec![2e-5; 3],
        error: Some(1e-7),
        threads: 2,
        device: "AMD EPYC 9B14".into(),
        seed: 1,
        unix_time: 1_795_564_799,
        by: "a test".into(),
        more: BTreeMap::new(),
    }
}
