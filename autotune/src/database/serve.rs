//! Asking a database: what is known of a workload, and what may be used.

use rusqlite::{OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::{
    Database,
    error::{DatabaseError, at},
    record::{Id, Place, Plan, Trial, Verification, Workload},
};

/// A schedule that a database answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum Served {
    /// The fastest trial of this very workload, verified here.
    Verified {
        /// The trial.
        trial: Trial,
        /// How it was verified.
        verification: Verification,
    },
    /// The fastest trial, verified here, of the nearest workload of the family: a prediction.
    Predicted {
        /// The trial.
        trial: Trial,
        /// The workload it is of.
        of: Workload,
    },
}

/// The columns that [`best_of`] reads: a trial that is right and verified here, fastest first.
const VERIFIED: &str = "
    SELECT trial.body, verified.body FROM trial JOIN verified ON verified.trial = trial.id AND verified.host = ?1
    WHERE trial.workload = ?2 AND trial.fingerprint = ?3 AND trial.toolchain = ?4 AND trial.outcome = 'ok'
    ORDER BY trial.median_s, trial.id LIMIT 1";

impl Database {
    /// The schedule to use for a workload: the fastest that was verified here with this target and toolchain, else that
    /// of the nearest workload of its family.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn serve(
        &self,
        workload: &Workload,
        place: &Place,
    ) -> Result<Option<Served>, DatabaseError> {
        if let Some((trial, verification)) = self.best_of(&workload.meaning, place)? {
            return Ok(Some(Served::Verified {
                trial,
                verification,
            }));
        }
        let mut near = self.family(&workload.family)?;
        near.retain(|w| w.sizes.keys().eq(workload.sizes.keys()));
        near.sort_by(|a, b| {
            let distance = |w: &Workload| distance(w, workload);
            let order = distance(a).total_cmp(&distance(b));
            order.then_with(|| a.meaning.cmp(&b.meaning))
        });
        for of in near {
            if let Some((trial, _)) = self.best_of(&of.meaning, place)? {
                return Ok(Some(Served::Predicted { trial, of }));
            }
        }
        Ok(None)
    }

    fn best_of(
        &self,
        meaning: &str,
        place: &Place,
    ) -> Result<Option<(Trial, Verification)>, DatabaseError> {
        let mut statement = self
            .connection
            .prepare_cached(VERIFIED)
            .map_err(at(&self.path))?;
        let key = params![self.host, meaning, place.fingerprint, place.toolchain];
        let row = statement.query_row(key, |row| Ok((text(row, 0)?, text(row, 1)?)));
        let row = row.optional().map_err(at(&self.path))?;
        row.map(|(trial, verification)| Ok((self.parse(&trial)?, self.parse(&verification)?)))
            .transpose()
    }

    fn family(&self, family: &str) -> Result<Vec<Workload>, DatabaseError> {
        self.all(
            "SELECT body FROM workload WHERE family = ?1 ORDER BY meaning",
            &[&family],
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

    /// Trials with right numbers in a place that were not verified here: claims. The fastest of each workload first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn claims(&self, place: &Place) -> Result<Vec<Trial>, DatabaseError> {
        self.all(
            "SELECT body FROM trial WHERE fingerprint = ?1 AND toolchain = ?2 AND outcome = 'ok' AND NOT EXISTS \
             (SELECT 1 FROM verified WHERE verified.trial = trial.id AND verified.host = ?3) \
             ORDER BY workload, median_s, id",
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
        let mut statement = self
            .connection
            .prepare_cached(query)
            .map_err(at(&self.path))?;
        let rows = statement.query_map(key, |row| text(row, 0));
        let rows: Result<Vec<String>, _> = rows.map_err(at(&self.path))?.collect();
        let rows = rows.map_err(at(&self.path))?;
        rows.iter().map(|body| self.parse(body)).collect()
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, body: &str) -> Result<T, DatabaseError> {
        serde_json::from_str(body).map_err(|e| DatabaseError::Damaged {
            path: self.path.clone(),
            message: format!("a record cannot be read: {e}"),
        })
    }
}

fn text(row: &Row<'_>, column: usize) -> Result<String, rusqlite::Error> {
    row.get(column)
}

/// How far sizes are apart: by how many factors of two, over all of them.
fn distance(a: &Workload, b: &Workload) -> f64 {
    let log = |n: i64| (n.max(1) as f64).log2();
    let each = a.sizes.values().zip(b.sizes.values());
    each.map(|(x, y)| (log(*x) - log(*y)).abs()).sum()
}
