//! The tables, and how files of earlier versions become files of this one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    error::{DatabaseError, at},
    record::Trial,
};

/// Marks the file as ours: `TWdb`.
const APPLICATION: i64 = 0x5457_6462;

/// What each version adds to the one before; the first makes the tables of an empty file.
///
/// `body` is the record's canonical JSON, which says all; columns beside it are what is searched by.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE workload (
        meaning TEXT PRIMARY KEY,
        family TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE trial (
        id TEXT PRIMARY KEY,
        workload TEXT NOT NULL,
        target TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        toolchain TEXT NOT NULL,
        schedule TEXT NOT NULL,
        outcome TEXT NOT NULL,
        origin TEXT NOT NULL,
        median_s REAL,
        unix_time INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX trial_of ON trial (workload, fingerprint, toolchain, outcome, median_s);
    -- Only what was verified on this machine: `host` is its name for itself.
    CREATE TABLE verified (
        trial TEXT NOT NULL,
        host TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (trial, host)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE plan (
        id TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        cluster TEXT NOT NULL,
        origin TEXT NOT NULL,
        step_s REAL NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX plan_of ON plan (model, cluster, step_s);
",
    SCORES,
];

/// What trials are served by: `pairs` of samples, and the upper end of the 95 % interval of the ratio to the baseline.
/// [`fill`] computes it for trials that are there.
const SCORES: &str = "
    ALTER TABLE trial ADD COLUMN threads INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trial ADD COLUMN pairs INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trial ADD COLUMN score REAL;
";
/// The version from which trials have scores.
const SCORED: i64 = 2;

/// The version of files that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// What a file says it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Ours { version: i64 },
    Other,
}

pub(super) fn kind(connection: &Connection, path: &Path) -> Result<Kind, DatabaseError> {
    let pragma = |name| {
        let read = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        read.map_err(at(path))
    };
    let tables = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(at(path))?;
    Ok(match (pragma("application_id")?, tables) {
        (APPLICATION, _) => Kind::Ours {
            version: pragma("user_version")?,
        },
        (0, 0) => Kind::Empty,
        _ => Kind::Other,
    })
}

/// Brings a file to this version, in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), DatabaseError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at(path))?;
    // Another process may have done it while this one waited.
    let from = match kind(&transaction, path)? {
        Kind::Ours { version } => version,
        Kind::Empty => 0,
        Kind::Other => return Err(other(path)),
    };
    for step in MIGRATIONS.iter().skip(from.max(0) as usize) {
        transaction.execute_batch(step).map_err(at(path))?;
    }
    if from < SCORED {
        fill(&transaction, path)?;
    }
    if from < VERSION {
        for (name, value) in [("application_id", APPLICATION), ("user_version", VERSION)] {
            transaction
                .pragma_update(None, name, value)
                .map_err(at(path))?;
        }
    }
    transaction.commit().map_err(at(path))
}

/// Lets a file of an earlier version be read as if it were of this one: what it lacks is made beside it, in memory.
pub(super) fn complete(
    connection: &Connection,
    path: &Path,
    version: i64,
) -> Result<(), DatabaseError> {
    if version >= SCORED {
        return Ok(());
    }
    // A temporary table stands before one of the file that has the same name.
    let shadow = format!(
        "PRAGMA temp_store = memory; CREATE TEMP TABLE trial AS SELECT * FROM main.trial; {SCORES} \
         CREATE INDEX temp.shadow_of ON trial (workload, fingerprint, toolchain); \
         CREATE UNIQUE INDEX temp.shadow_id ON trial (id);"
    );
    connection.execute_batch(&shadow).map_err(at(path))?;
    fill(connection, path)
}

/// Computes scores. Trials that cannot be read have none.
fn fill(connection: &Connection, path: &Path) -> Result<(), DatabaseError> {
    let filled = || -> Result<(), rusqlite::Error> {
        let mut read = connection.prepare("SELECT id, body FROM trial")?;
        let mut write = connection
            .prepare("UPDATE trial SET threads = ?2, pairs = ?3, score = ?4 WHERE id = ?1")?;
        let rows = read.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        // All are read before one is written.
        for (id, body) in rows.collect::<Result<Vec<_>, _>>()? {
            if let Ok(trial) = serde_json::from_str::<Trial>(&body) {
                let score = trial.score();
                write.execute(params![id, trial.threads, score.pairs, score.high])?;
            }
        }
        Ok(())
    };
    filled().map_err(at(path))
}

pub(super) fn other(path: &Path) -> DatabaseError {
    DatabaseError::Other {
        path: path.into(),
        found: "an SQLite database of another program".into(),
    }
}
