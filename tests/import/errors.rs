//! Bad models: each is refused with a message that names the file, and the key or tensor in it.

use std::fs;

use serde_json::{Map, Value, json};
use tilewright::import;

use crate::folder::Folder;

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";
const GAIN: &str = "embeddings.LayerNorm.weight";

/// Spoils a copy of the stored model `name` and compares the message, in which the folder is `DIR`.
#[track_caller]
fn check(name: &str, spoil: impl FnOnce(&Folder), wanted: &str) {
    let folder = Folder::copy(name);
    spoil(&folder);
    let found = match import::load(&folder.0) {
        Ok(_) => "no error".to_owned(),
        Err(e) => e
            .to_string()
            .replace(&folder.0.display().to_string(), "DIR"),
    };
    assert_eq!(found, wanted);
}

#[track_caller]
fn check_config(name: &str, key: &str, value: Value, wanted: &str) {
    check(
        name,
        |f| f.edit_json(CONFIG, |c| drop(c.insert(key.into(), value))),
        wanted,
    );
}

#[track_caller]
fn check_header(edit: impl FnOnce(&mut Map<String, Value>), wanted: &str) {
    check("bert", |f| f.edit_header(WEIGHTS, edit), wanted);
}

#[test]
fn paths_that_lead_to_no_model() {
    let wanted = "DIR: wanted a Hugging Face directory with config.json, an .onnx file or a .graph file; found a folder without config.json";
    check(
        "bert",
        |f| fs::remove_file(f.0.join(CONFIG)).unwrap(),
        wanted,
    );
    let wanted = "DIR: wanted a Hugging Face directory with config.json, an .onnx file or a .graph file; found neither model.safetensors nor model.safetensors.index.json";
    check(
        "bert",
        |f| fs::remove_file(f.0.join(WEIGHTS)).unwrap(),
        wanted,
    );
}

#[test]
fn files_cut_off() {
    let short = "DIR/model.safetensors: wanted at least 8 bytes, found 5";
    check("bert", |f| f.edit(WEIGHTS, |b| b.truncate(5)), short);
    let header = "DIR/model.safetensors: header length: wanted at most 92, found 3920; help: the file is cut off or no safetensors file";
    check("bert", |f| f.edit(WEIGHTS, |b| b.truncate(100)), header);
    let data = "DIR/model.safetensors: tensor `pooler.dense.weight`: wanted offsets within 0..19103, found 18080..19104";
    check(
        "bert",
        |f| f.edit(WEIGHTS, |b| b.truncate(b.len() - 1)),
        data,
    );
    let longer = "DIR/model.safetensors: bytes 19104..19105 of the data belong to no tensor";
    check("bert", |f| f.edit(WEIGHTS, |b| b.push(0)), longer);
    let empty = "DIR/model.safetensors: wanted at least 8 bytes, found 0";
    check("bert", |f| f.edit(WEIGHTS, Vec::clear), empty);
}

#[test]
fn headers_that_are_none() {
    let length = "DIR/model.safetensors: header length: wanted at most 23024, found 18446744073709551615; help: the file is cut off or no safetensors file";
    check("bert", |f| f.edit(WEIGHTS, |b| b[..8].fill(255)), length);
    let text = "DIR/model.safetensors: header: expected value at line 1 column 1";
    check("bert", |f| f.edit(WEIGHTS, |b| b[8] = b'x'), text);
    let utf8 = "DIR/model.safetensors: header: invalid unicode code point at line 1 column 4";
    check("bert", |f| f.edit(WEIGHTS, |b| b[11] = 255), utf8);
    check_header(
        |h| {
            drop(h.insert(
                GAIN.into(),
                json!({"dtype": "F32", "shape": [[]], "data_offsets": [0, 64]}),
            ))
        },
        "DIR/model.safetensors: header: tensor `embeddings.LayerNorm.weight`: invalid type: sequence, expected u64 at line 1 column 187",
    );
    check_header(
        |h| {
            drop(h.insert(GAIN.into(), json!({"dtype": "F32", "shape": [1, 1, 1, 1, 1, 1, 1, 1, 16], "data_offsets": [0, 64]})))
        },
        "DIR/model.safetensors: header: tensor `embeddings.LayerNorm.weight`: wanted at most 8 sizes below 2^63 at line 1 column 206",
    );
}

