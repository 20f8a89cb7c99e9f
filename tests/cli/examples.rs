//! The examples, on all-MiniLM-L6-v2.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use ir::DType;

use crate::{
    arrays::{integers, read, tensors, write},
    program::{done, folder, texts},
    support::minilm_folder,
};

/// The largest relative error of compiled models, as in `tests/compiled`.
const BOUND: f64 = 2e-5;

/// The folder of this test, in which cargo also puts the libraries that it links.
fn built() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().into()
}

/// Standard output of a program that does its work and says nothing else.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let [stdout, stderr] = texts(&output);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{stdout}{stderr}"
    );
    stdout
}

#[test]
fn the_rust_example_tells_similar_sentences() {
    let program = built().parent().unwrap().join("examples/embed");
    if !program.exists() {
        println!("skipped: examples/embed is not built; `cargo test` without `--test` builds it");
        return;
    }
    let text = run(Command::new(program).arg(minilm_folder()));
    println!("{text}");
    let rows = text.lines().skip(1).take_while(|l| !l.is_empty());
    let similarities: Vec<f64> = rows
        .map(|row| row.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    let [a, b, c, d, e, f] = similarities[..] else {
        panic!("wanted six rows")
    };
    // Similar and other sentences take turns.
    assert!(a.min(c).min(e) > b.max(d).max(f) + 0.2);
    let error = text.lines().find_map(|l| {
        let words = l.strip_prefix("largest error against f64")?;
        words.split_whitespace().next()?.parse::<f64>().ok()
    });
    assert!(error.unwrap() <= BOUND);
}

/// Compiles `examples/embed.c` against the library beside this test.
fn build(program: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let libraries = built();
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o"])
        .arg(program)
        .arg(root.join("examples/embed.c"))
        .arg("-I")
        .arg(root.join("runtime/include"))
        .arg("-L")
        .arg(&libraries)
        .args(["-ltilewright_runtime", "-lm"])
        .arg(format!("-Wl,-rpath,{}", libraries.display()));
    run(&mut cc);
}

#[test]
fn the_c_example_embeds_as_run_does() {
    let folder = folder("c-example");
    done(
        &folder,
        "compile minilm --target cpu --shape batch=1,seq=16 -o m.tw",
    );
    let program = folder.0.join("embed");
    build(&program);
    let ids = ["101", "7592", "2088", "102"];
    let text = run(Command::new(program)
        .current_dir(&folder.0)
        .arg("m.tw")
        .args(ids));

    // It fills up with zeros, which the mask hides.
    let padded = |values: Vec<i64>| {
        let values: Vec<i64> = values.into_iter().chain([0; 12]).collect();
        integers(DType::I64, &[1, 16], &values)
    };
    let inputs = [
        (
            "input_ids",
            padded(ids.map(|id| id.parse().unwrap()).into()),
        ),
        ("attention_mask", padded(vec![1; 4])),
    ];
    write(&folder, "in.npz", &inputs);
    done(&folder, "run m.tw --inputs in.npz --output out.npz");
    let outputs: BTreeMap<_, _> = tensors(read(&folder, "out.npz"));
    let embedding = outputs["sentence_embedding"].values();
    let norm = embedding.iter().map(|x| x * x).sum::<f64>().sqrt();
    let first: Vec<String> = embedding[..4].iter().map(|x| format!("{x:.6}")).collect();
    assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    assert_eq!(
        text,
        format!(
            "sentence_embedding: norm {norm:.6}, first values {}\n",
            first.join(" ")
        )
    );
}
