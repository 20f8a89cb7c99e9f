//! Results as lines of the database's text (`docs/database.md`), to which each measurement is added at once.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value, json};

/// What tells trials apart that are not to be measured twice.
const NAMED_BY: [&str; 5] = ["workload", "target", "fingerprint", "toolchain", "schedule"];

/// A file of results, which nobody else writes meanwhile.
///
/// A line is in the file, synced, before the next is measured; one that was cut off is dropped when the file is
/// opened again.
pub struct Results {
    file: File,
    path: PathBuf,
    trials: BTreeSet<String>,
    workloads: BTreeSet<String>,
}

/// Why results cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ResultsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: ResultsProblem,
}

/// What is wrong with a file of results.
#[derive(Debug, thiserror::Error)]
pub enum ResultsProblem {
    /// The operating system refused.
    #[error("cannot be written: {0}")]
    Io(#[from] io::Error),
    /// Another process has it.
    #[error("is being written by another process")]
    Busy,
    /// A file of something else.
    #[error(
        "line {line}: wanted results as this program writes them, found {found}; help: name another file"
    )]
    Foreign {
        /// The line, from 1.
        line: usize,
        /// Its start, or what is wrong with it.
        found: String,
    },
}

fn header() -> String {
    json!({ "record": "tilewright-database", "version": 1 }).to_string() + "\n"
}

impl Results {
    /// Opens a file to add to it; makes one that is not there.
    ///
    /// # Errors
    /// It cannot be written, or holds something else.
    pub fn open(path: &Path) -> Result<Self, ResultsError> {
        Self::opened(path).map_err(|problem| ResultsError {
            path: path.into(),
            problem,
        })
    }

    fn opened(path: &Path) -> Result<Self, ResultsProblem> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            rustix::io::Errno::WOULDBLOCK => ResultsProblem::Busy,
            e => ResultsProblem::Io(e.into()),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut results = Self {
            file,
            path: path.into(),
            trials: BTreeSet::new(),
            workloads: BTreeSet::new(),
        };
        let end = results.take(&bytes)?;
        results.file.set_len(end as u64)?;
        results.file.seek(SeekFrom::End(0))?;
        if end == 0 {
            results.file.write_all(header().as_bytes())?;
        }
        results.file.sync_all()?;
        Ok(results)
    }

    /// Learns what lines say; gives where the last whole one ends.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, ResultsProblem> {
        let header = header();
        let foreign = |line: usize, text: &[u8]| {
            let start: String = String::from_utf8_lossy(text).chars().take(60).collect();
            let found = format!("`{}`", start.trim_end());
            ResultsProblem::Foreign { line, found }
        };
        let mut end = 0;
        let mut lines = bytes
            .split_inclusive(|b| *b == b'\n')
            .enumerate()
            .peekable();
        while let Some((at, line)) = lines.next() {
            let is_last = lines.peek().is_none();
            // Any file may lack its last line's end; ours starts as it does.
            if at == 0 && line != header.as_bytes() {
                if header.as_bytes().starts_with(line) {
                    return Ok(0);
                }
                return Err(foreign(1, line));
            }
            let record: Result<Map<String, Value>, _> = serde_json::from_slice(line);
            match record {
                Ok(record) if line.ends_with(b"\n") => self.learn(&record),
                // Cut off, as by a kill, or only in part on the disk, as by a loss of power.
                _ if is_last => return Ok(end),
                _ => return Err(foreign(at + 1, line)),
            }
            end += line.len();
        }
        Ok(end)
    }

    fn learn(&mut self, record: &Map<String, Value>) {
        match record.get("record").and_then(Value::as_str) {
            Some("trial") => {
                self.trials.insert(name(record));
            }
            Some("workload") => {
                self.workloads.insert(meaning(record));
            }
            _ => {}
        }
    }

    /// Whether there is a trial of the same schedule, made by the same tools for the same target and workload.
    pub fn has_trial(&self, trial: &Map<String, Value>) -> bool {
        self.trials.contains(&name(trial))
    }

    /// Adds a workload, unless it is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_workload(&mut self, workload: &Map<String, Value>) -> Result<(), ResultsError> {
        match self.workloads.contains(&meaning(workload)) {
            true => Ok(()),
            false => self.add("workload", workload),
        }
    }

    /// Adds a trial.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_trial(&mut self, trial: &Map<String, Value>) -> Result<(), ResultsError> {
        self.add("trial", trial)
    }

    fn add(&mut self, kind: &str, record: &Map<String, Value>) -> Result<(), ResultsError> {
        let mut record = record.clone();
        record.insert("record".into(), kind.into());
        let line = format!("{}\n", json!(record));
        let written = self.file.write_all(line.as_bytes());
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(|e| ResultsError {
            path: self.path.clone(),
            problem: e.into(),
        })?;
        self.learn(&record);
        Ok(())
    }
}

