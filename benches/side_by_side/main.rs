//! MiniLM beside its peers on this CPU: one process per runner, rounds interleaved, errors against PyTorch f32.
//!
//! `cargo xtask bench side-by-side [--rounds N] [--runs N] [--json FILE] [BATCHxSEQ ...] [--threads N ...]`

mod report;
mod runner;

use std::{fs, path::PathBuf, process::Command};

use report::{Case, Sample};
use runner::{Result, Runner, Setting, ours};

const PEERS: [&str; 3] = ["onnxruntime", "openvino", "torch"];

/// What was asked for on the command line.
struct Arguments {
    rounds: usize,
    runs: usize,
    json: Option<PathBuf>,
    shapes: Vec<(usize, usize)>,
    threads: Vec<usize>,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    if words.first().is_some_and(|w| w == "--runner") {
        return ours(&words[1..]);
    }
    let arguments = parse(&words)?;
    let toolchain = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".toolchain");
    let mut cases = Vec::new();
    for &(batch, seq) in &arguments.shapes {
        for &threads in &arguments.threads {
            let setting = Setting::new(&toolchain, batch, seq, threads)?;
            let case = measure(&setting, &arguments)?;
            print!("{case}");
            cases.push(case);
        }
    }
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&cases)? + "\n")?;
    }
    Ok(())
}

fn parse(words: &[String]) -> Result<Arguments> {
    let mut out = Arguments {
        rounds: 20,
        runs: 5,
        json: None,
        shapes: vec![],
        threads: vec![],
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut next = || {
            words
                .next()
                .ok_or_else(|| format!("{word}: wanted a value after it"))
        };
        match word.as_str() {
            "--rounds" => out.rounds = next()?.parse()?,
            "--runs" => out.runs = next()?.parse()?,
            "--json" => out.json = Some(next()?.into()),
            "--threads" => out.threads.push(next()?.parse()?),
            shape => {
                let (batch, seq) = shape
                    .split_once('x')
                    .ok_or(format!("{shape}: wanted BATCHxSEQ"))?;
                out.shapes.push((batch.parse()?, seq.parse()?));
            }
        }
    }
    if out.shapes.is_empty() {
        out.shapes = vec![(1, 128), (8, 128)];
    }
    if out.threads.is_empty() {
        out.threads = vec![1, 2];
    }
    Ok(out)
}

fn measure(setting: &Setting, arguments: &Arguments) -> Result<Case> {
    if !setting.work.join("model.onnx").is_file() {
        run(setting.peer("export"))?;
    }
    let mut runners = vec![Runner::start("tilewright", setting.ours()?)?];
    for peer in PEERS {
        runners.push(Runner::start(peer, setting.peer(peer))?);
    }
    // Each runner is warm before the first round counts.
    for runner in &mut runners {
        runner.time(arguments.runs)?;
    }
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        let times = runners
            .iter_mut()
            .map(|r| r.time(arguments.runs))
            .collect::<Result<Vec<_>>>()?;
        rounds.push(times);
    }
    let reference = setting.result("torch")?;
    let samples = runners.iter().enumerate().map(|(i, runner)| {
        let seconds: Vec<f64> = rounds.iter().map(|round| round[i]).collect();
        let ratios = rounds.iter().map(|round| round[i] / round[1]).collect();
        let error = runner::relative_error(&setting.result(&runner.name)?, &reference)?;
        Ok(Sample {
            name: runner.name.clone(),
            version: runner.version.clone(),
            seconds,
            ratios,
            error,
        })
    });
    Ok(Case {
        batch: setting.batch,
        seq: setting.seq,
        threads: setting.threads,
        runs_per_round: arguments.runs,
        samples: samples.collect::<Result<_>>()?,
    })
}

fn run(mut command: Command) -> Result<()> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}
