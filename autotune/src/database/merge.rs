//! Two databases: what one has that the other lacks, and both in one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Database, Kept,
    error::{DatabaseError, at},
    record::{Outcome, Place, Plan, Trial, Workload},
};

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Merged {
    /// Records that came in.
    pub added: u64,
    /// Records that were there.
    pub known: u64,
    /// Records that no measurement gives, with the reason.
    pub refused: Vec<String>,
    /// Where both had a fastest schedule, and not the same.
    pub conflicts: Vec<Difference>,
}

/// A workload for which two databases know different fastest schedules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The workload.
    pub workload: String,
    /// Its family.
    pub family: String,
    /// The target.
    pub target: String,
    /// The fastest of the first, in seconds; none if it has no right one.
    pub ours_s: Option<f64>,
    /// The fastest of the second.
    pub theirs_s: Option<f64>,
    /// Whether both are one schedule.
    pub same: bool,
}

impl Database {
    /// Takes over all that `other` has. What `other` verified stays a claim.
    ///
    /// # Errors
    /// One cannot be read, or this one not written; then nothing was taken over.
    pub fn merge(&mut self, other: &Database) -> Result<Merged, DatabaseError> {
        let conflicts = self.diff(other)?;
        let conflicts = conflicts
            .into_iter()
            .filter(|d| !d.same && d.ours_s.is_some() && d.theirs_s.is_some());
        let conflicts = conflicts.collect();
        let workloads: Vec<Workload> =
            other.all("SELECT body FROM workload ORDER BY meaning", &[])?;
        let trials: Vec<Trial> = other.all("SELECT body FROM trial ORDER BY id", &[])?;
        let plans: Vec<Plan> = other.all("SELECT body FROM plan ORDER BY id", &[])?;
        let mut refused = vec![];
        let mut sound = |what: &str, verdict: Result<(), String>| match verdict {
            Ok(()) => true,
            Err(reason) => {
                refused.push(format!("{what}: {reason}"));
                false
            }
        };
        let kept = self.within(|writer| {
            let mut kept = Kept::default();
            for w in &workloads {
                if sound(&w.meaning, w.require_sound()) {
                    writer.workload(w)?;
                }
            }
            for t in &trials {
                if sound(&t.id().0, t.require_sound()) {
                    kept.count(writer.trial(t)?);
                }
            }
            for p in &plans {
                if sound(&p.id().0, p.require_sound()) {
                    kept.count(writer.plan(p)?);
                }
            }
            Ok(kept)
        })?;
        Ok(Merged {
            added: kept.added,
            known: kept.known,
            refused,
            conflicts,
        })
    }

    /// Each workload and place that either knows, with the fastest right schedule of both, if they differ.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn diff(&self, other: &Database) -> Result<Vec<Difference>, DatabaseError> {
        let (ours, theirs) = (self.fastest()?, other.fastest()?);
        let mut keys: Vec<_> = ours.keys().chain(theirs.keys()).collect();
        keys.sort();
        keys.dedup();
        let mut all = vec![];
        for key in keys {
            let (a, b) = (ours.get(key), theirs.get(key));
            let schedule = |t: Option<&Trial>| t.map(|t| t.schedule.clone());
            let time = |t: Option<&Trial>| t.and_then(Trial::median_s);
            if a == b {
                continue;
            }
            let family = match self.workload(&key.0)? {
                Some(w) => w.family,
                None => other.workload(&key.0)?.map_or(String::new(), |w| w.family),
            };
            all.push(Difference {
                workload: key.0.clone(),
                family,
                target: key.1.target.clone(),
                ours_s: time(a),
                theirs_s: time(b),
                same: schedule(a) == schedule(b),
            });
        }
        Ok(all)
    }

    /// The fastest right trial of each workload in each place.
    fn fastest(&self) -> Result<BTreeMap<(String, Place), Trial>, DatabaseError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT body FROM trial WHERE outcome = ?1 AND median_s IS NOT NULL \
                 ORDER BY median_s DESC, id DESC",
            )
            .map_err(at(&self.path))?;
        let rows = statement.query_map([Outcome::Ok.name()], |row| row.get::<_, String>(0));
        let mut best = BTreeMap::new();
        for body in rows.map_err(at(&self.path))? {
            let trial: Trial = self.parse(&body.map_err(at(&self.path))?)?;
            let key = (trial.workload.clone(), trial.place.clone());
            best.insert(key, trial);
        }
        Ok(best)
    }
}
