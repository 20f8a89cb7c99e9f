//! One layer of LLaMA and of GLM-4 with the proportions of the large ones, in one artifact for many targets, on every
//! device that is here.

use std::{fs, path::Path, sync::Arc};

use ir::DType;
use serde_json::{Value, json};
use tilewright::{
    CompileOptions, Storage,
    import::{self, Model},
    runtime::{
        self, Artifact, Device,
        cli::{InspectOptions, inspect},
    },
};

use crate::{
    BOUND, STORED, execute,
    folder::Folder,
    has_opencl, rounding,
    support::{Case, Numbers, evaluate},
};

const TARGETS: [&str; 6] = [
    "cpu:x86-64-v3",
    "cuda:sm_90a",
    "rocm:gfx942",
    "opencl",
    "opencl:gfx936",
    "ascend:910B3",
];

/// Tokens: no multiple of any tile.
pub(crate) const TOKENS: i64 = 13;
pub(crate) const VOCABULARY: i64 = 96;

/// A quarter of Llama 3 8B: width 4096, 32 heads and 8 of keys, 14336 between.
fn llama() -> Value {
    json!({
        "architectures": ["LlamaModel"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 1024,
        "num_hidden_layers": 1, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128,
        "intermediate_size": 3584, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        "rope_parameters": { "rope_type": "default", "rope_theta": 500000.0 },
    })
}

/// A quarter of GLM-4 9B: width 4096, 32 heads and 2 of keys, 13696 between.
fn glm4() -> Value {
    json!({
        "architectures": ["Glm4Model"], "model_type": "glm4", "vocab_size": VOCABULARY, "hidden_size": 1024,
        "num_hidden_layers": 1, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128,
        "intermediate_size": 3424, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "attention_bias": true,
        "rope_parameters": { "rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5 },
    })
}

/// Names and shapes of the weights that a layer has beside those of its feed-forward part.
pub(crate) fn attention(config: &Value, norms: &[&str]) -> Vec<(String, Vec<i64>)> {
    let size = |key: &str| config[key].as_i64().unwrap();
    let (d, head) = (size("hidden_size"), size("head_dim"));
    let (queries, keys) = (size("num_attention_heads"), size("num_key_value_heads"));
    let mut all = vec![
        ("embed_tokens.weight".to_owned(), vec![VOCABULARY, d]),
        ("norm.weight".to_owned(), vec![d]),
    ];
    let mut add =
        |name: &str, shape: &[i64]| all.push((format!("layers.0.{name}"), shape.to_vec()));
    for (name, heads) in [("q", queries), ("k", keys), ("v", keys)] {
        add(&format!("self_attn.{name}_proj.weight"), &[heads * head, d]);
        if config["attention_bias"] == true {
            add(&format!("self_attn.{name}_proj.bias"), &[heads * head]);
        }
    }
    add("self_attn.o_proj.weight", &[d, queries * head]);
    for norm in norms {
        add(&format!("{norm}.weight"), &[d]);
    }
    all
}

/// Even numbers around 0 (splitmix64), as large as keeps sums of `terms` products near 1.
fn weights(seed: u64, len: usize, terms: i64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let scale = (3.0 / terms as f32).sqrt();
    (0..len).map(|_| next() * scale).collect()
}

/// Writes config.json and model.safetensors.
pub(crate) fn write(folder: &Path, config: &Value, tensors: &[(String, Vec<i64>)]) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (seed, (name, shape)) in (1..).zip(tensors) {
        let len = shape.iter().product::<i64>() as usize;
        let values = match shape.as_slice() {
            // Gains of norms around 1, biases around 0.
            [_] => {
                let middle = if name.ends_with("bias") { 0.0 } else { 1.0 };
                let all = weights(seed, len, 12);
                all.iter().map(|v| v + middle).collect()
            }
            [.., terms] => weights(seed, len, *terms),
            [] => unreachable!("every weight has an axis"),
        };
        let start = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        header.insert(
            name.clone(),
            json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] }),
        );
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_iter().chain(data));
    fs::write(folder.join("model.safetensors"), file).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Some tokens.
pub(crate) fn tokens() -> Case {
    let ids = Numbers {
        shape: vec![1, TOKENS],
        values: (0..TOKENS).map(|i| (i * 37 % VOCABULARY) as f64).collect(),
    };
    Case {
        inputs: [("input_ids".to_owned(), ids)].into(),
        outputs: Default::default(),
    }
}

/// What the definitions of the ops give for some tokens.
pub(crate) fn case(model: &Model) -> Case {
    let mut case = tokens();
    let exact = evaluate(model, &case).into_iter().map(|(name, t)| {
        let (shape, values) = (t.shape().to_vec(), t.into_values());
        (name, Numbers { shape, values })
    });
    case.outputs = exact.collect();
    case
}

