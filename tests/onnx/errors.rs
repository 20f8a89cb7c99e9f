//! Bad files (`bad.py`): each is refused with the message in `errors.test`, which `TILEWRIGHT_BLESS=1` rewrites.

use std::{env, fmt::Write, fs, io::Read, path::Path};

use tilewright::import;
use zip::ZipArchive;

use crate::folder::Folder;

#[test]
fn bad_files_are_refused_with_where_and_why() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let folder = Folder::empty("bad-onnx");
    let inner = folder.0.join("models");
    fs::create_dir(&inner).unwrap();
    fs::write(folder.0.join("values.bin"), [0; 8]).unwrap();
    fs::write(inner.join("values.bin"), [0; 8]).unwrap();
    folder.link("models/link.bin", &folder.0.join("values.bin"));
    let mut packed = ZipArchive::new(fs::File::open(here.join("bad.zip")).unwrap()).unwrap();
    let mut text = String::from(
        "# Bad ONNX files, and the message of each; `bad.py` says what is in them, `errors.rs` what lies beside them.\n",
    );
    for i in 0..packed.len() {
        let mut file = packed.by_index(i).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let name = file.name().unwrap().into_owned();
        let path = inner.join(&name);
        fs::write(&path, bytes).unwrap();
        let found = match import::load(&path) {
            Ok(_) => "no error".into(),
            Err(e) => e.to_string().replace(&format!("{}/", inner.display()), ""),
        };
        assert_ne!(found, "no error", "{name}");
        write!(text, "\n{found}\n").unwrap();
    }
    let stored = here.join("errors.test");
    if env::var_os("TILEWRIGHT_BLESS").is_some() {
        fs::write(stored, text).unwrap();
        return;
    }
    assert_eq!(fs::read_to_string(stored).unwrap(), text);
}

/// A graph is read without the files beside it, which may be missing.
#[test]
fn a_graph_needs_no_external_data() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let mut packed = ZipArchive::new(fs::File::open(here.join("bad.zip")).unwrap()).unwrap();
    let mut bytes = Vec::new();
    let mut file = packed.by_name("external-missing.onnx").unwrap();
    file.read_to_end(&mut bytes).unwrap();
    let folder = Folder::empty("graph-only");
    let path = folder.0.join("model.onnx");
    fs::write(&path, bytes).unwrap();
    let graph = import::graph_only(&path).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(graph.outputs().len(), 1);
    assert!(import::load(&path).is_err());
}
