//! Tests: blocks of one lane, compiled for this machine by the builder that serves devices, against the emulator.

use std::{collections::BTreeMap, io::Write};

use half::{bf16, f16};
use ir::{
    BinaryFn, Bytes, DType, Simt, UnaryDef, UnaryFn,
    lane::{
        Access, Emulation, Index, MatrixInstr, Memory, Program, Stmt, Value as Term, emulate, parse,
    },
    tile::{Array, Var},
};

use super::{
    Code,
    dialect::Dialect,
    emit::{
        self,
        held::{Held, Part},
    },
};
use crate::{
    cpu::targets::host_has,
    failure::Failure,
    link,
    mlir::{
        self, Machine, Output,
        text::{Elem, Text, Type, Value},
    },
};

const WORD: Type = Type::scalar(Elem::I32);

/// The number of the block, and what LLVM calls to round to bf16: to nearest, ties to even; a NaN stays one.
const MODULE: &str = "
llvm.mlir.global external @block(0 : i32) : i32
llvm.func @__truncsfbf2(%x: f32) -> bf16 {
  %one = arith.constant 1 : i32
  %sixteen = arith.constant 16 : i32
  %half = arith.constant 32767 : i32
  %quiet = arith.constant 4194304 : i32
  %bits = arith.bitcast %x : f32 to i32
  %upper = arith.shrui %bits, %sixteen : i32
  %odd = arith.andi %upper, %one : i32
  %bias = arith.addi %odd, %half : i32
  %sum = arith.addi %bits, %bias : i32
  %nan = arith.ori %bits, %quiet : i32
  %is_nan = arith.cmpf uno, %x, %x : f32
  %kept = arith.select %is_nan, %nan, %sum : i32
  %high = arith.shrui %kept, %sixteen : i32
  %short = arith.trunci %high : i32 to i16
  %result = arith.bitcast %short : i16 to bf16
  llvm.return %result : bf16
}
";

/// This machine as a device of one lane. The number of the block is a variable of the module.
struct Host;

impl Dialect for Host {
    fn toolchain(&self) -> &'static str {
        "a test"
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            triple: "x86_64-unknown-linux-gnu",
            processor: "x86-64-v3",
            features: "",
            passes: "default<O3>",
            output: Output::Object,
        }
    }

    fn module(&self) -> &'static str {
        MODULE
    }

    fn kernel(&self, _: u32) -> String {
        String::new()
    }

    fn stated_shared(&self) -> usize {
        usize::MAX
    }

    fn blocks(&self, _: u32) -> u64 {
        u64::MAX
    }

    fn wide_accumulators(&self) -> bool {
        false
    }

    fn word_register(&self) -> char {
        'r'
    }

    fn thread(&self, text: &mut Text) -> Value {
        text.int(WORD, 0)
    }

    fn block(&self, text: &mut Text) -> Value {
        let address = text.op(
            Type::scalar(Elem::Pointer),
            format_args!("llvm.mlir.addressof @block : !llvm.ptr"),
        );
        text.op(WORD, format_args!("llvm.load {address} : !llvm.ptr -> i32"))
    }

    fn uniform(&self, _: &mut Text, word: Value) -> Value {
        word
    }

    fn barrier(&self, _: &mut Text) {}

    fn shuffle(&self, _: &mut Text, word: Value, _: Value, _: u32) -> Value {
        word
    }

    fn matrix(&self, _: &mut Text, _: &MatrixInstr, _: [&Held; 3]) -> Option<Vec<Part>> {
        None
    }

    fn may_move(&self, _: &MatrixInstr) -> bool {
        true
    }

    fn part(&self, _: &mut Text) {}

    fn finish(&self, _: &Program, _: Vec<u8>) -> Result<Code, Failure> {
        unreachable!("tests link by themselves")
    }
}

fn device() -> Simt {
    Simt {
        arch: "host".into(),
        lanes: 1,
        threads: 1,
        shared: Bytes(1 << 20),
        registers: 255,
        units: 1,
        access: Bytes(16),
        shuffle: false,
        asynchronous: false,
        load_matrix: false,
        warpgroup: vec![],
        matrix: vec![],
    }
}

