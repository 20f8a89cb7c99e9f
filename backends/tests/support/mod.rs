//! Compiles programs, loads them into this process and runs them.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(unsafe_code, reason = "tests call the code that was made")]

use std::io::Write;

use backends::cpu::{Object, Workers, compile};
use ir::{
    DType,
    tile::{Access, Array, Carried, Counter, For, Index, Memory, Program, Shape, Stmt, Value, Var},
};

/// The contents of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Data(pub Vec<u8>);

macro_rules! numbers {
    ($($name:ident: $ty:ty),*) => {$(
        impl From<Vec<$ty>> for Data {
            fn from(numbers: Vec<$ty>) -> Self {
                Self(numbers.iter().flat_map(|n| n.to_ne_bytes()).collect())
            }
        }

        impl Data {
            pub fn $name(&self) -> Vec<$ty> {
                let parts = self.0.chunks_exact(size_of::<$ty>());
                parts.map(|b| <$ty>::from_ne_bytes(b.try_into().unwrap())).collect()
            }
        }
    )*};
}

numbers!(f32: f32, i32: i32, i64: i64, i8: i8, u8: u8, u16: u16);

pub fn array(name: &str, dtype: DType, len: i64, written: bool) -> Array {
    Array {
        name: name.into(),
        dtype,
        len,
        written,
    }
}

pub fn access(memory: Memory, at: Index) -> Access {
    Access {
        memory,
        at,
        guard: vec![],
    }
}

// Blocks of 64 bytes lie at multiples of their alignment only if it is asked for.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

/// A loaded object.
pub struct Code {
    library: libloading::Library,
}

type Function = unsafe extern "C" fn(*const *mut u8, i64, i64, *mut u8);

impl Code {
    pub fn load(object: &Object) -> Self {
        let path = std::env::temp_dir().join(format!("tilewright-test-{}", std::process::id()));
        let path = path.with_extension(format!("{:?}.so", std::thread::current().id()));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&object.elf).unwrap();
        // SAFETY: the object has no initialisers.
        let library = unsafe { libloading::Library::new(&path) }.unwrap();
        std::fs::remove_file(&path).unwrap();
        Self { library }
    }

    /// Runs all blocks of a program on buffers for its parameters.
    pub fn call(&self, program: &Program, buffers: &mut [Buffer]) {
        assert_eq!(buffers.len(), program.params.len());
        let mut scratch = Buffer::new(program.scratch_bytes());
        let pointers: Vec<*mut u8> = buffers.iter_mut().map(Buffer::pointer).collect();
        // SAFETY: every buffer has the bytes that the program's array has, at multiples of 64.
        unsafe {
            let function: libloading::Symbol<Function> =
                self.library.get(program.name.as_bytes()).unwrap();
            function(pointers.as_ptr(), 0, program.blocks(), scratch.pointer());
        }
    }
}

/// Bytes at a multiple of 64.
#[derive(Clone)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Self {
        // A pattern that shows what was not written.
        Self {
            lines: vec![Line([0xA5; 64]); len.div_ceil(64) + 1],
            len,
        }
    }

    pub fn of(data: &Data) -> Self {
        let mut buffer = Self::new(data.0.len());
        for (i, byte) in data.0.iter().enumerate() {
            buffer.lines[i / 64].0[i % 64] = *byte;
        }
        buffer
    }

    pub fn pointer(&mut self) -> *mut u8 {
        self.lines.as_mut_ptr().cast()
    }

    pub fn data(&self) -> Data {
        let bytes = self.lines.iter().flat_map(|line| line.0);
        Data(bytes.take(self.len).collect())
    }
}

/// Whether this machine can run code for a target; says so if not.
pub fn can_run(target: &ir::Target) -> bool {
    let simd = target.simd().expect("a CPU");
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags: Vec<&str> = cpuinfo
        .lines()
        .find(|l| l.starts_with("flags"))
        .unwrap()
        .split(' ')
        .collect();
    let missing = simd.requires.iter().find(|r| !flags.contains(&r.as_str()));
    if let Some(missing) = missing {
        println!(
            "skipped: {} needs {missing}, which this machine lacks",
            target.name
        );
    }
    missing.is_none()
}

