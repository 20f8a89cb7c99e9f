//! Tensor copies, mbarriers, products of warpgroups and warp roles, for sm_90a: as far as the assembler, the disassembler,
//! and the emulator.

mod support {
    pub mod flash;
    pub mod hopper;
    pub mod lanes;
    pub mod simt;
}

use backends::{
    cpu::{Failure, Workers},
    cuda::tools,
    simt::compile,
};
use ir::{
    DType,
    lane::{Program, Swizzle, parse, verify},
};
use support::{
    flash::Attention,
    hopper::Gemm,
    simt::{code, printed, target},
};

const WORDS: [&str; 4] = ["HGMMA", "UTMALDG", "SYNCS", "USETMAXREG"];

/// Assembles without spills and without products that wait for each other; all words are among the instructions.
fn check(program: &Program, words: &[&str]) {
    verify(program).unwrap();
    let (target, device) = target("cuda:sm_90a");
    let code = code(program, &target);
    let ptx = code.assembly.unwrap();
    if let Ok(folder) = std::env::var("HOPGEN_OUT") {
        std::fs::write(format!("{folder}/{}.ptx", program.name), &ptx).unwrap();
    }
    let (Some(binary), Some(resources)) = (code.binary, code.resources) else {
        println!("skipped: ptxas is not here; {} has PTX", program.name);
        return;
    };
    println!("{} for {}: {resources:?}", program.name, device.arch);
    if let Ok(folder) = std::env::var("HOPGEN_OUT") {
        std::fs::write(format!("{folder}/{}.cubin", program.name), &binary).unwrap();
    }
    assert_eq!(code.remarks, Vec::<String>::new());
    assert_eq!((resources.spills, resources.scratch.0), (0, 0));
    let disassembler = tools().unwrap().join("nvdisasm");
    let Some(listing) = printed(&disassembler, &["-c"], &binary) else {
        return;
    };
    for word in WORDS.iter().chain(words) {
        assert!(listing.contains(word), "no {word} in\n{listing}");
    }
}

/// Programs of one kind: both types, all swizzles, lines along the depth and not.
fn contractions() -> Vec<Gemm> {
    let plain = Gemm::new(DType::Bf16, 128);
    let turned = |x_turned, w_turned, wide| Gemm {
        x_turned,
        w_turned,
        wide,
        ..plain
    };
    let swizzled = |swizzle, w_turned| Gemm {
        swizzle,
        w_turned,
        ..plain
    };
    vec![
        plain,
        Gemm::new(DType::Bf16, 256),
        Gemm::new(DType::F16, 128),
        Gemm::new(DType::F16, 64),
        turned(false, true, 256),
        turned(true, false, 128),
        turned(true, true, 128),
        swizzled(Swizzle::B64, false),
        swizzled(Swizzle::B64, true),
        swizzled(Swizzle::B32, false),
    ]
}

#[test]
fn contractions_multiply_by_warpgroups_what_others_copy() {
    let (_, device) = target("cuda:sm_90a");
    for gemm in contractions() {
        let kind = if gemm.dtype == DType::Bf16 {
            "F32.BF16"
        } else {
            "F32"
        };
        let word = format!("HGMMA.64x{}x16.{kind} ", gemm.wide);
        let mut words = vec![word.as_str()];
        words.extend(gemm.x_turned.then_some(".tnspA"));
        words.extend(gemm.w_turned.then_some(".tnspB"));
        let program = gemm.program(&device.warpgroup);
        assert_eq!(parse(&program.to_string()).unwrap(), program);
        check(&program, &words);
        check(&gemm.small().program(&device.warpgroup), &words);
    }
}

#[test]
fn other_devices_say_that_they_have_no_warpgroups() {
    let (_, device) = target("cuda:sm_90a");
    let mut gemm = Gemm::new(DType::Bf16, 64);
    gemm.stages = 2;
    let program = gemm.program(&device.warpgroup);
    for name in ["cuda:sm_80", "cuda:sm_89", "cuda:sm_100a", "rocm:gfx1100"] {
        let (target, device) = target(name);
        assert_eq!(device.warpgroup, []);
        let programs = std::slice::from_ref(&program);
        let all = compile(programs, &target, &Workers::InProcess).unwrap();
        let failure = all[0].as_ref().unwrap_err();
        assert!(
            matches!(failure, Failure::Unsupported(_)),
            "{name}: {failure}"
        );
    }
}

/// What stands between the products of a stage: nothing that touches a sum.
#[test]
fn sums_stay_where_they_are() {
    let (target, device) = target("cuda:sm_90a");
    let program = Gemm::new(DType::Bf16, 256).program(&device.warpgroup);
    let Some(binary) = code(&program, &target).binary else {
        println!("skipped: ptxas is not here");
        return;
    };
    let disassembler = tools().unwrap().join("nvdisasm");
    let Some(listing) = printed(&disassembler, &["-c"], &binary) else {
        return;
    };
    let lines: Vec<&str> = listing.lines().filter(|l| l.contains(';')).collect();
    let products = |l: &&str| l.contains("HGMMA");
    let first = lines.iter().position(products).unwrap();
    let last = lines.iter().rposition(products).unwrap();
    // A stage of four products by 16; a handful of words for descriptors between them, no more moves.
    assert_eq!(
        lines[first..=last].iter().filter(|l| products(l)).count(),
        4
    );
    assert!(last - first < 40, "{:#?}", &lines[first..=last]);
    for line in &lines[first..=last] {
        assert!(!line.contains("DEPBAR"), "{line}");
    }
}

#[test]
fn attention_takes_its_weights_from_registers() {
    let (_, device) = target("cuda:sm_90a");
    for head in [64, 128] {
        for causal in [false, true] {
            let attention = Attention {
                dtype: DType::Bf16,
                length: 4096,
                head,
                keys: 128,
                stages: 2,
                causal,
            };
            check(
                &attention.program(&device.warpgroup),
                &["HGMMA.64x128x16.F32.BF16"],
            );
        }
    }
}