fn encoded(dtype: DType, x: f64) -> Vec<u8> {
    match dtype {
        DType::F32 => (x as f32).to_le_bytes().into(),
        DType::F16 => f16::from_f64(x).to_le_bytes().into(),
        DType::Bf16 => bf16::from_f64(x).to_le_bytes().into(),
        DType::I8 => (x as i8).to_le_bytes().into(),
        DType::U8 | DType::Bool => vec![x as u8],
        DType::I32 => (x as i32).to_le_bytes().into(),
        DType::I64 => (x as i64).to_le_bytes().into(),
    }
}

fn decoded(dtype: DType, bytes: &[u8]) -> f64 {
    match dtype {
        DType::F32 => f32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::F16 => f16::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::Bf16 => bf16::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::I8 => f64::from(bytes[0] as i8),
        DType::U8 | DType::Bool => bytes[0].into(),
        DType::I32 => i32::from_le_bytes(bytes.try_into().unwrap()).into(),
        DType::I64 => i64::from_le_bytes(bytes.try_into().unwrap()) as f64,
    }
}

/// The module with a function that takes all addresses in one list.
fn module(program: &Program) -> String {
    let text = emit::module(program, &device(), &Host).unwrap();
    let mut body = String::new();
    let names: Vec<String> = (0..program.params.len())
        .map(|i| format!("%p{i}"))
        .collect();
    for (i, name) in names.iter().enumerate() {
        body += &format!(
            "%s{i} = llvm.getelementptr %list[{i}] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr<1>\n\
             {name} = llvm.load %s{i} : !llvm.ptr -> !llvm.ptr<1>\n"
        );
    }
    let types = vec!["!llvm.ptr<1>"; names.len()].join(", ");
    let open = text.trim_end().strip_suffix('}').unwrap();
    format!(
        "{open}llvm.func @run(%list: !llvm.ptr) {{\n{body}llvm.call @{}({}) : ({types}) -> ()\nllvm.return\n}}\n}}\n",
        program.name,
        names.join(", ")
    )
}

/// Runs all blocks; gives the parameters afterwards.
#[allow(unsafe_code)]
fn run(program: &Program, params: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let object = mlir::code(&module(program), &Host.machine()).unwrap();
    let elf = link::link(&link::llvm_prefix(), &[object], &["--no-undefined"]).unwrap();
    let mut file = std::env::temp_dir();
    file.push(format!(
        "tilewright-host-{}-{}.so",
        std::process::id(),
        program.name
    ));
    std::fs::File::create(&file)
        .unwrap()
        .write_all(&elf)
        .unwrap();
    // Whole multiples of 64 bytes, so that blocks lie at such addresses.
    #[repr(align(64))]
    #[derive(Clone, Copy)]
    struct Line([u8; 64]);
    let mut buffers: Vec<Vec<Line>> = program
        .params
        .iter()
        .zip(params)
        .map(|(array, values)| {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|x| encoded(array.dtype, *x))
                .collect();
            let line = |chunk: &[u8]| {
                let mut line = Line([0; 64]);
                line.0[..chunk.len()].copy_from_slice(chunk);
                line
            };
            bytes.chunks(64).map(line).collect()
        })
        .collect();
    let pointers: Vec<*mut Line> = buffers.iter_mut().map(|b| b.as_mut_ptr()).collect();
    // SAFETY: each buffer has the bytes of its array at a multiple of 64; the library has no initialisers.
    unsafe {
        let library = libloading::Library::new(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let block: libloading::Symbol<*mut i32> = library.get(b"block").unwrap();
        let function: libloading::Symbol<unsafe extern "C" fn(*const *mut Line)> =
            library.get(b"run").unwrap();
        for i in 0..program.blocks() {
            **block = i as i32;
            function(pointers.as_ptr());
        }
    }
    let back = program.params.iter().zip(&buffers).map(|(array, lines)| {
        let bytes: Vec<u8> = lines.iter().flat_map(|l| l.0).collect();
        let size = array.dtype.size();
        let all = bytes.chunks(size).take(array.len as usize);
        all.map(|b| decoded(array.dtype, b)).collect()
    });
    back.collect()
}

