//! The SPIR-V of every family: what the validator says of it, and what it computes under oclgrind, which is given the module
//! as LLVM's bitcode.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use backends::{cpu::Workers, simt, spirv};
use ir::{DType, lane::Program};
use rayon::prelude::*;

use crate::{
    case::{Extent, cases, error},
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
    let cases = cases("opencl", Extent::Few);
    let programs: Vec<_> = cases.iter().map(|c| c.program.clone()).collect();
    let modules = modules(&programs);
    let errors: Vec<_> = cases
        .par_iter()
        .zip(&modules)
        .map(|(case, module)| {
            let name = &case.program.name;
            validate(&validator, module).unwrap_or_else(|e| panic!("{name}: {e}"));
            let bitcode = converted(&translator, &["-r", "-o", "-"], &spelt(module));
            let bitcode = bitcode.unwrap_or_else(|e| panic!("{name}: {e}"));
            let seen = run(&oclgrind, &bitcode, "", &case.program, &case.params);
            assert!(seen.reports.is_empty(), "{name}: {}", seen.reports);
            error(case, &seen.results)
                .unwrap_or_else(|| panic!("{name}: {:?}, not {:?}", seen.results, case.wanted))
        })
        .collect();
    println!(
        "{} SPIR-V modules valid for OpenCL 2.1 and run under oclgrind, error at most {:.1e}",
        modules.len(),
        errors.into_iter().fold(0.0, f64::max)
    );
}

/// All numbers of f16 and as many of f32, with ties; NaN and infinities among them.
#[test]
fn half_precision_is_rounded_once_and_extremes_keep_nan() {
    let Some([validator, translator, oclgrind]) = tools() else {
        return;
    };
    let at = "(#0 * 128 + warp * 32 + lane) * 4";
    let text = format!(
        "lane halves grid [128] warps 4 lanes 32 {{
           param %h : f16[65536]
           param %x : f32[65536]
           param %wide : f32[65536] written
           param %narrow : f16[65536] written
           param %brain : bf16[65536] written
           param %above : f32[65536] written
           param %below : f32[65536] written
           %0 = load %h[{at}] : 4
           %1 = load %x[{at}] : 4
           %2 = cast %0 : f32
           store %wide[{at}] = %2
           %3 = cast %1 : f16
           store %narrow[{at}] = %3
           %4 = cast %1 : bf16
           store %brain[{at}] = %4
           %5 = max %1, %2
           store %above[{at}] = %5
           %6 = min %1, %2
           store %below[{at}] = %6
         }}"
    );
    let program = ir::lane::parse(&text).unwrap();
    let halves = (0..=u16::MAX).map(|bits| half::f16::from_bits(bits).to_f64());
    // Each sign, exponent and start of a fraction; ends that are ties of f16 or bf16, and near ones.
    let ends = [0, 0x8000, 0x7FFF, 0x8001, 0x1000, 0x0FFF, 0x1001, 0x3000];
    let floats = (0..=u16::MAX).map(|i| {
        let bits = u32::from(i.rotate_left(3)) << 16 | ends[i as usize % 8];
        f64::from(f32::from_bits(bits))
    });
    let params = [halves.collect(), floats.collect()];
    let module = modules(std::slice::from_ref(&program)).remove(0);
    validate(&validator, &module).unwrap();
    let bitcode = converted(&translator, &["-r", "-o", "-"], &spelt(&module)).unwrap();
    let seen = run(&oclgrind, &bitcode, "", &program, &params);
    assert_eq!(seen.reports, "");
    let [wide, x]: &[Vec<f64>; 2] = &params;
    // The emulator rounds twice where a number lies near the middle of two; these conversions round once.
    let each = |f: fn(f32) -> f64| x.iter().map(|x| f(*x as f32)).collect();
    let pairs = || x.iter().zip(wide);
    let nan = |a: f64, b: f64| a.is_nan() || b.is_nan();
    let pick = |best: fn(f64, f64) -> f64| {
        let one = |(a, b): (&f64, &f64)| if nan(*a, *b) { f64::NAN } else { best(*a, *b) };
        pairs().map(one).collect()
    };
    let wanted: [Vec<f64>; 5] = [
        wide.clone(),
        each(|x| half::f16::from_f32(x).to_f64()),
        each(|x| half::bf16::from_f32(x).to_f64()),
        pick(f64::max),
        pick(f64::min),
    ];
    assert_eq!(seen.results.len(), wanted.len());
    for ((array, found), wanted) in program.params[2..].iter().zip(seen.results).zip(wanted) {
        assert_eq!(found.len(), wanted.len());
        for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
            assert!(
                *f == w || f.is_nan() && w.is_nan(),
                "{}[{i}]: {f}, not {w}",
                array.name
            );
        }
    }
}

