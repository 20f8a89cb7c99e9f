//! The text of every family under oclgrind, which runs OpenCL C work-item by work-item and reports races and accesses
//! outside of arrays; what it computes, against the graph.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use backends::opencl::{Dialect, Source, compile};
use ir::lane::{Program, Spelling, Stmt};
use rayon::prelude::*;

use crate::case::{Case, Extent, cases, decoded, encoded, error, visit};

/// Where set-up unpacks oclgrind and the tools of SPIR-V; none, with a line that says so, where they are not.
pub fn tool(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".toolchain/pocl/usr/bin");
    let tool = folder.join(name);
    if !tool.exists() {
        println!("skipped: {name} is not here; help: `cargo xtask setup`");
        return None;
    }
    Some(tool)
}

/// What one run gave.
pub struct Seen {
    /// What oclgrind said: races, accesses outside of arrays, and the like.
    pub reports: String,
    /// The parameters that are written.
    pub results: Vec<Vec<f64>>,
}

/// Runs a kernel, its code given as OpenCL C or as LLVM's bitcode.
pub fn run(
    tool: &Path,
    code: &[u8],
    options: &str,
    program: &Program,
    params: &[Vec<f64>],
) -> Seen {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "oclgrind-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("code"), code).unwrap();
    fs::write(folder.join("run.sim"), simulation(program, params)).unwrap();
    let mut command = Command::new(tool);
    command.args(["--data-races", "--num-threads", "1"]);
    if !options.is_empty() {
        command.args(["--build-options", options]);
    }
    let output = command.arg("run.sim").current_dir(&folder).output();
    let output = output.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let written = program.params.iter().filter(|p| p.written);
    let dumps = text.split("Argument ").skip(1);
    let results = written.zip(dumps).map(|(array, dump)| {
        let mut bytes = Vec::new();
        for line in dump.lines().skip(1).filter(|l| !l.is_empty()) {
            let (_, number) = line.split_once(" = 0x").unwrap();
            let number = u64::from_str_radix(number.trim(), 16).unwrap();
            bytes.extend_from_slice(&number.to_le_bytes()[..array.dtype.size()]);
        }
        decoded(array.dtype, &bytes)
    });
    let results = results.collect();
    let mut reports = String::from_utf8(output.stderr).unwrap().trim().to_owned();
    if !output.status.success() {
        reports += &format!("\noclgrind: {}\n{text}", output.status);
    }
    Seen { reports, results }
}

/// What oclgrind is to run: each array is a buffer of exactly its bytes, at offset 0.
fn simulation(program: &Program, params: &[Vec<f64>]) -> String {
    let threads = u64::from(program.threads());
    let lanes = program.blocks() as u64 * threads;
    let mut text = format!("code {}\n{lanes} 1 1\n{threads} 1 1\n", program.name);
    for (at, array) in program.params.iter().enumerate() {
        let size = array.dtype.size();
        let word = match size {
            1 => "uchar",
            2 => "ushort",
            4 => "uint",
            _ => "ulong",
        };
        let bytes = array.bytes();
        if array.written {
            writeln!(text, "<size={bytes} {word} hex fill=0 dump>").unwrap();
        } else {
            writeln!(text, "<size={bytes} {word} hex>").unwrap();
            for number in encoded(array.dtype, &params[at]).chunks(size) {
                let digits = number.iter().rev().map(|b| format!("{b:02x}"));
                writeln!(text, "{}", digits.collect::<String>()).unwrap();
            }
        }
        text += "<size=8 ulong>\n0\n";
    }
    text
}

/// Why a case is not as it should be; else how far it lies off.
fn check(tool: &Path, case: &Case, source: &Source) -> Result<f64, String> {
    // The body that every driver takes; the others need devices of their own.
    let options = source.variants.last().map_or("", String::as_str);
    let seen = run(
        tool,
        source.text.as_bytes(),
        options,
        &case.program,
        &case.params,
    );
    let what = format!("{} for {}", case.program.name, case.target);
    if !seen.reports.is_empty() {
        return Err(format!("{what}: {}\n{}", seen.reports, source.text));
    }
    let error = error(case, &seen.results);
    error.ok_or_else(|| format!("{what}: {:?}, not {:?}", seen.results, case.wanted))
}

