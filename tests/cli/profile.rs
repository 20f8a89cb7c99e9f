//! Where the time of a run goes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::program::{bytes, done, folder, json};

#[test]
fn all_steps_are_in_the_profile_and_in_the_trace() {
    let folder = folder("profile");
    done(
        &folder,
        "compile bert --target cpu --shape batch=1,seq=16 -o m.tw",
    );
    let found = json(&folder, "profile m.tw --runs 3 --threads 2 --trace t.json");
    let steps = json(&folder, "inspect m.tw")["targets"][0]["programs"][0]["steps"].clone();
    let kernels = found["kernels"].as_array().unwrap();
    let calls: u64 = kernels.iter().map(|k| k["calls"].as_u64().unwrap()).sum();
    assert_eq!(calls, steps.as_u64().unwrap());
    assert_eq!(found["runs"], 3);
    let seconds = |v: &Value| v.as_f64().unwrap();
    let sum: f64 = kernels
        .iter()
        .map(|k| seconds(&k["mean_s"]) * k["calls"].as_f64().unwrap())
        .sum();
    let whole = seconds(&found["mean_s"]);
    assert!((sum - seconds(&found["kernels_s"])).abs() < 1e-9 * whole);
    assert!(sum <= whole, "kernels take {sum} s of a run of {whole} s");
    let share: f64 = kernels.iter().map(|k| seconds(&k["share"])).sum();
    assert!((share - sum / whole).abs() < 1e-9);
    assert!(kernels.iter().all(|k| seconds(&k["fraction"]) > 0.0));
    let ranked = found["advice"].as_array().unwrap();
    let gains: Vec<f64> = ranked.iter().map(|a| seconds(&a["gain_s"])).collect();
    assert!(gains.is_sorted_by(|a, b| a >= b), "{gains:?}");
    assert!(gains.iter().all(|g| *g <= whole), "{gains:?}");

    let trace: Value = serde_json::from_slice(&bytes(&folder, "t.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert_eq!(events.len() as u64, calls);
    let text = done(&folder, "profile m.tw --runs 3 --threads 2");
    let shares: f64 = text
        .lines()
        .filter_map(|l| l.strip_prefix(' ')?.trim_start().split_once(" % "))
        .filter_map(|(share, _)| share.parse::<f64>().ok())
        .sum();
    // Each is rounded to a tenth.
    let lines = kernels.len() as f64 + 1.0;
    assert!(
        (shares - 100.0).abs() <= 0.05 * lines + 1e-9,
        "{shares}\n{text}"
    );
    let names =
        |all: &[Value]| -> BTreeSet<String> { all.iter().map(|e| e["name"].to_string()).collect() };
    assert_eq!(names(events), names(kernels));
    // One after the other.
    let ends = events
        .iter()
        .map(|e| seconds(&e["ts"]) + seconds(&e["dur"]));
    let starts = events.iter().skip(1).map(|e| seconds(&e["ts"]));
    assert!(ends.zip(starts).all(|(end, start)| end <= start));
}
