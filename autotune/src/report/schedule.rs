//! Schedules in words.

use ir::Schedule;
use serde_json::Value;

/// The choices of a schedule, such as `rows 6, lanes 16, unroll 4`.
pub fn words(schedule: &Schedule) -> String {
    let value = serde_json::to_value(schedule).expect("plain data becomes JSON");
    let mut all = Vec::new();
    if let Value::Object(of_family) = &value {
        of_family.values().for_each(|v| choices("", v, &mut all));
    }
    all.join(", ")
}

fn choices(name: &str, value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, v)| choices(key, v, all)),
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().map(plain).collect();
            all.push(format!("{} {}", name.replace('_', " "), texts.join("×")));
        }
        other => all.push(format!("{} {}", name.replace('_', " "), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ir::MapSchedule;

    use super::*;

    #[test]
    fn choices_are_named() {
        let schedule = Schedule::Map(MapSchedule {
            lanes: 16,
            block: 4096,
        });
        assert_eq!(words(&schedule), "block 4096, lanes 16");
    }
}
