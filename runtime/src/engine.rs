//! What a kind of device has to offer: code made ready, and memory and launches of one program.

use std::{any::Any, sync::Arc, time::Duration};

use crate::{
    Artifact, DeviceError, Options, RunError,
    manifest::{Program, TargetCode},
};

/// The memory of an engine's states, which engines of other programs on the same device can use too.
pub(crate) type States = Arc<dyn Any + Send + Sync>;

/// Code of one target, ready to run on one device.
pub(crate) trait Loaded: Send + Sync {
    /// The device and its driver, in words; empty for this processor.
    fn describe(&self) -> String;

    /// Allocates all that runs of a program need; its states are `states`, which another engine of this code made, or
    /// new ones.
    fn engine(
        &self,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Box<dyn Engine>, DeviceError>;
}

/// Runs the steps of one program, in its own memory.
pub(crate) trait Engine: Send + Sync {
    /// The memory of an input that is no state, to be written; runs see what it holds.
    fn input(&mut self, position: usize) -> &mut [u8];

    /// What the last run left in an output.
    fn output(&self, position: usize) -> &[u8];

    /// The states. While several engines use them, one at a time runs.
    fn states(&self) -> States;

    /// Makes all states zeros.
    fn reset_states(&mut self) -> Result<(), RunError>;

    /// Fills the outputs with [`POISON`](crate::executor::POISON), on the device too.
    fn poison(&mut self) -> Result<(), RunError>;

    /// Runs all steps. Allocates nothing.
    fn run(&mut self) -> Result<(), RunError>;

    /// Runs one step, whatever came before.
    fn run_step(&mut self, step: usize) -> Result<(), RunError>;

    /// Times of so many runs by the device's own clock, on the inputs as they are, each after its caches were emptied;
    /// `None` where there is no such clock.
    fn time(&mut self, _runs: u32) -> Option<Result<Vec<Duration>, RunError>> {
        None
    }

    /// What the memory of an argument of a step holds now.
    fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError>;

    /// For each step: how often it was run, and how long that took if times are kept.
    fn counts(&self) -> Vec<(u64, Duration)>;

    /// Threads of this process that take part.
    fn threads(&self) -> usize;

    /// Bytes of memory beside the weights.
    fn reserved_bytes(&self) -> usize;
}
