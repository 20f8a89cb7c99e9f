//! How far the schedule that is chosen without measuring is from the best of 300 samples of the space.
//!
//! `cargo xtask bench first-choice [SHAPE]... [--samples N] [--record FILE] [--report]
//! [--schedules FILE] [--threads N]`
//!
//! Each sample is measured in turn with one of them, in a child process; then the best few are measured again, in turn
//! with the first choice, longer and in a fresh process, since the best of many is the luckiest, too. Everything measured
//! goes to the record, and is not measured again. `--report` prints the table of what the record holds.
//! `--schedules` measures those of a file, one of JSON in each line, as long as the best are, and prints their ratios.

mod measure;
mod record;
mod report;
mod shapes;

use std::{error::Error, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use measure::Bench;
use record::Record;
use shapes::{SHAPES, Shape};

/// The hidden command that makes this program measure for itself.
const SERVE: &str = "measure";

/// Threads of every measurement.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// What the command line says.
struct Settings {
    shapes: Vec<&'static Shape>,
    samples: u64,
    threads: NonZeroUsize,
    record: PathBuf,
    report: bool,
    schedules: Option<PathBuf>,
}

fn settings(words: impl Iterator<Item = String>) -> Result<Settings, Box<dyn Error>> {
    let mut settings = Settings {
        shapes: vec![],
        samples: 300,
        threads: THREADS,
        record: "target/first-choice.jsonl".into(),
        report: false,
        schedules: None,
    };
    // `cargo bench` adds `--bench`.
    let mut words = words.filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--samples" => {
                settings.samples = words.next().ok_or("--samples takes a number")?.parse()?
            }
            "--threads" => {
                settings.threads = words.next().ok_or("--threads takes a number")?.parse()?;
            }
            "--record" => settings.record = words.next().ok_or("--record takes a file")?.into(),
            "--report" => settings.report = true,
            "--schedules" => {
                let file = words.next().ok_or("--schedules takes a file")?;
                settings.schedules = Some(file.into());
            }
            name => {
                let named = SHAPES.iter().find(|s| s.name == name);
                settings.shapes.push(named.ok_or_else(|| unknown(name))?);
            }
        }
    }
    if settings.shapes.is_empty() {
        settings.shapes = SHAPES.iter().collect();
    }
    Ok(settings)
}

fn unknown(name: &str) -> String {
    let all: Vec<&str> = SHAPES.iter().map(|s| s.name).collect();
    format!("`{name}`: wanted a shape; help: one of {}", all.join(", "))
}

fn run() -> Result<(), Box<dyn Error>> {
    let settings = settings(std::env::args().skip(1))?;
    let mut record = Record::open(&settings.record)?;
    let target = tilewright::target("cpu")?;
    if let Some(file) = &settings.schedules {
        let text = std::fs::read_to_string(file)?;
        let parsed = text.lines().map(serde_json::from_str);
        let schedules: Vec<ir::Schedule> = parsed.collect::<Result<_, _>>()?;
        let mut bench = Bench::new(&target, settings.threads)?;
        for shape in &settings.shapes {
            bench.given(shape, &schedules, &mut record)?;
            print!("{}", report::list(shape, &schedules, &target, &record)?);
        }
        return Ok(());
    }
    if !settings.report {
        let mut bench = Bench::new(&target, settings.threads)?;
        for shape in &settings.shapes {
            bench.shape(shape, settings.samples, &mut record)?;
        }
    }
    let table = report::table(&settings.shapes, settings.samples, &target, &record)?;
    println!("{table}");
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(SERVE) {
        return match runtime::measure::serve(&runtime::Drivers::default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