/// Lane programs that PoCL runs as OpenCL C, in `backends/tests`.
const PROGRAMS: [&str; 7] = [
    include_str!("../../backends/tests/cases/opencl/add.test"),
    include_str!("../../backends/tests/cases/opencl/carried.test"),
    include_str!("../../backends/tests/cases/opencl/contraction.test"),
    include_str!("../../backends/tests/cases/opencl/functions.test"),
    include_str!("../../backends/tests/cases/opencl/gather.test"),
    include_str!("../../backends/tests/cases/opencl/row_sum.test"),
    include_str!("../../backends/tests/cases/opencl/types.test"),
];

/// Every function and every type, against the emulator.
#[test]
fn programs_compute_what_the_emulator_does() {
    let Some([validator, translator, oclgrind]) = tools() else {
        return;
    };
    for text in PROGRAMS {
        let lane = text.split("----\n").next().unwrap();
        // The builder has no multiply-add of integers.
        let lane: String = lane
            .lines()
            .filter(|l| !l.contains("fma_i") && !l.ends_with("= fma %2, %3, %2"))
            .map(|l| format!("{l}\n"))
            .collect();
        let program = ir::lane::parse(&lane).unwrap();
        let params = (0..).zip(&program.params);
        let mut params: Vec<Vec<f64>> = params
            .map(|(seed, p)| match p.written {
                true => vec![f64::NAN; p.len as usize],
                false => small_numbers(p.dtype, p.len, seed),
            })
            .collect();
        let module = modules(std::slice::from_ref(&program)).remove(0);
        validate(&validator, &module).unwrap_or_else(|e| panic!("{}: {e}", program.name));
        let bitcode = converted(&translator, &["-r", "-o", "-"], &spelt(&module)).unwrap();
        let seen = run(&oclgrind, &bitcode, "", &program, &params);
        assert_eq!(seen.reports, "", "{}", program.name);
        ir::lane::emulate_all(&program, &mut params, None).unwrap();
        let wanted = program.params.iter().zip(&params);
        let wanted: Vec<_> = wanted.filter(|(array, _)| array.written).collect();
        assert_eq!(seen.results.len(), wanted.len());
        for ((array, wanted), found) in wanted.into_iter().zip(seen.results) {
            assert_eq!(found.len(), wanted.len());
            for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
                // Functions are within 4 units in the last place, sums have up to 64 terms in the same order; what no
                // lane writes is not compared.
                let unit = match array.dtype {
                    DType::F32 => 2f64.powi(-23),
                    DType::F16 => 2f64.powi(-10),
                    DType::Bf16 => 2f64.powi(-7),
                    _ => 0.0,
                };
                let nan = w.is_nan() && array.name != "nans" || f.is_nan() && w.is_nan();
                let near = (f - w).abs() <= 4.0 * unit * w.abs().max(1e-3);
                assert!(
                    f == w || nan || near,
                    "{}: {}[{i}]: {f}, not {w}",
                    program.name,
                    array.name
                );
            }
        }
    }
}

/// Small numbers; integers are no divisor of zero, and ids of tables are not negative.
fn small_numbers(dtype: DType, len: i64, seed: i64) -> Vec<f64> {
    let number = |i: i64| {
        let n = ((i + 13 * seed) * 7919 % 101) as f64;
        match dtype {
            DType::F32 => (n - 50.0) / 7.0,
            DType::F16 | DType::Bf16 => (n - 50.0) / 8.0,
            DType::Bool => n % 2.0,
            DType::I32 | DType::I8 if n % 9.0 == 4.0 => 5.0,
            DType::I32 | DType::I8 => n % 9.0 - 4.0,
            _ => n % 5.0,
        }
    };
    (0..len).map(|i| ir::round_to(dtype, number(i))).collect()
}

#[test]
fn a_damaged_module_is_refused() {
    let Some(validator) = tool("spirv-val") else {
        return;
    };
    let program = cases("opencl", Extent::Few).remove(0).program;
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
