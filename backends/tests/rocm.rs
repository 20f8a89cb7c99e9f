//! Lane programs for AMD's devices, as far as code objects and their disassembly.

mod support {
    pub mod lanes;
    pub mod simt;
}

use std::path::Path;

use backends::cpu::Workers;
use ir::{DType, lane::Program};
use support::{
    lanes::{add, backwards, contraction, functions, row_sum},
    simt::{check_meaning, code, printed, target},
};

const TARGETS: [&str; 5] = [
    "rocm:gfx906",
    "rocm:gfx90a",
    "rocm:gfx942",
    "rocm:gfx950",
    "rocm:gfx1100",
];

/// The instructions of a program's code for a target; without spills or scratch.
fn listing(program: &Program, name: &str) -> Option<String> {
    let (target, _) = target(name);
    let code = code(program, &target);
    let resources = code.resources.unwrap();
    println!("{} for {name}: {resources:?}", program.name);
    assert_eq!((resources.spills, resources.scratch.0), (0, 0));
    // The last array's end is not rounded up.
    assert_eq!(
        resources.shared.0.next_multiple_of(16),
        program.shared_bytes() as u64
    );
    let tool = Path::new(env!("TILEWRIGHT_LLVM_PREFIX")).join("bin/llvm-objdump");
    let listing = printed(&tool, &["-d"], &code.binary.unwrap())?;
    assert!(!listing.contains("scratch_"), "{listing}");
    Some(listing)
}

#[test]
fn a_sum_of_arrays_reads_16_bytes_at_once() {
    for name in TARGETS {
        let (_, device) = target(name);
        let Some(listing) = listing(&add(device.lanes), name) else {
            continue;
        };
        assert!(
            listing.contains("load_dwordx4") || listing.contains("load_b128"),
            "{listing}"
        );
    }
}

#[test]
fn sums_of_rows_go_through_shuffles() {
    for name in TARGETS {
        let (_, device) = target(name);
        for dtype in [DType::F32, DType::F16, DType::Bf16] {
            let Some(listing) = listing(&row_sum(device.lanes, dtype), name) else {
                continue;
            };
            for word in ["quad_perm", "ds_swizzle_b32", "s_barrier"] {
                assert!(listing.contains(word), "{name}: no {word} in\n{listing}");
            }
            assert_eq!(listing.contains("ds_bpermute_b32"), device.lanes == 64);
        }
    }
}

#[test]
fn contractions_use_every_matrix_instruction() {
    for name in TARGETS {
        let (_, device) = target(name);
        for instr in &device.matrix {
            let program = contraction(instr, device.lanes, 64, [1, 2]);
            check_meaning(&program, 64);
            let Some(listing) = listing(&program, name) else {
                continue;
            };
            // Some names differ from those of the first document that has them.
            let kind = match &instr.name {
                name if name.contains("_mfma_") => "v_mfma_f32_",
                name if name.contains("_wmma_") => "v_wmma_f32_16x16x16_",
                name if name.contains("_dot2_") => "v_dot2_f32_f16",
                _ => "_f32",
            };
            assert!(listing.contains(kind), "{name}: no {kind} in\n{listing}");
        }
    }
}

#[test]
fn shared_memory_is_what_the_device_has() {
    for name in TARGETS {
        let (target, device) = target(name);
        let program = backwards(device.lanes);
        if device.shared.0 > 80_000 {
            assert!(listing(&program, name).is_none_or(|l| l.contains("ds_read_b32")));
            continue;
        }
        let failure = backends::simt::compile(&[program], &target, &Workers::InProcess)
            .unwrap()
            .pop()
            .unwrap()
            .unwrap_err();
        assert_eq!(
            failure.to_string(),
            "bytes of shared memory: wanted 80000, the device has 65536"
        );
    }
}

#[test]
fn every_function_has_code_without_calls() {
    for name in TARGETS {
        let (target, device) = target(name);
        for dtype in DType::ALL {
            // The linker takes no name that is not there.
            let code = code(&functions(device.lanes, dtype), &target);
            assert_eq!(code.resources.unwrap().scratch.0, 0);
        }
    }
}

#[test]
fn large_tiles_stay_in_registers() {
    for name in TARGETS {
        let (_, device) = target(name);
        for instr in &device.matrix {
            // As many accumulators as leave room for operands.
            let across = i64::from(device.registers / 4 / instr.c.width()).clamp(1, 8);
            let program = contraction(instr, device.lanes, 64, [1, across]);
            listing(&program, name);
        }
    }
}
