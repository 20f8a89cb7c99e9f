//! Calls of the program in a folder, as one would type them there.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::{
    folder::Folder,
    support::{minilm_folder, models},
};

/// A folder in which `minilm` is all-MiniLM-L6-v2, and `bert`, `chat` and `llama_base` are stored models.
pub fn folder(name: &str) -> Folder {
    let folder = Folder::empty(name);
    folder.link("minilm", &minilm_folder());
    for model in ["bert", "chat", "llama_base"] {
        folder.link(model, &models().join(model));
    }
    folder
}

/// `tilewright` with the words of `line`; `''` is the empty word.
pub fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
    let words = line.split_whitespace();
    command
        .args(words.map(|w| if w == "''" { "" } else { w }))
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// What a call prints that does its work. Off a terminal it says nothing else.
#[track_caller]
pub fn done(folder: &Folder, line: &str) -> String {
    let output = command(&folder.0, line).output().unwrap();
    let [stdout, stderr] = texts(&output);
    assert_eq!(
        (output.status.code(), stderr.as_str()),
        (Some(0), ""),
        "{line}\n{stdout}"
    );
    stdout
}

/// The object that a call prints with `--json`.
#[track_caller]
pub fn json(folder: &Folder, line: &str) -> Value {
    serde_json::from_str(&done(folder, &format!("{line} --json"))).unwrap()
}

/// Standard output and standard error.
pub fn texts(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|b| String::from_utf8(b.clone()).unwrap())
}

/// The bytes of a file in a folder.
#[track_caller]
pub fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.0.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}