/// Every kernel of every target is listed, with what took its code.
fn check_inspect(artifact: &Artifact) {
    let report = inspect(
        artifact,
        &InspectOptions::default(),
        &tilewright::devices_of,
    );
    let targets = report.json["targets"].as_array().unwrap();
    assert_eq!(targets.len(), TARGETS.len());
    for (target, name) in targets.iter().zip(TARGETS) {
        assert_eq!(target["target"], name);
        let kernels = target["kernels"].as_array().unwrap();
        assert!(kernels.len() > 5, "{name}");
        let text_only = name.starts_with("opencl") || target["accepted_by"].is_null();
        for kernel in kernels {
            assert_eq!(kernel["level"].is_null(), text_only, "{name}: {kernel}");
            let spills = kernel["takes"]["spills"].as_u64();
            assert_eq!(spills.unwrap_or(0), 0, "{name}: {kernel}");
            let floors = kernel["floors"].as_array().unwrap();
            assert!(!floors.is_empty(), "{name}: {kernel}");
            assert!(
                floors.iter().all(|f| f["seconds"].as_f64() > Some(0.0)),
                "{name}: {kernel}"
            );
        }
    }
    assert!(report.text.contains(" on H200 SXM"), "{}", report.text);
}

fn check(name: &str, config: &Value, tensors: &[(String, Vec<i64>)]) {
    let folder = Folder::empty(name);
    write(&folder.0, config, tensors);
    let model = import::load(&folder.0).unwrap_or_else(|e| panic!("{e}"));
    let case = case(&model);
    let mut devices = vec![Device::Cpu];
    devices.extend(["cuda:sm_90a", "rocm:gfx942"].map(|t| Device::Emulator(t.into())));
    if has_opencl() {
        devices.push(Device::OpenCl(0));
    }
    for storage in [Storage::F16, Storage::F32] {
        let targets = TARGETS.map(|t| tilewright::target(t).unwrap());
        let mut options =
            CompileOptions::new(targets[0].clone()).with_sizes([("batch", 1), ("seq", TOKENS)]);
        options.targets = targets.to_vec();
        options.storage = storage;
        let compiled =
            tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
        let (artifact, _) = compiled.unwrap_or_else(|e| panic!("{e}"));
        check_inspect(&artifact);
        let artifact = Arc::new(artifact);
        // The emulator takes products of f32 one by one where the device has no instruction for them.
        let slow = Device::Emulator("cuda:sm_90a".into());
        let is_quick = |d: &&Device| storage != Storage::F32 || **d != slow;
        for device in devices.iter().filter(is_quick) {
            let loaded = runtime::Model::load_on(Arc::clone(&artifact), device, &crate::drivers());
            let (found, _) = execute(&loaded.unwrap_or_else(|e| panic!("{e}")), &case);
            let error = case.error(&found);
            println!("{error:.1e}  {name} in {} on {device}", storage.dtype());
            let bound = f64::max(BOUND, STORED * rounding(storage));
            assert!(
                error <= bound,
                "{name} in {} on {device}: {error}",
                storage.dtype()
            );
            // What is as exact as f32 was not stored narrow.
            assert!(storage.dtype() == DType::F32 || error > BOUND, "{error}");
        }
    }
}

/// The layer of a LLaMA, and its weights.
pub(crate) fn llama_layer() -> (Value, Vec<(String, Vec<i64>)>) {
    let config = llama();
    let mut tensors = attention(&config, &["input_layernorm", "post_attention_layernorm"]);
    for name in ["gate", "up"] {
        tensors.push((format!("layers.0.mlp.{name}_proj.weight"), vec![3584, 1024]));
    }
    tensors.push(("layers.0.mlp.down_proj.weight".into(), vec![1024, 3584]));
    (config, tensors)
}

#[test]
fn a_llama_layer_runs_by_the_code_for_each_device() {
    let (config, tensors) = llama_layer();
    check("llama-layer", &config, &tensors);
}

#[test]
fn a_glm4_layer_runs_by_the_code_for_each_device() {
    let config = glm4();
    let norms = [
        "input_layernorm",
        "post_attention_layernorm",
        "post_self_attn_layernorm",
        "post_mlp_layernorm",
    ];
    let mut tensors = attention(&config, &norms);
    let both = (
        "layers.0.mlp.gate_up_proj.weight".into(),
        vec![2 * 3424, 1024],
    );
    tensors.extend([
        both,
        ("layers.0.mlp.down_proj.weight".into(), vec![1024, 3424]),
    ]);
    check("glm4-layer", &config, &tensors);
}
