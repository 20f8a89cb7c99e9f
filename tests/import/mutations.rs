//! Spoiled bytes, anywhere: an importer gives a model or an error, and never panics.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tilewright::import;

use crate::folder::Folder;

const MODELS: &[&str] = &[
    "bert",
    "bert_masked",
    "sentence",
    "gpt2",
    "llama_base",
    "mistral",
    "qwen2",
    "glm4",
    "roberta",
    "distilbert",
    "vit",
    "clip",
    "phi3_long",
    "mixtral",
    "qwen2_moe",
    "qwen3_moe",
    "gemma2",
    "gpt_neox",
    "bloom",
    "falcon_new",
    "mpt_clipped",
    "t5_gated",
    "bart",
    "whisper",
    "chatglm2",
    "glm130b",
];

/// Values that configurations have no business with.
fn odd_value() -> impl Strategy<Value = Value> {
    let listed = [
        Value::Null,
        json!(true),
        json!("x"),
        json!(""),
        json!([]),
        json!([["x"]]),
        json!({}),
        json!({"type": "yarn", "factor": 1e-300}),
        json!({"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}),
        json!(1e308),
        json!(1e-320),
        json!(0.5),
        json!(-1),
    ];
    let powers = (0..64u32, -1..2i64).prop_map(|(p, off)| json!((1i64 << p).wrapping_add(off)));
    prop_oneof![
        proptest::sample::select(listed.to_vec()),
        powers,
        (0..40i64).prop_map(|n| json!(n))
    ]
}

/// Replaces the value of the key that `at` picks, or of one in the nested object there.
fn replace(object: &mut Map<String, Value>, at: usize, value: Value) {
    let keys: Vec<_> = object.keys().cloned().collect();
    let Some(key) = keys.get(at % keys.len().max(1)) else {
        return;
    };
    match &mut object[key] {
        Value::Object(nested) if at.is_multiple_of(2) => replace(nested, at / 2, value),
        old => *old = value,
    }
}

/// One change of a file's bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Repeat(usize, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, within: usize) {
        let within = within.min(bytes.len()).max(1);
        match *self {
            Self::Set(at, byte) => bytes
                .iter_mut()
                .skip(at % within)
                .take(1)
                .for_each(|b| *b = byte),
            Self::Cut(at) => bytes.truncate(at % within),
            Self::Drop(at, n) => {
                let from = (at % within).min(bytes.len());
                bytes.drain(from..(from + n).min(bytes.len()));
            }
            Self::Repeat(at, n) => {
                let from = (at % within).min(bytes.len());
                let part = bytes[from..(from + n).min(bytes.len())].to_vec();
                bytes.splice(from..from, part);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<u16>().prop_map(usize::from);
    prop_oneof![
        4 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at.clone(), proptest::sample::select(b"0919-.eE\"[]{}:,".to_vec()))
            .prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => at.clone().prop_map(Change::Cut),
        1 => (at.clone(), 1..40usize).prop_map(|(at, n)| Change::Drop(at, n)),
        1 => (at, 1..40usize).prop_map(|(at, n)| Change::Repeat(at, n)),
    ]
}

/// Any outcome but a panic will do; a graph that comes out must hold together.
fn import_all(folder: &Folder) {
    if let Ok(graph) = import::graph_only(&folder.0) {
        ir::verify(&graph).unwrap();
    }
    if let Ok(model) = import::load(&folder.0) {
        ir::verify(&model.graph).unwrap();
    }
}

proptest! {
    #[test]
    fn configurations_with_odd_values(
        name in proptest::sample::select(MODELS),
        changes in proptest::collection::vec((any::<usize>(), odd_value()), 1..4),
    ) {
        let folder = Folder::copy(name);
        folder.edit_json("config.json", |config| {
            for (at, value) in changes {
                replace(config, at, value);
            }
        });
        import_all(&folder);
    }

    #[test]
    fn configurations_with_odd_bytes(
        name in proptest::sample::select(MODELS),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let folder = Folder::copy(name);
        folder.edit("config.json", |bytes| changes.iter().for_each(|c| c.apply(bytes, usize::MAX)));
        import_all(&folder);
    }

    #[test]
    fn headers_with_odd_values(at in any::<usize>(), value in odd_value()) {
        let folder = Folder::copy("bert");
        folder.edit_header("model.safetensors", |header| replace(header, at, value));
        import_all(&folder);
    }

    #[test]
    fn weights_with_odd_bytes(changes in proptest::collection::vec(change(), 1..6)) {
        let folder = Folder::copy("bert");
        let header = fs::read(folder.0.join("model.safetensors")).unwrap();
        let header = 8 + u64::from_le_bytes(*header.first_chunk().unwrap()) as usize;
        folder.edit("model.safetensors", |bytes| changes.iter().for_each(|c| c.apply(bytes, header)));
        import_all(&folder);
    }

    #[test]
    fn side_files_with_odd_bytes(
        (name, file) in proptest::sample::select(vec![
            ("llama", "model.safetensors.index.json"),
            ("sentence", "modules.json"),
            ("sentence", "1_Pooling/config.json"),
        ]),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let folder = Folder::copy(name);
        folder.edit(file, |bytes| changes.iter().for_each(|c| c.apply(bytes, usize::MAX)));
        import_all(&folder);
    }
}
