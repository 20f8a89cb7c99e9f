//! A small model without a compiler: two kernels in C, written as an artifact.
//!
//! `y[i, j] = table[ids[i], j] * scale[j]`, then `z = y + mask`, over `rows` rows of 16 numbers.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use ir::{Bytes, DType, Flops, ops::Absent};
use tilewright_runtime::{
    ARCH, Writer,
    manifest::{
        BufferRef, Input, Kernel, KernelId, Manifest, Output, Param, Program, SectionKind, Step,
        TargetCode, TextRef,
    },
};

/// Rows of the table of embeddings.
pub const VOCABULARY: u64 = 50;
/// Columns.
pub const WIDTH: u64 = 16;

const SOURCE: &str = "
#include <stdint.h>
void embed(char **args, int64_t first, int64_t last, char *scratch) {
    const float *table = (const float *)args[0], *scale = (const float *)args[1];
    const int64_t *ids = (const int64_t *)args[2];
    float *y = (float *)args[3], *row = (float *)scratch;
    for (int64_t i = first; i < last; i++) {
        for (int j = 0; j < 16; j++) row[j] = table[ids[i] * 16 + j];
        for (int j = 0; j < 16; j++) y[i * 16 + j] = row[j] * scale[j];
    }
}
void add_mask(char **args, int64_t first, int64_t last, char *scratch) {
    const float *y = (const float *)args[0];
    const int32_t *mask = (const int32_t *)args[1];
    float *z = (float *)args[2];
    for (int64_t i = first; i < last; i++)
        for (int j = 0; j < 16; j++) z[i * 16 + j] = y[i * 16 + j] + mask[i];
}
";

/// The two kernels as a shared object, made by the C compiler.
pub fn shared_object(folder: &Path) -> Vec<u8> {
    let (source, object) = (folder.join("kernels.c"), folder.join("kernels.so"));
    std::fs::write(&source, SOURCE).unwrap();
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&object, &source])
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read(object).unwrap()
}

/// Element `(i, j)` of the table.
pub fn table(i: u64, j: u64) -> f32 {
    i as f32 + j as f32 / 32.0
}

/// Element `j` of the scale.
pub fn scale(j: u64) -> f32 {
    1.0 + j as f32
}

/// What `z` must be.
pub fn expected(ids: &[i64], mask: &[i32]) -> Vec<f32> {
    let row = |(id, m): (&i64, &i32)| {
        let (id, m) = (*id as u64, *m as f32);
        (0..WIDTH).map(move |j| table(id, j) * scale(j) + m)
    };
    ids.iter().zip(mask).flat_map(row).collect()
}

/// A program for this many rows; `weights` has the table and, at the next multiple of 64, the scale.
pub fn program(
    rows: u64,
    kernels: [u32; 2],
    weights: tilewright_runtime::manifest::SectionId,
) -> Program {
    let (row, table) = (WIDTH * 4, VOCABULARY * WIDTH * 4);
    let weight = |offset, len| BufferRef::Weight {
        section: weights,
        offset,
        len,
    };
    let y = BufferRef::Arena {
        offset: 0,
        len: rows * row,
    };
    Program {
        sizes: BTreeMap::from([("rows".to_string(), rows)]),
        input_shapes: vec![vec![1, rows], vec![rows]],
        output_shapes: vec![vec![rows, WIDTH]],
        arena: Bytes(rows * row),
        steps: vec![
            Step {
                kernel: KernelId(kernels[0]),
                args: vec![weight(0, table), weight(table, row), BufferRef::Input(0), y],
            },
            Step {
                kernel: KernelId(kernels[1]),
                args: vec![y, BufferRef::Input(1), BufferRef::Output(0)],
            },
        ],
    }
}

/// The two kernels for this many rows.
pub fn kernels(rows: u64, tile: Option<TextRef>) -> [Kernel; 2] {
    let param = |dtype, len, written| Param {
        dtype,
        len,
        written,
    };
    let kernel = |symbol: &str, scratch, params| Kernel {
        symbol: symbol.into(),
        name: format!("tiny.{symbol}"),
        family: "elementwise".into(),
        blocks: rows,
        scratch: Bytes(scratch),
        params,
        rules: vec!["gather-scale".into()],
        flops: Flops(rows * WIDTH),
        bytes: Bytes(2 * rows * WIDTH * 4),
        meaning: format!("{:064x}", symbol.len()),
        tile,
    };
    let f = DType::F32;
    [
        kernel(
            "embed",
            WIDTH * 4,
            vec![
                param(f, VOCABULARY * WIDTH, false),
                param(f, WIDTH, false),
                param(DType::I64, rows, false),
                param(f, rows * WIDTH, true),
            ],
        ),
        kernel(
            "add_mask",
            0,
            vec![
                param(f, rows * WIDTH, false),
                param(DType::I32, rows, false),
                param(f, rows * WIDTH, true),
            ],
        ),
    ]
}

/// Writes the sections with a writer; gives the manifest, for programs of these numbers of rows.
pub fn sections(writer: &mut Writer, object: &[u8], rows: &[u64]) -> Manifest {
    let fill = |out: &mut dyn Write| {
        for i in 0..VOCABULARY {
            for j in 0..WIDTH {
                out.write_all(&table(i, j).to_le_bytes())?;
            }
        }
        (0..WIDTH).try_for_each(|j| out.write_all(&scale(j).to_le_bytes()))
    };
    let text = writer
        .section("tile programs", SectionKind::Text, |out| {
            out.write_all(b"tile")
        })
        .unwrap();
    let code = writer
        .section("cpu", SectionKind::Code, |out| out.write_all(object))
        .unwrap();
    let weights = writer
        .section("weights", SectionKind::Weights, fill)
        .unwrap();
    let tile = TextRef {
        section: text,
        offset: 0,
        len: 4,
    };
    let kernels = rows.iter().flat_map(|n| kernels(*n, Some(tile))).collect();
    let programs = (0..)
        .zip(rows)
        .map(|(i, n)| program(*n, [2 * i, 2 * i + 1], weights))
        .collect();
    Manifest {
        model: "tiny".into(),
        producer: "tests".into(),
        inputs: vec![
            Input {
                name: "ids".into(),
                dtype: DType::I64,
                absent: Absent::Required,
                below: VOCABULARY as i64,
            },
            Input {
                name: "mask".into(),
                dtype: DType::I32,
                absent: Absent::Ones,
                below: 0,
            },
        ],
        outputs: vec![Output {
            name: "z".into(),
            dtype: DType::F32,
        }],
        targets: vec![TargetCode {
            target: "cpu:baseline".into(),
            arch: ARCH.into(),
            requires: Vec::new(),
            vector: Bytes(16),
            toolchain: "cc".into(),
            code,
            kernels,
            programs,
        }],
    }
}

/// Writes the model for these numbers of rows into a folder.
pub fn artifact(folder: &Path, rows: &[u64]) -> PathBuf {
    artifact_with(folder, rows, |_| {})
}

/// As [`artifact`], with a change to the manifest.
pub fn artifact_with(folder: &Path, rows: &[u64], change: impl FnOnce(&mut Manifest)) -> PathBuf {
    let path = folder.join("tiny.tw");
    let mut writer = Writer::create(&path).unwrap();
    let mut manifest = sections(&mut writer, &shared_object(folder), rows);
    change(&mut manifest);
    writer.finish(manifest).unwrap();
    path
}

/// Integers as they lie in memory.
pub fn i64s(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Numbers as they lie in memory.
pub fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect()
}
