//! Stock MLIR tools that read kernels for Ascend: verifies them, and runs them on this CPU.
#![allow(unsafe_code, reason = "the code that was made is called")]
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod emulated;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use backends::ascend::Dialect;
use ir::{DType, tile::Program};

/// From tensors to LLVM's dialect.
const PIPELINE: &[&str] = &[
    "--convert-elementwise-to-linalg",
    "--one-shot-bufferize=allow-return-allocs-from-loops=1",
    "--expand-strided-metadata",
    "--convert-linalg-to-loops",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-cf-to-llvm",
    "--convert-math-to-llvm",
    "--convert-math-to-libm",
    "--arith-expand",
    "--convert-arith-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-func-to-llvm",
    "--reconcile-unrealized-casts",
];

/// What stands before and after each array, to see accesses outside: bytes of a NaN.
const MARGIN: usize = 256;

/// What `memref.copy` of rectangles and rounding to bf16 call.
const COPY: &str = "
#include <stdint.h>
#include <string.h>
typedef struct { int64_t rank; int64_t *view; } Unranked;
static void copy(int64_t size, int64_t rank, const int64_t *sizes, const int64_t *from_strides,
                 const int64_t *to_strides, const char *from, char *to) {
  if (rank == 0) { memcpy(to, from, size); return; }
  for (int64_t i = 0; i < sizes[0]; i++)
    copy(size, rank - 1, sizes + 1, from_strides + 1, to_strides + 1,
         from + i * size * from_strides[0], to + i * size * to_strides[0]);
}
void memrefCopy(int64_t size, Unranked *from, Unranked *to) {
  int64_t n = from->rank, *f = from->view, *t = to->view;
  copy(size, n, f + 3, f + 3 + n, t + 3 + n, (char *)f[1] + f[2] * size, (char *)t[1] + t[2] * size);
}
/* The result lies in the low half of the register of a float; of type __bf16 it would be rounded by itself. */
float __truncsfbf2(float x) {
  uint32_t bits;
  float rounded;
  memcpy(&bits, &x, 4);
  bits = x != x ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  memcpy(&rounded, &bits, 4);
  return rounded;
}
";

/// The folder of the nearest package above that has one.
fn toolchain() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut all = above.map(|folder| folder.join(".toolchain"));
    all.find(|folder| folder.exists()).unwrap_or_default()
}

/// A tool of MLIR; none, and a line that says so, where it was not set up.
fn tool(name: &str, dialect: Dialect) -> Option<Command> {
    let llvm = toolchain().join("llvm/usr/lib/llvm-22");
    let old = toolchain().join("mlir-19/usr/lib");
    let path = match dialect {
        Dialect::Mlir19 => old.join("llvm-19/bin").join(name),
        Dialect::Mlir22 => match std::env::var_os("MLIR_SYS_220_PREFIX") {
            Some(prefix) => PathBuf::from(prefix).join("bin").join(name),
            None => llvm.join("bin").join(name),
        },
    };
    if !path.exists() {
        println!("skipped: {name} of {dialect:?} is not set up; help: cargo xtask test");
        return None;
    }
    let mut command = Command::new(path);
    if dialect == Dialect::Mlir19 {
        let folders = [
            old.join("llvm-19/lib"),
            old.join("x86_64-linux-gnu"),
            llvm.join("lib"),
        ];
        command.env("LD_LIBRARY_PATH", std::env::join_paths(folders).unwrap());
    }
    Some(command)
}

/// Runs a command; panics with what it says if it does not succeed.
fn done(command: &mut Command, about: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}\n{about}");
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let thread = std::thread::current().id();
        let name = format!("tilewright-ascend-{}-{thread:?}", std::process::id());
        let path = std::env::temp_dir().join(name.replace(['(', ')'], ""));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The front end of the vendor's Triton; none, and a line that says so, where it was not set up.
fn adapter() -> Option<Command> {
    let path = match std::env::var_os("TRITON_ADAPTER_OPT") {
        Some(path) => PathBuf::from(path),
        None => toolchain().join("triton-ascend/triton-adapter-opt"),
    };
    if !path.exists() {
        println!("skipped: triton-adapter-opt is not set up; help: cargo xtask test");
        return None;
    }
    Some(Command::new(path))
}

/// Whether that front end takes a text, and what it says; none where it is missing.
pub fn adapted(text: &str) -> Option<Result<(), String>> {
    let mut adapter = adapter()?;
    let folder = Folder::new();
    let file = folder.file("kernel.mlir", text);
    let output = adapter.arg(file).args(["-o", "/dev/null"]).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(match output.status.success() {
        true => Ok(()),
        false => Err(said),
    })
}

