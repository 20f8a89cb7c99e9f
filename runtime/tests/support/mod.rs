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

use ir::{
    BinaryFn, Bytes, DType, F64, Flops,
    ops::Absent,
    tile::{self, Access, Array, Counter, Index, Memory, Shape, Stmt, Value, Var},
};
use tilewright_runtime::{
    ARCH, Writer,
    manifest::{
        BufferRef, Code, Elf, Input, Kernel, KernelId, Manifest, Output, Param, Program,
        SectionKind, Step, TargetCode, TextRef,
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
void embed_wrongly(char **args, int64_t first, int64_t last, char *scratch) {
    embed(args, first, last, scratch);
    float *y = (float *)args[3];
    for (int64_t i = first; i < last; i++) y[i * 16 + 3] *= 1.001f;
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

/// The tile programs of the two kernels for this many rows.
pub fn tiles(rows: u64) -> [tile::Program; 2] {
    let array = |name: &str, dtype, len: u64, written| Array {
        name: name.into(),
        dtype,
        len: len as i64,
        written,
    };
    let program = |name: &str, params, body| tile::Program {
        name: name.into(),
        params,
        locals: Vec::new(),
        grid: vec![rows as i64],
        body,
    };
    let row = || Index::from(Counter(0));
    let lanes = Shape::new(1, WIDTH as u32);
    let access = |param, at| Access {
        memory: Memory::Param(param),
        at,
        guard: Vec::new(),
    };
    let load = |var, param, at, shape| {
        let from = access(param, at);
        Stmt::Let(
            Var(var),
            Value::Load {
                from,
                shape,
                other: F64::from(0.0),
            },
        )
    };
    let across = |row: Index| row * 16 + Index::Lane;
    let f = DType::F32;
    let embed = vec![
        load(
            0,
            0,
            across(Index::Load(Memory::Param(2), row().into())),
            lanes,
        ),
        load(1, 1, Index::Lane, lanes),
        Stmt::Let(Var(2), Value::Binary(BinaryFn::Mul, Var(0), Var(1))),
        Stmt::Store {
            to: access(3, across(row())),
            value: Var(2),
        },
    ];
    let add_mask = vec![
        load(0, 0, across(row()), lanes),
        load(1, 1, row(), Shape::ONE),
        Stmt::Let(Var(2), Value::Cast(f, Var(1))),
        Stmt::Let(Var(3), Value::Binary(BinaryFn::Add, Var(0), Var(2))),
        Stmt::Store {
            to: access(2, across(row())),
            value: Var(3),
        },
    ];
    let embed_params = vec![
        array("table", f, VOCABULARY * WIDTH, false),
        array("scale", f, WIDTH, false),
        array("ids", DType::I64, rows, false),
        array("y", f, rows * WIDTH, true),
    ];
    let mask_params = vec![
        array("y", f, rows * WIDTH, false),
        array("mask", DType::I32, rows, false),
        array("z", f, rows * WIDTH, true),
    ];
    [
        program("embed", embed_params, embed),
        program("add_mask", mask_params, add_mask),
    ]
}

/// The two kernels for this many rows.
pub fn kernels(rows: u64, tiles: [TextRef; 2]) -> [Kernel; 2] {
    let param = |dtype, len, written| Param {
        dtype,
        len,
        written,
    };
    let kernel = |symbol: &str, tile, scratch, params| Kernel {
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
        tile: Some(tile),
        launch: None,
    };
    let f = DType::F32;
    [
        kernel(
            "embed",
            tiles[0],
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
            tiles[1],
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
    sections_with(writer, object, rows, 0)
}

/// As [`sections`], with more weights that no kernel reads.
pub fn sections_with(writer: &mut Writer, object: &[u8], rows: &[u64], more: usize) -> Manifest {
    let fill = |out: &mut dyn Write| {
        for i in 0..VOCABULARY {
            for j in 0..WIDTH {
                out.write_all(&table(i, j).to_le_bytes())?;
            }
        }
        (0..WIDTH).try_for_each(|j| out.write_all(&scale(j).to_le_bytes()))?;
        out.write_all(&vec![1; more])
    };
    let mut json = String::new();
    let mut texts = Vec::new();
    for program in rows.iter().flat_map(|n| tiles(*n)) {
        let one = serde_json::to_string(&program).unwrap();
        texts.push((json.len() as u64, one.len() as u64));
        json += &one;
    }
    let text = writer
        .section("tile programs", SectionKind::Text, |out| {
            out.write_all(json.as_bytes())
        })
        .unwrap();
    let code = writer
        .section("cpu", SectionKind::Code, |out| out.write_all(object))
        .unwrap();
    let weights = writer
        .section("weights", SectionKind::Weights, fill)
        .unwrap();
    let tile = |i: usize| TextRef {
        section: text,
        offset: texts[i].0,
        len: texts[i].1,
    };
    let each = rows.iter().enumerate();
    let kernels = each
        .flat_map(|(i, n)| kernels(*n, [tile(2 * i), tile(2 * i + 1)]))
        .collect();
    let programs = (0..)
        .zip(rows)
        .map(|(i, n)| program(*n, [2 * i, 2 * i + 1], weights))
        .collect();
    Manifest {
        generate: None,
        ranges: None,
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
            toolchain: "cc".into(),
            accepted_by: None,
            code: Code::Elf(Elf {
                section: code,
                arch: ARCH.into(),
                requires: Vec::new(),
                vector: Bytes(16),
            }),
            kernels,
            programs,
        }],
    }
}

/// The machine code of the first target.
pub fn elf(manifest: &mut Manifest) -> &mut Elf {
    match &mut manifest.targets[0].code {
        Code::Elf(elf) => elf,
        _ => panic!("machine code of processors is written"),
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
