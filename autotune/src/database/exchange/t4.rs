//! Kernel Tuner's results, schema T4 1.0.0.

use std::io::Write;

use serde_json::{Value, json};

use super::super::{
    Database,
    error::DatabaseError,
    record::{Outcome, Trial},
};

impl Database {
    /// Kernel Tuner writes and reads both spellings of some keys; so does this.
    pub(super) fn t4(&self, out: &mut dyn Write) -> Result<std::io::Result<()>, DatabaseError> {
        let trials: Vec<Trial> = self.all("SELECT body FROM trial ORDER BY id", &[])?;
        let results: Vec<Value> = trials.iter().map(result).collect();
        let whole = json!({ "schema_version": "1.0.0", "results": results });
        Ok(writeln!(out, "{whole:#}"))
    }
}

/// A trial as Kernel Tuner has it.
fn result(t: &Trial) -> Value {
    // The schema has fewer kinds; the exact one stands among the measurements.
    let invalidity = match t.outcome {
        Outcome::Ok => "correct",
        Outcome::RejectedStatic => "constraints",
        Outcome::BuildError => "compile",
        Outcome::Timeout => "timeout",
        Outcome::Crash => "runtime",
        Outcome::WrongResult => "correctness",
    };
    let milliseconds: Vec<f64> = t.samples_s.iter().map(|s| s * 1e3).collect();
    let mut configuration = serde_json::Map::new();
    let schedule = serde_json::to_value(&t.schedule).expect("plain data becomes JSON");
    if let Value::Object(families) = schedule {
        for (family, knobs) in families {
            configuration.insert("family".into(), json!(family));
            if let Value::Object(knobs) = knobs {
                configuration.extend(knobs);
            }
        }
    }
    let mut measurements = vec![
        json!({ "name": "outcome", "value": t.outcome.name(), "unit": "" }),
        json!({ "name": "workload", "value": t.workload, "unit": "" }),
        json!({ "name": "target", "value": t.place.target, "unit": "" }),
    ];
    if let Some(median) = t.median_s() {
        measurements.push(json!({ "name": "time", "value": median * 1e3, "unit": "ms" }));
    }
    json!({
        "timestamp": runtime::calendar::timestamp(t.unix_time),
        "configuration": configuration,
        "objectives": ["time"],
        "times": {
            "compilation_time": 0.0,
            "runtimes": milliseconds,
            "framework": 0.0,
            "search_algorithm": 0.0,
            "validation": 0.0,
        },
        "invalidity": invalidity,
        "correctness": if t.outcome == Outcome::Ok { 1 } else { 0 },
        "measurements": measurements,
    })
}
