//! A device that is lost in mid-run: the model says so, and asks nothing of it any more.

#![allow(
    unsafe_code,
    reason = "the library that stands in reads the environment"
)]
#![allow(dead_code, reason = "the rest is for the other tests of drivers")]

#[path = "drivers/artifacts.rs"]
mod artifacts;
#[path = "drivers/child.rs"]
mod child;
#[path = "support/sum.rs"]
mod sum;

use std::sync::Arc;

use artifacts::{Made, Plan};
use child::Fake;
use tilewright_runtime::{
    Artifact, Device, DriverError, Drivers, Model, Options, RunError, TensorView, WeightChecks,
};

// The only test of this binary: others would read the environment meanwhile.
#[test]
fn a_lost_device_is_asked_nothing_any_more() {
    let made = Made::new(&Plan::text("cuda:sm_90a", "sm_90a"));
    let log = made.path.with_extension("log");
    // SAFETY: no other thread of this process reads the environment now.
    unsafe {
        std::env::set_var("FAKE_LOST_AT", "3");
        std::env::set_var("FAKE_LOG", &log);
    }
    let drivers = Drivers {
        cuda: Some(Fake::Cuda.library()),
        ..Drivers::default()
    };
    let artifact = Artifact::open(&made.path, WeightChecks::BeforeUse).unwrap();
    let model = Model::load_on(Arc::new(artifact), &Device::Cuda(0), &drivers).unwrap();
    let mut executor = model.executor(0, &Options::default()).unwrap();
    let x = vec![0; 4 * sum::LEN as usize];
    let view = TensorView {
        dtype: ir::DType::F32,
        shape: &[sum::LEN as usize],
        bytes: &x,
    };
    executor.set_input("x", view).unwrap();
    executor.run().unwrap();
    let first = executor.run().unwrap_err();
    let RunError::Driver(ref error) = first else {
        panic!("{first}");
    };
    assert!(matches!(**error, DriverError::Lost { .. }), "{first}");
    let calls = || std::fs::read_to_string(&log).unwrap().lines().count();
    let before = calls();
    // The same words, whoever asks.
    assert_eq!(executor.run().unwrap_err(), first);
    assert_eq!(executor.run_step(0).unwrap_err(), first);
    let other = model.executor(0, &Options::default()).map(|_| ());
    assert_eq!(other.unwrap_err().to_string(), first.to_string());
    assert_eq!(calls(), before);
}
