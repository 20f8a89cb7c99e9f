//! A mixture of experts beside a dense layer as large as the experts that a token chooses.

use std::sync::Arc;

use serde_json::{Value, json};
use tilewright::{
    CompileOptions, import,
    runtime::{self, Device},
};

use crate::{
    BOUND,
    blocks::{TOKENS, VOCABULARY, attention, case, write},
    drivers, execute,
    folder::Folder,
};

const WIDTH: i64 = 96;
const INNER: i64 = 160;
const EXPERTS: i64 = 8;
const CHOSEN: i64 = 2;

fn config(kind: &str, inner: i64) -> Value {
    json!({
        "architectures": [format!("{kind}Model")], "model_type": kind.to_lowercase(), "vocab_size": VOCABULARY,
        "hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 24,
        "intermediate_size": inner, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        "num_local_experts": EXPERTS, "num_experts_per_tok": CHOSEN,
        "rope_parameters": { "rope_type": "default", "rope_theta": 500000.0 },
    })
}

/// Operations of a run, which must be right.
fn flops(config: &Value, parts: Vec<(String, [i64; 2])>) -> u64 {
    let folder = Folder::empty(config["model_type"].as_str().unwrap());
    let mut tensors = attention(config, &["input_layernorm", "post_attention_layernorm"]);
    let parts = parts.into_iter();
    tensors.extend(parts.map(|(name, shape)| (format!("layers.0.{name}.weight"), shape.to_vec())));
    write(&folder.0, config, &tensors);
    let model = import::load(&folder.0).unwrap_or_else(|e| panic!("{e}"));
    let case = case(&model);
    let options = CompileOptions::new(tilewright::target("cpu").unwrap())
        .with_sizes([("batch", 1), ("seq", TOKENS)]);
    let compiled =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, _) = compiled.unwrap_or_else(|e| panic!("{e}"));
    let loaded = runtime::Model::load_on(Arc::new(artifact), &Device::Cpu, &drivers()).unwrap();
    let (found, work) = execute(&loaded, &case);
    let error = case.error(&found);
    assert!(error <= BOUND, "{error}");
    work.flops
}

#[test]
fn a_mixtral_does_the_work_of_the_experts_that_tokens_choose() {
    let inner = CHOSEN * INNER;
    let part = |name: &str, shape| (format!("mlp.{name}_proj"), shape);
    let dense = flops(
        &config("Llama", inner),
        vec![
            part("gate", [inner, WIDTH]),
            part("up", [inner, WIDTH]),
            part("down", [WIDTH, inner]),
        ],
    );
    let mut parts = vec![("block_sparse_moe.gate".to_owned(), [EXPERTS, WIDTH])];
    for expert in 0..EXPERTS {
        let part = |name: &str, shape| (format!("block_sparse_moe.experts.{expert}.{name}"), shape);
        parts.extend([
            part("w1", [INNER, WIDTH]),
            part("w3", [INNER, WIDTH]),
            part("w2", [WIDTH, INNER]),
        ]);
    }
    let mixture = flops(&config("Mixtral", INNER), parts);
    // Three products of each chosen expert, an addition for each multiplication; routing counts on top of it.
    let share = (TOKENS * CHOSEN * 3 * 2 * WIDTH * INNER) as u64;
    let experts = mixture - (dense - share);
    println!("{experts} operations of experts, {share} of those chosen");
    assert!(
        experts.abs_diff(share) <= share / 10,
        "{experts}, not {share}"
    );
}
