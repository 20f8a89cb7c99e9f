//! First schedules for devices of many lanes: the space's, ranked by a model of their time.

mod model;

use ir::{Kernel, Schedule, Simt, Target};
use passes::{KernelFamily, LowerError, family};

use crate::{
    space::{self, Breadth},
    warpgroups,
};
use model::Model;

/// Schedules tried before a kernel is given up.
const TRIES: usize = 64;

/// About how long a kernel takes by a schedule, if the models that rank first schedules tell.
pub(crate) fn seconds(
    target: &Target,
    simt: &Simt,
    family: &KernelFamily,
    schedule: &Schedule,
) -> Option<f64> {
    let seconds = if warpgroups::is_by(schedule) {
        warpgroups::about(target, simt, family, schedule)
    } else {
        let model = Model {
            target,
            simt,
            family,
        };
        model.seconds(schedule)
    };
    (seconds > 0.0 && seconds.is_finite()).then_some(seconds)
}

/// The first schedule for `kernel`: the best that fits, by a count of work and of what moves.
///
/// # Errors
/// No template computes the kernel, or no schedule fits.
pub(crate) fn choose(
    kernel: &Kernel,
    target: &Target,
    simt: &Simt,
) -> Result<Schedule, LowerError> {
    let family = family(kernel)?;
    let model = Model {
        target,
        simt,
        family: &family,
    };
    let all = space::schedules(&family, simt, Breadth::Modelled);
    let mut ranked: Vec<(f64, Schedule)> = all
        .into_iter()
        .map(|schedule| (model.seconds(&schedule), schedule))
        .collect();
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    let best = ranked
        .first()
        .map_or(f64::INFINITY, |(seconds, _)| *seconds);
    let first = warpgroups::choices(target, simt, &family, best).into_iter();
    let ranked = ranked.into_iter().map(|(_, schedule)| schedule);
    let mut refused = None;
    for schedule in first.chain(ranked).take(TRIES) {
        match passes::lower(kernel, &schedule, target) {
            Ok(_) => return Ok(schedule),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| LowerError::DoesNotFit {
        kernel: kernel.name.clone(),
        what: "lanes",
        found: simt.lanes.into(),
        limit: simt.threads.into(),
    }))
}
