//! The tuning database from the command line: shared by texts, and whole after any kill.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use autotune::database::{Access, Database, Format};

use crate::{
    folder::Folder,
    program::{command, done, folder, json, texts},
    samples::{trial, workload},
};

/// Texts `0.jsonl`, `1.jsonl`, .. with 200 trials each of a workload of their own.
fn texts_of_trials(folder: &Folder, count: u32) {
    for i in 0..count {
        let path = folder.0.join("made.db");
        let mut db = Database::open(&path, Access::Write, "elsewhere").unwrap();
        let w = workload(i64::from(i) + 1);
        let trials: Vec<_> = (0..200).map(|j| trial(&w, j, f64::from(j) + 1.0)).collect();
        db.add(&w, &trials).unwrap();
        let mut text = vec![];
        db.export(Format::JsonLines, &mut text).unwrap();
        drop(db);
        fs::remove_file(&path).unwrap();
        fs::write(folder.0.join(format!("{i}.jsonl")), text).unwrap();
    }
}

#[test]
fn a_database_goes_out_and_comes_in() {
    let folder = folder("db");
    texts_of_trials(&folder, 2);
    let found = json(&folder, "db import 0.jsonl --db a.db");
    assert_eq!((&found["added"], &found["known"]), (&200.into(), &0.into()));
    done(&folder, "db import 1.jsonl --db b.db");
    done(&folder, "db merge b.db --db a.db");
    let found = json(&folder, "db stats --db a.db");
    assert_eq!(
        (&found["workloads"], &found["trials"]["ok"]),
        (&2.into(), &400.into())
    );
    assert_eq!(found["verified_here"], 0, "what others measured is a claim");
    done(&folder, "db export --db a.db -o all.jsonl");
    assert_eq!(
        fs::read(folder.0.join("all.jsonl")).unwrap(),
        done(&folder, "db export --db a.db").as_bytes()
    );
    done(&folder, "db import all.jsonl --db c.db");
    assert_eq!(
        done(&folder, "db export --db c.db"),
        done(&folder, "db export --db a.db")
    );
    assert_eq!(
        json(&folder, "db diff c.db --db a.db")["differences"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(json(&folder, "db prune --db c.db --keep 3")["removed"], 394);
    assert_eq!(
        done(&folder, "db export --db c.db --format csv")
            .lines()
            .count(),
        7
    );
    let t4 = json(&folder, "db export --db c.db --format t4");
    assert!(
        t4["text"]
            .as_str()
            .unwrap()
            .contains("\"schema_version\": \"1.0.0\"")
    );
}

#[test]
fn what_is_wrong_is_named_and_the_rest_kept() {
    let folder = folder("db-bad");
    texts_of_trials(&folder, 1);
    let text = fs::read_to_string(folder.0.join("0.jsonl")).unwrap();
    let bad = text.replace("\"seed\":1", "\"seed\":-1");
    let half: Vec<&str> = text
        .lines()
        .take(102)
        .chain(bad.lines().skip(102))
        .collect();
    fs::write(folder.0.join("half.jsonl"), half.join("\n")).unwrap();
    let output = command(&folder.0, "db import half.jsonl --db a.db")
        .output()
        .unwrap();
    let [stdout, _] = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.starts_with("100 records added"), "{stdout}");
    assert_eq!(stdout.matches(": left out: ").count(), 100);
    assert!(
        stdout.contains("half.jsonl:103: left out: wanted a record"),
        "{stdout}"
    );
    fs::write(folder.0.join("text.db"), "no database".repeat(100)).unwrap();
    for (line, words) in [
        (
            "db stats --db none.db",
            "none.db: wanted a tuning database, found nothing",
        ),
        (
            "db stats --db text.db",
            "text.db: wanted a tuning database, found a file that SQLite does not know",
        ),
        ("db import none.jsonl --db a.db", "none.jsonl: No such file"),
        (
            "db export --db a.db -o nowhere/out.jsonl",
            "nowhere/out.jsonl.part: No such file",
        ),
        (
            "db merge none.db --db a.db",
            "none.db: wanted a tuning database, found nothing",
        ),
        ("db prune --db a.db --keep 0", "0 is not in 1.."),
    ] {
        let output = command(&folder.0, line).output().unwrap();
        let [stdout, stderr] = texts(&output);
        assert_ne!(output.status.code(), Some(0), "{line}");
        assert_eq!(stdout, "", "{line}");
        assert!(stderr.contains(words), "{line}\n{stderr}");
    }
}

/// Each import ends before the next starts; some are killed on their way.
#[test]
fn a_kill_loses_nothing_that_was_committed() {
    let folder = folder("db-kill");
    let count = 30;
    texts_of_trials(&folder, count);
    let mut whole = 0;
    for i in 0..count {
        let line = format!("db import {i}.jsonl --db a.db");
        let mut child = command(&folder.0, &line)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // From before it opens the file to after its commit: there is no event to wait for that favours no moment.
        let (start, moment) = (Instant::now(), Duration::from_millis(u64::from(i) * 4));
        while start.elapsed() < moment {
            thread::yield_now();
        }
        // It may have ended.
        let _ = child.kill();
        let ended = child.wait().unwrap().success();
        let trials = match Database::open(&folder.0.join("a.db"), Access::Read, "here") {
            Ok(db) => {
                db.check().unwrap();
                db.stats().unwrap().trials.get("ok").copied().unwrap_or(0)
            }
            // The file is not there yet, or has no tables yet.
            Err(_) => 0,
        };
        assert!(
            trials == whole || trials == whole + 200,
            "{trials} after {whole}"
        );
        assert!(
            !ended || trials == whole + 200,
            "an import that ended is kept"
        );
        whole = trials;
    }
    for i in 0..count {
        done(&folder, &format!("db import {i}.jsonl --db a.db"));
    }
    assert_eq!(
        json(&folder, "db stats --db a.db")["trials"]["ok"],
        count * 200
    );
}
