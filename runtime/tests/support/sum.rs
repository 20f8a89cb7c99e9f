//! A model of one kernel, `z = x + w` twice over, for devices of many lanes.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use ir::{Bytes, DType, Flops, ops::Absent};
use tilewright_runtime::{
    Writer,
    manifest::{
        BufferRef, Code, Input, Kernel, KernelId, Language, Launch, Manifest, Output, Param,
        Program, SectionKind, Source, Step, TargetCode, TextRef,
    },
};

pub const LANE: &str = "lane add grid [3] warps 1 lanes 32 {
  param %w : f32[80]
  param %x : f32[80]
  param %z : f32[80] written
  %0 = load %w[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %1 = load %x[#0 * 32 + lane] where (#0 * 32 + lane < 80) : 1
  %2 = add %0, %1
  store %z[#0 * 32 + lane] where (#0 * 32 + lane < 80) = %2
}";

pub const TEXT: &str = "__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void add(__global const uchar *bw, ulong ow, __global const uchar *bx, ulong ox, __global uchar *bz, ulong oz) {
    int i = get_global_id(0);
    __global const float *w = (__global const float *)(bw + ow), *x = (__global const float *)(bx + ox);
    if (i < 80) ((__global float *)(bz + oz))[i] = w[i] + x[i];
}";

pub const LEN: u64 = 80;

/// The sections and the manifest: the sum goes through the arena, by two launches.
pub fn written(text: &str) -> (Writer, Manifest) {
    written_to(Writer::in_memory().unwrap(), text)
}

/// As [`written`], with a writer to some place.
pub fn written_to(mut writer: Writer, text: &str) -> (Writer, Manifest) {
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
        generate: None,
        ranges: None,
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
