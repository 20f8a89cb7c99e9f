//! Lane programs for NVIDIA's devices, as far as their assembler and disassembler.

mod support {
    pub mod lanes;
    pub mod simt;
}

use backends::cuda::tools;
use ir::{DType, lane::Program};
use support::{
    lanes::{add, backwards, contraction, functions, pipeline, row_sum},
    simt::{check_meaning, code, instructions, printed, target},
};

const TARGETS: [&str; 4] = ["cuda:sm_80", "cuda:sm_89", "cuda:sm_90a", "cuda:sm_100a"];

/// Compiles for all targets; every word must be among the instructions.
fn check(program: impl Fn(&ir::Simt) -> Program, words: &[&str]) {
    for name in TARGETS {
        let (target, device) = target(name);
        let program = program(&device);
        let code = code(&program, &target);
        let ptx = code.assembly.unwrap();
        assert!(ptx.contains(&format!(".target {}", device.arch)), "{ptx}");
        // What is not rounded by name may be rounded once for two operations.
        assert!(
            !ptx.contains("\tadd.f32") && !ptx.contains("\tmul.f32"),
            "{ptx}"
        );
        let (Some(binary), Some(resources)) = (code.binary, code.resources) else {
            println!(
                "skipped: ptxas is not here; {} has PTX for {name}",
                program.name
            );
            continue;
        };
        println!("{} for {name}: {resources:?}", program.name);
        assert_eq!((resources.spills, resources.scratch.0), (0, 0));
        // The last array's end is not rounded up.
        assert_eq!(
            resources.shared.0.next_multiple_of(16),
            program.shared_bytes() as u64
        );
        let disassembler = tools().unwrap().join("nvdisasm");
        let Some(listing) = printed(&disassembler, &["-c"], &binary) else {
            continue;
        };
        for word in words {
            assert!(listing.contains(word), "{name}: no {word} in\n{listing}");
        }
    }
}

#[test]
fn a_sum_of_arrays_reads_16_bytes_at_once() {
    check(|d| add(d.lanes), &["LDG.E.128", "STG.E.128"]);
}

#[test]
fn sums_of_rows_go_through_shuffles() {
    for dtype in [DType::F32, DType::F16, DType::Bf16] {
        check(|d| row_sum(d.lanes, dtype), &["SHFL.BFLY", "BAR.SYNC"]);
    }
}

#[test]
fn contractions_use_multiply_adds_and_tensor_cores() {
    let (_, device) = target(TARGETS[0]);
    for instr in &device.matrix {
        let program = contraction(instr, device.lanes, 64, [1, 2]);
        check_meaning(&program, 64);
        let word = match instr.operands {
            DType::F32 => "FFMA",
            DType::F16 => "HMMA.16816.F32",
            _ => "HMMA.16816.F32.BF16",
        };
        check(|_| program.clone(), &[word]);
    }
}

#[test]
fn pipelines_copy_asynchronously_and_read_matrices() {
    for dtype in [DType::F16, DType::Bf16] {
        let program = |device: &ir::Simt| pipeline(instructions(device, dtype).next().unwrap());
        check(
            program,
            &[
                "LDGSTS.E.BYPASS.128",
                "LDSM.16.M88.4",
                "LDSM.16.MT88.2",
                "HMMA",
            ],
        );
    }
}

#[test]
fn much_shared_memory_is_asked_for_at_the_launch() {
    check(|d| backwards(d.lanes), &["LDS", "STS"]);
    let (target, device) = target(TARGETS[0]);
    let code = code(&backwards(device.lanes), &target);
    assert_eq!(code.launch.shared.0, 80_000);
    assert!(code.assembly.unwrap().contains(".extern .shared .align 16"));
}

#[test]
fn every_function_has_code_without_calls() {
    for name in TARGETS {
        let (target, device) = target(name);
        for dtype in DType::ALL {
            let code = code(&functions(device.lanes, dtype), &target);
            assert!(!code.assembly.unwrap().contains(".extern"));
        }
    }
}

#[test]
fn large_tiles_stay_in_registers() {
    let (_, device) = target(TARGETS[0]);
    for dtype in [DType::F16, DType::Bf16] {
        let instr = instructions(&device, dtype).next().unwrap();
        let program = contraction(instr, device.lanes, 64, [4, 8]);
        check(|_| program.clone(), &["HMMA.16816.F32"]);
    }
}
