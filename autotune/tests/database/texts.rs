//! Databases as texts.

use autotune::database::{Access, CAREFUL, Database, Format, Served};
use serde_json::Value;

use super::support::{Folder, serve, trial, verification, workload};

fn text(db: &Database, format: Format) -> String {
    let mut out = vec![];
    db.export(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn filled(folder: &Folder, name: &str) -> Database {
    let mut db = folder.database(name);
    for rows in [10, 20] {
        let w = workload(rows);
        let t = trial(&w, 1, 5.0);
        db.add(&w, &[t.clone(), trial(&w, 2, 6.0)]).unwrap();
        db.verified(&[verification(&t)]).unwrap();
    }
    db
}

#[test]
fn an_import_gives_the_same_records_as_claims() {
    let folder = Folder::new("lines");
    let lines = text(&filled(&folder, "a.db"), Format::JsonLines);
    let mut b = folder.database("b.db");
    let import = b.import(&mut lines.as_bytes(), &|_| true).unwrap();
    assert_eq!((import.added, import.known, import.claims), (4, 0, 2));
    assert_eq!(import.refused, []);
    assert_eq!(serve(&b, 10), None, "claims");
    let t = trial(&workload(10), 1, 5.0);
    b.verified(&[verification(&t)]).unwrap();
    assert!(matches!(serve(&b, 10), Some(Served::Verified { .. })));
    // All but the verifications that are not of this machine.
    let again = text(&b, Format::JsonLines);
    let of = |text: &str| {
        let lines = text.lines().filter(|l| !l.contains("\"verification\""));
        lines.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(of(&again), of(&lines));
    let twice = b.import(&mut lines.as_bytes(), &|_| true).unwrap();
    assert_eq!((twice.added, twice.known), (0, 4));
}

#[test]
fn bad_lines_are_named_and_the_others_taken() {
    let folder = Folder::new("bad-lines");
    let good = text(&filled(&folder, "a.db"), Format::JsonLines);
    let good: Vec<&str> = good.lines().collect();
    let trial_line = good
        .iter()
        .find(|l| l.contains("\"trial\"") && l.contains("\"samples_s\""))
        .unwrap();
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(trial_line).unwrap();
        change(&mut value);
        value.to_string()
    };
    let bad = [
        ("{", "wanted a record"),
        ("[1, 2]", "wanted a record"),
        (r#"{"record":"nothing"}"#, "unknown variant `nothing`"),
        (
            &edit(&|v| v["samples_s"] = serde_json::json!([1e-5, -3.0])),
            "samples_s: wanted seconds above 0",
        ),
        (
            &edit(&|v| v["schedule"]["map"]["block"] = 4_000_000_000u32.into()),
            "block: wanted numbers from 0",
        ),
        (
            &edit(&|v| v["schedule"]["map"]["lanes"] = (-4).into()),
            "wanted a record",
        ),
        (
            &edit(&|v| v["schedule"] = serde_json::json!({"warp_drive": {}})),
            "unknown variant `warp_drive`",
        ),
        (
            &edit(&|v| v["workload"] = "0".repeat(64).into()),
            "wanted its record",
        ),
        (&edit(&|v| v["workload"] = "x".into()), "wanted a hash"),
        (
            &edit(&|v| v["target"] = "gpu:quantum".into()),
            "target gpu:quantum: wanted one that this program knows",
        ),
        (&edit(&|v| v["seed"] = (-1).into()), "wanted a record"),
        (&edit(&|v| v["unix_time"] = 1.5.into()), "wanted a record"),
        (&trial_line.replace("1e-7", "1e999"), "wanted a record"),
        (&trial_line[..trial_line.len() / 2], "wanted a record"),
    ];
    // Each after a good line, with an empty one between.
    let mut lines = good.clone();
    for (line, _) in &bad {
        lines.push("");
        lines.push(line);
    }
    let mut all = lines.join("\n").into_bytes();
    all.extend(b"\n\xff\xfe{}\n");
    let mut b = folder.database("b.db");
    let knows = |target: &str| target.starts_with("cpu");
    let import = b.import(&mut &all[..], &knows).unwrap();
    assert_eq!(import.added, 4, "{import:?}");
    assert_eq!(import.refused.len(), bad.len() + 1, "{:#?}", import.refused);
    for (i, (line, words)) in bad.iter().enumerate() {
        let refused = &import.refused[i];
        assert_eq!(refused.line as usize, good.len() + 2 * i + 2, "{line}");
        assert!(refused.reason.contains(words), "{line}\n{}", refused.reason);
    }
}

#[test]
fn a_workload_is_what_its_hash_says() {
    let folder = Folder::new("hash");
    let lines = text(&filled(&folder, "a.db"), Format::JsonLines);
    let (a, b) = (workload(10).meaning, workload(20).meaning);
    // The graph of one under the name of the other.
    let swapped = lines
        .replace(&a, "swap")
        .replace(&b, &a)
        .replace("swap", &b);
    let import = folder
        .database("b.db")
        .import(&mut swapped.as_bytes(), &|_| true)
        .unwrap();
    assert_eq!(import.added, 0);
    let refused = import
        .refused
        .iter()
        .filter(|r| r.reason.contains("wanted one whose hash is"));
    assert_eq!(refused.count(), 2);
}

#[test]
fn unknown_keys_are_kept() {
    let folder = Folder::new("keys");
    let lines = text(&filled(&folder, "a.db"), Format::JsonLines);
    let lines = lines.replace("\"seed\":1", "\"seed\":1,\"weather\":\"fine\"");
    let mut b = folder.database("b.db");
    assert_eq!(b.import(&mut lines.as_bytes(), &|_| true).unwrap().added, 4);
    assert_eq!(
        text(&b, Format::JsonLines)
            .matches("\"weather\":\"fine\"")
            .count(),
        4
    );
}

#[test]
fn results_are_as_kernel_tuner_has_them() {
    let folder = Folder::new("t4");
    let whole: Value = serde_json::from_str(&text(&filled(&folder, "a.db"), Format::T4)).unwrap();
    assert_eq!(whole["schema_version"], "1.0.0");
    let results = whole["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for r in results {
        assert_eq!(r["invalidity"], "correct");
        assert_eq!(r["configuration"]["lanes"], 64);
        let runtimes = r["times"]["runtimes"].as_array().unwrap();
        assert_eq!(runtimes.len(), CAREFUL);
    }
}

#[test]
fn a_table_has_a_row_for_each_trial() {
    let folder = Folder::new("csv");
    let table = text(&filled(&folder, "a.db"), Format::Csv);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 5);
    assert!(
        rows[1..]
            .iter()
            .all(|r| r.contains(",map,cpu:znver4,\"tilewright 0.1.0, LLVM 22.1.8\","))
    );
    drop(Database::open(&folder.file("a.db"), Access::Read, "this machine").unwrap());
}
