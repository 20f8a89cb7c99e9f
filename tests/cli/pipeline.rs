//! From a model to an embedding: compile, run, explain, verify and inspect agree with one another and with the
//! definitions of the ops.

use std::{collections::BTreeMap, fs, num::NonZeroUsize};

use serde_json::Value;
use tilewright::runtime::{
    Device,
    cli::{self, DeviceOptions, RunOptions},
};

use crate::{
    arrays::{read, sentences, tensors, write_inputs},
    folder::Folder,
    program::{bytes, done, folder, json},
    support::{Case, Numbers, evaluate, largest_error, minilm, minilm_folder, models},
};

/// Largest relative error: sums of at most 1536 products in f32, each rounded to 2^-24, in a dozen layers.
const BOUND: f64 = 2e-5;

const COMPILE: &str = "compile minilm --target cpu --shape batch=1,seq=128 -o m.tw";

/// Encoder layers of MiniLM.
const LAYERS: usize = 6;
/// Attention, three linear maps, two normalisations, and one to spare.
const KERNELS_A_LAYER: usize = 7;

/// A folder with MiniLM as `m.tw` for (1, 128), and `in.npz` for it.
fn compiled(name: &str) -> Folder {
    let folder = folder(name);
    done(&folder, COMPILE);
    let case = Case {
        inputs: sentences(1, 128),
        outputs: BTreeMap::new(),
    };
    write_inputs(&folder, "in.npz", &case);
    folder
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key}"))
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key}"))
}

#[test]
fn outputs_equal_the_definitions() {
    let folder = folder("definitions");
    let model = minilm();
    for (batch, seq) in [(1, 128), (3, 77)] {
        let mut case = Case {
            inputs: sentences(batch, seq),
            outputs: BTreeMap::new(),
        };
        let exact = evaluate(&model, &case).into_iter();
        let numbers = exact.map(|(name, t)| {
            let (shape, values) = (t.shape().to_vec(), t.into_values());
            (name, Numbers { shape, values })
        });
        case.outputs = numbers.collect();
        write_inputs(&folder, "in.npz", &case);
        let shape = format!("--shape batch={batch},seq={seq}");
        done(
            &folder,
            &format!("compile minilm --target cpu {shape} -o m.tw"),
        );
        let report = json(&folder, "run m.tw --inputs in.npz --output out.npz");
        let error = case.error(&tensors(read(&folder, "out.npz")));
        println!("{error:.1e} at ({batch}, {seq})");
        assert!(error <= BOUND, "{error} at ({batch}, {seq})");

        let explained = json(&folder, &format!("explain minilm {shape}"));
        let launches = list(&explained["programs"][0], "launches");
        assert_eq!(number(&report, "dispatches"), launches.len() as u64);
    }
}

#[test]
fn a_model_that_is_run_agrees_with_transformers() {
    let folder = folder("transformers");
    let error = largest_error(&models().join("minilm"), |case| {
        write_inputs(&folder, "in.npz", case);
        done(&folder, "run minilm --inputs in.npz --output out.npz");
        tensors(read(&folder, "out.npz"))
    });
    assert!(error <= BOUND, "{error}");
}

/// `tilewright-run` is another package's program, but all it does to run is what is called here.
#[test]
fn all_ways_to_run_give_the_same_bits() {
    let folder = compiled("same-bits");
    for threads in [1, 2, 3] {
        let options = format!("--inputs in.npz --output out.npz --threads {threads}");
        done(&folder, &format!("run m.tw {options}"));
        let wanted = read(&folder, "out.npz");
        assert_eq!(wanted["sentence_embedding"].shape, [1, 384]);

        fs::remove_file(folder.0.join("out.npz")).unwrap();
        done(&folder, &format!("run minilm {options}"));
        assert!(read(&folder, "out.npz") == wanted, "{threads} threads");

        let device = DeviceOptions {
            threads: NonZeroUsize::new(threads),
            device: Device::Cpu,
            no_graph: false,
            no_verify: false,
        };
        let artifact = cli::open(&folder.0.join("m.tw"), &device).unwrap();
        let options = RunOptions {
            generate: cli::GenerateOptions {
                prompt_ids: None,
                max_tokens: 0,
                temperature: 0.0,
                top_k: 0,
                top_p: 1.0,
                seed: 0,
            },
            inputs: Some(folder.0.join("in.npz")),
            output: Some(folder.0.join("own.npz")),
            device,
        };
        cli::run(artifact, &options, false).unwrap();
        assert!(read(&folder, "own.npz") == wanted, "{threads} threads");
    }
}

#[test]
fn compilations_are_the_same_byte_for_byte() {
    let folder = compiled("same-bytes");
    let elsewhere = Folder::empty("elsewhere");
    let model = minilm_folder();
    let line = COMPILE.replace("minilm", model.to_str().unwrap());
    done(&elsewhere, &line);
    assert!(bytes(&folder, "m.tw") == bytes(&elsewhere, "m.tw"));
}

#[test]
fn a_layer_takes_few_kernels() {
    let folder = folder("layers");
    let explained = json(&folder, "explain minilm");
    let program = &explained["programs"][0];
    let layers = list(program, "layers");
    assert_eq!(layers.len(), 1);
    assert_eq!(number(&layers[0], "times"), LAYERS as u64);

    let launches = list(program, "launches");
    let is_attention = |i: &usize| launches[*i]["family"] == "attention";
    let attentions: Vec<usize> = (0..launches.len()).filter(is_attention).collect();
    assert_eq!(attentions.len(), LAYERS);
    let gaps: Vec<usize> = attentions.windows(2).map(|w| w[1] - w[0]).collect();
    println!("kernels from attention to attention: {gaps:?}");
    assert!(gaps.iter().all(|n| *n <= KERNELS_A_LAYER), "{gaps:?}");
    // Besides the layers: embedding, mask and pooling.
    assert!(launches.len() <= (LAYERS + 1) * KERNELS_A_LAYER);
}

