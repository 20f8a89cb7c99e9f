//! Compiles lane programs and looks at what came out.
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use backends::{
    cpu::Workers,
    simt::{Code, compile},
};
use ir::{
    DType, Simt, Target,
    lane::{MatrixInstr, Program},
};

use super::lanes;

pub fn target(name: &str) -> (Target, Simt) {
    let target = backends::resolve(name).unwrap();
    let simt = target.simt().unwrap().clone();
    (target, simt)
}

/// Every instruction of a device for operands of a type.
pub fn instructions(device: &Simt, dtype: DType) -> impl Iterator<Item = &MatrixInstr> {
    device.matrix.iter().filter(move |m| m.operands == dtype)
}

/// Compiles one program here.
pub fn code(program: &Program, target: &Target) -> Code {
    let programs = std::slice::from_ref(program);
    let mut all = compile(programs, target, &Workers::InProcess).unwrap();
    let code = all.pop().unwrap();
    code.unwrap_or_else(|e| panic!("{} for {}: {e}", program.name, target.name))
}

/// What a program of the toolchain prints about a binary; none, with a line that says so, where it is not here.
pub fn printed(tool: &Path, arguments: &[&str], binary: &[u8]) -> Option<String> {
    if !tool.exists() {
        println!("skipped: {} is not here", tool.display());
        return None;
    }
    let name = format!(
        "tilewright-simt-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    let path = std::env::temp_dir().join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(binary)
        .unwrap();
    let output = Command::new(tool)
        .args(arguments)
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Checks what a contraction means on the emulator, against plain loops. Small whole numbers: exact in any order.
pub fn check_meaning(program: &Program, depth: usize) {
    let params = lanes::emulated(program);
    let (x, w, y) = (&params[0], &params[1], &params[2]);
    let columns = w.len() / depth;
    for (i, x) in x.chunks(depth).enumerate() {
        for (j, w) in w.chunks(depth).enumerate() {
            let wanted: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            assert_eq!(
                y[i * columns + j],
                wanted,
                "{}: {i}, {j}",
                program.matrix[0].name
            );
        }
    }
}