/// What the compiled program gives and what the emulator gives must lie within so many units in the last place.
fn check(program: &Program, params: &[Vec<f64>], units: f64) {
    let missing = ["avx2", "bmi2", "f16c", "fma"]
        .iter()
        .find(|f| host_has(f) != Some(true));
    if let Some(missing) = missing {
        println!("skipped: this machine lacks {missing}");
        return;
    }
    let mut wanted = params.to_vec();
    emulate(program, &mut wanted, &Emulation::default()).unwrap();
    let got = run(program, params);
    for ((array, got), wanted) in program.params.iter().zip(got).zip(wanted) {
        let unit = match array.dtype {
            DType::F32 => f64::from(f32::EPSILON),
            DType::F16 => 2f64.powi(-10),
            DType::Bf16 => 2f64.powi(-7),
            _ => 0.0,
        };
        for (at, (got, wanted)) in got.into_iter().zip(wanted).enumerate() {
            let same = got == wanted || got.is_nan() && wanted.is_nan();
            assert!(
                same || (got - wanted).abs() <= units * unit * wanted.abs(),
                "{}: {}[{at}] is {got}, not {wanted}",
                program.name,
                array.name
            );
        }
    }
}

/// Each function of an element type on two pairs of numbers, each in an array of its own.
fn functions(dtype: DType, half: usize) -> (Program, Vec<Vec<f64>>) {
    let numbers: &[f64] = match dtype {
        DType::Bool => &[0.0, 1.0, 1.0, 0.0],
        DType::U8 => &[3.0, 200.0, 7.0, 1.0],
        _ if dtype.is_int() => &[3.0, -100.0, 7.0, -1.0],
        _ => &[0.75, -2.5, 3.0, f64::NAN],
    };
    let others: &[f64] = match dtype {
        DType::Bool => &[1.0, 1.0, 0.0, 0.0],
        DType::U8 => &[2.0, 9.0, 7.0, 250.0],
        _ if dtype.is_int() => &[-2.0, 9.0, 7.0, 50.0],
        _ => &[1.5, 2.0, -0.5, 1.0],
    };
    let [numbers, others] = [numbers, others].map(|n| &n[2 * half..2 * half + 2]);
    let width = 2;
    let mut params = vec![];
    let mut values = vec![];
    let mut body = vec![];
    let mut arrays = BTreeMap::new();
    let mut array = |dtype, value: Vec<f64>, written, params: &mut Vec<Array>| {
        let count = arrays.len() as u32;
        arrays.insert(count, ());
        params.push(Array {
            name: format!("p{count}"),
            dtype,
            len: value.len() as i64,
            written,
        });
        values.push(value);
        Access {
            memory: Memory::Param(count),
            at: Index::Const(0),
            guard: vec![],
        }
    };
    let [a, b] = [0, 1].map(Var);
    for (var, numbers) in [(a, numbers), (b, others)] {
        let from = array(dtype, numbers.to_vec(), false, &mut params);
        let other = 0.0.into();
        body.push(Stmt::Let(var, Term::Load { from, width, other }));
    }
    let mut terms = vec![];
    for f in UnaryFn::ALL {
        if f.domain().contains(dtype) && matches!(f.def(), UnaryDef::Primitive(_)) {
            terms.push((dtype, Term::Unary(*f, a)));
        }
    }
    for f in BinaryFn::ALL {
        if f.domain().contains(dtype) {
            let to = if f.is_predicate() { DType::Bool } else { dtype };
            terms.push((to, Term::Binary(*f, a, b)));
        }
    }
    terms.extend(DType::ALL.map(|to| (to, Term::Cast(to, b))));
    if dtype.is_float() {
        terms.push((dtype, Term::Fma(a, b, a)));
    }
    for (i, (dtype, term)) in (2..).zip(terms) {
        body.push(Stmt::Let(Var(i), term));
        let to = array(dtype, vec![0.0; width as usize], true, &mut params);
        body.push(Stmt::Store { to, value: Var(i) });
    }
    let program = Program {
        name: format!("functions_{dtype}"),
        params,
        shared: vec![],
        grid: vec![1],
        warps: 1,
        lanes: 1,
        matrix: vec![],
        maps: vec![],
        mbarriers: vec![],
        warpgroup: vec![],
        body,
    };
    (program, values)
}