#[test]
fn a_run_holds_little_more_than_weights_and_activations() {
    let folder = compiled("memory");
    let peak = number(&json(&folder, "run m.tw --inputs in.npz"), "peak_bytes");
    let artifact = json(&folder, "inspect m.tw");
    let weights = number(&artifact, "weight_bytes");
    let planned = number(&artifact["targets"][0]["programs"][0], "arena_bytes");
    println!("{peak} bytes, {weights} of weights, {planned} of activations");
    // Every weight was read, for its checksum.
    assert!(peak > weights);
    assert!(peak < (weights + planned) * 13 / 10 + 30_000_000);
}

#[test]
fn every_proof_holds() {
    let folder = folder("proofs");
    let report = json(&folder, "explain minilm --check");
    assert_eq!(
        (&report["passed"], &report["checked"]),
        (&true.into(), &true.into())
    );
    let program = &report["programs"][0];
    let proofs = list(program, "proofs");
    assert!(!proofs.is_empty() && proofs.iter().all(|p| p["holds"] == true));
    let sum: u64 = proofs.iter().map(|p| number(p, "bytes")).sum();
    assert_eq!(number(program, "proof_bytes"), sum);
    assert!(sum < 200_000, "{sum}");
    assert!(
        done(&folder, "explain minilm --check").contains("the independent checker replayed all")
    );
}

#[test]
fn explain_needs_no_weights() {
    let bare = folder("bare");
    for (name, files) in [
        (
            "minilm",
            &["config.json", "modules.json", "1_Pooling/config.json"][..],
        ),
        ("bert", &["config.json"]),
    ] {
        let whole = json(&bare, &format!("explain {name}"));
        assert!(!list(&whole["programs"][0], "launches").is_empty());
        for file in files {
            let to = bare.0.join("copy").join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(bare.0.join(name).join(file), to).unwrap();
        }
        for path in ["copy", "copy/config.json"] {
            assert!(json(&bare, &format!("explain {path}")) == whole, "{name}");
        }
        fs::remove_dir_all(bare.0.join("copy")).unwrap();
    }
}

#[test]
fn verify_records_what_inspect_shows() {
    let folder = compiled("evidence");
    let kernels = |artifact: &Value| list(&artifact["targets"][0], "kernels").to_vec();
    let before = json(&folder, "inspect m.tw");
    // Compiling shows that the linker took it, and no more.
    let only_built = |k: &Value| k["level"] == "E1" && list(k, "records").is_empty();
    assert!(kernels(&before).iter().all(only_built));
    done(&folder, "run m.tw --inputs in.npz --output before.npz");

    let verified = json(&folder, "verify m.tw");
    assert_eq!(number(&verified, "failed"), 0);
    assert_eq!(list(&verified, "kernels").len(), kernels(&before).len());

    let after = json(&folder, "inspect m.tw");
    for kernel in kernels(&after) {
        let error = kernel["evidence"]["max_error"].as_f64().unwrap();
        assert!(
            kernel["evidence"]["level"] == "E3" && error <= BOUND,
            "{kernel}"
        );
    }
    assert!(done(&folder, "inspect m.tw").contains("E3 executed by tilewright"));
    assert_eq!(after["identity"], before["identity"]);
    done(&folder, "run m.tw --inputs in.npz --output after.npz");
    assert!(read(&folder, "after.npz") == read(&folder, "before.npz"));
}

#[test]
fn narrow_storage_halves_the_file_and_keeps_the_kernels() {
    let folder = compiled("narrow");
    let whole = bytes(&folder, "m.tw").len();
    done(&folder, "run m.tw --inputs in.npz --output whole.npz");
    let wanted = tensors(read(&folder, "whole.npz"));
    let launches = |options: &str| {
        let report = json(&folder, &format!("explain minilm --check{options}"));
        assert_eq!(report["passed"], true);
        list(&report["programs"][0], "launches").len()
    };
    let kernels = launches("");
    // As in `tests/compiled`: ten roundings of half a unit in the last place.
    for (dtype, bound) in [("f16", 10.0 / 2048.0), ("bf16", 10.0 / 256.0)] {
        done(&folder, &format!("{COMPILE} --dtype {dtype}"));
        let half = bytes(&folder, "m.tw").len();
        println!("{dtype}: {half} of {whole} bytes");
        assert!(half * 100 < whole * 52, "{half} of {whole}");
        assert_eq!(launches(&format!(" --dtype {dtype}")), kernels);
        assert_eq!(number(&json(&folder, "verify m.tw"), "failed"), 0);

        done(&folder, "run m.tw --inputs in.npz --output half.npz");
        let found = read(&folder, "half.npz");
        done(
            &folder,
            &format!("run minilm --dtype {dtype} --inputs in.npz --output again.npz"),
        );
        assert!(read(&folder, "again.npz") == found, "{dtype}");
        let case = Case {
            inputs: sentences(1, 128),
            outputs: wanted
                .iter()
                .map(|(name, t)| {
                    let (shape, values) = (t.shape().to_vec(), t.values().into_owned());
                    (name.clone(), Numbers { shape, values })
                })
                .collect(),
        };
        let error = case.error(&tensors(found));
        println!("{dtype}: {error:.1e}");
        // What is as exact as f32 was not stored narrow.
        assert!(BOUND < error && error <= bound, "{dtype}: {error}");
    }
}