/// Compiles and runs a program; `inputs` are the parameters that are only read. Gives the written ones; none
/// where this machine cannot run the code.
pub fn run(program: &Program, target: &str, inputs: &[Data]) -> Option<Vec<Data>> {
    let target = backends::resolve(target).unwrap();
    if !can_run(&target) {
        return None;
    }
    let object = compile(std::slice::from_ref(program), &target, &Workers::InProcess).unwrap();
    let code = Code::load(&object);
    let mut inputs = inputs.iter();
    let mut buffers: Vec<Buffer> = program
        .params
        .iter()
        .map(|array| match array.written {
            true => Buffer::new(array.bytes()),
            false => Buffer::of(inputs.next().expect("an input for each array that is read")),
        })
        .collect();
    code.call(program, &mut buffers);
    let written = program
        .params
        .iter()
        .zip(&buffers)
        .filter(|(array, _)| array.written);
    Some(written.map(|(_, buffer)| buffer.data()).collect())
}

const LEFT: Memory = Memory::Param(0);
const RIGHT: Memory = Memory::Param(1);
const RESULT: Memory = Memory::Param(2);

/// `[rows, depth] x [depth, columns]`, the right one in panels of `tile.lanes` columns; a block is one tile.
pub fn contraction(
    name: &str,
    rows: i64,
    columns: i64,
    depth: i64,
    tile: Shape,
    unroll: u32,
) -> Program {
    let (m, n) = (i64::from(tile.rows), i64::from(tile.lanes));
    let (row, column) = (Index::from(Counter(1)) * m, Index::from(Counter(0)) * n);
    let k = || Index::from(Counter(2));
    let load = |memory, at, shape| Value::Load {
        from: access(memory, at),
        shape,
        other: 0.0.into(),
    };
    let left = (row.clone() + Index::Row) * depth + k();
    let right = column.clone() * depth + k() * n + Index::Lane;
    Program {
        name: name.into(),
        params: vec![
            array("left", DType::F32, rows * depth, false),
            array("right", DType::F32, columns * depth, false),
            array("result", DType::F32, rows * columns, true),
        ],
        locals: vec![],
        grid: vec![columns / n, rows / m],
        body: vec![
            Stmt::Let(Var(0), Value::Splat(0.0.into(), DType::F32, tile)),
            Stmt::For(For {
                counter: Counter(2),
                start: 0.into(),
                end: depth.into(),
                step: 1,
                unroll,
                carried: vec![Carried {
                    init: Var(0),
                    current: Var(1),
                    next: Var(4),
                    result: Var(5),
                }],
                body: vec![
                    Stmt::Let(Var(2), load(LEFT, left, Shape::new(tile.rows, 1))),
                    Stmt::Let(Var(3), load(RIGHT, right, Shape::new(1, tile.lanes))),
                    Stmt::Let(
                        Var(4),
                        Value::Dot {
                            a: Var(2),
                            b: Var(3),
                            acc: Var(1),
                        },
                    ),
                ],
            }),
            Stmt::Store {
                to: access(RESULT, (row + Index::Row) * columns + column + Index::Lane),
                value: Var(5),
            },
        ],
    }
}

/// Values as a device holds them.
pub fn encoded(dtype: DType, values: &[f64]) -> Data {
    match dtype {
        DType::F32 => values.iter().map(|x| *x as f32).collect::<Vec<_>>().into(),
        DType::F16 => values
            .iter()
            .map(|x| half::f16::from_f64(*x).to_bits())
            .collect::<Vec<_>>()
            .into(),
        DType::Bf16 => values
            .iter()
            .map(|x| half::bf16::from_f64(*x).to_bits())
            .collect::<Vec<_>>()
            .into(),
        DType::I8 => values.iter().map(|x| *x as i8).collect::<Vec<_>>().into(),
        DType::U8 | DType::Bool => values.iter().map(|x| *x as u8).collect::<Vec<_>>().into(),
        DType::I32 => values.iter().map(|x| *x as i32).collect::<Vec<_>>().into(),
        DType::I64 => values.iter().map(|x| *x as i64).collect::<Vec<_>>().into(),
    }
}

/// The values of what a device holds.
pub fn decoded(dtype: DType, data: &Data) -> Vec<f64> {
    match dtype {
        DType::F32 => data.f32().into_iter().map(f64::from).collect(),
        DType::F16 => data
            .u16()
            .into_iter()
            .map(|x| half::f16::from_bits(x).to_f64())
            .collect(),
        DType::Bf16 => data
            .u16()
            .into_iter()
            .map(|x| half::bf16::from_bits(x).to_f64())
            .collect(),
        DType::I8 => data.i8().into_iter().map(f64::from).collect(),
        DType::U8 | DType::Bool => data.u8().into_iter().map(f64::from).collect(),
        DType::I32 => data.i32().into_iter().map(f64::from).collect(),
        DType::I64 => data.i64().into_iter().map(|x| x as f64).collect(),
    }
}
