//! Models as other versions and other tools write them.

use std::collections::BTreeMap;

use ir::{DType, Op, Sizes, Symbol, Tensor};
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

/// The graph that `config` gives with each key set, and again with the values `as_if`.
#[track_caller]
fn same_graph(name: &str, set: &[(&str, Value)], as_if: &[(&str, Value)]) {
    let [found, wanted] = [set, as_if].map(|changes| {
        let folder = Folder::copy(name);
        folder.edit_json("config.json", |c| {
            c.extend(changes.iter().map(|(k, v)| ((*k).into(), v.clone())));
        });
        import::graph_only(&folder.0).unwrap_or_else(|e| panic!("{e}"))
    });
    assert!(found == wanted, "{set:?}");
}

#[test]
fn gpt2_has_the_names_of_other_families_too() {
    same_graph(
        "gpt2",
        &[
            ("hidden_size", json!(24)),
            ("num_attention_heads", json!(3)),
            ("num_hidden_layers", json!(1)),
            ("max_position_embeddings", json!(9)),
        ],
        &[
            ("n_embd", json!(24)),
            ("n_head", json!(3)),
            ("n_layer", json!(1)),
            ("n_positions", json!(9)),
        ],
    );
}

#[test]
fn heads_of_keys_that_are_null_are_as_many_as_of_queries() {
    let key = "num_key_value_heads";
    same_graph("qwen2", &[(key, Value::Null)], &[(key, json!(4))]);
}

#[test]
fn mpt_may_be_of_the_class_that_its_authors_wrote() {
    same_graph("mpt", &[("architectures", json!(["MPTForCausalLM"]))], &[]);
}

#[test]
fn an_empty_scaling_is_none() {
    same_graph("llama_base", &[("rope_scaling", json!({}))], &[]);
}

/// A head that was trained apart from the table which the configuration ties it to.
#[test]
fn a_tied_head_that_differs_is_its_own() {
    for name in ["llama", "bert_pretraining"] {
        let folder = Folder::copy(name);
        let untied = import::load(&folder.0).unwrap().graph;
        folder.edit_json("config.json", |c| c["tie_word_embeddings"] = json!(true));
        let found = import::load(&folder.0).unwrap().graph;
        assert!(found == untied, "{name}");
    }
}

#[test]
fn a_tied_head_that_is_stored_twice_is_the_table() {
    let folder = Folder::copy("llama_linear");
    let once = import::load(&folder.0).unwrap().graph;
    let file = "model.safetensors";
    let mut table = 0..0;
    folder.edit_header(file, |header| {
        let ends = header
            .values()
            .filter_map(|t| t["data_offsets"][1].as_u64());
        let end = ends.max().unwrap() as usize;
        let mut head = header["model.embed_tokens.weight"].clone();
        let [from, to] = [0, 1].map(|i| head["data_offsets"][i].as_u64().unwrap() as usize);
        table = from..to;
        head["data_offsets"] = json!([end, end + table.len()]);
        header.insert("lm_head.weight".into(), head);
    });
    folder.edit(file, |bytes| {
        let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        bytes.extend_from_within(start + table.start..start + table.end);
    });
    let twice = import::load(&folder.0).unwrap_or_else(|e| panic!("{e}"));
    assert!(twice.graph == once);
}

/// Beyond the largest position, dynamic scaling changes the frequencies of all.
#[test]
fn positions_under_dynamic_scaling_are_bounded() {
    let folder = Folder::copy("llama");
    folder.edit_json("config.json", |c| {
        c["rope_parameters"] = json!({"rope_type": "dynamic", "rope_theta": 500.0, "factor": 2.0});
    });
    let graph = import::graph_only(&folder.0).unwrap();
    let below = graph.nodes().iter().find_map(|node| match &node.op {
        Op::Input(input) if input.name == "position_ids" => Some(input.below),
        _ => None,
    });
    assert_eq!(below, Some(32));
}

/// What `transformers` refuses, or reads otherwise than its name says, is refused here.
#[test]
fn keys_that_say_what_is_not_done() {
    let whole = "0.5 is not supported; supported: 1.0";
    for (name, key, value, wanted) in [
        (
            "llama",
            "partial_rotary_factor",
            json!(0.5),
            format!("`partial_rotary_factor`: {whole}"),
        ),
        (
            "qwen2",
            "rope_parameters",
            json!({"rope_type": "linear", "factor": 2.0, "partial_rotary_factor": 0.5}),
            format!("`rope_parameters.partial_rotary_factor`: {whole}"),
        ),
        (
            "qwen2",
            "rope_parameters",
            json!({"full_attention": {}}),
            "`rope_parameters.full_attention`: {} is not supported; supported: one set of values for all layers".into(),
        ),
        (
            "qwen2",
            "layer_types",
            json!(["full_attention"]),
            "`layer_types`: wanted one text for each of 2 layers, found [\"full_attention\"]".into(),
        ),
        (
            "qwen2",
            "layer_types",
            json!(["a", "full_attention"]),
            "`layer_types`: [\"a\",\"full_attention\"] is not supported; supported: full_attention, sliding_attention".into(),
        ),
        (
            "qwen2",
            "use_sliding_window",
            json!(false),
            "`layer_types`: [\"full_attention\",\"sliding_attention\"] is not supported; supported: full_attention".into(),
        ),
    ] {
        let folder = Folder::copy(name);
        folder.edit_json("config.json", |c| drop(c.insert(key.into(), value)));
        let found = import::graph_only(&folder.0).err().map(|e| e.to_string());
        let file = folder.0.join("config.json");
        assert_eq!(found, Some(format!("{}: {wanted}", file.display())));
    }
}

#[test]
fn a_step_without_a_folder_is_named() {
    let folder = Folder::copy("sentence");
    folder.edit("modules.json", |b| {
        *b = br#"[{"type": "a.Transformer", "path": "0_Gone"}]"#.to_vec();
    });
    let found = import::load(&folder.0).err().unwrap().to_string();
    let gone = folder.0.join("0_Gone");
    assert!(
        found.starts_with(&format!("{}: wanted", gone.display())),
        "{found}"
    );
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
