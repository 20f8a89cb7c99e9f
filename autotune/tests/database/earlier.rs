//! Files that earlier versions wrote.

use autotune::database::{Access, Database};

use super::support::{Folder, add_verified, serve, trial, workload};

/// Makes a file as version 1 wrote it: without what trials are served by.
fn as_version_1(path: &std::path::Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "ALTER TABLE trial DROP COLUMN score; ALTER TABLE trial DROP COLUMN pairs; \
             ALTER TABLE trial DROP COLUMN threads; PRAGMA user_version = 1;",
        )
        .unwrap();
}

fn version(path: &std::path::Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[test]
fn a_file_of_version_1_serves_what_it_did() {
    let folder = Folder::new("version-1");
    let mut db = folder.database("t.db");
    let w = workload(100);
    let trials = [trial(&w, 1, 9.0), trial(&w, 2, 5.0)];
    add_verified(&mut db, 100, &trials);
    let before = [serve(&db, 100), serve(&db, 200)];
    assert!(before.iter().all(Option::is_some));
    drop(db);
    let path = folder.file("t.db");
    as_version_1(&path);
    // A reader changes nothing.
    let db = Database::open(&path, Access::Read, "this machine").unwrap();
    assert_eq!([serve(&db, 100), serve(&db, 200)], before);
    db.check().unwrap();
    drop(db);
    assert_eq!(version(&path), 1);
    let mut db = Database::open(&path, Access::Write, "this machine").unwrap();
    assert_eq!([serve(&db, 100), serve(&db, 200)], before);
    let better = trial(&w, 3, 2.0);
    add_verified(&mut db, 100, std::slice::from_ref(&better));
    assert_eq!(serve(&db, 100).unwrap().trial(), &better);
    drop(db);
    assert_eq!(version(&path), 2);
}
