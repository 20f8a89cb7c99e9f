//! What `verify` sees of a kernel, and what `inspect` shows of it: `z = x + w` in the emulator, by lane programs that are
//! right and by others.

use std::{collections::BTreeMap, num::NonZeroUsize, path::Path};

use ir::{Bound, Bytes, DType, DeviceModel, Flops, Source as Rates, ops::Absent};
use serde_json::{Value, json};
use tempfile::tempdir;
use tilewright_runtime::{
    Artifact, Device, WeightChecks, Writer,
    cli::{DeviceOptions, InspectOptions, Report, VerifyOptions, inspect, verify},
    manifest::{
        BufferRef, Code, Input, Kernel, KernelId, Language, Launch, Manifest, Output, Param,
        Program, SectionKind, Source, Step, TargetCode, TextRef,
    },
};

const LEN: u64 = 80;

const TILE: &str = "tile add grid [3] {
  param %w : f32[80]
  param %x : f32[80]
  param %z : f32[80] written
  %0 = load %w[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1x32
  %1 = load %x[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1x32
  %2 = add %0, %1
  store %z[#0 * 32 + lane] where (#0 * 32 + lane < 80) = %2
}";

const LANE: &str = "lane add grid [3] warps 1 lanes 32 {
  param %w : f32[80]
  param %x : f32[80]
  param %z : f32[80] written
  %0 = load %w[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %1 = load %x[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %2 = add %0, %1
  store %z[#0 * 32 + lane] where (#0 * 32 + lane < 80) = %2
}";

/// Writes an artifact of one kernel that this lane program says.
fn write(path: &Path, lane: &str) {
    write_as(path, lane, Language::OpenclC, None);
}

/// The same as a text in this language, taken by this assembler.
fn write_as(path: &Path, lane: &str, language: Language, accepted_by: Option<&str>) {
    let mut writer = Writer::create(path).unwrap();
    let mut text = |name: &str, bytes: Vec<u8>| {
        let len = bytes.len() as u64;
        let section = writer.section(name, SectionKind::Text, |w| w.write_all(&bytes));
        TextRef {
            section: section.unwrap(),
            offset: 0,
            len,
        }
    };
    let tile = serde_json::to_vec(&ir::tile::parse(TILE).unwrap()).unwrap();
    let lanes = serde_json::to_vec(&ir::lane::parse(lane).unwrap()).unwrap();
    let launch = Launch {
        source: Some(text("text", lane.into())),
        image: None,
        variants: vec![],
        threads: 32,
        shared: Bytes(0),
        shared_asked: Bytes(0),
        takes: None,
        lane: Some(text("lane program", lanes)),
    };
    let tile = text("tile program", tile);
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
        tile: Some(tile),
        launch: Some(launch),
    };
    let input = |name: &str| Input {
        name: name.into(),
        dtype: DType::F32,
        absent: Absent::Required,
        below: 0,
    };
    let manifest = Manifest {
        generate: None,
        ranges: None,
        model: "sum".into(),
        producer: "test".into(),
        inputs: vec![input("w"), input("x")],
        outputs: vec![Output {
            name: "z".into(),
            dtype: DType::F32,
        }],
        targets: vec![TargetCode {
            target: "opencl".into(),
            toolchain: "hand".into(),
            accepted_by: accepted_by.map(Into::into),
            code: Code::Source(Source {
                language,
                arch: String::new(),
                lanes: 32,
            }),
            kernels: vec![kernel],
            programs: vec![Program {
                sizes: BTreeMap::new(),
                input_shapes: vec![vec![LEN]; 2],
                output_shapes: vec![vec![LEN]],
                arena: Bytes(0),
                steps: vec![Step {
                    kernel: KernelId(0),
                    args: vec![
                        BufferRef::Input(0),
                        BufferRef::Input(1),
                        BufferRef::Output(0),
                    ],
                }],
            }],
        }],
    };
    writer.finish(manifest).unwrap();
}

fn open(path: &Path) -> Artifact {
    Artifact::open(path, WeightChecks::BeforeUse).unwrap()
}

fn verified(path: &Path, blocks: Option<usize>) -> Report {
    let options = VerifyOptions {
        no_record: false,
        blocks: blocks.and_then(NonZeroUsize::new),
        time: None,
        device: DeviceOptions {
            threads: None,
            device: Device::Emulator("opencl".into()),
            no_verify: false,
            no_graph: false,
        },
    };
    verify(open(path), &options, |_| ()).unwrap()
}

/// What `inspect` says of the kernel, to people and to programs.
fn inspected(path: &Path) -> (String, Value) {
    let report = inspect(&open(path), &InspectOptions::default(), &|_| vec![]);
    (report.text, report.json["targets"][0]["kernels"][0].clone())
}

/// `verify` of this lane program says these words, and leaves no evidence.
fn check_refused(lane: &str, words: &str) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.tw");
    write(&path, LANE);
    assert!(verified(&path, None).passed);
    write(&path, lane);
    let report = verified(&path, None);
    assert!(
        !report.passed && report.text.contains(words),
        "{}",
        report.text
    );
    assert_eq!(report.json["failed"], 1);
    assert_eq!(inspected(&path).1["evidence"], Value::Null);
}

#[test]
fn a_kernel_that_is_right_is_evidence_of_what_was_run() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.tw");
    write(&path, LANE);
    let (text, kernel) = inspected(&path);
    assert_eq!(kernel["level"], Value::Null);
    assert!(text.contains("1 kernels: 1 no evidence"), "{text}");
    assert!(
        text.contains("no evidence: text that no driver has compiled"),
        "{text}"
    );

    let identity = open(&path).identity();
    for (blocks, words) in [(None, "all 3 blocks"), (Some(2), "2 of 3 blocks")] {
        let report = verified(&path, blocks);
        assert!(report.passed, "{}", report.text);
        let (text, kernel) = inspected(&path);
        let wanted = format!("{words} in two orders, no race, no access out of bounds");
        assert!(text.contains(&wanted), "{text}");
        assert!(text.contains("E2 emulated by tilewright"), "{text}");
        assert_eq!(kernel["level"], "E2");
        assert_eq!(kernel["evidence"]["max_error"], 0.0);
        assert_eq!(kernel["records"].as_array().unwrap().len(), 1);
    }
    assert_eq!(open(&path).identity(), identity);
    assert_eq!(
        inspected(&path).1["evidence"]["blocks"],
        json!({ "run": 2, "of": 3 })
    );
}

#[test]
fn an_assembler_that_took_the_code_is_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.tw");
    write_as(&path, LANE, Language::Ptx, Some("ptxas 13.5.37"));
    let (text, kernel) = inspected(&path);
    assert!(
        text.contains("E1 built: accepted by ptxas 13.5.37"),
        "{text}"
    );
    assert_eq!(
        kernel["evidence"],
        json!({ "level": "E1", "tool": "ptxas 13.5.37" })
    );
    assert!(verified(&path, None).passed);
    let (_, kernel) = inspected(&path);
    assert_eq!(
        (&kernel["level"], &kernel["built"]["tool"]),
        (&json!("E2"), &json!("ptxas 13.5.37"))
    );
}

