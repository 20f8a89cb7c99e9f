//! Damaged, foreign and hostile artifacts are errors.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use proptest::prelude::*;
use support::*;
use tempfile::{TempDir, tempdir};
use tilewright_runtime::{
    Artifact, ArtifactError, Problem, WeightChecks, Writer,
    evidence::{Level, Record},
    manifest::{BufferRef, KernelId, Manifest, SectionId, SectionKind},
};

/// The bytes of a good artifact.
fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let folder = tempdir().unwrap();
        fs::read(artifact(folder.path(), &[3])).unwrap()
    })
}

/// Opens bytes as an artifact and touches every section.
fn open(folder: &TempDir, bytes: &[u8]) -> Result<Artifact, ArtifactError> {
    let path = folder.path().join("x.tw");
    fs::write(&path, bytes).unwrap();
    let artifact = Artifact::open(&path, WeightChecks::BeforeUse)?;
    for i in 0..artifact.sections().len() {
        artifact.section(SectionId(i as u32))?;
    }
    Ok(artifact)
}

fn problem(folder: &TempDir, bytes: &[u8]) -> Problem {
    open(folder, bytes).map(|_| ()).unwrap_err().problem
}

#[test]
fn every_changed_byte_is_seen() {
    let folder = tempdir().unwrap();
    let mut bytes = good().to_vec();
    let sections = open(&folder, &bytes).unwrap().sections().to_vec();
    // All of the small parts, and of the large ones every 97th byte.
    let code = sections
        .iter()
        .find(|s| s.kind == SectionKind::Code)
        .unwrap();
    for at in 0..bytes.len() {
        let large = (code.offset..code.offset + code.len).contains(&(at as u64)) || at > 4096;
        if large && !at.is_multiple_of(97) {
            continue;
        }
        bytes[at] ^= 0x10;
        assert!(open(&folder, &bytes).is_err(), "byte {at}");
        bytes[at] ^= 0x10;
    }
}

#[test]
fn every_truncation_is_seen() {
    let folder = tempdir().unwrap();
    let bytes = good();
    let small = (0..300)
        .chain((300..bytes.len()).step_by(131))
        .chain(bytes.len() - 60..bytes.len());
    for len in small {
        let problem = problem(&folder, &bytes[..len]);
        let clear = match problem {
            Problem::Magic { .. } => len == 0,
            Problem::Truncated { .. } => true,
            _ => false,
        };
        assert!(clear, "{len} bytes: {problem}");
    }
    let longer = [bytes, &[0]].concat();
    assert!(matches!(
        problem(&folder, &longer),
        Problem::Trailing { .. }
    ));
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let folder = tempdir().unwrap();
    assert!(matches!(
        problem(&folder, b"PK\x03\x04 a zip"),
        Problem::Magic { .. }
    ));
    let mut newer = good().to_vec();
    newer[8] = 5;
    let problem = problem(&folder, &newer);
    assert!(matches!(
        problem,
        Problem::Version {
            found: 5,
            wanted: 4
        }
    ));
    assert!(problem.to_string().contains("use a newer tilewright"));
    let open = |path: &Path| {
        Artifact::open(path, WeightChecks::Skip)
            .map(|_| ())
            .unwrap_err()
    };
    assert!(matches!(open(folder.path()).problem, Problem::Folder));
    let message = open(&folder.path().join("none.tw")).to_string();
    assert!(
        message.contains("none.tw: cannot be read: No such file"),
        "{message}"
    );
}

#[test]
fn weights_are_checked_before_their_first_use() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("x.tw");
    let mut bytes = good().to_vec();
    let weights = open(&folder, &bytes).unwrap().sections()[2].clone();
    bytes[weights.offset as usize + 5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let artifact = Artifact::open(&path, WeightChecks::BeforeUse).unwrap();
    let problem = artifact.section(SectionId(2)).unwrap_err().problem;
    assert!(
        problem
            .to_string()
            .contains("the checksum of section `weights`"),
        "{problem}"
    );
    let artifact = Artifact::open(&path, WeightChecks::Skip).unwrap();
    assert!(artifact.section(SectionId(2)).is_ok());
}

