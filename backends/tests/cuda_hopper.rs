//! Tensor copies, mbarriers, products of warpgroups and warp roles, for sm_90a: as far as the assembler, the disassembler,
//! and the emulator.

mod support {
    pub mod flash;
    pub mod hopper;
    pub mod lanes;
    pub mod simt;
}

use backends::cuda::tools;
use ir::{
    DType,
    lane::{Program, verify},
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

#[test]
fn contractions_multiply_by_warpgroups_what_others_copy() {
    let (_, device) = target("cuda:sm_90a");
    for (wide, word) in [
        (128, "HGMMA.64x128x16.F32.BF16"),
        (256, "HGMMA.64x256x16.F32.BF16"),
    ] {
        let program = Gemm::new(DType::Bf16, wide).program(&device.warpgroup);
        check(&program, &[word]);
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
