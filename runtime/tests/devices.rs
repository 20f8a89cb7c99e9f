//! Devices other than the processor: a model of one kernel, `z = x + w`, on OpenCL and in the emulator.

#[path = "support/sum.rs"]
mod sum;

use std::{process::Command, sync::Arc};

use ir::{Bytes, DType};
use sum::{LEN, TEXT, written};
use tilewright_runtime::{
    Artifact, Device, DeviceError, Drivers, Model, OpenClError, Options, Problem, TensorView,
    WriteProblem, Writer,
    manifest::{Launch, Manifest, SectionId},
};

fn artifact(text: &str, change: impl FnOnce(&mut Manifest)) -> Arc<Artifact> {
    let (writer, mut manifest) = written(text);
    change(&mut manifest);
    Arc::new(writer.open(manifest).unwrap())
}

fn drivers() -> Drivers {
    Drivers {
        opencl: std::env::var_os("TILEWRIGHT_OPENCL").map(Into::into),
        ..Drivers::default()
    }
}

/// None, and a word about it, where there is no OpenCL device.
fn on_opencl(artifact: Arc<Artifact>) -> Option<Result<Model, DeviceError>> {
    match Model::load_on(artifact, &Device::OpenCl(0), &drivers()) {
        Err(DeviceError::OpenCl(
            e @ (OpenClError::NoLibrary { .. } | OpenClError::NoDevice { .. }),
        )) => {
            println!("skipped: {e}");
            None
        }
        other => Some(other),
    }
}

fn check(model: &Model) {
    let options = Options {
        threads: None,
        profile: true,
    };
    let mut executor = model.executor(0, &options).unwrap();
    for scale in [1.0_f32, -3.0] {
        let x: Vec<f32> = (1..=LEN).map(|i| scale * i as f32).collect();
        let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
        let view = TensorView {
            dtype: DType::F32,
            shape: &[LEN as usize],
            bytes: &bytes,
        };
        executor.set_input("x", view).unwrap();
        executor.run().unwrap();
        let wanted: Vec<u8> = (1..=LEN)
            .flat_map(|i| ((2.0 + scale) * i as f32).to_le_bytes())
            .collect();
        assert_eq!(executor.output("z").unwrap().bytes, wanted);
    }
    let dispatches: Vec<_> = executor.stats().iter().map(|s| s.dispatches).collect();
    assert_eq!(dispatches, [2, 2]);
    // Single steps, as `verify` runs them.
    executor.run_step(0).unwrap();
    let y = executor.argument(0, 2).unwrap();
    assert_eq!(y[..4], (1.0 - 3.0_f32).to_le_bytes());
    assert_eq!(executor.argument(1, 1).unwrap(), y);
}

#[test]
fn a_model_runs_on_opencl() {
    let Some(model) = on_opencl(artifact(TEXT, |_| ())) else {
        return;
    };
    let model = model.unwrap();
    assert!(
        model.device_words().starts_with("opencl:0 ("),
        "{}",
        model.device_words()
    );
    check(&model);
}

#[test]
fn a_model_runs_in_the_emulator() {
    let device = Device::Emulator("opencl".into());
    let model = Model::load_on(artifact(TEXT, |_| ()), &device, &drivers()).unwrap();
    check(&model);
}

#[test]
fn the_driver_s_refusal_is_shown() {
    let Some(model) = on_opencl(artifact(&TEXT.replace("+ x[i]", "+ nonsense"), |_| ())) else {
        return;
    };
    let message = model.map(|_| ()).unwrap_err().to_string();
    for wanted in ["kernel add", "nonsense", "opencl:0"] {
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn what_a_device_lacks_is_named() {
    let large = |m: &mut Manifest| m.targets[0].programs[0].arena = Bytes(1 << 55);
    let Some(model) = on_opencl(artifact(TEXT, large)) else {
        return;
    };
    let message = model.unwrap().executor(0, &Options::default());
    let message = message.map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("the device has"), "{message}");

    let shared = |m: &mut Manifest| {
        m.targets[0].kernels[0].launch.as_mut().unwrap().shared = Bytes(1 << 31);
    };
    let Some(model) = on_opencl(artifact(TEXT, shared)) else {
        return;
    };
    let message = model.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("2147483648 bytes of shared memory"),
        "{message}"
    );

    let model = Model::load_on(artifact(TEXT, |_| ()), &Device::OpenCl(99), &drivers());
    let message = model.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("no such device; there are opencl:0"),
        "{message}"
    );
}

#[test]
fn code_for_other_devices_is_named() {
    for (device, wanted) in [
        (Device::Cpu, "opencl is no machine code"),
        (
            Device::Emulator("opencl:gfx936".into()),
            "opencl is another target",
        ),
    ] {
        let model = Model::load_on(artifact(TEXT, |_| ()), &device, &drivers());
        let message = model.map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
        assert!(
            message.contains("help: compile with one more target"),
            "{message}"
        );
    }
}

#[test]
fn launches_that_contradict_the_file_are_refused() {
    type Change = fn(&mut Launch);
    let cases: [(Change, &str); 9] = [
        (|l| l.threads = 0, "launch: wanted 1 to 4096 lanes, found 0"),
        (
            |l| l.threads = 5000,
            "launch: wanted 1 to 4096 lanes, found 5000",
        ),
        (|l| l.shared = Bytes(1 << 40), "launch: wanted at most"),
        (
            |l| l.source.as_mut().unwrap().len += 1,
            "launch: wanted text within",
        ),
        (|l| l.source = None, "launch: wanted a text, found none"),
        (
            |l| l.shared_asked = Bytes(1),
            "launch: wanted at most 0 bytes asked for",
        ),
        (
            |l| l.lane.as_mut().unwrap().section = SectionId(0),
            "wanted a section of text, found `w` of weights",
        ),
        (
            |l| l.lane = None,
            "launch: wanted a lane program, found none",
        ),
        (|l| l.variants[0].push('\0'), "wanted options without NUL"),
    ];
    for (change, wanted) in cases {
        let (writer, mut manifest) = written(TEXT);
        change(manifest.targets[0].kernels[0].launch.as_mut().unwrap());
        refused(writer, manifest, wanted);
    }
    let (writer, mut manifest) = written(TEXT);
    manifest.targets[0].kernels[0].launch = None;
    refused(
        writer,
        manifest,
        "targets[0].kernels[0]: wanted a launch, found no launch",
    );
}

fn refused(writer: Writer, manifest: Manifest, wanted: &str) {
    let error = writer.finish(manifest).unwrap_err();
    let WriteProblem::Manifest(problem @ Problem::Manifest { .. }) = &error.problem else {
        panic!("{error}");
    };
    let message = problem.to_string();
    assert!(message.contains(wanted), "{message}");
}

/// Programs start without OpenCL, and say what was tried.
#[test]
fn a_missing_library_is_no_end() {
    let call = |device: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright-run"));
        command.env("TILEWRIGHT_OPENCL", "/nowhere/libOpenCL.so.1");
        command.env("LD_LIBRARY_PATH", "/nowhere").args(device);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, devices, _) = call(&["devices"]);
    assert_eq!(code, Some(0));
    assert!(devices.starts_with("cpu "), "{devices}");
    if !devices.contains("no library") {
        println!("skipped: this machine has an OpenCL library of its own");
        return;
    }
    for wanted in [
        "/nowhere/libOpenCL.so.1",
        "libOpenCL.so.1: ",
        "help: install a driver",
    ] {
        assert!(devices.contains(wanted), "{devices}");
    }
}
