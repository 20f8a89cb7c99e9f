//! The learned cost model and the search, on measured times of this CPU.
//!
//! `cargo xtask bench cost-model [--db FILE] [--random N] [--seeds N] [--trials N] [--threads N]`
//!
//! For each of four shapes a model is fitted to what was measured of all other shapes. It ranks the random schedules of
//! that shape: Spearman's correlation with their times. Then searches start from it: trials until one is as fast as the
//! best of the random ones. What is measured is kept in the file, so that a run goes on where another ended.

mod lab;
mod tasks;

use std::{
    collections::BTreeSet,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Instant,
};

use autotune::{
    CostModel, Draw, Search, Seen,
    features::Extractor,
    model::{Example, spearman},
};
use lab::Lab;
use tasks::{JUDGED, TAUGHT, Task};
use tilewright::ir::{Schedule, Target};

/// Why the benchmark stopped.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Trials that a search proposes at a time.
const BATCH: usize = 8;

/// The best of the random schedules, which are measured again, by more samples.
const FINALISTS: usize = 10;

/// A trial that took at most this much longer than the best of the random ones is measured again; where it then takes at most
/// so much longer, it is as fast. Careful measurements of one schedule differ by less.
const UNSURE: f64 = 1.05;
const EQUAL: f64 = 1.01;

struct Arguments {
    program: PathBuf,
    file: Option<PathBuf>,
    random: usize,
    seeds: u64,
    trials: usize,
    threads: NonZeroUsize,
}

fn main() -> Result<()> {
    let arguments = parse()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cost-model");
    fs::create_dir_all(&folder)?;
    let file = arguments.file.clone();
    let file = file.unwrap_or_else(|| folder.join("measured.db"));
    let target = tilewright::target("cpu")?;
    let mut lab = Lab::new(
        target.clone(),
        &arguments.program,
        &file,
        folder,
        arguments.threads,
    )?;
    let begun = Instant::now();
    println!(
        "{}, {} threads, times in {}",
        target.name,
        arguments.threads,
        file.display()
    );
    let mut all = vec![];
    for (at, sides) in JUDGED.into_iter().chain(TAUGHT).enumerate() {
        let task = Task::new(sides, &target)?;
        let count = if at < JUDGED.len() {
            arguments.random
        } else {
            arguments.random / 2
        };
        let seen = lab.seen(&task, &random(&task, count, at as u64))?;
        let examples = examples(&task, &seen, &target)?;
        eprintln!(
            "{}: {count} of {} schedules, {:.0?}",
            task.name,
            task.space.len(),
            begun.elapsed()
        );
        all.push(Measured {
            best: if at < JUDGED.len() {
                best(&task, &seen, &mut lab)?
            } else {
                1.0
            },
            task,
            examples,
        });
    }
    let models = judge(&all, &arguments);
    search(&all, &models, &arguments, &mut lab)?;
    println!(
        "\n{} schedules measured now, {:.0?}",
        lab.measured,
        begun.elapsed()
    );
    Ok(())
}

/// A task and what came of random schedules of it.
struct Measured {
    task: Task,
    /// Least ratio of times of those that are judged.
    best: f64,
    examples: Vec<Example>,
}

/// Fits a model for each of the judged shapes to all others, and prints how it ranks those it has not seen.
fn judge(all: &[Measured], arguments: &Arguments) -> Vec<CostModel> {
    println!(
        "\n| shape | space | best of {} random / default | Spearman |\n|---|---|---|---|",
        arguments.random
    );
    let judged = all.iter().enumerate().take(JUDGED.len());
    judged
        .map(|(at, own)| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != at);
            let others: Vec<Example> = others.flat_map(|(_, m)| m.examples.clone()).collect();
            let model = CostModel::fit(&others, 1);
            let times: Vec<f64> = own.examples.iter().map(|e| e.ratio).collect();
            let foreseen = own.examples.iter().map(|e| model.predict(&e.features));
            let correlation = spearman(&times, &foreseen.collect::<Vec<_>>());
            println!(
                "| {} | {} | {:.3} | {:.3} |",
                own.task.name,
                own.task.space.len(),
                own.best,
                correlation.unwrap_or(0.0)
            );
            model
        })
        .collect()
}

