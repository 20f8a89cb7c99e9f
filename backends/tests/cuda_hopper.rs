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
use half::{bf16, f16};
use ir::{
    DType,
    lane::{Bulk, Program, Stmt, Swizzle, emulate_all, parse, verify},
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
    assert!(ptx.contains(".extern .shared .align 1024"), "{ptx}");
    let (Some(binary), Some(resources)) = (code.binary, code.resources) else {
        println!("skipped: ptxas is not here; {} has PTX", program.name);
        return;
    };
    println!("{} for {}: {resources:?}", program.name, device.arch);
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

/// Sums and what becomes of them never need twice the registers: statement by statement, this one spilled 41.
#[test]
fn functions_of_all_sums_do_not_spill() {
    let text = include_str!("cases/cuda/linear.lane");
    check(&parse(text).unwrap(), &["STG"]);
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

/// Without the waits, the assembler adds its own, and says so.
#[test]
fn a_missing_wait_is_remarked() {
    let (target, device) = target("cuda:sm_90a");
    let mut program = Gemm::new(DType::Bf16, 128).program(&device.warpgroup);
    fn strip(body: &mut Vec<Stmt>) {
        body.retain(|s| !matches!(s, Stmt::Bulk(Bulk::Wait { .. })));
        for statement in body {
            match statement {
                Stmt::For(each) => strip(&mut each.body),
                Stmt::When { body, .. } => strip(body),
                _ => {}
            }
        }
    }
    strip(&mut program.body);
    let code = code(&program, &target);
    if code.binary.is_none() {
        println!("skipped: ptxas is not here");
        return;
    }
    println!("{:?}", code.remarks);
    assert!(code.remarks.iter().any(|line| line.contains("wgmma")));
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

/// Small whole numbers, which sum up exactly.
fn small(count: i64, seed: u64, most: i64) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 33) as i64 % (2 * most + 1) - most) as f64
    };
    (0..count).map(next).collect()
}

fn rounded(dtype: DType, x: f64) -> f64 {
    match dtype {
        DType::F16 => f16::from_f64(x).into(),
        _ => bf16::from_f64(x).into(),
    }
}

#[test]
fn contractions_mean_what_they_say() {
    let (_, device) = target("cuda:sm_90a");
    for gemm in contractions() {
        let gemm = gemm.small();
        let program = gemm.program(&device.warpgroup);
        let (m, n, k) = (
            gemm.rows as usize,
            gemm.columns as usize,
            gemm.depth as usize,
        );
        let x = small((m * k) as i64, 1, 2);
        let w = small((k * n) as i64, 2, 1);
        let mut params = vec![x.clone(), w.clone(), vec![f64::NAN; m * n]];
        let counts =
            emulate_all(&program, &mut params, None).unwrap_or_else(|e| panic!("{gemm:?}: {e}"));
        println!("{gemm:?}: {counts:?}");
        let x_at = |i: usize, d: usize| {
            if gemm.x_turned {
                x[d * m + i]
            } else {
                x[i * k + d]
            }
        };
        let w_at = |j: usize, d: usize| {
            if gemm.w_turned {
                w[d * n + j]
            } else {
                w[j * k + d]
            }
        };
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|d| x_at(i, d) * w_at(j, d)).sum();
                assert_eq!(
                    params[2][i * n + j],
                    rounded(gemm.dtype, sum),
                    "{gemm:?}: {i}, {j}"
                );
            }
        }
    }
}

/// Weights are rounded once to half precision, so is the result; the sums of weights are not. Both by half a unit in the
/// last place of what is at most 1 and the largest value; single precision adds little to that, for which a tenth is left.
#[test]
fn attention_means_what_it_says() {
    let (_, device) = target("cuda:sm_90a");
    for (head, causal, dtype) in [
        (64, false, DType::Bf16),
        (64, true, DType::F16),
        (128, true, DType::Bf16),
    ] {
        let attention = Attention {
            dtype,
            length: 200,
            head,
            keys: 64,
            stages: 2,
            causal,
        };
        let program = attention.program(&device.warpgroup);
        let (length, head) = (attention.length as usize, head as usize);
        let scaled = |seed| {
            small((length * head) as i64, seed, 8)
                .into_iter()
                .map(|x| x / 8.0)
                .collect()
        };
        let [q, k, v]: [Vec<f64>; 3] = [3, 4, 5].map(scaled);
        let mut params = vec![
            q.clone(),
            k.clone(),
            v.clone(),
            vec![f64::NAN; length * head],
        ];
        let counts = emulate_all(&program, &mut params, None)
            .unwrap_or_else(|e| panic!("{attention:?}: {e}"));
        println!("{attention:?}: {counts:?}");
        let half = if dtype == DType::F16 {
            2f64.powi(-11)
        } else {
            2f64.powi(-9)
        };
        let bound = 1.1 * 2.0 * half;
        for i in 0..length {
            let keys = if causal { i + 1 } else { length };
            let score = |j: usize| -> f64 {
                let both = q[i * head..][..head].iter().zip(&k[j * head..][..head]);
                both.map(|(q, k)| q * k).sum::<f64>() / (head as f64).sqrt()
            };
            let weights: Vec<f64> = (0..keys).map(|j| score(j).exp()).collect();
            let total: f64 = weights.iter().sum();
            for c in 0..head {
                let wanted: f64 =
                    (0..keys).map(|j| weights[j] * v[j * head + c]).sum::<f64>() / total;
                let found = params[3][i * head + c];
                assert!(
                    (found - wanted).abs() <= bound,
                    "{attention:?}: {i}, {c}: {found}, not {wanted}"
                );
            }
        }
    }
}