fn source(program: &Program) -> Source {
    let program = std::slice::from_ref(program);
    compile(program, Dialect::OpenCl).unwrap().remove(0)
}

fn check_all(target: &str) {
    let Some(tool) = tool("oclgrind-kernel") else {
        return;
    };
    let cases = cases(target, Extent::Many);
    let errors: Vec<_> = cases
        .par_iter()
        .map(|case| check(&tool, case, &source(&case.program)))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for family in cases.iter().flat_map(|c| &c.families) {
        *counts.entry(family).or_default() += 1;
    }
    let mut worst: f64 = 0.0;
    for error in errors {
        worst = worst.max(error.unwrap_or_else(|e| panic!("{e}")));
    }
    println!(
        "{} kernels for {target} under oclgrind, no report, error at most {worst:.1e}: {counts:?}",
        cases.len()
    );
}

#[test]
fn every_family_for_any_device_runs_without_a_report() {
    check_all("opencl");
}

#[test]
fn every_family_for_hygon_runs_without_a_report() {
    check_all("opencl:gfx936");
}

/// A contraction by a matrix instruction of this kind, its operands in shared memory.
fn contraction(target: &str, kind: impl Fn(&Spelling) -> bool) -> Case {
    let mut all = cases(target, Extent::Few).into_iter();
    let found = all.find(|c| {
        let is_such = c.program.matrix.iter().any(|m| kind(&m.spelling));
        is_such && c.families.contains(&"contract") && !c.program.shared.is_empty()
    });
    found.expect("the small cases have one")
}

#[test]
fn a_missing_barrier_is_caught() {
    let Some(tool) = tool("oclgrind-kernel") else {
        return;
    };
    let mut case = contraction("opencl", |s| *s == Spelling::Outer);
    check(&tool, &case, &source(&case.program)).unwrap();
    visit(&mut case.program.body, &mut |body| {
        body.retain(|s| !matches!(s, Stmt::Barrier));
    });
    let said = check(&tool, &case, &source(&case.program)).unwrap_err();
    assert!(said.contains("data race at local memory"), "{said}");

    // The matrix instruction's portable body has barriers of its own.
    let case = contraction(
        "opencl:gfx936",
        |s| matches!(s, Spelling::Word(word) if word == "mmac_f16"),
    );
    let mut source = source(&case.program);
    check(&tool, &case, &source).unwrap();
    let (before, after) = source.text.split_once("    barrier(").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    assert!(before.contains("tw_mmac_f16("), "{before}");
    let (body, after) = after
        .split_once("    barrier(CLK_LOCAL_MEM_FENCE);\n")
        .unwrap();
    source.text = format!("{before}{body}{after}");
    let said = check(&tool, &case, &source).unwrap_err();
    assert!(said.contains("data race at local memory"), "{said}");
}

#[test]
fn a_store_beyond_an_array_is_caught() {
    let Some(tool) = tool("oclgrind-kernel") else {
        return;
    };
    let mut case = contraction("opencl", |s| *s == Spelling::Outer);
    let last = case.program.params.len() as u32 - 1;
    let len = case.program.params[last as usize].len;
    visit(&mut case.program.body, &mut |body| {
        for stmt in body {
            if let Stmt::Store { to, .. } = stmt
                && to.memory == ir::lane::Memory::Param(last)
            {
                to.at = to.at.clone() + len;
            }
        }
    });
    let said = check(&tool, &case, &source(&case.program)).unwrap_err();
    assert!(said.contains("Invalid write of size"), "{said}");
    assert!(said.contains("at global memory"), "{said}");
}