fn name(trial: &Map<String, Value>) -> String {
    let parts = NAMED_BY.map(|key| trial.get(key));
    json!(parts).to_string()
}

fn meaning(workload: &Map<String, Value>) -> String {
    json!(workload.get("meaning")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(record: Value) -> Map<String, Value> {
        serde_json::from_value(record).unwrap()
    }

    fn trial(n: u64) -> Map<String, Value> {
        map(
            json!({ "workload": "w", "target": "cpu", "fingerprint": "f", "toolchain": "t", "schedule": { "n": n } }),
        )
    }

    /// A file with two trials.
    fn made(path: &Path) -> Vec<u8> {
        let mut results = Results::open(path).unwrap();
        for _ in 0..2 {
            let workload = map(json!({ "meaning": "w" }));
            results.add_workload(&workload).unwrap();
        }
        for n in 0..2 {
            assert!(!results.has_trial(&trial(n)));
            results.add_trial(&trial(n)).unwrap();
            assert!(results.has_trial(&trial(n)));
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn every_place_where_writing_may_stop_is_recovered_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let whole = made(&path);
        assert_eq!(whole.iter().filter(|b| **b == b'\n').count(), 4);
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let results = Results::open(&path).unwrap();
            let lines = whole[..cut].split_inclusive(|b| *b == b'\n');
            let kept = lines.filter(|l| l.ends_with(b"\n")).count().max(1);
            let found = std::fs::read(&path).unwrap();
            assert!(whole.starts_with(&found), "{cut}");
            assert_eq!(found.iter().filter(|b| **b == b'\n').count(), kept);
            let known = (0..2).filter(|n| results.has_trial(&trial(*n))).count();
            assert_eq!(known, kept.saturating_sub(2), "{cut}");
        }
        // A line whose end came to the disk before its middle.
        let mut torn = whole.clone();
        let at = torn.len() - 20;
        torn[at..at + 10].fill(0);
        std::fs::write(&path, &torn).unwrap();
        assert!(!Results::open(&path).unwrap().has_trial(&trial(1)));
    }

    #[test]
    fn other_files_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let whole = made(&path);
        let newer = String::from_utf8(whole.clone()).unwrap();
        let newer = newer.replace("\"version\":1", "\"version\":2");
        let middle = [&whole[..60], b"\n", &whole[60..]].concat();
        for (text, line) in [
            (&b"my only copy"[..], 1),
            (b"{}\n", 1),
            (newer.as_bytes(), 1),
            (&middle[..], 2),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = Results::open(&path).map(|_| ()).unwrap_err().to_string();
            assert!(
                message.contains(&format!("line {line}: wanted results")),
                "{message}"
            );
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn two_at_once_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let _one = Results::open(&path).unwrap();
        let mut other = trial(0);
        other.insert("toolchain".into(), "another".into());
        assert_ne!(name(&other), name(&trial(0)));
        let problem = Results::open(&path).map(|_| ()).unwrap_err().problem;
        assert!(matches!(problem, ResultsProblem::Busy));
    }
}
