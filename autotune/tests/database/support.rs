//! Databases in folders that go.

use std::path::{Path, PathBuf};

use autotune::database::{Access, Database, Served, Trial, Verification};

pub use crate::samples::{kernel, place, product, target, trial, workload};

/// A folder that goes when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("db-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn database(&self, name: &str) -> Database {
        Database::open(&self.file(name), Access::Write, "this machine").unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn verification(trial: &Trial) -> Verification {
    Verification {
        trial: trial.id(),
        device: trial.device.clone(),
        error: 1e-7,
        unix_time: 1_795_564_799,
    }
}

/// What a database serves for the kernel over so many rows.
pub fn serve(db: &Database, rows: i64) -> Option<Served> {
    let place = place();
    db.serve(&kernel(rows), &workload(rows), &target(), &place, 2)
        .unwrap()
}

/// Adds trials of a workload that were verified here.
pub fn add_verified(db: &mut Database, rows: i64, trials: &[Trial]) {
    let verified: Vec<_> = trials.iter().map(verification).collect();
    db.add_verified(&workload(rows), trials, &verified).unwrap();
}
