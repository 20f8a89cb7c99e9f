//! What is in a database, and leaving out what is not needed.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Serialize;

use super::{
    Database,
    error::{DatabaseError, at},
};

/// Counts of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Kernels with their sizes.
    pub workloads: u64,
    /// Trials by outcome.
    pub trials: BTreeMap<String, u64>,
    /// Trials by target and toolchain.
    pub places: BTreeMap<String, u64>,
    /// Trials verified on this machine.
    pub verified_here: u64,
    /// Plans.
    pub plans: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Of each schedule the trial that counts comes first, those that count by their score, then all others. What was wrong
/// stays as long as anyone says that it is right.
const PRUNED: &str = "
    DELETE FROM trial WHERE id IN (
        SELECT id FROM (
            SELECT id, unix_time, row_number() OVER (PARTITION BY workload, fingerprint, toolchain, threads
                ORDER BY outcome <> 'ok', nth > 1, score IS NULL, score, median_s IS NULL, median_s, id) AS rank
            FROM (SELECT *, row_number() OVER (PARTITION BY workload, fingerprint, toolchain, threads, outcome, schedule
                ORDER BY pairs DESC, unix_time DESC, id) AS nth FROM trial))
        WHERE rank > max(?1, 1) OR (rank > 1 AND unix_time < ?2))
    AND NOT (outcome = 'wrong-result' AND EXISTS (SELECT 1 FROM trial AS ok
        WHERE ok.workload = trial.workload AND ok.schedule = trial.schedule AND ok.outcome = 'ok'))";

impl Database {
    /// Counts what is there.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stats(&self) -> Result<Stats, DatabaseError> {
        let count = |query: &str, key: &[&dyn rusqlite::ToSql]| {
            let n = self
                .connection
                .query_row(query, key, |row| row.get::<_, i64>(0));
            n.map(|n| n.max(0) as u64).map_err(at(&self.path))
        };
        let groups = |query: &str| {
            let mut statement = self.connection.prepare(query).map_err(at(&self.path))?;
            let rows = statement.query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?.max(0) as u64,
                ))
            });
            let rows: Result<_, _> = rows.map_err(at(&self.path))?.collect();
            rows.map_err(at(&self.path))
        };
        Ok(Stats {
            workloads: count("SELECT count(*) FROM workload", &[])?,
            trials: groups("SELECT outcome, count(*) FROM trial GROUP BY outcome")?,
            places: groups(
                "SELECT target || ' by ' || toolchain, count(*) FROM trial GROUP BY target, toolchain",
            )?,
            verified_here: count(
                "SELECT count(*) FROM verified WHERE host = ?1",
                &[&self.host],
            )?,
            plans: count("SELECT count(*) FROM plan", &[])?,
            bytes: count(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                &[],
            )?,
        })
    }

    /// Fails unless the whole file can be read.
    ///
    /// # Errors
    /// It is damaged.
    pub fn check(&self) -> Result<(), DatabaseError> {
        let found = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| {
                row.get::<_, String>(0)
            })
            .map_err(at(&self.path))?;
        if found == "ok" {
            return Ok(());
        }
        Err(DatabaseError::Damaged {
            path: self.path.clone(),
            message: found,
        })
    }

    /// Removes all trials of each workload, place and number of threads but the `keep` best, and those made before
    /// `since`, in seconds since 1970; the best of each stays. Gives how many went.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn prune(&mut self, keep: u32, since: Option<u64>) -> Result<u64, DatabaseError> {
        let since = since.map_or(i64::MIN, |s| i64::try_from(s).unwrap_or(i64::MAX));
        let gone = self.within(|writer| {
            let gone = writer.transaction.execute(PRUNED, params![keep, since])?;
            writer.transaction.execute(
                "DELETE FROM verified WHERE trial NOT IN (SELECT id FROM trial)",
                [],
            )?;
            writer.transaction.execute(
                "DELETE FROM workload WHERE meaning NOT IN (SELECT workload FROM trial)",
                [],
            )?;
            Ok(gone as u64)
        })?;
        self.connection
            .execute_batch("VACUUM")
            .map_err(at(&self.path))?;
        Ok(gone)
    }
}
