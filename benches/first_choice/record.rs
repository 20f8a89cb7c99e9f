//! What was measured, a line each, so that a run that was stopped goes on where it was.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use ir::Schedule;
use runtime::measure::{Outcome, Ratio, ratio};
use serde::{Deserialize, Serialize};

/// What a measurement was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// To find the best of the samples.
    Search,
    /// To know how much better the best is.
    Again,
}

/// One schedule beside another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The shape's name.
    pub shape: String,
    /// What for.
    pub pass: Pass,
    /// What it was measured in turn with.
    pub baseline: Schedule,
    /// What was measured.
    pub schedule: Schedule,
    /// What came of it.
    pub outcome: Outcome,
}

impl Line {
    /// Time as a multiple of the baseline's, if it ran.
    pub fn ratio(&self) -> Option<Ratio> {
        match &self.outcome {
            Outcome::Ok(m) => ratio(&m.samples_s, &m.baseline_s),
            _ => None,
        }
    }
}

/// A file of lines.
pub struct Record {
    file: File,
    /// All that is known.
    pub lines: Vec<Line>,
}

impl Record {
    /// Opens a file, or makes it. A last line that was cut off is not counted.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut lines = vec![];
        for line in BufReader::new(&file).lines() {
            lines.extend(serde_json::from_str(&line?));
        }
        // What follows a line that was cut off starts anew.
        file.write_all(b"\n")?;
        Ok(Self { file, lines })
    }

    /// Appends a line.
    pub fn add(&mut self, line: Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.lines.push(line);
        Ok(())
    }

    /// What is known of a schedule.
    pub fn find(
        &self,
        wanted: (&str, Pass),
        baseline: &Schedule,
        schedule: &Schedule,
    ) -> Option<&Line> {
        let same = |l: &&Line| {
            (l.shape.as_str(), l.pass) == wanted
                && l.baseline == *baseline
                && l.schedule == *schedule
        };
        self.lines.iter().find(same)
    }
}
