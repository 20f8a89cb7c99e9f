//! A table of trials.

use std::{collections::BTreeMap, io::Write};

use super::super::{
    Database,
    error::DatabaseError,
    record::{Trial, Workload, median},
};

impl Database {
    pub(super) fn csv(&self, out: &mut dyn Write) -> Result<std::io::Result<()>, DatabaseError> {
        let trials: Vec<Trial> = self.all("SELECT body FROM trial ORDER BY id", &[])?;
        let mut families = BTreeMap::new();
        let workloads: Vec<Workload> = self.all("SELECT body FROM workload", &[])?;
        families.extend(workloads.into_iter().map(|w| (w.meaning, w.family)));
        let write = |out: &mut dyn Write| {
            writeln!(
                out,
                "id,workload,family,target,toolchain,device,outcome,origin,median_s,samples,baseline_median_s,error,\
                 seed,unix_time,schedule"
            )?;
            for t in &trials {
                let number = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
                let family = families.get(&t.workload).cloned().unwrap_or_default();
                let origin = serde_json::to_value(t.origin).expect("plain data becomes JSON");
                let schedule = serde_json::to_value(&t.schedule).expect("plain data becomes JSON");
                let fields = [
                    t.id().0,
                    t.workload.clone(),
                    family,
                    t.place.target.clone(),
                    t.place.toolchain.clone(),
                    t.device.clone(),
                    t.outcome.name().into(),
                    origin.as_str().unwrap_or_default().into(),
                    number(t.median_s()),
                    t.samples_s.len().to_string(),
                    number(median(&t.baseline_s)),
                    number(t.error),
                    t.seed.to_string(),
                    t.unix_time.to_string(),
                    schedule.to_string(),
                ];
                let quoted: Vec<String> = fields.iter().map(|f| quoted(f)).collect();
                writeln!(out, "{}", quoted.join(","))?;
            }
            Ok(())
        };
        Ok(write(out))
    }
}

/// A field of CSV.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(quoted("a b"), "a b");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
