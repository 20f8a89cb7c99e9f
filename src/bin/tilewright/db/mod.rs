//! `db`: the tuning database as a file to look into, share and tidy.

mod report;
mod verify;

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use autotune::database::{Access, Database, Format, Refused};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tilewright::runtime::cli::Report;

use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright db stats --db tuned.db
  tilewright db export --db tuned.db -o tuned.jsonl
  tilewright db import tuned.jsonl --db mine.db
  tilewright db merge theirs.db --db mine.db
  tilewright db verify --db mine.db --limit 100
  tilewright db report --db mine.db --target cpu -o report.html

What others measured are claims until this program has made their kernels again here and found their numbers right.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// One JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Count what is there, and read all of it once.
    Stats {
        #[command(flatten)]
        db: Db,
    },
    /// Write it as text.
    Export {
        #[command(flatten)]
        db: Db,
        /// The text; standard output without.
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// jsonl can be imported; t4 is Kernel Tuner's; csv is a table of trials.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: TextFormat,
    },
    /// Take in a text that `export --format jsonl` wrote.
    Import {
        /// The text.
        text: PathBuf,
        #[command(flatten)]
        db: Db,
    },
    /// Take in all of another database.
    Merge {
        /// The other one.
        other: PathBuf,
        #[command(flatten)]
        db: Db,
    },
    /// Make the kernels of claims again, and compare their numbers with the reference.
    Verify(verify::Arguments),
    /// Write a page that shows what was tried for a target, and what came of it.
    Report(report::Arguments),
    /// Show where two databases differ in their fastest schedules.
    Diff {
        /// The other one.
        other: PathBuf,
        #[command(flatten)]
        db: Db,
    },
    /// Remove all but the fastest trials of each kernel and target.
    Prune {
        #[command(flatten)]
        db: Db,
        /// How many stay.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
    },
}

#[derive(Args)]
struct Db {
    /// The database.
    #[arg(long = "db", value_name = "F")]
    path: PathBuf,
}

/// A format, as the command line spells it.
#[derive(Clone, Copy, ValueEnum)]
enum TextFormat {
    Jsonl,
    T4,
    Csv,
}

impl Db {
    fn open(&self, access: Access) -> Result<Database, Failure> {
        Ok(Database::open(&self.path, access, &tilewright::host())?)
    }
}

pub fn db(arguments: &Arguments) -> Result<Report, Failure> {
    match &arguments.command {
        Command::Stats { db } => stats(db),
        Command::Export { db, output, format } => export(db, output.as_deref(), *format),
        Command::Import { text, db } => import(text, db),
        Command::Merge { other, db } => merge(other, db),
        Command::Verify(arguments) => verify::verify(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Diff { other, db } => diff(other, db),
        Command::Prune { db, keep } => {
            let gone = db.open(Access::Write)?.prune(*keep, None)?;
            Ok(Report {
                text: format!("{gone} trials removed\n"),
                json: json!({ "removed": gone }),
                passed: true,
            })
        }
    }
}

fn stats(db: &Db) -> Result<Report, Failure> {
    let database = db.open(Access::Read)?;
    database.check()?;
    let stats = database.stats()?;
    let mut text = format!(
        "{}: {:.1} KB\n  {} workloads, {} trials verified here, {} plans\n",
        db.path.display(),
        stats.bytes as f64 / 1024.0,
        stats.workloads,
        stats.verified_here,
        stats.plans
    );
    for (outcome, n) in &stats.trials {
        text += &format!("  {n:>8} {outcome}\n");
    }
    for (place, n) in &stats.places {
        text += &format!("  {n:>8} for {place}\n");
    }
    Ok(Report {
        text,
        json: serde_json::to_value(&stats).expect("plain data becomes JSON"),
        passed: true,
    })
}

fn export(db: &Db, output: Option<&Path>, format: TextFormat) -> Result<Report, Failure> {
    let database = db.open(Access::Read)?;
    let format = match format {
        TextFormat::Jsonl => Format::JsonLines,
        TextFormat::T4 => Format::T4,
        TextFormat::Csv => Format::Csv,
    };
    let Some(path) = output else {
        let mut out = vec![];
        database.export(format, &mut out)?;
        let text = String::from_utf8(out).expect("records are JSON, and tables of them");
        return Ok(Report {
            json: json!({ "text": text }),
            text,
            passed: true,
        });
    };
    // Beside its place first, so that a reader sees the old text or the whole new one.
    let partial = path.with_added_extension("part");
    let file = |error| Failure::File {
        path: partial.clone(),
        error,
    };
    let mut out = BufWriter::new(File::create(&partial).map_err(file)?);
    database.export(format, &mut out)?;
    let written = out.into_inner().map_err(|e| file(e.into_error()))?;
    written.sync_all().map_err(file)?;
    fs::rename(&partial, path).map_err(file)?;
    let bytes = fs::metadata(path).map_or(0, |m| m.len());
    Ok(Report {
        text: format!("{}: {:.1} KB\n", path.display(), bytes as f64 / 1024.0),
        json: json!({ "output": path, "bytes": bytes }),
        passed: true,
    })
}

fn import(text: &Path, db: &Db) -> Result<Report, Failure> {
    let file = File::open(text).map_err(|error| Failure::File {
        path: text.into(),
        error,
    })?;
    let known: Vec<String> = tilewright::targets().into_iter().map(|t| t.name).collect();
    let knows = |target: &str| known.iter().any(|name| name == target);
    let mut database = db.open(Access::Write)?;
    let done = database.import(&mut BufReader::new(file), &knows)?;
    let mut lines = format!(
        "{} records added, {} were there; {} verifications of others are claims\n",
        done.added, done.known, done.claims
    );
    for Refused { line, reason } in &done.refused {
        lines += &format!("{}:{line}: left out: {reason}\n", text.display());
    }
    Ok(Report {
        text: lines,
        passed: done.refused.is_empty(),
        json: serde_json::to_value(&done).expect("plain data becomes JSON"),
    })
}

fn merge(other: &Path, db: &Db) -> Result<Report, Failure> {
    let theirs = Database::open(other, Access::Read, &tilewright::host())?;
    let done = db.open(Access::Write)?.merge(&theirs)?;
    let mut text = format!("{} records added, {} were there\n", done.added, done.known);
    for refused in &done.refused {
        text += &format!("left out: {refused}\n");
    }
    for c in &done.conflicts {
        text += &format!("conflict: {}\n", difference(c));
    }
    Ok(Report {
        text,
        passed: done.refused.is_empty(),
        json: serde_json::to_value(&done).expect("plain data becomes JSON"),
    })
}

fn diff(other: &Path, db: &Db) -> Result<Report, Failure> {
    let ours = db.open(Access::Read)?;
    let theirs = Database::open(other, Access::Read, &tilewright::host())?;
    let all = ours.diff(&theirs)?;
    let text: String = all.iter().map(|d| difference(d) + "\n").collect();
    Ok(Report {
        text,
        json: json!({ "differences": all }),
        passed: true,
    })
}

fn difference(d: &autotune::database::Difference) -> String {
    let time = |t: Option<f64>| t.map_or("none".into(), |t| format!("{:.3} us", t * 1e6));
    let schedule = if d.same {
        "one schedule"
    } else {
        "two schedules"
    };
    format!(
        "{} {} on {}: {} here, {} there, {schedule}",
        d.family,
        &d.workload[..12.min(d.workload.len())],
        d.target,
        time(d.ours_s),
        time(d.theirs_s)
    )
}