#[test]
fn functions_and_conversions_are_those_of_the_emulator() {
    for dtype in DType::ALL {
        for half in 0..2 {
            let (program, params) = functions(dtype, half);
            check(&program, &params, 4.0);
        }
    }
}

#[test]
fn remainders_of_long_quotients_are_exact() {
    let text = "lane remainders grid [6] warps 1 lanes 1 {
      param %x : f32[6]
      param %y : f32[6]
      param %z : f32[6] written
      %0 = load %x[#0] : 1
      %1 = load %y[#0] : 1
      %2 = mod %0, %1
      store %z[#0] = %2
    }";
    let x = [1e30, -1e30, 16_777_217.0 * 8.0, 3e38, -1.0, 5.0].map(|x| f64::from(x as f32));
    let y = [7.0, 0.3, -3.0, 1e-40, f32::INFINITY, 1e-30].map(f64::from);
    check(
        &parse(text).unwrap(),
        &[x.into(), y.into(), vec![0.5; 6]],
        0.0,
    );
}

#[test]
fn gathers_guards_loops_and_shared_arrays() {
    let text = "lane gather grid [1, 3] warps 1 lanes 1 {
      param %ids : i32[6]
      param %table : f16[40]
      param %y : f16[24] written
      shared %s : f16[8]
      for #2 in 0 .. 2 unroll 2 {
        %0 = load %ids[#1 * 2 + #2] : 1
        for #3 in 0 .. 4 {
          %1 = load %table[%0 * 4 + #3] where (#3 < 3) else 7.0 : 1
          store %s[xor(#2 * 4 + #3, 1)] = %1
        }
      }
      barrier
      %2 = const 0.0 : f16x4
      %6 = for #4 in 0 .. 8 step 4 carry (%3 = %2) {
        %4 = load %s[#4] : 4
        %5 = add %3, %4
        store %y[#1 * 8 + #4] where (#1 * 8 + #4 < 20) = %5
        yield %5
      }
      %7 = pick %6 [3, 0, 0, 1]
      %8 = load %y[#1 * 8] : 4
      %9 = lt %7, %8
      %10 = select %9, %7, %8
      store %y[#1 * 8] where (0 < #1) = %10
    }";
    let ids = vec![3.0, 0.0, 9.0, 1.0, 1.0, 5.0];
    let table = (0..40).map(|i| f64::from(i) / 4.0 - 3.0).collect();
    check(&parse(text).unwrap(), &[ids, table, vec![0.5; 24]], 0.0);
}

#[test]
fn outer_products_of_a_lane() {
    let text = "lane outer grid [1] warps 1 lanes 1 {
      param %x : f32[28]
      param %w : f32[14]
      param %y : f32[8] written
      matrix \"fma\" : f32 to f32 outer {
        a [r1, r2] lanes []
        b [c1] lanes []
        c [c1, r1, r2] lanes []
      }
      %0 = const 1.0 : f32x8
      %4 = for #1 in 0 .. 7 unroll 3 carry (%1 = %0) {
        %2 = load %x[#1 * 4] : 4
        %3 = load %w[#1 * 2] : 2
        %5 = matrix \"fma\" %2, %3, %1
        yield %5
      }
      %6 = pick %4 [0, 1, 2, 3]
      store %y[0] = %6
      %7 = pick %4 [4, 5, 6, 7]
      store %y[4] = %7
    }";
    let x = (0..28).map(f64::from).collect();
    let w = (0..14).map(|i| f64::from(i % 5) - 2.0).collect();
    check(&parse(text).unwrap(), &[x, w, vec![0.0; 8]], 0.0);
}
