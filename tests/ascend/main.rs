//! Kernels of models for Ascend: each gets a schedule that the plan of the chip accepts and a text that is verified, and
//! those of small models, run on this CPU, give what their graphs mean.
#![allow(unsafe_code, reason = "the code that was made is called")]

#[path = "../../backends/tests/ascend_tools/mod.rs"]
mod ascend_tools;

use std::{collections::BTreeMap, fs, path::Path};

use ascend_tools::emulated::{Ended, emulate};
use backends::ascend::{Dialect, Memory, c, compile};
use ir::{DType, Graph, Kernel, Op, Target, Tensor, WeightMap, eval};
use passes::Storage;
use rayon::prelude::*;

const STORAGES: [Storage; 2] = [Storage::F32, Storage::F16];

fn target() -> Target {
    tilewright::target("ascend:910B3").unwrap()
}

/// The distinct kernels of a model of which the folder holds the configuration.
fn kernels(folder: &Path, sizes: &[(&str, i64)], storage: Storage) -> Vec<Kernel> {
    let graph = tilewright::import::graph_only(folder).unwrap();
    let sizes = sizes.iter().map(|(s, n)| (ir::Symbol::new(s), *n));
    let bound = graph.bind(&sizes.collect()).unwrap();
    of(&bound, storage)
}

fn of(graph: &Graph, storage: Storage) -> Vec<Kernel> {
    let options = passes::RewriteOptions::new(target().roofline);
    let rewritten = passes::rewrite(graph, &options).unwrap();
    let (stored, _) = passes::store_as(&rewritten.graph, &rewritten.rules, storage).unwrap();
    passes::group(&stored, &[]).unwrap().kernels
}

fn small(name: &str) -> std::path::PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    models.join(name)
}

/// The first schedule's program and text; both readers accept the text.
fn text(kernel: &Kernel) -> (ir::tile::Program, String) {
    let target = target();
    let schedule = autotune::first_choice(kernel, &target).unwrap();
    let program = passes::lower(kernel, &schedule, &target).unwrap().program;
    let made = compile(&program, &target, Dialect::Mlir19);
    let made = made.unwrap_or_else(|e| panic!("{schedule:?}: {e}\n{program}"));
    let text = made.document(&program, target.tensor().unwrap());
    assert!(text.contains("// bishengir-compile "), "{text}");
    let full = |m| made.plan.needs.iter().find(|n| n.memory == m).unwrap();
    for memory in Memory::ALL {
        assert!(full(memory).bytes <= full(memory).limit);
    }
    ascend_tools::verify(&text, Dialect::Mlir19);
    if let Some(verdict) = ascend_tools::adapted(&text) {
        verdict.unwrap_or_else(|said| panic!("{said}\n{text}"));
    }
    (program, text)
}

/// Numbers that look random; small ones where they are integers.
fn numbers(dtype: DType, shape: &[i64], seed: usize) -> Tensor {
    let len: i64 = shape.iter().product();
    let number = |i: usize| {
        let n = ((i + 31 * seed + 7) * 7919 % 2003) as f64;
        match dtype.is_float() {
            true => n / 1001.0 - 1.0,
            false => n % 2.0,
        }
    };
    let values = (0..len as usize).map(|i| ir::round_to(dtype, number(i)));
    Tensor::from_f64(dtype, shape, values.collect()).unwrap()
}

/// Which text is run, and how.
#[derive(Clone, Copy)]
enum Form {
    /// MLIR, lowered for this CPU.
    Mlir,
    /// Ascend C, under its emulation.
    C,
}

