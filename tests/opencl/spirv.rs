//! The SPIR-V of every family: what the validator says of it, and what it computes under oclgrind, which is given the module
//! as LLVM's bitcode.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use backends::{cpu::Workers, simt, spirv};
use ir::lane::Program;
use rayon::prelude::*;

use crate::{
    case::{cases, error},
    oclgrind::{run, tool},
};

/// Gives a tool a module and takes what it writes.
fn converted(tool: &Path, arguments: &[&str], module: &[u8]) -> Result<Vec<u8>, String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "spirv-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    fs::write(&file, module).unwrap();
    let output = Command::new(tool)
        .args(arguments)
        .arg(&file)
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// What the validator has against a module, by the rules of OpenCL 2.1, the first with SPIR-V.
fn validate(tool: &Path, module: &[u8]) -> Result<(), String> {
    converted(tool, &["--target-env", "opencl2.1"], module).map(drop)
}

/// The module with null constants of numbers spelt as zeros, which mean the same: the translator of LLVM 14 takes the
/// former of aggregates and pointers only.
fn spelt(module: &[u8]) -> Vec<u8> {
    // Numbers of operations: SPIR-V specification, section 3.32.
    const TYPE_BOOL: u32 = 20;
    const TYPE_INT: u32 = 21;
    const TYPE_FLOAT: u32 = 22;
    const CONSTANT_FALSE: u32 = 42;
    const CONSTANT: u32 = 43;
    const CONSTANT_NULL: u32 = 46;
    let words = module.chunks_exact(4);
    let words: Vec<u32> = words
        .map(|w| u32::from_le_bytes(w.try_into().unwrap()))
        .collect();
    let (head, mut rest) = words.split_at(5);
    let mut all = head.to_vec();
    // Words of a constant of a type; none for a truth.
    let mut types: BTreeMap<u32, usize> = BTreeMap::new();
    while let [first, ..] = rest {
        let (instruction, others) = rest.split_at((first >> 16) as usize);
        rest = others;
        match (first & 0xFFFF, instruction) {
            (TYPE_BOOL, [_, id]) => {
                types.insert(*id, 0);
            }
            (TYPE_INT | TYPE_FLOAT, [_, id, bits, ..]) => {
                types.insert(*id, bits.div_ceil(32) as usize);
            }
            _ => {}
        }
        match instruction {
            [_, ty, id] if first & 0xFFFF == CONSTANT_NULL && types.contains_key(ty) => {
                let operation = match types[ty] {
                    0 => CONSTANT_FALSE,
                    _ => CONSTANT,
                };
                all.extend([(3 + types[ty] as u32) << 16 | operation, *ty, *id]);
                all.extend(vec![0; types[ty]]);
            }
            _ => all.extend(instruction),
        }
    }
    all.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn modules(programs: &[Program]) -> Vec<Vec<u8>> {
    let target = spirv::target(&tilewright::target("opencl").unwrap()).unwrap();
    let made = simt::compile(programs, &target, &Workers::InProcess).unwrap();
    let made = made.into_iter().zip(programs);
    let binary = |(code, p): (Result<simt::Code, _>, &Program)| {
        let code = code.unwrap_or_else(|e| panic!("{}: {e}\n{p}", p.name));
        code.binary.unwrap()
    };
    made.map(binary).collect()
}

fn tools() -> Option<[PathBuf; 3]> {
    let all = ["spirv-val", "llvm-spirv-14", "oclgrind-kernel"].map(tool);
    let [Some(a), Some(b), Some(c)] = all else {
        return None;
    };
    Some([a, b, c])
}

#[test]
fn every_family_is_valid_and_computes_what_its_graph_means() {
    let Some([validator, translator, oclgrind]) = tools() else {
        return;
    };
    let cases = cases("opencl", false);
    let programs: Vec<_> = cases.iter().map(|c| c.program.clone()).collect();
    let modules = modules(&programs);
    let errors: Vec<_> = cases
        .par_iter()
        .zip(&modules)
        .map(|(case, module)| {
            let name = &case.program.name;
            validate(&validator, module).unwrap_or_else(|e| panic!("{name}: {e}"));
            if let Ok(dir) = std::env::var("DUMP_SPV") {
                fs::write(format!("{dir}/{name}.spv"), spelt(module)).unwrap();
            }
            let bitcode = converted(&translator, &["-r", "-o", "-"], &spelt(module));
            let bitcode = bitcode.unwrap_or_else(|e| panic!("{name}: {e}"));
            let seen = run(&oclgrind, &bitcode, "", &case.program, &case.params);
            assert!(seen.reports.is_empty(), "{name}: {}", seen.reports);
            error(case, &seen.result)
                .unwrap_or_else(|| panic!("{name}: {:?}, not {:?}", seen.result, case.wanted))
        })
        .collect();
    println!(
        "{} SPIR-V modules valid for OpenCL 2.1 and run under oclgrind, error at most {:.1e}",
        modules.len(),
        errors.into_iter().fold(0.0, f64::max)
    );
}

#[test]
fn a_damaged_module_is_refused() {
    let Some(validator) = tool("spirv-val") else {
        return;
    };
    let program = cases("opencl", false).remove(0).program;
    let module = modules(&[program]).remove(0);
    validate(&validator, &module).unwrap();
    // Words: the bound of ids is the fourth.
    let mut bound = module.clone();
    bound[12..16].copy_from_slice(&1u32.to_le_bytes());
    let said = validate(&validator, &bound).unwrap_err();
    assert!(said.contains("bound"), "{said}");
    let cut = &module[..module.len() - 4];
    let said = validate(&validator, cut).unwrap_err();
    assert!(said.contains("error"), "{said}");
}