#[test]
fn manifests_that_contradict_themselves_are_refused() {
    let folder = tempdir().unwrap();
    let object = shared_object(folder.path());
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 11] = [
        (
            |m| elf(m).section = SectionId(0),
            "targets[0]: wanted a section of code, found `tile",
        ),
        (
            |m| elf(m).section = SectionId(9),
            "wanted one of 3 sections, found 9",
        ),
        (
            |m| m.inputs[1].name = "ids".into(),
            "inputs: wanted distinct names",
        ),
        (
            |m| m.targets[0].kernels[0].blocks = 1 << 40,
            "kernels[0]: wanted fewer than",
        ),
        (
            |m| m.targets[0].kernels[0].params[3].len = 49,
            "steps[0].args[3]: wanted at least 196",
        ),
        (
            |m| m.targets[0].programs[0].steps[0].kernel = KernelId(7),
            "steps[0]: wanted one of 2",
        ),
        (
            |m| m.targets[0].programs[0].steps[1].args[2] = BufferRef::Input(1),
            "args[2]: wanted memory that may be written, found Input(1)",
        ),
        (
            |m| {
                m.targets[0].programs[0].steps[1].args[0] = BufferRef::Arena {
                    offset: 64,
                    len: 192,
                }
            },
            "args[0]: wanted a range of 192 bytes",
        ),
        (
            |m| {
                let (offset, len) = (u64::MAX - 63, 3200);
                m.targets[0].programs[0].steps[0].args[0] = BufferRef::Weight {
                    section: SectionId(2),
                    offset,
                    len,
                };
            },
            "args[0]: wanted a range of 3264 bytes",
        ),
        (
            |m| m.targets[0].programs[0].input_shapes[0] = vec![1 << 40, 1 << 40],
            "can be addressed",
        ),
        (
            |m| m.targets[0].programs[0].steps[0].args.truncate(2),
            "steps[0]: wanted 4, found 2",
        ),
    ];
    for (change, wanted) in cases {
        let mut writer = Writer::create(&folder.path().join("x.tw")).unwrap();
        let mut manifest = sections(&mut writer, &object, &[3]);
        change(&mut manifest);
        let message = writer.finish(manifest).unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
    }
    assert!(!folder.path().join("x.tw").exists());
}

#[test]
fn equal_calls_give_equal_files_and_evidence_stays_apart() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let object = shared_object(folders[0].path());
    let write = |folder: &TempDir| {
        let path = folder.path().join("x.tw");
        let mut writer = Writer::create(&path).unwrap();
        let manifest = sections(&mut writer, &object, &[3]);
        writer.finish(manifest).unwrap();
        path
    };
    let paths = folders.each_ref().map(write);
    assert!(fs::read(&paths[0]).unwrap() == fs::read(&paths[1]).unwrap());

    let before = Artifact::open(&paths[0], WeightChecks::BeforeUse).unwrap();
    let record = Record {
        kernel: "k".into(),
        level: Level::Executed,
        tool: "t".into(),
        device: "d".into(),
        unix_time: 1,
        max_error: Some(1e-7),
        bound: None,
        blocks: None,
        times: None,
    };
    before
        .rewrite_evidence(std::slice::from_ref(&record))
        .unwrap();
    let after = Artifact::open(&paths[0], WeightChecks::BeforeUse).unwrap();
    assert_eq!(
        (before.evidence().len(), after.evidence()),
        (0, &[record][..])
    );
    assert_eq!(before.identity(), after.identity());
}

fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect()
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("x.tw");
    let mut writer = Writer::create(&path).unwrap();
    writer
        .section("w", SectionKind::Weights, |out| {
            out.write_all(&[1; 100_000])
        })
        .unwrap();
    assert!(names(folder.path()).is_empty());
    drop(writer);
    assert!(names(folder.path()).is_empty());

    let failed = Writer::create(&path)
        .unwrap()
        .section("w", SectionKind::Weights, |_| {
            Err(std::io::Error::other("the source is gone"))
        });
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("the source is gone")
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn an_older_file_is_replaced_at_once() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tiny.tw");
    fs::write(&path, "old").unwrap();
    // As a process that died between two system calls leaves it.
    fs::write(folder.path().join(".tiny.tw.new"), "half").unwrap();
    assert_eq!(artifact(folder.path(), &[3]), path);
    assert!(fs::read(&path).unwrap().starts_with(b"TILEWRT\0"));
    assert!(!folder.path().join(".tiny.tw.new").exists());
}

