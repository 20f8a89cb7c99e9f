//! Bundles of candidates, and `tilewright-run measure`: damage is told, and what was measured is never lost.

#[path = "support/candidates.rs"]
mod candidates;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use candidates::{FEW, PANELS, candidate, graph, program};
use ir::Layout;
use proptest::prelude::{ProptestConfig, any, prop, prop_oneof, proptest};
use serde_json::{Map, Value, json};
use tempfile::{TempDir, tempdir};
use tilewright_runtime::measure::bundle::{Bundle, Index, Stored, Task, stored, write};

fn map(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Adds artifacts of functions of the source.
struct Filler<'a> {
    folder: &'a Path,
    artifacts: Vec<PathBuf>,
    offset: u64,
}

impl Filler<'_> {
    fn add(&mut self, number: usize, symbol: &str) -> Stored {
        let w = if symbol == "panels" {
            PANELS
        } else {
            Layout::Plain
        };
        let made = candidate(self.folder, symbol, w);
        let schedule = json!({ "number": number });
        let stored = stored(&made.artifact, schedule, made.layouts, self.offset).unwrap();
        self.offset += stored.len;
        self.artifacts.push(made.artifact);
        stored
    }
}

/// A bundle of one task with these candidates.
fn bundle(folder: &Path, symbols: &[&str]) -> PathBuf {
    let artifacts = vec![];
    let mut filler = Filler {
        folder,
        artifacts,
        offset: 0,
    };
    let meaning = "1".repeat(64);
    let baseline = filler.add(1000, "rows");
    let candidates = symbols.iter().enumerate();
    let index = Index {
        target: "cpu:baseline".into(),
        tasks: vec![Task {
            graph: graph(),
            workload: map(json!({ "meaning": meaning, "family": "contract" })),
            trial: map(json!({
                "workload": meaning, "target": "cpu", "fingerprint": "f", "toolchain": "cc",
                "origin": "measured", "seed": 7, "by": "tests",
            })),
            seed: 7,
            policy: FEW,
            baseline,
            candidates: candidates.map(|(i, s)| filler.add(i, s)).collect(),
        }],
    };
    let path = folder.join("b.twb");
    let len = write(&path, &index, &filler.artifacts).unwrap();
    assert_eq!(len, fs::metadata(&path).unwrap().len());
    path
}

fn measure(bundle: &Path, output: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.arg("measure").arg(bundle).arg("-o").arg(output);
    command.args(["--threads", "2", "--json"]).args(more);
    command
}

fn report(output: Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The trials of a file of results by the number of their schedule, each at most once.
fn trials(path: &Path) -> BTreeMap<u64, Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let mut trials = BTreeMap::new();
    for line in lines.filter(|l| l["record"] == "trial") {
        let number = line["schedule"]["number"].as_u64().unwrap();
        assert!(trials.insert(number, line).is_none(), "{number} twice");
    }
    trials
}

#[test]
fn each_candidate_of_a_bundle_becomes_a_trial() {
    let folder = tempdir().unwrap();
    let symbols = [
        "panels",
        "drops_the_last_tile",
        "writes_to_nowhere",
        "hangs",
        "eats_memory",
        "slow",
    ];
    let path = bundle(folder.path(), &symbols);
    let output = folder.path().join("r.jsonl");
    let limits = ["--candidate-limit", "5", "--memory-limit", "1024"];
    let found = report(measure(&path, &output, &limits).output().unwrap());
    let outcomes = json!({ "ok": 2, "wrong-result": 1, "crash": 2, "timeout": 1 });
    assert_eq!(found["outcomes"], outcomes);
    let trials = trials(&output);
    let outcome = |n: u64| trials[&n]["outcome"].as_str().unwrap();
    let all: Vec<_> = (0..6).map(outcome).collect();
    let wanted = ["ok", "wrong-result", "crash", "timeout", "crash", "ok"];
    assert_eq!(all, wanted);
    assert!(trials[&0]["samples_s"].as_array().unwrap().len() >= 6);
    assert!(trials[&2]["reason"].as_str().unwrap().contains("SIGSEGV"));
    assert!(
        trials[&1]["reason"]
            .as_str()
            .unwrap()
            .contains("20 of 100 elements")
    );
    for trial in trials.values() {
        assert!(
            trial["device"].as_str().unwrap().starts_with("cpu"),
            "{trial}"
        );
        assert_eq!(trial["toolchain"], "cc");
    }
    // Nothing is left to do, and nothing is left beside.
    let before = fs::read(&output).unwrap();
    let again = report(measure(&path, &output, &[]).output().unwrap());
    assert_eq!((&again["measured"], &again["done"]), (&json!(0), &json!(6)));
    assert_eq!(fs::read(&output).unwrap(), before);
    let names = fs::read_dir(folder.path()).unwrap();
    let names = names.map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|n| n.starts_with("r.jsonl")).count(), 1);
}

