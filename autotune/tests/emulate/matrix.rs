//! Every case on every device, by several schedules of its space.

use ir::{Kernel, Schedule, Target};
use rayon::prelude::*;

use crate::{
    graphs::Case,
    lanes::{self, Reference, Wrong},
};

/// The devices of the matrix: NVIDIA's with and without more than `cp.async`, AMD's with MFMA and WMMA, Hygon's.
pub const DEVICES: [&str; 6] = [
    "cuda:sm_80",
    "cuda:sm_90a",
    "rocm:gfx90a",
    "rocm:gfx942",
    "rocm:gfx1100",
    "opencl:gfx936",
];

/// What a run of some cases found.
#[derive(Default)]
pub struct Outcome {
    /// Programs that agree with the reference, with no race and nothing out of bounds.
    pub agreed: usize,
    pub failures: Vec<String>,
}

impl Outcome {
    pub fn with(mut self, other: Self) -> Self {
        self.agreed += other.agreed;
        self.failures.extend(other.failures);
        self
    }
}

pub fn targets() -> Vec<Target> {
    let target = |name| backends::resolve(name).expect("the backends have these targets");
    DEVICES.into_iter().map(target).collect()
}

/// The first choice for a kernel, and others of its space that `seed` picks: `count` in all, if there are so many.
fn schedules(kernel: &Kernel, target: &Target, count: usize, seed: u64) -> Vec<Schedule> {
    let first = autotune::first_choice(kernel, target).expect("every family has a first choice");
    let space = autotune::space(kernel, target).expect("the kernel has a family");
    let mut all = vec![first];
    for at in 0..4 * count as u64 {
        let sampled = space
            .sample(seed.wrapping_mul(1009).wrapping_add(at))
            .clone();
        // A neighbour of it now and then, as a search would go on.
        let next = if at % 3 == 2 {
            space.mutate(&sampled, seed ^ at)
        } else {
            sampled
        };
        if all.len() < count && !all.contains(&next) {
            all.push(next);
        }
    }
    all
}

/// Runs cases; `keep` says which pairs of a case and a device.
pub fn run(
    cases: &[Case],
    count: usize,
    keep: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Vec<(&'static str, Outcome)> {
    let targets = targets();
    let each = cases.par_iter().enumerate().map(|(at, case)| {
        let mut outcome = Outcome::default();
        let some: Vec<&Target> = targets
            .iter()
            .enumerate()
            .filter(|(device, _)| keep(at, *device))
            .map(|(_, target)| target)
            .collect();
        if !some.is_empty() {
            let graph = lanes::graphs(&case.text).remove(0);
            for kernel in lanes::kernels(&graph, &[]) {
                let reference = Reference::of(&kernel);
                for target in &some {
                    for schedule in schedules(&kernel, target, count, at as u64) {
                        match judge(&kernel, &schedule, target, &reference) {
                            Ok(()) => outcome.agreed += 1,
                            Err(reason) => outcome.failures.push(reason),
                        }
                    }
                }
            }
        }
        (case.family, outcome)
    });
    each.collect()
}

/// Whether a kernel's programs are right; all schedules that are asked about are legal, so they have to lower.
fn judge(
    kernel: &Kernel,
    schedule: &Schedule,
    target: &Target,
    reference: &Reference,
) -> Result<(), String> {
    let place = || format!("{}, `{}`, {schedule:?}", target.name, kernel.name);
    let lowered = passes::lower(kernel, schedule, target);
    let lowered = lowered.map_err(|e| format!("{}: {e}", place()))?;
    let wrong = |e: Wrong| format!("{}: {e}", place());
    reference
        .tiles(&lanes::tile_programs(&lowered))
        .map_err(wrong)?;
    reference
        .lanes(&lanes::lane_programs(&lowered))
        .map_err(wrong)?;
    Ok(())
}
