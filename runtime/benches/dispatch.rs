//! What a step costs beside its kernel: `cargo bench -p tilewright-runtime`.
//!
//! A program of 45 steps, as many as a sentence encoder of six layers has, whose blocks do next to nothing.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{num::NonZeroUsize, sync::Arc, time::Instant};

use ir::DType;
use tilewright_runtime::{Artifact, Model, Options, TensorView, WeightChecks};

const STEPS: usize = 45;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for rows in [1_u64, 16, 1024] {
        let path = support::artifact_with(folder.path(), &[rows], |m| {
            let steps = &mut m.targets[0].programs[0].steps;
            let first = steps[0].clone();
            steps.splice(0..1, std::iter::repeat_n(first, STEPS - 1));
        });
        let artifact = Artifact::open(&path, WeightChecks::Skip).expect("it was just written");
        let model = Model::load(Arc::new(artifact)).expect("it is for this processor");
        let ids = support::i64s(&vec![3; rows as usize]);
        for threads in [1, 2] {
            let options = Options {
                threads: NonZeroUsize::new(threads),
                profile: false,
            };
            let mut x = model.executor(0, &options).expect("there is memory");
            let shape = [1, rows as usize];
            let view = TensorView {
                dtype: DType::I64,
                shape: &shape,
                bytes: &ids,
            };
            x.set_input("ids", view).expect("the ids fit");
            let mut times: Vec<f64> = (0..2000)
                .map(|_| {
                    let start = Instant::now();
                    x.run().expect("the inputs are set");
                    start.elapsed().as_secs_f64()
                })
                .collect();
            times.sort_by(f64::total_cmp);
            println!(
                "{STEPS} steps of {rows} blocks, {threads} threads: {:.1} us median, {:.1} us min of 2000 runs",
                times[1000] * 1e6,
                times[0] * 1e6
            );
        }
    }
}