#[test]
fn a_device_that_is_not_there_ends_it() {
    let folder = tempdir().unwrap();
    let path = bundle(folder.path(), &["rows"; 4]);
    let output = folder.path().join("r.jsonl");
    let mut command = measure(&path, &output, &["--device", "emulator:sm_80"]);
    let output_of = command.output().unwrap();
    assert_eq!(output_of.status.code(), Some(1));
    let errors = String::from_utf8(output_of.stderr).unwrap();
    assert!(errors.contains("no code for emulator:sm_80"), "{errors}");
    assert!(trials(&output).is_empty());
}

/// Pseudo-random numbers (splitmix64: Steele, Lea and Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn what_was_measured_outlives_kills() {
    let folder = tempdir().unwrap();
    let symbols: Vec<_> = ["rows", "panels", "adds_one"].repeat(6);
    let path = bundle(folder.path(), &symbols);
    let output = folder.path().join("r.jsonl");
    let mut kept = BTreeMap::new();
    let (mut state, mut kills) = (41, 0);
    while kept.len() < symbols.len() {
        let mut child = measure(&path, &output, &[])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Some bytes later; wherever in a line that is.
        let len = || fs::metadata(&output).map_or(0, |m| m.len());
        let enough = len() + random(&mut state) % 2500;
        while len() < enough && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        // A child that measures may write no line: the file is the parent's.
        let bytes = fs::read(&output).unwrap_or_default();
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let readable = folder.path().join("whole.jsonl");
        fs::write(&readable, &bytes[..whole]).unwrap();
        let now = trials(&readable);
        for (number, trial) in &kept {
            assert_eq!(now.get(number), Some(trial), "a trial is lost");
        }
        kept = now;
    }
    assert!(kills > 3, "{kills} kills");
    let last = report(measure(&path, &output, &[]).output().unwrap());
    assert_eq!((&last["measured"], &last["done"]), (&json!(0), &json!(18)));
    assert_eq!(trials(&output), kept);
}

/// The bytes of a good bundle.
fn good(folder: &TempDir) -> Vec<u8> {
    fs::read(bundle(folder.path(), &["panels"])).unwrap()
}

/// Opens bytes as a bundle and takes everything out.
fn open(folder: &TempDir, bytes: &[u8]) -> Result<(), String> {
    let path = folder.path().join("x.twb");
    fs::write(&path, bytes).unwrap();
    let bundle = Bundle::open(&path).map_err(|e| e.to_string())?;
    for task in &bundle.index().tasks {
        for stored in std::iter::once(&task.baseline).chain(&task.candidates) {
            let out = folder.path().join("out.tw");
            bundle.take(stored, &out).map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

#[test]
fn every_changed_byte_and_every_cut_is_seen() {
    let folder = tempdir().unwrap();
    let mut bytes = good(&folder);
    assert_eq!(open(&folder, &bytes), Ok(()));
    for at in (0..2000).chain((2000..bytes.len()).step_by(997)) {
        bytes[at] ^= 0x10;
        assert!(open(&folder, &bytes).is_err(), "byte {at}");
        bytes[at] ^= 0x10;
    }
    for len in (0..200).chain((200..bytes.len()).step_by(1999)) {
        let message = open(&folder, &bytes[..len]).unwrap_err();
        assert!(message.contains("x.twb: "), "{message}");
    }
    bytes.push(0);
    assert!(open(&folder, &bytes).unwrap_err().contains("damaged"));
}

#[test]
fn other_files_are_no_bundles() {
    let folder = tempdir().unwrap();
    let artifact = fs::read(candidate(folder.path(), "rows", Layout::Plain).artifact).unwrap();
    for bytes in [&b"PK\x03\x04 a zip of something"[..], &artifact, b""] {
        let message = open(&folder, bytes).unwrap_err();
        assert!(message.contains("wanted a bundle"), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// An index with a right checksum that says anything.
    #[test]
    fn mutated_indices_are_read_or_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
        number in prop_oneof![any::<u64>(), 0..100_000_u64],
    ) {
        let folder = tempdir().unwrap();
        let bytes = good_once();
        let len = u64::from_le_bytes(bytes[16..24].try_into().unwrap()) as usize;
        let mut json = bytes[56..56 + len].to_vec();
        for (index, value, digits) in edits {
            let places: Vec<_> = (0..json.len()).filter(|i| json[*i].is_ascii_digit()).collect();
            match digits {
                true => {
                    let at = *index.get(&places);
                    json.splice(at..at + 1, number.to_string().into_bytes());
                }
                false => {
                    let at = index.index(json.len());
                    json[at] = value;
                }
            }
        }
        let mut mutated = bytes[..56].to_vec();
        mutated[16..24].copy_from_slice(&(json.len() as u64).to_le_bytes());
        mutated[24..56].copy_from_slice(blake3::hash(&json).as_bytes());
        mutated.extend(&json);
        mutated.extend(&bytes[56 + len..]);
        let _ = open(&folder, &mutated);
    }
}

fn good_once() -> &'static [u8] {
    static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    GOOD.get_or_init(|| good(&tempdir().unwrap()))
}