/// Runs a kernel's text and compares it with the meaning of its graph; the error, relative to the largest number, if the
/// tools are there.
fn error(kernel: &Kernel, form: Form) -> Option<f64> {
    let mut inputs = BTreeMap::new();
    let mut arrays = vec![];
    for node in kernel.graph.nodes() {
        if let Op::Input(input) = &node.op {
            let shape = input.ty.known_shape().unwrap();
            let tensor = numbers(input.ty.dtype, &shape, arrays.len());
            arrays.push(tensor.bytes().into_owned());
            inputs.insert(input.name.clone(), tensor);
        }
    }
    let outputs = eval::evaluate(&kernel.graph, &inputs, &WeightMap::default()).unwrap();
    let wanted = outputs.into_values().next().unwrap();
    arrays.push(vec![0xFF; wanted.bytes().len()]);
    let program = match form {
        Form::Mlir => {
            let (program, text) = text(kernel);
            if !ascend_tools::run(&text, &program, &mut arrays) {
                return None;
            }
            program
        }
        Form::C => {
            let target = tilewright::target("ascend:310P").unwrap();
            let schedule = autotune::first_choice(kernel, &target).unwrap();
            let program = passes::lower(kernel, &schedule, &target).unwrap().program;
            let source = c::print(&program, &target).unwrap_or_else(|e| panic!("{e}\n{program}"));
            let size = format!("-DEMULATE_UB={}", target.tensor().unwrap().vector.size.0);
            match emulate(&source.text, &source, &program, &mut arrays, &[&size])? {
                Ended::Ran => program,
                Ended::Refused(said) => panic!("{said}\n{program}\n{}", source.text),
            }
        }
    };
    let bytes = arrays.pop().unwrap();
    let found = Tensor::from_bytes(wanted.dtype(), wanted.shape(), bytes).unwrap();
    let wanted = wanted.values();
    let finite = wanted.iter().filter(|x| x.is_finite());
    let scale = finite.fold(1e-30, |m: f64, x| m.max(x.abs()));
    let mut worst = 0.0;
    for (f, w) in found.values().iter().zip(wanted.iter()) {
        if f == w || f.is_nan() && w.is_nan() {
            continue;
        }
        let off = (f - w).abs() / scale;
        // `max` would hide a NaN.
        worst = if off > worst || off.is_nan() {
            off
        } else {
            worst
        };
    }
    let narrow = program.params.iter().any(|p| p.dtype == DType::F16);
    // A rounding of each term of a sum, and of what is stored or multiplied in 16 bits.
    let rounded = if narrow { 4.0 * 2f64.powi(-11) } else { 0.0 };
    let allowed = 4.0 * 128.0 * 2f64.powi(-24) + rounded;
    assert!(worst <= allowed, "{worst:e} of {allowed:e}\n{program}");
    // Of attention the error was promised.
    let attention = kernel.name.contains("attention");
    assert!(!attention || worst <= 1e-3, "{worst:e}\n{program}");
    Some(worst)
}

/// Runs kernels side by side; how many ran, and the largest error.
fn run_all(kernels: &[Kernel], form: Form) -> (usize, f64) {
    let errors: Vec<f64> = kernels.par_iter().filter_map(|k| error(k, form)).collect();
    (errors.len(), errors.iter().copied().fold(0.0, f64::max))
}

#[test]
fn kernels_of_small_models_give_what_they_mean() {
    // Ragged: no tile divides these.
    for (name, seq, storages) in [
        ("bert", 7, &STORAGES[1..]),
        ("llama", 17, &STORAGES[..]),
        ("glm4", 21, &STORAGES[1..]),
    ] {
        for &storage in storages {
            let kernels = kernels(&small(name), &[("batch", 2), ("seq", seq)], storage);
            let (ran, most) = run_all(&kernels, Form::Mlir);
            println!(
                "{name} in {}: {ran} kernels ran, within {most:.1e}",
                storage.dtype().name()
            );
        }
    }
}

#[test]
fn kernels_of_a_decoder_run_in_ascend_c() {
    let kernels = kernels(&small("llama"), &[("batch", 1), ("seq", 17)], Storage::F16);
    let (ran, most) = run_all(&kernels, Form::C);
    println!("{ran} kernels ran, within {most:.1e}");
}

/// A small model's configuration with the sizes of a large one.
fn enlarged(name: &str, sizes: &[(&str, i64)]) -> std::path::PathBuf {
    let text = fs::read_to_string(small(name).join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (key, size) in sizes {
        config[*key] = (*size).into();
    }
    let folder =
        std::env::temp_dir().join(format!("tilewright-large-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn kernels_of_large_models_fit() {
    // all-MiniLM-L6-v2, Llama 3 8B and GLM-4 9B.
    let minilm = [
        ("hidden_size", 384),
        ("num_attention_heads", 12),
        ("intermediate_size", 1536),
        ("max_position_embeddings", 512),
        ("vocab_size", 30522),
    ];
    let decoder = [
        ("hidden_size", 4096),
        ("num_attention_heads", 32),
        ("head_dim", 128),
        ("num_hidden_layers", 2),
        ("max_position_embeddings", 8192),
    ];
    let llama = [
        ("intermediate_size", 14336),
        ("num_key_value_heads", 8),
        ("vocab_size", 128_256),
    ];
    let glm4 = [
        ("intermediate_size", 13696),
        ("num_key_value_heads", 2),
        ("vocab_size", 151_552),
    ];
    let mut count = 0;
    for (name, own) in [
        ("bert", minilm.to_vec()),
        ("llama", [&decoder[..], &llama[..]].concat()),
        ("glm4", [&decoder[..], &glm4[..]].concat()),
    ] {
        let folder = enlarged(name, &own);
        for storage in STORAGES {
            for seq in [1, 500] {
                for kernel in kernels(&folder, &[("batch", 1), ("seq", seq)], storage) {
                    text(&kernel);
                    count += 1;
                }
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }
    println!("{count} kernels fit");
}
