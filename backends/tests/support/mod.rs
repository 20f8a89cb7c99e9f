//! Compiles programs, loads them into this process and runs them.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(unsafe_code, reason = "tests call the code that was made")]

use std::io::Write;

use backends::cpu::{Object, Workers, compile};
use ir::{
    DType, Form,
    tile::{Access, Array, Index, Memory, Program},
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
    let Form::Simd(simd) = &target.form;
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
