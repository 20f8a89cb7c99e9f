//! First choices read shared memory without two lanes in one bank.

use ir::lane::{Sample, emulate_all};

use crate::{
    graphs,
    lanes::{self, Reference},
    matrix::{self, Outcome},
};

/// A block of each program, on every device.
pub fn run() -> Outcome {
    let mut outcome = Outcome::default();
    for dtype in ["f32", "f16"] {
        let texts = [
            graphs::product(dtype, [256, 256, 256]),
            graphs::turned(dtype, [256, 256, 256]),
            graphs::attended(dtype, [128, 128, 64]),
        ];
        for text in texts {
            let graph = lanes::graphs(&text).remove(0);
            let kernel = lanes::kernels(&graph, &[]).remove(0);
            let reference = Reference::of(&kernel);
            for target in matrix::targets() {
                let schedule = autotune::first_choice(&kernel, &target).expect("it has a choice");
                let lowered = passes::lower(&kernel, &schedule, &target);
                let program = lowered.expect("a choice fits").lane.expect("it has lanes");
                let mut params = reference.operands.clone();
                let len = program.params.last().map_or(0, |array| array.len);
                params.push(vec![f64::NAN; len as usize]);
                let sample = Sample { count: 1, seed: 0 };
                let counts = emulate_all(&program, &mut params, Some(sample));
                match counts.expect("a choice is right").read_conflicts {
                    0 => outcome.agreed += 1,
                    found => outcome.failures.push(format!(
                        "{}, `{}`, {schedule:?}: {found} conflicts",
                        target.name, kernel.name
                    )),
                }
            }
        }
    }
    outcome
}
