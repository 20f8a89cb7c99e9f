//! Models as other versions and other tools write them.

use std::collections::BTreeMap;

use ir::{DType, Sizes, Symbol, Tensor};
use serde_json::{Map, Value, json};
use tilewright::import;

use crate::folder::Folder;

/// Renames every tensor of a safetensors header.
fn rename(header: &mut Map<String, Value>, new: impl Fn(&str) -> String) {
    header.remove("__metadata__");
    *header = std::mem::take(header)
        .into_iter()
        .map(|(name, v)| (new(&name), v))
        .collect();
}

#[test]
fn tensors_may_have_older_names() {
    let old = |name: &str| {
        name.replace("Norm.weight", "Norm.gamma")
            .replace("Norm.bias", "Norm.beta")
    };
    let prefixed = |name: &str| format!("bert.{name}");
    for new in [&old as &dyn Fn(&str) -> String, &prefixed, &|name| {
        prefixed(&old(name))
    }] {
        let folder = Folder::copy("bert");
        folder.edit_header("model.safetensors", |header| rename(header, new));
        import::load(&folder.0).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn configurations_may_be_of_older_versions() {
    let folder = Folder::copy("llama_base");
    let new = import::graph_only(&folder.0).unwrap();
    folder.edit_json("config.json", |c| {
        let mut rope = c.remove("rope_parameters").unwrap();
        let rope = rope.as_object_mut().unwrap();
        c.insert("rope_theta".into(), rope.remove("rope_theta").unwrap());
        c.insert("rope_scaling".into(), json!(rope));
        let dtype = c.remove("dtype").unwrap();
        c.insert("torch_dtype".into(), dtype);
    });
    assert!(import::graph_only(&folder.0).unwrap() == new);
}

/// Pools of `hidden: [2, 3, 16]`, of which the second sequence has two tokens, by their definitions.
fn pooled(mode: &str, hidden: &[f64]) -> Vec<f64> {
    let tokens = [3, 2];
    let at = |b: usize, t: usize, i: usize| hidden[(b * 3 + t) * 16 + i];
    let pool = |b: usize, i: usize| {
        let all = (0..tokens[b]).map(|t| at(b, t, i));
        match mode {
            "cls" => at(b, 0, i),
            "max" => all.fold(f64::NEG_INFINITY, f64::max),
            "mean" => all.sum::<f64>() / tokens[b] as f64,
            _ => all.sum::<f64>() / (tokens[b] as f64).sqrt(),
        }
    };
    (0..2)
        .flat_map(|b| (0..16).map(move |i| (b, i)))
        .map(|(b, i)| pool(b, i))
        .collect()
}

#[test]
fn each_pooling_mode_is_its_definition() {
    let inputs = BTreeMap::from([
        (
            "input_ids".to_owned(),
            Tensor::i64(&[2, 3], &[5, 1, 7, 2, 9, 0]),
        ),
        (
            "attention_mask".to_owned(),
            Tensor::i64(&[2, 3], &[1, 1, 1, 1, 1, 0]),
        ),
    ]);
    let sizes = Sizes::from([(Symbol::new("batch"), 2), (Symbol::new("seq"), 3)]);
    for mode in ["cls", "max", "mean", "mean_sqrt_len_tokens"] {
        let folder = Folder::copy("sentence");
        folder.edit("modules.json", |bytes| {
            let mut steps: Vec<Value> = serde_json::from_slice(bytes).unwrap();
            steps.pop();
            *bytes = serde_json::to_vec(&steps).unwrap();
        });
        folder.edit("1_Pooling/config.json", |bytes| {
            *bytes = json!({ "pooling_mode": mode }).to_string().into_bytes();
        });
        let model = import::load(&folder.0).unwrap();
        let graph = model.graph.bind(&sizes).unwrap();
        let found = ir::eval::evaluate(&graph, &inputs, &model.weights).unwrap();
        assert_eq!(found["sentence_embedding"].dtype(), DType::F32);
        let wanted = pooled(mode, &found["last_hidden_state"].values());
        for (a, b) in found["sentence_embedding"].values().iter().zip(wanted) {
            assert!((a - b).abs() < 1e-12, "{mode}: {a} {b}");
        }
    }
}