#[test]
fn tensors_listed_wrong() {
    let set =
        |key: &'static str, value: Value| move |h: &mut Map<String, Value>| h[GAIN][key] = value;
    let tensor = "DIR/model.safetensors: tensor `embeddings.LayerNorm.weight`";
    check_header(
        set("dtype", json!("F33")),
        &format!("{tensor}: wanted an element type such as F32, found `F33`"),
    );
    check_header(
        set("dtype", json!("F16")),
        &format!("{tensor}: F16 of shape [16] takes 32, found 64 bytes"),
    );
    check_header(
        set("dtype", json!("I32")),
        &format!("{tensor}: wanted element type F32, F16 or BF16, found I32"),
    );
    check_header(
        set("shape", json!([4, 4])),
        &format!("{tensor}: the model asks for shape [16], found [4, 4]"),
    );
    check_header(
        set("shape", json!([1u64 << 62, 1u64 << 62])),
        &format!(
            "{tensor}: F32 of shape [4611686018427387904, 4611686018427387904] takes more than 2^61, found 64 bytes"
        ),
    );
    check_header(
        set("data_offsets", json!([64, 1u64 << 60])),
        &format!("{tensor}: wanted offsets within 0..19104, found 64..1152921504606846976"),
    );
    check_header(
        set("data_offsets", json!([128, 64])),
        &format!("{tensor}: wanted offsets within 0..19104, found 128..64"),
    );
    check_header(
        set("data_offsets", json!([60, 128])),
        &format!("{tensor}: it begins at 60, within `embeddings.LayerNorm.bias`, which ends at 64"),
    );
    check_header(
        set("data_offsets", json!([68, 128])),
        "DIR/model.safetensors: bytes 64..68 of the data belong to no tensor",
    );
}

#[test]
fn tensors_too_few_or_too_many() {
    check_header(
        |h| {
            let gain = h.remove(GAIN).unwrap();
            h.insert("embeddings.LayerNorm.wait".into(), gain);
        },
        "DIR/model.safetensors: tensor `embeddings.LayerNorm.weight`: wanted shape [16], found no such tensor",
    );
    check_header(
        |h| {
            drop(h.insert(
                "encoder.layer.7.x".into(),
                json!({"dtype": "F32", "shape": [0], "data_offsets": [64, 64]}),
            ))
        },
        "DIR/model.safetensors: wanted only the model's tensors, found 1 more: encoder.layer.7.x; help: does `architectures` in config.json name the right class?",
    );
    check_config(
        "bert",
        "num_hidden_layers",
        json!(1),
        "DIR/model.safetensors: wanted only the model's tensors, found 16 more: encoder.layer.1.attention.output.LayerNorm.bias, encoder.layer.1.attention.output.LayerNorm.weight, encoder.layer.1.attention.output.dense.bias, encoder.layer.1.attention.output.dense.weight, ...; help: does `architectures` in config.json name the right class?",
    );
    // A buffer that older versions of transformers stored.
    check(
        "bert",
        |f| {
            f.edit_header(WEIGHTS, |h| {
                drop(h.insert(
                    "embeddings.position_ids".into(),
                    json!({"dtype": "I64", "shape": [0], "data_offsets": [64, 64]}),
                ));
            });
        },
        "no error",
    );
}

#[test]
fn shards_that_disagree() {
    let index = "model.safetensors.index.json";
    let map = |edit: fn(&mut Map<String, Value>)| {
        move |f: &Folder| f.edit_json(index, |i| edit(i["weight_map"].as_object_mut().unwrap()))
    };
    check("llama", |_| (), "no error");
    check(
        "llama",
        map(|m| drop(m.remove("model.norm.weight"))),
        "DIR/model.safetensors.index.json: tensor `model.norm.weight`: model-00001-of-00002.safetensors holds it, but it is not listed there",
    );
    check(
        "llama",
        map(|m| m["model.norm.weight"] = json!("model-00002-of-00002.safetensors")),
        "DIR/model.safetensors.index.json: tensor `model.norm.weight`: model-00001-of-00002.safetensors holds it, but it is not listed there",
    );
    check(
        "llama",
        map(|m| drop(m.insert("more".into(), json!("model-00001-of-00002.safetensors")))),
        "DIR/model.safetensors.index.json: tensor `more`: model-00001-of-00002.safetensors does not hold it",
    );
    check(
        "llama",
        map(|m| m["lm_head.weight"] = json!("../model.safetensors")),
        "DIR/model.safetensors.index.json: tensor `lm_head.weight`: wanted the name of a .safetensors file beside it, found `../model.safetensors`",
    );
    check(
        "llama",
        |f| fs::remove_file(f.0.join("model-00002-of-00002.safetensors")).unwrap(),
        "DIR/model-00002-of-00002.safetensors: No such file or directory (os error 2)",
    );
    check(
        "llama",
        |f| f.edit(index, |b| b[0] = b'?'),
        "DIR/model.safetensors.index.json: expected value at line 1 column 1",
    );
}