/// Parses and verifies a text; false where the tool is missing.
pub fn verify(text: &str, dialect: Dialect) -> bool {
    let Some(mut opt) = tool("mlir-opt", dialect) else {
        return false;
    };
    let folder = Folder::new();
    let file = folder.file("kernel.mlir", text);
    done(opt.arg(file).args(["-o", "/dev/null"]), text);
    true
}

/// Whether the tool refuses a text; none where it is missing.
pub fn refused(text: &str, dialect: Dialect) -> Option<bool> {
    let folder = Folder::new();
    let file = folder.file("kernel.mlir", text);
    let output = tool("mlir-opt", dialect)?.arg(file).output().unwrap();
    Some(!output.status.success())
}

/// Runs all blocks of a kernel, written in MLIR 19, over arrays; false where a tool is missing.
pub fn run(text: &str, program: &Program, arrays: &mut [Vec<u8>]) -> bool {
    let tools = (
        tool("mlir-opt", Dialect::Mlir19),
        tool("mlir-translate", Dialect::Mlir19),
        tool("clang", Dialect::Mlir22),
    );
    let (Some(mut opt), Some(mut translate), Some(mut clang)) = tools else {
        return false;
    };
    let folder = Folder::new();
    let kernel = folder.file("kernel.mlir", text);
    let driver = folder.file("driver.c", &driver(program));
    let [lowered, code, library] =
        ["lowered.mlir", "kernel.ll", "kernel.so"].map(|name| folder.0.join(name));
    done(opt.args(PIPELINE).arg(kernel).arg("-o").arg(&lowered), text);
    translate.args(["--mlir-to-llvmir"]).arg(&lowered);
    done(translate.arg("-o").arg(&code), text);
    let flags = ["-O1", "-march=x86-64-v3", "-shared", "-fPIC", "-w"];
    clang.args(flags).arg(&driver).arg(&code);
    done(clang.arg("-lm").arg("-o").arg(&library), text);

    let mut padded: Vec<Vec<u8>> = arrays.iter().map(|a| with_margins(a)).collect();
    let pointers: Vec<*mut u8> = padded
        .iter_mut()
        .map(|a| a[MARGIN..].as_mut_ptr())
        .collect();
    // SAFETY: the library is the driver above, which wants one pointer for each array.
    unsafe {
        let library = libloading::Library::new(&library).unwrap();
        let run: libloading::Symbol<unsafe extern "C" fn(*const *mut u8)> =
            library.get(b"run_all").unwrap();
        run(pointers.as_ptr());
    }
    for (array, padded) in arrays.iter_mut().zip(padded) {
        let len = array.len();
        array.copy_from_slice(&padded[MARGIN..][..len]);
        assert_eq!(
            padded,
            with_margins(array),
            "written outside of an array\n{text}"
        );
    }
    true
}

fn with_margins(array: &[u8]) -> Vec<u8> {
    [&[0xFF; MARGIN], array, &[0xFF; MARGIN]].concat()
}

/// C that calls the kernel for each place in the grid: an array is base, start, offset, size and stride.
fn driver(program: &Program) -> String {
    let count = program.params.len() + 2;
    let array = "void *, void *, int64_t, int64_t, int64_t, ";
    let mut text = COPY.to_owned();
    let name = &program.name;
    let i32s = ["int32_t"; 6].join(", ");
    writeln!(text, "void {name}({}{i32s});", array.repeat(count)).unwrap();
    let axis = |i: usize| program.grid.get(i).copied().unwrap_or(1);
    let [x, y, z] = [0, 1, 2].map(axis);
    let mut call = "0, 0, 0, 0, 1, ".repeat(2);
    for (i, param) in program.params.iter().enumerate() {
        write!(call, "a[{i}], a[{i}], 0, {}, 1, ", param.len).unwrap();
    }
    writeln!(
        text,
        "void run_all(void **a) {{
  for (int z = 0; z < {z}; z++) for (int y = 0; y < {y}; y++) for (int x = 0; x < {x}; x++)
    {name}({call}{x}, {y}, {z}, x, y, z);
}}"
    )
    .unwrap();
    text
}

/// How far results may lie from exact ones, relative to the largest: sums of up to `terms` numbers, and what
/// is stored, or multiplied, in a narrow type.
pub fn tolerance(program: &Program, terms: f64) -> f64 {
    let narrow = program.params.iter().map(|array| match array.dtype {
        DType::F16 => 2f64.powi(-11),
        DType::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    });
    4.0 * terms * 2f64.powi(-24) + 4.0 * narrow.fold(0.0, f64::max)
}
