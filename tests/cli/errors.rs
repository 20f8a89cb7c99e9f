//! Wrong uses: each has an exit code and a message that says what is wrong, prints nothing else, and leaves
//! nothing behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output},
};

use ir::DType::{self, I32, I64};
use zip::ZipArchive;

use crate::{
    arrays::{integers, write},
    folder::Folder,
    program::{bytes, command, done, folder, texts},
};

/// Without BERT's sizes: batch 1, and 4 words out of 24.
const COMPILE: &str = "compile bert --target cpu --shape batch=1,seq=4 -o m.tw";

/// Name, element type, shape and elements.
type Given = (&'static str, DType, &'static [usize], &'static [i64]);

/// Files and the arrays in them.
const INPUTS: &[(&str, &[Given])] = &[
    ("good.npz", &[("input_ids", I64, &[1, 4], &[1, 2, 3, 23])]),
    ("none.npz", &[]),
    ("mask.npz", &[("attention_mask", I64, &[1, 4], &[1; 4])]),
    ("longer.npz", &[("input_ids", I64, &[1, 5], &[1; 5])]),
    ("long.npz", &[("input_ids", I64, &[1, 25], &[1; 25])]),
    ("flat.npz", &[("input_ids", I64, &[4], &[1; 4])]),
    ("narrow.npz", &[("input_ids", I32, &[1, 4], &[1; 4])]),
    (
        "unknown.npz",
        &[
            ("input_ids", I64, &[1, 4], &[1; 4]),
            ("input_idx", I64, &[1, 4], &[1; 4]),
        ],
    ),
    ("beyond.npz", &[("input_ids", I64, &[1, 4], &[1, 2, 3, 24])]),
    (
        "negative.npz",
        &[("input_ids", I64, &[1, 4], &[1, -1, 3, 4])],
    ),
    (
        "masked.npz",
        &[
            ("input_ids", I64, &[1, 4], &[1; 4]),
            ("attention_mask", I64, &[1, 4], &[2; 4]),
        ],
    ),
    (
        "uneven.npz",
        &[
            ("input_ids", I64, &[1, 4], &[1; 4]),
            ("attention_mask", I64, &[1, 5], &[1; 5]),
        ],
    ),
];

/// A folder with models, artifacts and inputs, right and wrong.
fn spoilt() -> Folder {
    let folder = folder("wrong-uses");
    done(&folder, COMPILE);
    fs::write(folder.0.join("empty.tw"), "").unwrap();
    fs::create_dir(folder.0.join("folder.tw")).unwrap();
    fs::create_dir(folder.0.join("bare")).unwrap();
    fs::write(
        folder.0.join("bare/config.json"),
        bytes(&folder, "bert/config.json"),
    )
    .unwrap();

    for (name, arrays) in INPUTS {
        let arrays = arrays
            .iter()
            .map(|(name, dtype, shape, values)| (*name, integers(*dtype, shape, values)));
        write(&folder, name, &arrays.collect::<Vec<_>>());
    }
    for (name, text) in GRAPHS {
        fs::write(folder.0.join(name), text).unwrap();
    }
    onnx_files(&folder);
    let whole = bytes(&folder, "good.npz");
    fs::write(folder.0.join("cut.npz"), &whole[..whole.len() / 2]).unwrap();
    folder
}

/// Some of the bad ONNX files of `tests/onnx`.
fn onnx_files(folder: &Folder) {
    let packed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/bad.zip");
    let mut packed = ZipArchive::new(fs::File::open(packed).unwrap()).unwrap();
    for name in [
        "all-unsupported-nodes",
        "cut-off",
        "cycle",
        "external-above",
        "two-sizes",
    ] {
        let name = format!("{name}.onnx");
        let mut file = fs::File::create(folder.0.join(&name)).unwrap();
        io::copy(&mut packed.by_name(&name).unwrap(), &mut file).unwrap();
    }
}

/// Graphs that compute nothing.
const GRAPHS: &[(&str, &str)] = &[
    ("nothing.graph", "graph \"nothing\" () {\n}\n"),
    (
        "size0.graph",
        r#"graph "size0" (batch in 1..8) {
  %x = input {name = "x", ty = f32[0], absent = required, below = 0} : f32[0]
  %y = exp(%x) {} : f32[0]
  return y = %y
}
"#,
    ),
];

/// A target that this machine cannot run, if there is one.
fn foreign_target() -> Option<String> {
    let here = tilewright::runtime::features();
    let lacks = |t: &ir::Target| {
        let requires = t.simd().map(|s| s.requires.as_slice());
        requires
            .unwrap_or_default()
            .iter()
            .any(|f| !here.contains(&f.as_str()))
    };
    let foreign = tilewright::targets().into_iter().find(lacks);
    foreign.map(|t| t.name)
}

/// Whether there is an OpenCL device; says so where there is none.
fn has_opencl() -> bool {
    let library = std::env::var_os("TILEWRIGHT_OPENCL").map(PathBuf::from);
    let found = tilewright::runtime::cards(library.as_deref());
    let found = found.is_ok_and(|cards| !cards.is_empty());
    if !found {
        println!("skipped: what lacks code for OpenCL: there is no such device");
    }
    found
}