#[test]
fn configurations_that_are_none() {
    check(
        "bert",
        |f| f.edit(CONFIG, |b| b[0] = b'?'),
        "DIR/config.json: expected value at line 1 column 1",
    );
    check(
        "bert",
        |f| f.edit(CONFIG, |b| *b = b"[1]".to_vec()),
        "DIR/config.json: `$`: wanted an object, found [1]",
    );
    check(
        "bert",
        |f| f.edit(CONFIG, |b| *b = b"{\"a\": \"\xff\"}".to_vec()),
        "DIR/config.json: invalid unicode code point at line 1 column 8",
    );
    check(
        "bert",
        |f| f.edit(CONFIG, |b| *b = b"[".repeat(100_000)),
        "DIR/config.json: recursion limit exceeded at line 1 column 128",
    );
    check(
        "bert",
        |f| f.edit(CONFIG, |b| b.resize((1 << 20) + 1, b' ')),
        "DIR/config.json: wanted at most 1048576 bytes, found 1048577",
    );
}

#[test]
fn models_that_are_not_known() {
    check_config(
        "bert",
        "model_type",
        json!("mamba"),
        "DIR/config.json: `model_type`: \"mamba\" is not supported; supported: bert, roberta, xlm-roberta, distilbert, vit, clip, clip_text_model, clip_vision_model, gpt2, llama, mistral, qwen2, qwen3, phi3, mixtral, qwen2_moe, qwen3_moe, gemma, gemma2, gpt_neox, bloom, falcon, mpt, t5, bart, whisper, chatglm, glm130b, glm, glm4",
    );
    check_config(
        "bert",
        "model_type",
        Value::Null,
        "DIR/config.json: `model_type`: wanted one of bert, roberta, xlm-roberta, distilbert, vit, clip, clip_text_model, clip_vision_model, gpt2, llama, mistral, qwen2, qwen3, phi3, mixtral, qwen2_moe, qwen3_moe, gemma, gemma2, gpt_neox, bloom, falcon, mpt, t5, bart, whisper, chatglm, glm130b, glm, glm4, found nothing",
    );
    check_config(
        "bert",
        "architectures",
        json!(["BertForMultipleChoice"]),
        "DIR/config.json: `architectures`: [\"BertForMultipleChoice\"] is not supported; supported: BertModel, BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification, BertForQuestionAnswering, BertForNextSentencePrediction, BertForPreTraining",
    );
    check_config(
        "llama",
        "architectures",
        json!(["LlamaForSequenceClassification"]),
        "DIR/config.json: `architectures`: [\"LlamaForSequenceClassification\"] is not supported; supported: LlamaModel, LlamaForCausalLM",
    );
    check_config(
        "bert",
        "architectures",
        json!("BertModel"),
        "DIR/config.json: `architectures`: wanted a list of texts, found \"BertModel\"",
    );
    check_config(
        "bert",
        "hidden_act",
        json!("mish"),
        "DIR/config.json: `hidden_act`: \"mish\" is not supported; supported: gelu, gelu_python, gelu_new, gelu_fast, gelu_pytorch_tanh, gelu_python_tanh, gelu_accurate, quick_gelu, relu, sigmoid, silu, swish, tanh",
    );
    check_config(
        "bert",
        "is_decoder",
        json!(true),
        "DIR/config.json: `is_decoder`: true is not supported; supported: false",
    );
    check_config(
        "llama",
        "rope_scaling",
        json!({"type": "ntk"}),
        "DIR/config.json: `rope_scaling.type`: \"ntk\" is not supported; supported: default, dynamic, linear, llama3, longrope, su, yarn",
    );
}

#[test]
fn sizes_that_cannot_be() {
    check_config(
        "bert",
        "hidden_size",
        json!(0),
        "DIR/config.json: `hidden_size`: wanted an integer from 1 to 1048576, found 0",
    );
    check_config(
        "bert",
        "hidden_size",
        json!(-16),
        "DIR/config.json: `hidden_size`: wanted an integer from 1 to 1048576, found -16",
    );
    check_config(
        "bert",
        "hidden_size",
        json!(1u64 << 63),
        "DIR/config.json: `hidden_size`: wanted an integer from 1 to 1048576, found 9223372036854775808",
    );
    check_config(
        "bert",
        "hidden_size",
        json!("16"),
        "DIR/config.json: `hidden_size`: wanted an integer from 1 to 1048576, found \"16\"",
    );
    check_config(
        "bert",
        "num_hidden_layers",
        json!(1_000_000_000),
        "DIR/config.json: `num_hidden_layers`: wanted an integer from 1 to 1024, found 1000000000",
    );
    check_config(
        "bert",
        "num_attention_heads",
        json!(3),
        "DIR/config.json: `hidden_size`: wanted a multiple of num_attention_heads, 3, found 16",
    );
    check_config(
        "llama",
        "num_key_value_heads",
        json!(3),
        "DIR/config.json: `num_attention_heads`: wanted a multiple of num_key_value_heads, 3, found 4",
    );
    check_config(
        "glm",
        "head_dim",
        json!(6),
        "DIR/config.json: `rope_parameters.partial_rotary_factor`: wanted an even number of the 6 elements of a head to be turned, found 0.5",
    );
    check_config(
        "bert",
        "layer_norm_eps",
        json!(0),
        "DIR/config.json: `layer_norm_eps`: wanted a positive number, found 0",
    );
    check_config(
        "bert",
        "vocab_size",
        json!(25),
        "DIR/model.safetensors: tensor `embeddings.word_embeddings.weight`: the model asks for shape [25, 16], found [24, 16]",
    );
    check_config(
        "llama",
        "rope_scaling",
        json!({"type": "linear"}),
        "DIR/config.json: `rope_scaling.factor`: wanted a positive number, found nothing",
    );
}

