//! Kernels in Ascend C, compiled by clang with the emulation's headers and run in a process of their own.

use std::{fmt::Write, fs, process::Command};

use backends::ascend::{Dialect, c};
use ir::tile::Program;

use super::{Folder, tool};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All blocks ran.
    Ran,
    /// The emulation found a fault, and says which.
    Refused(String),
}

/// Runs all blocks of a kernel over arrays; none where there is no compiler.
pub fn emulate(
    text: &str,
    source: &c::Source,
    program: &Program,
    arrays: &mut [Vec<u8>],
    options: &[&str],
) -> Option<Ended> {
    let mut clang = tool("clang++", Dialect::Mlir22)?;
    let folder = Folder::new();
    for (name, header) in c::EMULATION {
        folder.file(name, header);
    }
    folder.file("kernel.cpp", text);
    let main = folder.file("main.cpp", &main(source, program));
    let program = folder.0.join("kernel");
    let flags = [
        "-std=c++17",
        "-O0",
        "-march=x86-64-v3",
        "-DTILEWRIGHT_EMULATE",
    ];
    clang
        .args(flags)
        .args(options)
        .arg(&main)
        .arg("-o")
        .arg(&program);
    let output = clang.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{text}");
    let data = folder.0.join("arrays");
    fs::write(&data, arrays.concat()).unwrap();
    let output = Command::new(&program).arg(&data).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(70) {
        return Some(Ended::Refused(said));
    }
    assert!(
        output.status.success(),
        "{:?}: {said}\n{text}",
        output.status
    );
    let mut bytes = &fs::read(&data).unwrap()[..];
    for array in arrays {
        let (own, rest) = bytes.split_at(array.len());
        array.copy_from_slice(own);
        bytes = rest;
    }
    Some(Ended::Ran)
}

/// A program that reads the arrays from a file, runs the kernel, and writes them back. The workspace starts as NaN.
fn main(source: &c::Source, program: &Program) -> String {
    let mut text = "#include \"kernel.cpp\"\n#include <fstream>\n".to_owned();
    let sizes: Vec<String> = program
        .params
        .iter()
        .map(|p| p.bytes().to_string())
        .collect();
    let count = sizes.len();
    writeln!(text, "static std::vector<uint8_t> arrays[{}];", count + 1).unwrap();
    let arguments: Vec<String> = (0..count + usize::from(source.cube))
        .map(|i| format!("arrays[{i}].data()"))
        .collect();
    writeln!(
        text,
        "void emulate::kernel() {{ {}({}); }}\nint main(int, char **argv) {{\n  const size_t sizes[] = {{{}}};",
        program.name,
        arguments.join(", "),
        sizes.join(", ")
    )
    .unwrap();
    let (cube, vectors) = if source.cube {
        ("true", 2)
    } else {
        ("false", 1)
    };
    let (blocks, workspace) = (program.blocks(), source.workspace.0);
    write!(
        text,
        "  std::fstream file(argv[1], std::ios::in | std::ios::out | std::ios::binary);
  for (int i = 0; i < {count}; i++) {{
    arrays[i].resize(sizes[i]);
    file.read(reinterpret_cast<char *>(arrays[i].data()), sizes[i]);
  }}
  arrays[{count}].resize({workspace}, 0xFF);
  for (int64_t i = 0; i < {blocks}; i++) emulate::run(i, {blocks}, {cube}, {vectors});
  file.seekp(0);
  for (int i = 0; i < {count}; i++) file.write(reinterpret_cast<char *>(arrays[i].data()), sizes[i]);
  return file.good() ? 0 : 1;
}}
"
    )
    .unwrap();
    text
}