#[test]
fn places_that_take_no_file_are_refused() {
    let refused = |path: &Path| Writer::create(path).map(|_| ()).unwrap_err().to_string();
    let folder = tempdir().unwrap();
    assert!(refused(folder.path()).contains("is a folder; help: name a file"));
    assert!(refused(Path::new("/dev/null")).contains("is a device or a pipe"));
    let message = refused(&folder.path().join("none/x.tw"));
    assert!(
        message.contains("cannot be created in its folder: No such file"),
        "{message}"
    );
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing() {
    // A limit on file sizes stands for the disk: the same call fails, with another number.
    if std::env::var_os("TILEWRIGHT_TEST_FULL").is_some() {
        let path = PathBuf::from(std::env::var_os("TILEWRIGHT_TEST_FULL").unwrap());
        let mut writer = Writer::create(&path).unwrap();
        let written = writer.section("w", SectionKind::Weights, |out| {
            (0..1000).try_for_each(|_| out.write_all(&[1; 10_000]))
        });
        println!("{}", written.unwrap_err());
        return;
    }
    let folder = tempdir().unwrap();
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact --nocapture \"$1\"";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg("a_full_disk_is_an_error_that_leaves_nothing")
        .env("TILEWRIGHT_TEST_FULL", folder.path().join("x.tw"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("x.tw: cannot be written: File too large"),
        "{text}"
    );
    assert!(names(folder.path()).is_empty());
}

/// Writes an artifact, and says on standard output how far it is.
fn write_slowly(path: &Path) {
    let mut writer = Writer::create(path).unwrap();
    let manifest = sections(&mut writer, b"no code", &[3]);
    let chunk = vec![1; 1 << 20];
    let fill = |out: &mut dyn std::io::Write| {
        (0..12).try_for_each(|_| {
            println!("tick");
            out.write_all(&chunk)
        })
    };
    writer.section("more", SectionKind::Weights, fill).unwrap();
    println!("tick");
    writer.finish(manifest).unwrap();
    println!("tick");
}

#[test]
fn a_writer_that_is_killed_leaves_nothing_or_all() {
    const PATH: &str = "TILEWRIGHT_TEST_KILLED";
    if let Some(path) = std::env::var_os(PATH) {
        return write_slowly(Path::new(&path));
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("x.tw");
    let mut whole = 0;
    for moment in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "a_writer_that_is_killed_leaves_nothing_or_all",
            ])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines
            .map(Result::unwrap)
            .filter(|l| l.contains("tick"))
            .take(moment)
            .for_each(drop);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(folder.path());
        if !left.is_empty() {
            assert_eq!(left, std::slice::from_ref(&path));
            Artifact::open(&path, WeightChecks::BeforeUse).unwrap();
            fs::remove_file(&path).unwrap();
            whole += 1;
        }
    }
    assert!((1..20).contains(&whole), "{whole} of 20 were whole");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Damage that keeps every checksum right: what a hostile writer could do, or a defective one.
    #[test]
    fn mutated_manifests_are_read_or_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4)
    ) {
        let folder = tempdir().unwrap();
        let mut bytes = good().to_vec();
        let at = |from: usize, b: &[u8]| u64::from_le_bytes(b[from..from + 8].try_into().unwrap()) as usize;
        let (offset, len) = (at(16, &bytes), at(24, &bytes));
        let mut json = bytes[offset..offset + len].to_vec();
        for (index, value, kind) in edits {
            // Digits become other digits, so that numbers change and the syntax often stays.
            let digits: Vec<_> = (0..json.len()).filter(|i| json[*i].is_ascii_digit()).collect();
            match kind {
                0 => { let i = index.index(json.len()); json[i] = value; }
                _ if digits.is_empty() => {}
                1 => { let i = *index.get(&digits); json[i] = b'0' + value % 10; }
                _ => {
                    let i = *index.get(&digits);
                    json.splice(i..i, (0..value % 20).map(|n| b'1' + n % 9));
                }
            }
        }
        let body = (offset + json.len()).next_multiple_of(64);
        bytes.truncate(offset);
        bytes.extend(&json);
        bytes.resize(body, 0);
        bytes[24..32].copy_from_slice(&(json.len() as u64).to_le_bytes());
        bytes[32..40].copy_from_slice(&(body as u64).to_le_bytes());
        bytes[64..96].copy_from_slice(blake3::hash(&json).as_bytes());
        let hash = blake3::hash(&bytes[..96]);
        bytes[96..128].copy_from_slice(hash.as_bytes());
        bytes.extend(b"TWEVIDNC");
        bytes.extend([0; 8]);
        bytes.extend(blake3::hash(b"").as_bytes());
        if let Ok(artifact) = open(&folder, &bytes) {
            for kernel in artifact.manifest().targets.iter().flat_map(|t| &t.kernels) {
                let _ = kernel.tile.map(|t| artifact.text(t).map(str::len));
            }
        }
    }

    /// Anything behind a good start, and a header whose numbers are anything.
    #[test]
    fn mutated_files_are_refused(
        numbers in prop::array::uniform3(prop_oneof![any::<u64>(), 0..8192_u64]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let folder = tempdir().unwrap();
        let mut bytes = good()[..128].to_vec();
        for (i, n) in numbers.iter().enumerate() {
            bytes[16 + 8 * i..24 + 8 * i].copy_from_slice(&n.to_le_bytes());
        }
        let hash = blake3::hash(&bytes[..96]);
        bytes[96..128].copy_from_slice(hash.as_bytes());
        bytes.extend(tail);
        prop_assert!(open(&folder, &bytes).is_err());
    }
}
