//! What a database teaches.

use ir::Target;

use super::{CostModel, Example};
use crate::{
    database::{Database, DatabaseError, Outcome, Place, Trial, Workload},
    features::Extractor,
};

/// Trials of one kernel that are learned from, the fastest first: of more, the model learns no more.
const MOST: usize = 400;

impl CostModel {
    /// A model fitted to the trials that a database has for a place; none if there are none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_database(
        database: &Database,
        place: &Place,
        target: &Target,
        seed: u64,
    ) -> Result<Option<Self>, DatabaseError> {
        let mut all = vec![];
        for workload in database.tried(place)? {
            let trials = database.trials(&workload.meaning, place)?;
            all.extend(examples(&workload, &trials, target).unwrap_or_default());
        }
        Ok((!all.is_empty()).then(|| Self::fit(&all, seed)))
    }
}

/// The trials of a workload as examples; none if this compiler does not make its kernel.
fn examples(workload: &Workload, trials: &[Trial], target: &Target) -> Option<Vec<Example>> {
    let kernel = workload.kernel()?;
    let default = crate::first_choice(&kernel, target).ok()?;
    let extractor = Extractor::new(&kernel, target, &default).ok()?;
    let right = trials.iter().filter(|t| t.outcome == Outcome::Ok);
    let example = |t: &Trial| {
        let baseline = crate::database::median(&t.baseline_s)?;
        Some(Example {
            task: format!("{} {}", workload.meaning, t.threads),
            features: extractor.extract(&t.schedule).ok()?.values().to_vec(),
            ratio: t.median_s()? / baseline,
        })
    };
    Some(right.take(MOST).filter_map(example).collect())
}
