//! Which schedule is used.

use std::collections::BTreeMap;

use ir::{Kernel, Schedule, Target};
use runtime::measure::Ratio;

use super::{
    Database,
    error::DatabaseError,
    legal::is_legal,
    record::{Outcome, Place, Trial, Verification, Workload, median},
};

/// A schedule that a database answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum Served {
    /// The best trial of this very workload, verified here.
    Verified {
        /// The trial.
        trial: Trial,
        /// How it was verified.
        verification: Verification,
        /// Its time as a multiple of the default's.
        ratio: Ratio,
    },
    /// The best trial, verified here, of the nearest workload of the family, or of this one by another number of
    /// threads: a prediction.
    Predicted {
        /// The trial.
        trial: Trial,
        /// The workload it is of.
        of: Workload,
        /// Its time as a multiple of the default's, there.
        ratio: Ratio,
    },
}

impl Served {
    /// The trial whose schedule is served.
    pub const fn trial(&self) -> &Trial {
        match self {
            Self::Verified { trial, .. } | Self::Predicted { trial, .. } => trial,
        }
    }
}

/// Pairs of samples that a trial must have to be served. A search glances at many candidates with fewer; the luckiest of them is
/// seldom the fastest.
pub const CAREFUL: usize = 40;

/// A kernel's measured times.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// The kernel.
    pub workload: Workload,
    /// Seconds of a call under the default schedule.
    pub default_s: f64,
    /// Seconds of a call under the schedule that is served, or the default.
    pub served_s: f64,
}

/// A trial that counts for its schedule.
struct Scored {
    trial: Trial,
    verification: Verification,
    ratio: Option<Ratio>,
}

/// Trials of a workload that are right and verified here, by threads, those that count most first. A schedule that
/// was ever seen to be wrong is none of them.
const VERIFIED: &str = "
    SELECT trial.body, verified.body FROM trial JOIN verified ON verified.trial = trial.id AND verified.host = ?1
    WHERE trial.workload = ?2 AND trial.fingerprint = ?3 AND trial.toolchain = ?4 AND trial.outcome = 'ok'
    AND trial.threads = ?5 AND NOT EXISTS (SELECT 1 FROM trial AS wrong WHERE wrong.workload = trial.workload
        AND wrong.fingerprint = trial.fingerprint AND wrong.toolchain = trial.toolchain
        AND wrong.schedule = trial.schedule AND wrong.outcome = 'wrong-result')
    ORDER BY trial.pairs DESC, trial.unix_time DESC, trial.id";

/// Workloads of a family of which trials were verified here, and the threads of those.
const TRIED: &str = "
    SELECT DISTINCT workload.body, trial.threads FROM workload JOIN trial ON trial.workload = workload.meaning
    JOIN verified ON verified.trial = trial.id AND verified.host = ?1
    WHERE workload.family = ?2 AND trial.fingerprint = ?3 AND trial.toolchain = ?4 AND trial.score IS NOT NULL
    ORDER BY workload.meaning, trial.threads";

impl Scored {
    /// The ratio to the default, if it was measured with care.
    fn careful(&self) -> Option<Ratio> {
        self.ratio.filter(|_| self.trial.samples_s.len() >= CAREFUL)
    }
}

