//! Candidates for one kernel, `y = x w`, in C: a right one for each layout of `w`, and others that go wrong.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use ir::{Bytes, DType, Flops, Graph, Layout, ops::Absent};
use tempfile::TempDir;
use tilewright_runtime::{
    ARCH, Writer,
    manifest::{
        BufferRef, Code, Elf, Input, Kernel, KernelId, Manifest, Output, Param, Program,
        SectionKind, Step, TargetCode,
    },
    measure::{Candidate, Job, Policy},
};

/// Rows of `x`, each a block.
pub const ROWS: i64 = 5;
/// Columns of `x`.
pub const DEPTH: i64 = 7;
/// Columns of `w`.
pub const COLUMNS: i64 = 20;
/// Columns of a panel.
pub const LANES: u32 = 8;
/// Copies of `w`.
pub const COPIES: u32 = 3;

/// `w` in panels.
pub const PANELS: Layout = Layout::Panels {
    rows: DEPTH,
    columns: COLUMNS,
    transposed: false,
    lanes: LANES,
};

const SOURCE: &str = "
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { ROWS = 5, DEPTH = 7, COLUMNS = 20, LANES = 8 };
typedef char **Args;
static float in_rows(const float *w, int k, int j) { return w[k * COLUMNS + j]; }
static float in_panels(const float *w, int k, int j) { return w[(j / LANES * DEPTH + k) * LANES + j % LANES]; }
static void multiply(Args args, int64_t first, int64_t last, float (*at)(const float *, int, int)) {
    const float *x = (const float *)args[0], *w = (const float *)args[1];
    float *y = (float *)args[2];
    for (int64_t i = first; i < last; i++)
        for (int j = 0; j < COLUMNS; j++) {
            float sum = 0;
            for (int k = 0; k < DEPTH; k++) sum += x[i * DEPTH + k] * at(w, k, j);
            y[i * COLUMNS + j] = sum;
        }
}
void rows(Args args, int64_t first, int64_t last, char *scratch) { multiply(args, first, last, in_rows); }
void panels(Args args, int64_t first, int64_t last, char *scratch) { multiply(args, first, last, in_panels); }
void slow(Args args, int64_t first, int64_t last, char *scratch) {
    for (int i = 0; i < 2000; i++) multiply(args, first, last, in_rows);
}
void drops_the_last_tile(Args args, int64_t first, int64_t last, char *scratch) {
    multiply(args, first, last < ROWS ? last : ROWS - 1, in_rows);
}
void adds_one(Args args, int64_t first, int64_t last, char *scratch) {
    multiply(args, first, last, in_rows);
    if (first <= 2 && 2 < last) ((float *)args[2])[2 * COLUMNS + 3] += 1;
}
void keeps_its_first_result(Args args, int64_t first, int64_t last, char *scratch) {
    static float kept[ROWS * COLUMNS];
    static int seen[ROWS];
    float *y = (float *)args[2];
    multiply(args, first, last, in_rows);
    for (int64_t i = first; i < last; i++) {
        if (!seen[i]++) memcpy(kept + i * COLUMNS, y + i * COLUMNS, 4 * COLUMNS);
        memcpy(y + i * COLUMNS, kept + i * COLUMNS, 4 * COLUMNS);
    }
}
void tires(Args args, int64_t first, int64_t last, char *scratch) {
    static int calls;
    multiply(args, first, last, in_rows);
    if (++calls > 100) ((float *)args[2])[first * COLUMNS] += 1;
}
void hangs(Args args, int64_t first, int64_t last, char *scratch) { for (;;) __asm__ volatile(\"\"); }
void writes_to_nowhere(Args args, int64_t first, int64_t last, char *scratch) { *(volatile int *)8 = 1; }
void eats_memory(Args args, int64_t first, int64_t last, char *scratch) {
    for (;;) {
        char *more = malloc(16 << 20);
        if (!more) {
            fprintf(stderr, \"no\\nmore  memory\\n\");
            abort();
        }
        memset(more, 1, 16 << 20);
    }
}
void prints(Args args, int64_t first, int64_t last, char *scratch) {
    printf(\"a driver talks\\n\");
    fflush(stdout);
    multiply(args, first, last, in_rows);
}
";

/// The kernels, compiled once for all tests of a process.
fn object() -> &'static [u8] {
    static OBJECT: OnceLock<Vec<u8>> = OnceLock::new();
    OBJECT.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (source, object) = (folder.path().join("k.c"), folder.path().join("k.so"));
        std::fs::write(&source, SOURCE).unwrap();
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
            .args([&object, &source])
            .status()
            .unwrap();
        assert!(status.success());
        std::fs::read(object).unwrap()
    })
}

/// What the kernel computes.
pub fn graph() -> Graph {
    let text = format!(
        r#"graph "product" {{
  %x = input {{name = "in0", ty = f32[{ROWS},{DEPTH}], absent = required, below = 0}} : f32[{ROWS},{DEPTH}]
  %w = input {{name = "in1", ty = f32[{DEPTH},{COLUMNS}], absent = required, below = 0}} : f32[{DEPTH},{COLUMNS}]
  %y = matmul(%x, %w) {{ta = false, tb = false}} : f32[{ROWS},{COLUMNS}]
  return out = %y
}}"#
    );
    ir::text::parse(&text).unwrap()
}

