//! Models that are written in other ways and mean the same (`twins.py`): they become the same kernels.

use std::fs;

use tilewright::{CompileOptions, import};

use crate::{
    exported::{bytes_in, unpack},
    folder::Folder,
    support::Case,
};

/// What each distinct kernel computes, and the kernel of each launch, by name.
#[derive(Debug, PartialEq)]
struct Kernels {
    meanings: Vec<String>,
    launches: Vec<String>,
}

fn kernels(folder: &Folder, bytes: Vec<u8>, case: &Case) -> Kernels {
    let file = folder.0.join("model.onnx");
    // A new file: the one before may be mapped.
    let _ = fs::remove_file(&file);
    fs::write(&file, bytes).unwrap();
    let model = import::load(&file).unwrap_or_else(|e| panic!("{e}"));
    let mut options = CompileOptions::new(tilewright::target("cpu").unwrap());
    options.sizes = vec![case.sizes(&model.graph)];
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (_, report) = made.unwrap_or_else(|e| panic!("{e}"));
    let explained = tilewright::explain(&model.graph, &options).unwrap();
    let mut meanings: Vec<_> = report.decisions.into_iter().map(|d| d.meaning).collect();
    let mut launches: Vec<_> = explained[0]
        .launches
        .iter()
        .map(|l| l.kernel.clone())
        .collect();
    meanings.sort();
    launches.sort();
    Kernels { meanings, launches }
}

#[test]
fn twins_become_the_same_kernels() {
    let folder = Folder::empty("twins");
    let (bytes, cases) = unpack("bert_dynamo");
    let wanted = kernels(&folder, bytes, &cases[0]);
    assert!(wanted.launches.len() > 10);
    let mut wrong = Vec::new();
    for twin in [
        "renamed",
        "identities",
        "transposes",
        "halves",
        "decomposed",
    ] {
        let bytes = bytes_in(&format!("twins/{twin}.zip"), "model.onnx");
        let found = kernels(&folder, bytes, &cases[0]);
        if found != wanted {
            let (a, b) = (&wanted.launches, &found.launches);
            wrong.push(format!("{twin}: wanted {a:#?}, found {b:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