#[test]
fn pooling_that_is_not_known() {
    let pooling = "1_Pooling/config.json";
    let mode = |key: &'static str, on: bool| {
        move |f: &Folder| f.edit_json(pooling, |c| drop(c.insert(key.into(), json!(on))))
    };
    check(
        "sentence",
        mode("pooling_mode_lasttoken", true),
        "DIR/1_Pooling/config.json: `pooling_mode_lasttoken`: true is not supported; supported: one of cls, max, mean, mean_sqrt_len_tokens",
    );
    check(
        "sentence",
        mode("pooling_mode_cls_token", true),
        "DIR/1_Pooling/config.json: `pooling_mode_mean_tokens`: true is not supported; supported: one of cls, max, mean, mean_sqrt_len_tokens",
    );
    check(
        "sentence",
        mode("pooling_mode_mean_tokens", false),
        "DIR/1_Pooling/config.json: `pooling_mode_mean_tokens`: wanted one mode that is true, found false",
    );
    check(
        "sentence",
        |f| f.edit("modules.json", |b| *b = b"{}".to_vec()),
        "DIR/modules.json: `$`: wanted a list of modules, found {}",
    );
    check(
        "sentence",
        |f| {
            f.edit("modules.json", |b| {
                *b = br#"[{"type": "a.Dense"}]"#.to_vec()
            })
        },
        "DIR/modules.json: `type`: \"a.Dense\" is not supported; supported: Transformer, Pooling, Normalize",
    );
    check(
        "sentence",
        |f| {
            f.edit("modules.json", |b| {
                *b = br#"[{"type": "a.Pooling", "path": "../x"}]"#.to_vec()
            })
        },
        "DIR/modules.json: `path`: wanted the name of a folder beside it, found \"../x\"",
    );
}

#[test]
fn texts_that_spell_no_graph() {
    const SUM: &str = r#"graph "sum" (batch in 1..8) {
  %0 = weight {name = "w", ty = f32[4]} : f32[4]
  %1 = sum(%0) {axes = (0), keep = false} : f32[]
  return y = %1
}
"#;
    let entry = |dtype: &str, shape: &[i64], bytes: usize| {
        let header =
            json!({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, bytes]}}).to_string();
        [
            &(header.len() as u64).to_le_bytes(),
            header.as_bytes(),
            &vec![0; bytes],
        ]
        .concat()
    };
    let check = |text: &[u8], weights: Option<Vec<u8>>, wanted: &str| {
        let folder = Folder::copy("minilm");
        fs::write(folder.0.join("m.graph"), text).unwrap();
        if let Some(bytes) = weights {
            fs::write(folder.0.join("m.safetensors"), bytes).unwrap();
        }
        let found = match import::load(&folder.0.join("m.graph")) {
            Ok(_) => "no error".to_owned(),
            Err(e) => e
                .to_string()
                .replace(&folder.0.display().to_string(), "DIR"),
        };
        assert_eq!(found, wanted);
    };
    check(SUM.as_bytes(), None, "no error");
    check(SUM.as_bytes(), Some(entry("F32", &[4], 16)), "no error");
    check(
        SUM.as_bytes(),
        Some(entry("F16", &[4], 8)),
        "DIR/m.safetensors: tensor `w`: wanted element type f32, found F16",
    );
    check(
        SUM.as_bytes(),
        Some(entry("F32", &[2], 8)),
        "DIR/m.safetensors: tensor `w`: the model asks for shape [4], found [2]",
    );
    check(
        SUM.replace("\"w\"", "\"v\"").as_bytes(),
        Some(entry("F32", &[4], 16)),
        "DIR/m.safetensors: tensor `v`: wanted shape [4], found no such tensor",
    );
    check(
        SUM.replace("sum(", "some(").as_bytes(),
        None,
        "DIR/m.graph: line 3, column 8: no op is named `some`",
    );
    check(b"graph \xff", None, "DIR/m.graph: byte 6: wanted UTF-8");
}