/// A candidate that runs a function of the source.
pub fn candidate(folder: &Path, symbol: &str, w: Layout) -> Candidate {
    candidate_with(folder, symbol, w, |_| ())
}

/// As [`candidate`], with a change to the manifest.
pub fn candidate_with(
    folder: &Path,
    symbol: &str,
    w: Layout,
    change: impl FnOnce(&mut Manifest),
) -> Candidate {
    let artifact = folder.join(format!("{symbol}.tw"));
    let mut writer = Writer::create(&artifact).unwrap();
    let code = writer.section("cpu", SectionKind::Code, |out| out.write_all(object()));
    let w_len = w.len(DEPTH * COLUMNS) as u64;
    let param = |len, written| Param {
        dtype: DType::F32,
        len,
        written,
    };
    let [x_shape, w_shape, y_shape] = [
        vec![ROWS as u64, DEPTH as u64],
        vec![w_len],
        vec![ROWS as u64, COLUMNS as u64],
    ];
    let kernel = Kernel {
        symbol: symbol.into(),
        name: "product".into(),
        family: "contract".into(),
        blocks: ROWS as u64,
        scratch: Bytes(0),
        params: vec![
            param((ROWS * DEPTH) as u64, false),
            param(w_len, false),
            param((ROWS * COLUMNS) as u64, true),
        ],
        rules: vec![],
        flops: Flops((2 * ROWS * DEPTH * COLUMNS) as u64),
        bytes: Bytes(4 * (ROWS * DEPTH + DEPTH * COLUMNS + ROWS * COLUMNS) as u64),
        meaning: format!("{:064x}", 1),
        tile: None,
        launch: None,
    };
    let names = (0..COPIES).map(|copy| format!("1.{copy}"));
    let names: Vec<String> = ["0.0".to_owned()].into_iter().chain(names).collect();
    let step = |copy| Step {
        kernel: KernelId(0),
        args: vec![
            BufferRef::Input(0),
            BufferRef::Input(1 + copy),
            BufferRef::Output(0),
        ],
    };
    let weights = std::iter::repeat_n(w_shape, COPIES as usize);
    let input = |name| Input {
        name,
        dtype: DType::F32,
        absent: Absent::Required,
        below: 0,
    };
    let mut manifest = Manifest {
        generate: None,
        ranges: None,
        model: symbol.into(),
        producer: "tests".into(),
        inputs: names.into_iter().map(input).collect(),
        outputs: vec![Output {
            name: "0".into(),
            dtype: DType::F32,
        }],
        targets: vec![TargetCode {
            target: "cpu:baseline".into(),
            toolchain: "cc".into(),
            accepted_by: None,
            code: Code::Elf(Elf {
                section: code.unwrap(),
                arch: ARCH.into(),
                requires: vec![],
                vector: Bytes(16),
            }),
            kernels: vec![kernel],
            programs: vec![Program {
                sizes: BTreeMap::new(),
                input_shapes: [x_shape].into_iter().chain(weights).collect(),
                output_shapes: vec![y_shape],
                arena: Bytes(0),
                steps: (0..COPIES).map(step).collect(),
            }],
        }],
    };
    change(&mut manifest);
    writer.finish(manifest).unwrap();
    Candidate {
        artifact,
        layouts: vec![Layout::Plain, w],
    }
}

/// A few pairs, whatever they say.
pub const FEW: Policy = Policy {
    least: 6,
    most: 8,
    seconds: 0.1,
};

/// A job that measures a function of the source beside the right one.
pub fn job(folder: &Path, symbol: &str) -> Job {
    Job {
        graph: graph(),
        candidate: candidate(folder, symbol, Layout::Plain),
        baseline: candidate(folder, "rows", Layout::Plain),
        seed: 7,
        device: "cpu".into(),
        threads: std::num::NonZeroUsize::new(2),
        policy: FEW,
    }
}

/// The program that measures.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_tilewright-run").into()
}
