//! Devices other than the processor: a model of one kernel, `z = x + w`, on OpenCL and in the emulator.

use std::{collections::BTreeMap, process::Command, sync::Arc};

use ir::{Bytes, DType, Flops, ops::Absent};
use tilewright_runtime::{
    Artifact, Device, DeviceError, Drivers, Model, OpenClError, Options, Problem, TensorView,
    WriteProblem, Writer,
    manifest::{
        BufferRef, Code, Input, Kernel, KernelId, Language, Launch, Manifest, Output, Param,
        Program, SectionId, SectionKind, Source, Step, TargetCode, TextRef,
    },
};

const LANE: &str = "lane add grid [3] warps 1 lanes 32 {
  param %w : f32[80]
  param %x : f32[80]
  param %z : f32[80] written
  %0 = load %w[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %1 = load %x[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %2 = add %0, %1
  store %z[#0 * 32 + lane] where (#0 * 32 + lane < 80) = %2
}";

const TEXT: &str = "__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void add(__global const uchar *bw, ulong ow, __global const uchar *bx, ulong ox, __global uchar *bz, ulong oz) {
    int i = get_global_id(0);
    __global const float *w = (__global const float *)(bw + ow), *x = (__global const float *)(bx + ox);
    if (i < 80) ((__global float *)(bz + oz))[i] = w[i] + x[i];
}";

const LEN: u64 = 80;

/// The sections and the manifest: the sum goes through the arena, by two launches.
fn written(text: &str) -> (Writer, Manifest) {
    let mut writer = Writer::in_memory().unwrap();
    let mut section = |name: &str, kind, bytes: &[u8]| {
        writer.section(name, kind, |w| w.write_all(bytes)).unwrap()
    };
    let weights: Vec<u8> = (1..=LEN).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let weights = section("w", SectionKind::Weights, &weights);
    let lane = ir::lane::parse(LANE).unwrap();
    let lane = serde_json::to_vec(&lane).unwrap();
    let whole = |section, len: usize| TextRef {
        section,
        offset: 0,
        len: len as u64,
    };
    let launch = Launch {
        source: Some(whole(
            section("text", SectionKind::Text, text.as_bytes()),
            text.len(),
        )),
        image: None,
        variants: vec!["-DTW_NO_SUCH_THING=1".into(), String::new()],
        threads: 32,
        shared: Bytes(0),
        shared_asked: Bytes(0),
        takes: None,
        lane: Some(whole(
            section("lane program", SectionKind::Text, &lane),
            lane.len(),
        )),
    };
    let param = |written| Param {
        dtype: DType::F32,
        len: LEN,
        written,
    };
    let kernel = Kernel {
        symbol: "add".into(),
        name: "add".into(),
        family: "map".into(),
        blocks: 3,
        scratch: Bytes(0),
        params: vec![param(false), param(false), param(true)],
        rules: vec![],
        flops: Flops(LEN),
        bytes: Bytes(3 * 4 * LEN),
        meaning: String::new(),
        tile: None,
        launch: Some(launch),
    };
    let w = BufferRef::Weight {
        section: weights,
        offset: 0,
        len: 4 * LEN,
    };
    // Not at the arena's start, so that offsets count.
    let y = BufferRef::Arena {
        offset: 64,
        len: 4 * LEN,
    };
    let step = |args: [BufferRef; 3]| Step {
        kernel: KernelId(0),
        args: args.to_vec(),
    };
    let manifest = Manifest {
        model: "sum".into(),
        producer: "test".into(),
        inputs: vec![Input {
            name: "x".into(),
            dtype: DType::F32,
            absent: Absent::Required,
            below: 0,
        }],
        outputs: vec![Output {
            name: "z".into(),
            dtype: DType::F32,
        }],
        targets: vec![TargetCode {
            target: "opencl".into(),
            toolchain: "hand".into(),
            accepted_by: None,
            code: Code::Source(Source {
                language: Language::OpenclC,
                arch: String::new(),
                lanes: 32,
            }),
            kernels: vec![kernel],
            programs: vec![Program {
                sizes: BTreeMap::new(),
                input_shapes: vec![vec![LEN]],
                output_shapes: vec![vec![LEN]],
                arena: Bytes(64 + 4 * LEN),
                steps: vec![
                    step([w, BufferRef::Input(0), y]),
                    step([w, y, BufferRef::Output(0)]),
                ],
            }],
        }],
    };
    (writer, manifest)
}

fn artifact(text: &str, change: impl FnOnce(&mut Manifest)) -> Arc<Artifact> {
    let (writer, mut manifest) = written(text);
    change(&mut manifest);
    Arc::new(writer.open(manifest).unwrap())
}

fn drivers() -> Drivers {
    Drivers {
        opencl: std::env::var_os("TILEWRIGHT_OPENCL").map(Into::into),
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
    let cases: [(Change, &str); 8] = [
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
