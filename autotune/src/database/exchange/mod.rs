//! Databases as texts: JSON Lines in and out, Kernel Tuner's results and CSV out.
//!
//! JSON Lines (`docs/database.md`): the first line names the format; each further one is a record, named by `record`.

mod csv;
mod t4;

use std::{
    collections::BTreeSet,
    io::{BufRead, Write},
};

use serde::{Deserialize, Serialize};

use super::{
    Database, Kept,
    error::DatabaseError,
    record::{Plan, Trial, Verification, Workload},
};

/// Version of the lines.
const VERSION: u64 = 1;

/// How a database is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// All records, one in each line; can be imported.
    JsonLines,
    /// Results as Kernel Tuner's schema T4 1.0.0 has them; trials of one target only tell them apart by metadata.
    T4,
    /// A table of trials.
    Csv,
}

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum Line {
    /// The first one.
    TilewrightDatabase {
        version: u64,
    },
    Workload(Workload),
    Trial(Trial),
    /// A claim of whoever exported.
    Verification(Verification),
    Plan(Plan),
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Import {
    /// Records that came in.
    pub added: u64,
    /// Records that were there.
    pub known: u64,
    /// Verifications of others, which stay claims until the kernels were made again here.
    pub claims: u64,
    /// Lines that were left out.
    pub refused: Vec<Refused>,
}

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl Database {
    /// Writes the database as text.
    ///
    /// # Errors
    /// It cannot be read, or `out` not written.
    pub fn export(&self, format: Format, out: &mut dyn Write) -> Result<(), DatabaseError> {
        let written = match format {
            Format::JsonLines => self.lines(out)?,
            Format::T4 => self.t4(out)?,
            Format::Csv => self.csv(out)?,
        };
        written.map_err(|error| DatabaseError::Text {
            path: self.path.clone(),
            error,
        })
    }

    fn lines(&self, out: &mut dyn Write) -> Result<std::io::Result<()>, DatabaseError> {
        let mut all = vec![Line::TilewrightDatabase { version: VERSION }];
        let workloads = self.all("SELECT body FROM workload ORDER BY meaning", &[])?;
        all.extend(workloads.into_iter().map(Line::Workload));
        let trials = self.all("SELECT body FROM trial ORDER BY id", &[])?;
        all.extend(trials.into_iter().map(Line::Trial));
        let verified = self.all(
            "SELECT body FROM verified WHERE host = ?1 ORDER BY trial",
            &[&self.host],
        )?;
        all.extend(verified.into_iter().map(Line::Verification));
        let plans = self.all("SELECT body FROM plan ORDER BY id", &[])?;
        all.extend(plans.into_iter().map(Line::Plan));
        Ok(all.iter().try_for_each(|line| {
            let value = serde_json::to_value(line).expect("plain data becomes JSON");
            writeln!(out, "{value}")
        }))
    }

    /// Adds the records of JSON Lines; `knows` says whether a target has a meaning here. Lines that cannot be taken are
    /// left out and listed, the others are kept, all in one step.
    ///
    /// # Errors
    /// `text` cannot be read, or the file not written; then nothing was added.
    pub fn import(
        &mut self,
        text: &mut dyn BufRead,
        knows: &dyn Fn(&str) -> bool,
    ) -> Result<Import, DatabaseError> {
        let mut import = Import::default();
        let (mut workloads, mut trials, mut plans) = (vec![], vec![], vec![]);
        let mut number = 0;
        let mut line = vec![];
        loop {
            line.clear();
            let read = text.read_until(b'\n', &mut line);
            let read = read.map_err(|error| DatabaseError::Text {
                path: self.path.clone(),
                error,
            })?;
            if read == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match record(&line, knows) {
                Ok(Line::TilewrightDatabase { .. }) => {}
                Ok(Line::Workload(w)) => workloads.push(w),
                Ok(Line::Trial(t)) => trials.push((number, t)),
                Ok(Line::Plan(p)) => plans.push(p),
                Ok(Line::Verification(_)) => import.claims += 1,
                Err(reason) => import.refused.push(Refused {
                    line: number,
                    reason,
                }),
            }
        }
        let mut known: BTreeSet<String> = workloads.iter().map(|w| w.meaning.clone()).collect();
        for (line, trial) in &trials {
            if !known.contains(&trial.workload) {
                if self.workload(&trial.workload)?.is_some() {
                    known.insert(trial.workload.clone());
                } else {
                    import.refused.push(Refused {
                        line: *line,
                        reason: format!(
                            "workload {}: wanted its record in the text or in the database, found none",
                            trial.workload
                        ),
                    });
                }
            }
        }
        let kept = self.within(|writer| {
            let mut kept = Kept::default();
            for w in &workloads {
                writer.workload(w)?;
            }
            for (_, t) in trials.iter().filter(|(_, t)| known.contains(&t.workload)) {
                kept.count(writer.trial(t)?);
            }
            for p in &plans {
                kept.count(writer.plan(p)?);
            }
            Ok(kept)
        })?;
        import.refused.sort_by_key(|r| r.line);
        (import.added, import.known) = (kept.added, kept.known);
        Ok(import)
    }
}

/// The record of a line.
fn record(line: &[u8], knows: &dyn Fn(&str) -> bool) -> Result<Line, String> {
    let text = std::str::from_utf8(line).map_err(|e| format!("wanted UTF-8: {e}"))?;
    let line: Line = serde_json::from_str(text).map_err(|e| format!("wanted a record: {e}"))?;
    match &line {
        Line::TilewrightDatabase { version } if *version > VERSION => {
            return Err(format!(
                "wanted lines of version {VERSION} or earlier, found {version}; those that can be read are taken"
            ));
        }
        Line::Workload(w) => w.require_sound()?,
        Line::Trial(t) => {
            t.require_sound()?;
            if !knows(&t.place.target) {
                return Err(format!(
                    "target {}: wanted one that this program knows; `tilewright targets` lists them",
                    t.place.target
                ));
            }
        }
        Line::Plan(p) => p.require_sound()?,
        Line::Verification(_) | Line::TilewrightDatabase { .. } => {}
    }
    Ok(line)
}