/// Prints how many trials searches take until one is as fast as the best of the random schedules.
fn search(
    all: &[Measured],
    models: &[CostModel],
    arguments: &Arguments,
    lab: &mut Lab,
) -> Result<()> {
    println!(
        "\n| shape | trials with a model of other shapes | without | best found / default |\n|---|---|---|---|"
    );
    for (own, model) in all.iter().zip(models) {
        let mut row = vec![];
        let mut found = f64::INFINITY;
        for model in [Some(model), None] {
            let mut needed = vec![];
            for seed in 0..arguments.seeds {
                let (space, default) = (own.task.space.clone(), own.task.default.clone());
                let new = Search::new(&own.task.kernel, lab.target(), space, default, seed, model);
                let (trials, best) = reach(new, own, arguments.trials, lab)?;
                needed.push(trials);
                found = found.min(best);
            }
            needed.sort_unstable();
            let each: Vec<String> = needed.iter().map(|n| shown(*n, arguments.trials)).collect();
            let middle = shown(needed[needed.len() / 2], arguments.trials);
            row.push(format!("{middle} ({})", each.join(", ")));
        }
        println!("| {} | {} | {found:.3} |", own.task.name, row.join(" | "));
    }
    Ok(())
}

fn shown(trials: usize, most: usize) -> String {
    if trials > most {
        format!("> {most}")
    } else {
        trials.to_string()
    }
}

/// Trials until one is as fast as the best of the random ones, one more than `most` if none is; and the best of all.
fn reach(mut search: Search, own: &Measured, most: usize, lab: &mut Lab) -> Result<(usize, f64)> {
    let (mut trials, mut found) = (0, f64::INFINITY);
    while trials < most {
        let some = search.propose(BATCH.min(most - trials));
        if some.is_empty() {
            break;
        }
        let seen = lab.seen(&own.task, &some)?;
        for Seen { schedule, ratio } in &seen {
            trials += 1;
            if ratio.is_some_and(|r| r <= own.best * UNSURE) {
                let ratio = lab.careful(&own.task, schedule)?;
                found = ratio.map_or(found, |r| r.min(found));
            }
            if found <= own.best * EQUAL {
                return Ok((trials, found));
            }
        }
        search.tell(&seen);
    }
    Ok((most + 1, found.min(search.best().1)))
}

/// Distinct schedules that a seed draws from the space.
fn random(task: &Task, count: usize, seed: u64) -> Vec<Schedule> {
    let mut draw = Draw::new(seed);
    let mut all = BTreeSet::new();
    for _ in 0..100 * count {
        if all.len() < count.min(task.space.len()) {
            all.insert(task.space.sample(draw.any()).clone());
        }
    }
    all.into_iter().collect()
}

fn examples(task: &Task, seen: &[Seen], target: &Target) -> Result<Vec<Example>> {
    let extractor = Extractor::new(&task.kernel, target, &task.default)?;
    let timed = seen.iter().filter_map(|s| Some((&s.schedule, s.ratio?)));
    timed
        .map(|(schedule, ratio)| {
            Ok(Example {
                task: task.name.clone(),
                features: extractor.extract(schedule)?.values().to_vec(),
                ratio,
            })
        })
        .collect()
}

/// The least ratio among schedules: the best few are measured again, so that none wins by luck.
fn best(task: &Task, seen: &[Seen], lab: &mut Lab) -> Result<f64> {
    let timed = seen.iter().filter_map(|s| Some((s.ratio?, &s.schedule)));
    let mut timed: Vec<_> = timed.collect();
    timed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best = f64::INFINITY;
    for (_, schedule) in timed.into_iter().take(FINALISTS) {
        let ratio = lab.careful(task, schedule)?;
        best = ratio.map_or(best, |r| r.min(best));
    }
    Ok(best)
}

fn parse() -> Result<Arguments> {
    let mut out = Arguments {
        program: Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/tilewright"),
        file: None,
        random: 300,
        seeds: 5,
        trials: 80,
        threads: std::thread::available_parallelism()?,
    };
    let mut words = std::env::args().skip(1).filter(|w| w != "--bench");
    while let Some(word) = words.next() {
        let next = words
            .next()
            .ok_or(format!("{word}: wanted a value after it"))?;
        match word.as_str() {
            "--program" => out.program = next.into(),
            "--db" => out.file = Some(next.into()),
            "--random" => out.random = next.parse()?,
            "--seeds" => out.seeds = next.parse()?,
            "--trials" => out.trials = next.parse()?,
            "--threads" => out.threads = next.parse()?,
            _ => {
                let wanted = "wanted --program, --db, --random, --seeds, --trials or --threads";
                return Err(format!("{word}: {wanted}").into());
            }
        }
    }
    Ok(out)
}
