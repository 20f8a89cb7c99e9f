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
        "timestamp": timestamp(t.unix_time),
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

/// A moment as ISO 8601 has it, in UTC. Source of the calendar: Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021.
fn timestamp(unix_time: u64) -> String {
    let (days, seconds) = ((unix_time / 86400) as i64 + 719_468, unix_time % 86400);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}+00:00",
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00+00:00");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00+00:00");
        assert_eq!(timestamp(1_795_564_799), "2026-11-24T23:59:59+00:00");
    }
}
