//! A run as a trace: the JSON that chrome://tracing and Perfetto read.

use serde_json::{Value, json};

use super::Run;
use crate::Model;

/// A complete event ("ph": "X") for each step, one after the other from 0, in microseconds. Source: Google, "Trace Event
/// Format", 2016. Time between kernels is not known step by step, and stands at the end.
pub(super) fn events(model: &Model, program: usize, run: &Run) -> Value {
    let mut start = 0.0;
    let steps = model.programs()[program].steps.iter().zip(&run.steps);
    let each = steps.map(|(step, time)| {
        let kernel = &model.target().kernels[step.kernel.0 as usize];
        let duration = time.as_secs_f64() * 1e6;
        let event = json!({
            "name": kernel.name, "cat": kernel.family, "ph": "X", "ts": start, "dur": duration, "pid": 1, "tid": 1,
            "args": { "flops": kernel.flops.0, "bytes": kernel.bytes.0, "blocks": kernel.blocks },
        });
        start += duration;
        event
    });
    let events: Vec<Value> = each.collect();
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "model": model.artifact().manifest().model, "target": model.target().target,
            "run_us": run.time.as_secs_f64() * 1e6,
        },
    })
}
