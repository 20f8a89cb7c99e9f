//! Files that are no database of this version, and files that others write too.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use autotune::database::{Access, Database, DatabaseError};

use super::support::{Folder, place, trial, workload};

fn error(path: &Path, access: Access) -> String {
    match Database::open(path, access, "this machine") {
        Ok(_) => panic!("wanted an error for {}", path.display()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn other_files_are_named() {
    let folder = Folder::new("other");
    let text = folder.file("notes.txt");
    fs::write(
        &text,
        "not a database, but long enough to look into: ".repeat(50),
    )
    .unwrap();
    let empty = folder.file("empty.db");
    fs::write(&empty, "").unwrap();
    for (path, access, words) in [
        (
            folder.file("none.db"),
            Access::Read,
            "found nothing; help: `db import` makes one",
        ),
        (folder.file(""), Access::Write, "found a folder"),
        (
            text.clone(),
            Access::Read,
            "found a file that SQLite does not know",
        ),
        (
            text,
            Access::Write,
            "found a file that SQLite does not know",
        ),
        (empty, Access::Read, "found an empty file"),
    ] {
        let message = error(&path, access);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_later_version_is_left_alone() {
    let folder = Folder::new("later");
    let path = folder.file("t.db");
    drop(folder.database("t.db"));
    // `user_version` of an SQLite file: four bytes at 60. Source: sqlite.org, "Database File Format", 1.3.
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&77u32.to_be_bytes()).unwrap();
    drop(file);
    for access in [Access::Read, Access::Write] {
        let message = error(&path, access);
        assert!(
            message.contains("version 2 or earlier, found 77"),
            "{message}"
        );
    }
    // Another program's mark, at 68.
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(68)).unwrap();
    file.write_all(&1u32.to_be_bytes()).unwrap();
    drop(file);
    let message = error(&path, Access::Write);
    assert!(
        message.contains("an SQLite database of another program"),
        "{message}"
    );
}

#[test]
fn a_damaged_file_is_named_and_panics_nowhere() {
    let folder = Folder::new("damaged");
    let path = folder.file("t.db");
    let w = workload(100);
    let mut db = folder.database("t.db");
    for i in 0..10 {
        let trials: Vec<_> = (0..20).map(|j| trial(&w, i * 20 + j, 5.0)).collect();
        db.add(&w, &trials).unwrap();
    }
    drop(db);
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    for cut in [100, 4096, 5000, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..cut]).unwrap();
        refused += usize::from(reads(&path).is_err());
    }
    assert_eq!(refused, 5, "a file that ends early is refused");
    for at in (0..whole.len()).step_by(4999) {
        let mut bytes = whole.clone();
        bytes[at..][..32.min(whole.len() - at)].fill(0xA5);
        fs::write(&path, &bytes).unwrap();
        // Some bytes are of no use to anyone; all others must be noticed, by an error.
        let _ = reads(&path);
    }
}

/// Reads all there is.
fn reads(path: &Path) -> Result<(), DatabaseError> {
    let db = Database::open(path, Access::Read, "this machine")?;
    db.check()?;
    db.trials(&workload(100).meaning, &place())?;
    db.export(autotune::database::Format::JsonLines, &mut std::io::sink())
}

#[test]
fn a_reader_does_not_write() {
    let folder = Folder::new("reader");
    drop(folder.database("t.db"));
    let mut db = Database::open(&folder.file("t.db"), Access::Read, "this machine").unwrap();
    let w = workload(100);
    let message = db.add(&w, &[trial(&w, 1, 5.0)]).unwrap_err().to_string();
    assert!(message.contains("may only be read"), "{message}");
}

#[test]
fn four_writers_lose_nothing() {
    let folder = Folder::new("writers");
    let path = folder.file("t.db");
    std::thread::scope(|scope| {
        for writer in 0..4u32 {
            let path = &path;
            scope.spawn(move || {
                // Each makes the file if it is the first.
                let mut db = Database::open(path, Access::Write, "this machine").unwrap();
                for i in 0..50 {
                    let w = workload(i64::from(i) + 1);
                    let mut t = trial(&w, writer + 1, f64::from(i) + 1.0);
                    t.seed = writer.into();
                    db.add(&w, &[t]).unwrap();
                }
            });
        }
    });
    let db = Database::open(&path, Access::Read, "this machine").unwrap();
    db.check().unwrap();
    let stats = db.stats().unwrap();
    assert_eq!((stats.workloads, stats.trials["ok"]), (50, 200));
}