/// What is wrong with how a call ended that should have had this exit code and said these words.
fn judge(output: &Output, code: i32, words: &str) -> Option<String> {
    let [stdout, stderr] = texts(output);
    let right = output.status.code() == Some(code)
        && stdout.is_empty()
        && stderr.contains(words)
        && stderr.starts_with("error: ")
        && !stderr.contains("panicked");
    (!right).then(|| format!("{}\nstdout: {stdout}\nstderr: {stderr}", output.status))
}

/// Runs a line and fails unless it ends so, and leaves the folder as it was.
#[track_caller]
fn check(folder: &Folder, line: &str, code: i32, words: &str) {
    let before = folder.contents();
    let output = command(&folder.0, line).output().unwrap();
    if let Some(wrong) = judge(&output, code, words) {
        panic!("{line}\nwanted {code} {words}\n{wrong}");
    }
    assert_eq!(changed(folder, &before), None, "{line}");
}

/// What is new, gone or other in a folder, if anything.
fn changed(folder: &Folder, before: &BTreeMap<PathBuf, Vec<u8>>) -> Option<String> {
    let after = folder.contents();
    let paths = before.keys().chain(after.keys());
    let other = paths.filter(|p| before.get(*p) != after.get(*p));
    let other: BTreeSet<_> = other.collect();
    (!other.is_empty()).then(|| format!("changed: {other:?}"))
}

#[test]
fn wrong_uses_are_told() {
    let folder = spoilt();
    let foreign = foreign_target();
    match &foreign {
        Some(t) => drop(done(
            &folder,
            &format!("compile bert --target {t} -o foreign.tw"),
        )),
        None => println!("skipped: code for other processors: this one runs every target"),
    }
    let has_opencl = has_opencl();
    let before = folder.contents();
    let mut lines = include_str!("errors.test").lines();
    let mut count = 0;
    let mut wrong = Vec::new();
    while let Some(line) = lines.next() {
        let Some(line) = line.strip_prefix("$ ") else {
            assert!(line.is_empty() || line.starts_with('#'), "{line}");
            continue;
        };
        let (code, words) = lines.next().unwrap().split_once(' ').unwrap();
        if line.contains("foreign.tw") && foreign.is_none()
            || line.contains("opencl:0") && !has_opencl
        {
            continue;
        }
        let output = command(&folder.0, line).output().unwrap();
        let found = judge(&output, code.parse().unwrap(), words);
        let found = found.or_else(|| changed(&folder, &before));
        wrong.extend(found.map(|found| format!("$ {line}\n{code} {words}\nfound: {found}")));
        count += 1;
    }
    println!("{count} wrong uses");
    assert!(count > 50 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn damaged_artifacts_are_refused() {
    let folder = spoilt();
    let whole = bytes(&folder, "m.tw");
    let path = folder.0.join("damaged.tw");
    for at in (128..whole.len()).step_by(whole.len() / 9) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        for line in [
            "run damaged.tw --inputs good.npz --output out.npz",
            "verify damaged.tw",
        ] {
            check(&folder, line, 1, "damaged.tw: damaged: ");
        }
    }
    for len in [1, 7, 8, 127, 128, 1000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..len]).unwrap();
        for line in ["run damaged.tw", "inspect damaged.tw", "verify damaged.tw"] {
            check(&folder, line, 1, "damaged.tw: truncated: ");
        }
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    check(&folder, "run damaged.tw", 1, "something follows the end");
}

#[test]
fn a_refusing_folder_is_told() {
    let folder = spoilt();
    let closed = folder.0.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("skipped: this user may write to read-only folders");
        return;
    }
    let words = "cannot be created in its folder: Permission denied";
    check(
        &folder,
        "compile bert --target cpu -o closed/o.tw",
        1,
        words,
    );
    check(
        &folder,
        "run m.tw --inputs good.npz --output closed/out.npz",
        1,
        words,
    );
}

/// A limit on the size of files refuses bytes as a full disk does, in the middle of writing.
#[test]
fn a_full_disk_is_told() {
    let folder = spoilt();
    // Outputs that are larger than the code, which is loaded under the same limit.
    done(
        &folder,
        "compile bert --target cpu --shape batch=1024,seq=24 -o large.tw",
    );
    let ids = integers(I64, &[1024, 24], &[1; 1024 * 24]);
    write(&folder, "large.npz", &[("input_ids", ids)]);
    let before = folder.contents();
    for (line, blocks) in [
        ("compile bert --target cpu -o o.tw", 16),
        ("compile bert --target cpu -o m.tw", 16),
        ("run large.tw --inputs large.npz --output out.npz", 1000),
    ] {
        let output = Command::new("sh")
            .arg("-c")
            // With the signal ignored, what exceeds the limit is an error.
            .arg(format!(
                "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {line}"
            ))
            .arg(env!("CARGO_BIN_EXE_tilewright"))
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let words = ": cannot be written: File too large (os error 27); nothing was left behind";
        if let Some(wrong) = judge(&output, 1, words) {
            panic!("{line}\n{wrong}");
        }
        assert_eq!(changed(&folder, &before), None, "{line}");
    }
}
