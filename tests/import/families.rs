//! Keys of families that would change what is computed: read, or refused by name.

use std::{collections::BTreeMap, fs};

use ir::{Op, Tensor};
use serde_json::{Value, json};
use tilewright::import;

use crate::{
    folder::Folder,
    support::{Case, evaluate},
};

/// The error of model `name` with `key` set; `.` leads into an object.
#[track_caller]
fn refused(name: &str, key: &str, value: Value, wanted: &str) {
    let folder = Folder::copy(name);
    folder.edit_json("config.json", |c| match key.split_once('.') {
        None => drop(c.insert(key.into(), value)),
        Some((section, key)) => {
            let section = c.entry(section).or_insert(json!({}));
            section[key] = value;
        }
    });
    let found = import::graph_only(&folder.0).err().map(|e| e.to_string());
    let file = folder.0.join("config.json");
    let wanted = format!("{}: `{key}`: {wanted}", file.display());
    assert_eq!(found, Some(wanted), "{name}");
}

#[test]
fn what_no_layer_does_is_refused() {
    for (name, key, value, supported) in [
        (
            "falcon_new",
            "parallel_attn",
            json!(false),
            "true, with new_decoder_architecture",
        ),
        (
            "falcon",
            "num_ln_in_parallel_attn",
            json!(2),
            "1, without new_decoder_architecture",
        ),
        (
            "gemma2",
            "use_bidirectional_attention",
            json!(true),
            "false",
        ),
        ("mpt", "no_bias", json!(false), "true"),
        ("mpt", "expansion_ratio", json!(2), "4"),
        ("mpt", "logit_scale", json!(0.5), "null"),
        ("mpt", "attn_config.alibi", json!(false), "true"),
        ("mpt", "attn_config.qk_ln", json!(true), "false"),
        ("mpt", "attn_config.alibi_bias_max", json!(4), "8"),
        (
            "phi3_long",
            "rope_parameters.rope_type",
            json!("yarn"),
            "default, longrope, su",
        ),
        (
            "chatglm2",
            "position_encoding_2d",
            json!(true),
            "null: ChatGLM2 and later",
        ),
        ("chatglm2", "rmsnorm", json!(false), "true"),
        ("chatglm2", "quantization_bit", json!(4), "0"),
        (
            "t5",
            "feed_forward_proj",
            json!("gated-x"),
            "an activation, or gated- and an activation",
        ),
        ("t5_encoder", "is_decoder", json!(true), "false"),
        (
            "clip",
            "text_config_dict",
            json!({}),
            "text_config and vision_config",
        ),
        (
            "roberta",
            "pad_token_id",
            Value::Null,
            "the token that positions are counted from",
        ),
    ] {
        let shown = match &value {
            Value::Null => "nothing".to_owned(),
            value => value.to_string(),
        };
        refused(
            name,
            key,
            value,
            &format!("{shown} is not supported; supported: {supported}"),
        );
    }
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    for (name, key, value, wanted) in [
        (
            "vit",
            "patch_size",
            json!(12),
            "from 1 to 1048575 patches in an image, each of at most 1048576 numbers",
        ),
        (
            "vit",
            "image_size",
            json!([11]),
            "an integer from 1 to 16384, or two of them",
        ),
        (
            "t5",
            "relative_attention_num_buckets",
            json!(3),
            "an integer from 4 to 65536",
        ),
        (
            "t5",
            "relative_attention_max_distance",
            json!(4),
            "more than half of relative_attention_num_buckets, 4",
        ),
        (
            "roberta",
            "max_position_embeddings",
            json!(2),
            "more than pad_token_id + 1, 2",
        ),
        (
            "chatglm2",
            "kv_channels",
            json!(6),
            "a multiple of 4, so that half of a head is pairs",
        ),
        (
            "phi3_long",
            "rope_parameters.short_factor",
            json!([1.0]),
            "a list of 2 positive numbers",
        ),
    ] {
        let shown = value.to_string();
        refused(name, key, value, &format!("wanted {wanted}, found {shown}"));
    }
}

/// Longer sequences would have other factors for all positions.
#[test]
fn sequences_under_longrope_are_as_long_as_in_the_first_training() {
    let folder = Folder::copy("phi3_long");
    let graph = import::graph_only(&folder.0).unwrap();
    let most: Vec<_> = graph
        .symbols()
        .iter()
        .filter(|(s, _)| s.name() == "seq")
        .collect();
    assert_eq!(most[0].1.max, 16);
    let below = graph.nodes().iter().find_map(|node| match &node.op {
        Op::Input(input) if input.name == "position_ids" => Some(input.below),
        _ => None,
    });
    assert_eq!(below, Some(16));
}

/// Every model of the folder, its graph alone and with weights, and its text.
#[test]
fn graphs_need_no_weights() {
    for name in [
        "clip",
        "t5",
        "whisper",
        "falcon_alibi",
        "roberta",
        "vit",
        "chatglm2",
        "glm130b",
        "gemma2",
    ] {
        let folder = Folder::copy(name);
        let bare = import::graph_only(&folder.0).unwrap();
        assert!(bare == import::load(&folder.0).unwrap().graph, "{name}");
        assert!(
            ir::text::parse(&bare.to_string()).unwrap() == bare,
            "{name}"
        );
    }
}

/// What model `name` gives for its second case, of several tokens, with these keys set, or left out where they are null.
fn outputs(name: &str, keys: &[(&str, Value)]) -> BTreeMap<String, Tensor> {
    let folder = Folder::copy(name);
    folder.edit_json("config.json", |c| {
        for (key, value) in keys {
            match value {
                Value::Null => c.remove(*key),
                value => c.insert((*key).into(), value.clone()),
            };
        }
    });
    let cases = fs::read_to_string(folder.0.join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    evaluate(&import::load(&folder.0).unwrap(), &cases[1])
}

/// Source: the configuration classes of transformers 5.23.
#[test]
fn what_a_configuration_leaves_out_is_as_in_its_class() {
    let theta = json!({ "rope_type": "default", "rope_theta": 1e6 });
    let trained = "original_max_position_embeddings";
    let act = "dense_act_fn";
    for (name, silent, spoken) in [
        (
            "mixtral",
            vec![("rope_parameters", Value::Null)],
            ("rope_parameters", theta),
        ),
        (
            "phi3_long",
            vec![(trained, Value::Null)],
            (trained, json!(4096)),
        ),
        (
            "t5",
            vec![(act, Value::Null), ("feed_forward_proj", json!("gelu_new"))],
            (act, json!("gelu_new")),
        ),
    ] {
        let found = outputs(name, &silent);
        assert!(found == outputs(name, &[spoken]), "{name}");
        assert!(found != outputs(name, &[]), "{name}");
    }
}

#[test]
fn stacks_that_share_no_words_have_tables_of_their_own() {
    let folder = Folder::copy("bart_scaled");
    folder.edit_json("config.json", |c| {
        drop(c.insert("tie_word_embeddings".into(), json!(false)))
    });
    let error = import::load(&folder.0).err().unwrap().to_string();
    assert!(error.contains("encoder.embed_tokens.weight"), "{error}");
}
