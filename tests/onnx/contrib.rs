//! Nodes of com.microsoft (`contrib.py`), against what onnxruntime gives.

use std::{fs, io::Read, path::Path};

use zip::ZipArchive;

use crate::{
    folder::Folder,
    outcome::{Case, Outcome},
};

#[test]
fn fused_nodes_agree_with_onnxruntime() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/contrib.zip");
    let mut packed = ZipArchive::new(fs::File::open(packed).unwrap()).unwrap();
    let folder = Folder::empty("contrib");
    for i in 0..packed.len() {
        let mut file = packed.by_index(i).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let name = file.name().unwrap().into_owned();
        fs::write(folder.0.join(name), bytes).unwrap();
    }
    let read = |name: &str| fs::read(folder.0.join(name)).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&read("cases.json")).unwrap();
    let values = read("values");
    assert_eq!(cases.len(), 26);
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| match case.outcome(&folder.0, &values) {
            Outcome::Pass => None,
            other => Some(format!("{}: {other:?}", case.name)),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
