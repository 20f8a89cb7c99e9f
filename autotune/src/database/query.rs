//! Asking a database what is known.

use rusqlite::Row;
use serde::de::DeserializeOwned;

use super::{
    Database,
    error::{DatabaseError, at},
    record::{Id, Place, Plan, Trial, Verification, Workload},
};

impl Database {
    /// The places that trials were made in, in order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn places(&self) -> Result<Vec<Place>, DatabaseError> {
        self.rows(
            "SELECT DISTINCT target, fingerprint, toolchain FROM trial ORDER BY target, fingerprint, toolchain",
            &[],
            |row| {
                Ok(Place {
                    target: row.get(0)?,
                    fingerprint: row.get(1)?,
                    toolchain: row.get(2)?,
                })
            },
        )
    }

    /// The workloads of which there are trials in a place.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn tried(&self, place: &Place) -> Result<Vec<Workload>, DatabaseError> {
        self.all(
            "SELECT body FROM workload WHERE EXISTS (SELECT 1 FROM trial WHERE trial.workload = workload.meaning \
             AND trial.fingerprint = ?1 AND trial.toolchain = ?2) ORDER BY meaning",
            &[&place.fingerprint, &place.toolchain],
        )
    }

    /// A workload, by what it computes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn workload(&self, meaning: &str) -> Result<Option<Workload>, DatabaseError> {
        let all = self.all("SELECT body FROM workload WHERE meaning = ?1", &[&meaning])?;
        Ok(all.into_iter().next())
    }

    /// All trials of a workload in a place, the fastest first, then those without times.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn trials(&self, meaning: &str, place: &Place) -> Result<Vec<Trial>, DatabaseError> {
        self.all(
            "SELECT body FROM trial WHERE workload = ?1 AND fingerprint = ?2 AND toolchain = ?3 \
             ORDER BY median_s IS NULL, median_s, id",
            &[&meaning, &place.fingerprint, &place.toolchain],
        )
    }

    /// Trials with right numbers in a place that were not verified here: claims. Those of each workload that are best by their
    /// own account first; none whose schedule was seen to be wrong.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn claims(&self, place: &Place) -> Result<Vec<Trial>, DatabaseError> {
        self.all(
            "SELECT body FROM trial WHERE fingerprint = ?1 AND toolchain = ?2 AND outcome = 'ok' AND NOT EXISTS \
             (SELECT 1 FROM verified WHERE verified.trial = trial.id AND verified.host = ?3) \
             AND NOT EXISTS (SELECT 1 FROM trial AS wrong WHERE wrong.workload = trial.workload \
             AND wrong.fingerprint = ?1 AND wrong.toolchain = ?2 AND wrong.schedule = trial.schedule \
             AND wrong.outcome = 'wrong-result') \
             ORDER BY workload, score IS NULL, score, median_s, id",
            &[&place.fingerprint, &place.toolchain, &self.host],
        )
    }

    /// How a trial was verified here, if it was.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn verification(&self, trial: &Id) -> Result<Option<Verification>, DatabaseError> {
        let all = self.all(
            "SELECT body FROM verified WHERE trial = ?1 AND host = ?2",
            &[&trial.0, &self.host],
        )?;
        Ok(all.into_iter().next())
    }

    /// The plans of a model on a cluster, the fastest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn plans(&self, model: &str, cluster: &str) -> Result<Vec<Plan>, DatabaseError> {
        self.all(
            "SELECT body FROM plan WHERE model = ?1 AND cluster = ?2 ORDER BY step_s, id",
            &[&model, &cluster],
        )
    }

    /// The records whose JSON a query gives.
    pub(super) fn all<T: DeserializeOwned>(
        &self,
        query: &str,
        key: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = self.rows(query, key, |row| row.get::<_, String>(0))?;
        rows.iter().map(|body| self.parse(body)).collect()
    }

    /// What `take` gives of each row.
    pub(super) fn rows<T>(
        &self,
        query: &str,
        key: &[&dyn rusqlite::ToSql],
        take: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(at(&self.path))?;
        let rows = statement.query_map(key, take).map_err(at(&self.path))?;
        let rows: Result<Vec<T>, _> = rows.collect();
        rows.map_err(at(&self.path))
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, body: &str) -> Result<T, DatabaseError> {
        serde_json::from_str(body).map_err(|e| DatabaseError::Damaged {
            path: self.path.clone(),
            message: format!("a record cannot be read: {e}"),
        })
    }
}