/// Where there was no assembler, nobody is said to have taken the code.
#[test]
fn a_text_alone_is_not_called_built() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.tw");
    write_as(&path, LANE, Language::Ptx, None);
    let (text, kernel) = inspected(&path);
    assert!(
        text.contains("no evidence: PTX that no assembler has taken"),
        "{text}"
    );
    assert!(!text.contains("E1") && kernel["level"].is_null(), "{text}");
}

#[test]
fn a_kernel_that_differs_loses_its_evidence() {
    check_refused(&LANE.replace("add %0, %1", "mul %0, %1"), "DIFFERS  add");
}

#[test]
fn a_block_that_writes_nothing_is_found() {
    let idle = LANE.replace(
        "where (#0 * 32 + lane < 80) = %2",
        "where (#0 * 32 + lane < 64) = %2",
    );
    check_refused(&idle, "error inf");
}

#[test]
fn an_access_outside_of_an_array_is_a_fault() {
    let overrun = LANE.replace(
        "load %x[#0 * 32 + lane] where (#0 * 32 + lane < 80)",
        "load %x[#0 * 32 + lane]",
    );
    check_refused(&overrun, "FAULT    add");
}

#[test]
fn a_race_is_a_fault() {
    let race = LANE.replace("store %z[#0 * 32 + lane]", "store %z[#0 * 32]");
    check_refused(&race, "FAULT    add");
}

#[test]
fn the_least_time_is_that_of_the_device_given() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.tw");
    write(&path, LANE);
    let devices = |target: &str| {
        vec![DeviceModel {
            name: "toy".into(),
            words: "Toy".into(),
            target: target.into(),
            functions: 1e6,
            products: vec![],
            bytes_per_second: 1e6,
            source: Rates::DataSheet("made up".into()),
        }]
    };
    let report = inspect(&open(&path), &InspectOptions::default(), &devices);
    // 960 bytes, 80 additions.
    assert!(
        report.text.contains("at least 960.00 us on Toy (memory)"),
        "{}",
        report.text
    );
    let floor = &report.json["targets"][0]["kernels"][0]["floors"][0];
    assert_eq!(
        (&floor["device"], &floor["bound"]),
        (&json!("toy"), &json!(Bound::Memory))
    );
    assert_eq!(
        report.json["targets"][0]["programs"][0]["floors_s"],
        json!([960e-6])
    );
}
