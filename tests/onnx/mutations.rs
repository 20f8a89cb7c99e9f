//! Spoiled bytes of ONNX files, anywhere: the importer gives a graph that holds together, or an error, and never panics.

use std::fs;

use proptest::prelude::*;
use tilewright::import;

use crate::{exported::unpack, folder::Folder};

const MODELS: &[&str] = &["bert_ort", "gpt2_script", "t5_dynamo", "vit_script"];

/// One change of a file's bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Repeat(usize, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let within = bytes.len().max(1);
        let part = |at: usize, n: usize| at % within..(at % within + n).min(bytes.len());
        match *self {
            Self::Set(at, byte) => bytes
                .iter_mut()
                .skip(at % within)
                .take(1)
                .for_each(|b| *b = byte),
            Self::Cut(at) => bytes.truncate(at % within),
            Self::Drop(at, n) => drop(bytes.drain(part(at, n))),
            Self::Repeat(at, n) => {
                let part = part(at, n);
                let copy = bytes[part.clone()].to_vec();
                bytes.splice(part.start..part.start, copy);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<u32>().prop_map(|n| n as usize);
    // Small numbers are operators' axes and kinds, as large as a byte can be are the lengths of messages.
    let small = 0..10u8;
    prop_oneof![
        4 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at.clone(), small).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => at.clone().prop_map(Change::Cut),
        2 => (at.clone(), 1..40usize).prop_map(|(at, n)| Change::Drop(at, n)),
        2 => (at, 1..40usize).prop_map(|(at, n)| Change::Repeat(at, n)),
    ]
}

proptest! {
    #[test]
    fn onnx_files_with_odd_bytes(
        name in proptest::sample::select(MODELS),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let (mut bytes, _) = unpack(name);
        let folder = Folder::empty("odd-onnx");
        for change in &changes {
            change.apply(&mut bytes);
        }
        let odd = folder.0.join("model.onnx");
        fs::write(&odd, bytes).unwrap();
        if let Ok(model) = import::load(&odd) {
            ir::verify(&model.graph).unwrap();
        }
        if let Ok(graph) = import::graph_only(&odd) {
            ir::verify(&graph).unwrap();
        }
    }
}
