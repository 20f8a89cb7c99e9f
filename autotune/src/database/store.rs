//! Opening a database, and adding to it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use super::{
    error::{DatabaseError, PATIENCE, at},
    record::{Plan, Trial, Verification, Workload, canonical},
    schema::{self, Kind, VERSION},
};

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading; there must be one.
    Read,
    /// Writing; made if there is none.
    Write,
}

/// A tuning database. Not shared between threads; each opens its own.
pub struct Database {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// This machine's name for itself, by which it knows what it has verified.
    pub(super) host: String,
}

/// Records that came in, and those that were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// New ones.
    pub added: u64,
    /// Those that the database had.
    pub known: u64,
}

impl Kept {
    pub(super) fn count(&mut self, added: bool) {
        if added {
            self.added += 1;
        } else {
            self.known += 1;
        }
    }
}

impl Database {
    /// Opens the file at `path`; `host` names this machine.
    ///
    /// # Errors
    /// There is none to read, it is no tuning database or one of a later version, it is damaged, held by others, or may
    /// not be written.
    pub fn open(path: &Path, access: Access, host: &str) -> Result<Self, DatabaseError> {
        if access == Access::Read && !path.exists() {
            return Err(DatabaseError::Missing { path: path.into() });
        }
        if path.is_dir() {
            return Err(DatabaseError::Other {
                path: path.into(),
                found: "a folder".into(),
            });
        }
        let flags = match access {
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(at(path))?;
        connection
            .busy_timeout(Duration::from_secs(PATIENCE))
            .map_err(at(path))?;
        match schema::kind(&connection, path)? {
            Kind::Ours { version } if version <= VERSION && access == Access::Read => {
                schema::complete(&connection, path, version)?;
            }
            Kind::Other => return Err(schema::other(path)),
            Kind::Ours { version } if version > VERSION => {
                return Err(DatabaseError::Newer {
                    path: path.into(),
                    wanted: VERSION,
                    found: version,
                });
            }
            Kind::Empty if access == Access::Read => {
                return Err(DatabaseError::Other {
                    path: path.into(),
                    found: "an empty file".into(),
                });
            }
            Kind::Ours { .. } | Kind::Empty => {}
        }
        if access == Access::Write {
            // Readers go on while one writes; a commit is on the disk when it returns.
            for (name, value) in [("journal_mode", "wal"), ("synchronous", "full")] {
                connection
                    .pragma_update(None, name, value)
                    .map_err(at(path))?;
            }
            schema::migrate(&mut connection, path)?;
        }
        Ok(Self {
            connection,
            path: path.into(),
            host: host.into(),
        })
    }

    /// Adds a workload and trials of it, all or none.
    ///
    /// # Errors
    /// A record that no measurement gives; the file cannot be written.
    pub fn add(&mut self, workload: &Workload, trials: &[Trial]) -> Result<Kept, DatabaseError> {
        self.add_verified(workload, trials, &[])
    }

    /// Adds a workload, trials of it, and that some of them were verified here: all or none.
    ///
    /// # Errors
    /// As [`Database::add`].
    pub fn add_verified(
        &mut self,
        workload: &Workload,
        trials: &[Trial],
        verified: &[Verification],
    ) -> Result<Kept, DatabaseError> {
        workload.require_sound().map_err(DatabaseError::Unsound)?;
        for trial in trials {
            trial.require_sound().map_err(DatabaseError::Unsound)?;
        }
        let host = self.host.clone();
        self.within(|writer| {
            writer.workload(workload)?;
            let mut kept = Kept::default();
            for trial in trials {
                kept.count(writer.trial(trial)?);
            }
            verified
                .iter()
                .try_for_each(|v| writer.verified(&host, v))?;
            Ok(kept)
        })
    }

    /// Adds a plan.
    ///
    /// # Errors
    /// A record that no plan gives; the file cannot be written.
    pub fn add_plan(&mut self, plan: &Plan) -> Result<Kept, DatabaseError> {
        plan.require_sound().map_err(DatabaseError::Unsound)?;
        self.within(|writer| {
            let mut kept = Kept::default();
            kept.count(writer.plan(plan)?);
            Ok(kept)
        })
    }

    /// Keeps that trials were verified here.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn verified(&mut self, all: &[Verification]) -> Result<(), DatabaseError> {
        let host = self.host.clone();
        self.within(|writer| all.iter().try_for_each(|v| writer.verified(&host, v)))
    }

    /// Runs `body` in one transaction: all of it is kept, or nothing.
    pub(super) fn within<T>(
        &mut self,
        body: impl FnOnce(&Writer) -> Result<T, rusqlite::Error>,
    ) -> Result<T, DatabaseError> {
        let path = &self.path;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(at(path))?;
        let writer = Writer { transaction };
        let done = body(&writer).map_err(at(path))?;
        writer.transaction.commit().map_err(at(path))?;
        Ok(done)
    }
}

/// Adds records inside a transaction.
pub(super) struct Writer<'a> {
    pub transaction: Transaction<'a>,
}

impl Writer<'_> {
    pub fn workload(&self, workload: &Workload) -> Result<bool, rusqlite::Error> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO workload (meaning, family, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        let body = canonical(workload);
        let added = statement.execute(params![workload.meaning, workload.family, body])?;
        Ok(added > 0)
    }

    pub fn trial(&self, trial: &Trial) -> Result<bool, rusqlite::Error> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO trial (id, workload, target, fingerprint, toolchain, schedule, outcome, origin, median_s, \
             unix_time, threads, pairs, score, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING",
        )?;
        let origin = serde_name(&trial.origin);
        let score = trial.score();
        let added = statement.execute(params![
            trial.id().0,
            trial.workload,
            trial.place.target,
            trial.place.fingerprint,
            trial.place.toolchain,
            canonical(&trial.schedule),
            trial.outcome.name(),
            origin,
            trial.median_s(),
            i64::try_from(trial.unix_time).unwrap_or(i64::MAX),
            trial.threads,
            score.pairs,
            score.high,
            canonical(trial),
        ])?;
        Ok(added > 0)
    }

    pub fn plan(&self, plan: &Plan) -> Result<bool, rusqlite::Error> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO plan (id, model, cluster, origin, step_s, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING",
        )?;
        let added = statement.execute(params![
            plan.id().0,
            plan.model,
            plan.cluster,
            serde_name(&plan.origin),
            plan.step_s,
            canonical(plan),
        ])?;
        Ok(added > 0)
    }

    pub fn verified(&self, host: &str, v: &Verification) -> Result<(), rusqlite::Error> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO verified (trial, host, body) VALUES (?1, ?2, ?3)",
        )?;
        statement.execute(params![v.trial.0, host, canonical(v)])?;
        Ok(())
    }
}

/// How a choice without data is spelled in records.
fn serde_name(choice: &impl serde::Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(name)) => name,
        _ => unreachable!("choices without data are spelled as texts"),
    }
}
