//! Readers that went away, and a standard output that takes nothing.

use std::{fs::File, io, process::Stdio};

use ir::DType;

use crate::{
    arrays::{integers, write},
    folder::Folder,
    program::{command, done, folder, texts},
};

const COMMANDS: [&str; 9] = [
    "targets",
    "devices --json",
    "--help",
    "help compile",
    "compile bert --target cpu --shape batch=1,seq=4 -o again.tw",
    "explain bert --proofs",
    "run m.tw --inputs in.npz",
    "verify m.tw --json",
    "inspect m.tw --rules",
];

fn prepared(name: &str) -> Folder {
    let folder = folder(name);
    done(
        &folder,
        "compile bert --target cpu --shape batch=1,seq=4 -o m.tw",
    );
    write(
        &folder,
        "in.npz",
        &[("input_ids", integers(DType::I64, &[1, 4], &[1, 2, 3, 4]))],
    );
    folder
}

/// A pipe that nobody reads, as `head -0` leaves it.
fn closed_pipe() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let folder = prepared("no-reader");
    for line in COMMANDS {
        let output = command(&folder.0, line)
            .stdout(closed_pipe())
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), texts(&output)[1].as_str()),
            (Some(0), ""),
            "{line}"
        );
    }
    // Nobody hears why, but the exit code stays.
    for (line, code) in [
        ("run nowhere.tw", 1),
        ("frobnicate", 2),
        ("run m.tw --shape x=1", 2),
    ] {
        let status = command(&folder.0, line)
            .stderr(closed_pipe())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}

#[test]
fn a_full_standard_output_is_an_error() {
    let folder = prepared("full");
    for line in COMMANDS.iter().filter(|l| !l.contains("help")) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command(&folder.0, line).stdout(full).output().unwrap();
        let wanted = "error: standard output: No space left on device (os error 28)\n";
        assert_eq!(
            (output.status.code(), texts(&output)[1].as_str()),
            (Some(1), wanted),
            "{line}"
        );
    }
}