impl Database {
    /// The schedule to use for a kernel, where it is better than the default: of each schedule that was verified here, with
    /// this target, toolchain and number of threads, the trial with the most samples counts; the best upper end of the
    /// 95 % interval of the ratio to the default wins, if it is below 1. For a workload without such trials, that of the
    /// nearest one of its family. Trials with fewer than [`CAREFUL`] pairs of samples are not served. None if the default is
    /// the best that is known.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn serve(
        &self,
        kernel: &Kernel,
        workload: &Workload,
        target: &Target,
        place: &Place,
        threads: u32,
    ) -> Result<Option<Served>, DatabaseError> {
        let own = self.scored(&workload.meaning, place, threads)?;
        if own.iter().any(|s| s.ratio.is_some()) {
            let served = own.into_iter().find_map(|s| {
                let ratio = s.careful().filter(|r| r.high < 1.0)?;
                let trial = s.trial;
                is_legal(kernel, &trial.schedule, target).then_some(Served::Verified {
                    trial,
                    verification: s.verification,
                    ratio,
                })
            });
            return Ok(served);
        }
        for (of, threads) in self.near(workload, place, threads)? {
            let mut all = self.scored(&of.meaning, place, threads)?.into_iter();
            let best = all.find_map(|s| Some((s.careful()?, s.trial)));
            let Some((ratio, trial)) = best else {
                continue;
            };
            if ratio.high >= 1.0 {
                return Ok(None);
            }
            if is_legal(kernel, &trial.schedule, target) {
                return Ok(Some(Served::Predicted { trial, of, ratio }));
            }
        }
        Ok(None)
    }

    /// The right schedules of a workload that were verified here, the best first; those without a comparison to the
    /// default last.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn best(
        &self,
        meaning: &str,
        place: &Place,
        threads: u32,
    ) -> Result<Vec<Schedule>, DatabaseError> {
        let all = self.scored(meaning, place, threads)?.into_iter();
        Ok(all.map(|s| s.trial.schedule).collect())
    }

    /// The times of the kernels that were measured in a place by so many threads, in order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn times(&self, place: &Place, threads: u32) -> Result<Vec<Timed>, DatabaseError> {
        let mut all = vec![];
        for workload in self.tried(place)? {
            let scored = self.scored(&workload.meaning, place, threads)?;
            let defaults: Vec<f64> = (scored.iter())
                .filter_map(|s| median(&s.trial.baseline_s))
                .collect();
            let Some(default_s) = median(&defaults) else {
                continue;
            };
            let best = scored.iter().find_map(Scored::careful);
            let served = best.filter(|r| r.high < 1.0);
            all.push(Timed {
                workload,
                default_s,
                served_s: default_s * served.map_or(1.0, |r| r.value),
            });
        }
        Ok(all)
    }

    /// The trial that counts for each schedule, the best first.
    fn scored(
        &self,
        meaning: &str,
        place: &Place,
        threads: u32,
    ) -> Result<Vec<Scored>, DatabaseError> {
        let key: [&dyn rusqlite::ToSql; 5] = [
            &self.host,
            &meaning,
            &place.fingerprint,
            &place.toolchain,
            &threads,
        ];
        let mut by_schedule: BTreeMap<Schedule, Scored> = BTreeMap::new();
        for (trial, verification) in self.rows(VERIFIED, &key, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })? {
            let (trial, verification): (Trial, _) =
                (self.parse(&trial)?, self.parse(&verification)?);
            // Columns are for searching; what the record says counts.
            let holds = trial.require_sound().is_ok()
                && trial.outcome == Outcome::Ok
                && trial.workload == meaning
                && trial.place == *place
                && trial.threads == threads;
            if holds {
                let ratio = trial.ratio();
                by_schedule.entry(trial.schedule.clone()).or_insert(Scored {
                    trial,
                    verification,
                    ratio,
                });
            }
        }
        let mut all: Vec<Scored> = by_schedule.into_values().collect();
        let key = |s: &Scored| {
            let time = s.trial.median_s().unwrap_or(f64::INFINITY);
            (s.ratio.map_or(f64::INFINITY, |r| r.high), time)
        };
        all.sort_by(|a, b| {
            let ((a_score, a_time), (b_score, b_time)) = (key(a), key(b));
            a_score
                .total_cmp(&b_score)
                .then(a_time.total_cmp(&b_time))
                .then_with(|| a.trial.id().cmp(&b.trial.id()))
        });
        Ok(all)
    }

    /// Workloads of the family that were tried in a place, each with a number of threads, the nearest first.
    fn near(
        &self,
        workload: &Workload,
        place: &Place,
        threads: u32,
    ) -> Result<Vec<(Workload, u32)>, DatabaseError> {
        let key: [&dyn rusqlite::ToSql; 4] = [
            &self.host,
            &workload.family,
            &place.fingerprint,
            &place.toolchain,
        ];
        let rows = self.rows(TRIED, &key, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))
        })?;
        let mut near = vec![];
        for (body, there) in rows {
            let of: Workload = self.parse(&body)?;
            let alike = of.sizes.keys().eq(workload.sizes.keys());
            // A device that counts no threads is not a processor.
            let own = of.meaning == workload.meaning && there == threads;
            if alike && !own && (there == 0) == (threads == 0) {
                let factor = (f64::from(there.max(1)) / f64::from(threads.max(1))).log2();
                near.push((distance(&of, workload) + factor.abs(), of, there));
            }
        }
        near.sort_by(|(a, of, at), (b, other, there)| {
            let order = a.total_cmp(b);
            order.then_with(|| (&of.meaning, at).cmp(&(&other.meaning, there)))
        });
        Ok(near.into_iter().map(|(_, of, at)| (of, at)).collect())
    }
}

/// How far sizes are apart: by how many factors of two, over all of them.
pub(crate) fn distance(a: &Workload, b: &Workload) -> f64 {
    let log = |n: i64| (n.max(1) as f64).log2();
    let each = a.sizes.values().zip(b.sizes.values());
    each.map(|(x, y)| (log(*x) - log(*y)).abs()).sum()
}
