//! Kernels of every family, as they leave for devices that OpenCL reaches: run under oclgrind, as SPIR-V, as HIP.

#[path = "../../passes/tests/lanes/mod.rs"]
#[allow(dead_code, reason = "passes uses the rest")]
mod lanes;
#[path = "../../passes/tests/lanes/schedules.rs"]
mod schedules;

mod case;
mod hip;
mod oclgrind;
mod spirv;
