//! Tuning MiniLM at (1,128) on this CPU: what it gains, whether two seeds agree, and what kills leave behind.
//!
//! `cargo xtask bench tuning [gain] [kills] [crowd] [--trials N] [--kills N] [--runs N]`

mod command;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use autotune::database::{Access, Database, Place, Workload};
use command::{Result, compile, ratio, tune};

/// What was asked for on the command line.
struct Arguments {
    parts: Vec<String>,
    trials: u32,
    kills: u32,
    runs: u32,
}

fn main() -> Result<()> {
    let arguments = parse()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tuning");
    // What an earlier run left.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let has = |part: &str| arguments.parts.is_empty() || arguments.parts.iter().any(|p| p == part);
    if has("gain") {
        gain(&folder, &arguments)?;
    }
    if has("kills") {
        kills(&folder, &arguments)?;
    }
    if has("crowd") {
        crowd(&folder, &arguments)?;
    }
    Ok(fs::remove_dir_all(&folder)?)
}

fn parse() -> Result<Arguments> {
    let mut out = Arguments {
        parts: vec![],
        trials: 200,
        kills: 30,
        runs: 60,
    };
    let mut words = std::env::args().skip(1).filter(|w| w != "--bench");
    while let Some(word) = words.next() {
        let mut next = || {
            words
                .next()
                .ok_or_else(|| format!("{word}: wanted a number after it"))
        };
        match word.as_str() {
            "--trials" => out.trials = next()?.parse()?,
            "--kills" => out.kills = next()?.parse()?,
            "--runs" => out.runs = next()?.parse()?,
            "gain" | "kills" | "crowd" => out.parts.push(word),
            _ => return Err(format!("{word}: wanted gain, kills, crowd or an option").into()),
        }
    }
    Ok(out)
}

/// Two tunings with different seeds, each against the untuned model and against the other.
fn gain(folder: &Path, arguments: &Arguments) -> Result<()> {
    let untuned = folder.join("untuned.tw");
    compile(None, &untuned)?;
    println!(
        "| seed | trials | minutes | tuned / untuned | 95 % interval |\n|---|---|---|---|---|"
    );
    let mut tuned = vec![];
    for seed in [1, 2] {
        let database = folder.join(format!("seed-{seed}.db"));
        let begun = Instant::now();
        let page = folder.join(format!("seed-{seed}.html"));
        let done = tune(&database, arguments.trials, seed)
            .arg("--report")
            .arg(&page)
            .output()?;
        let minutes = begun.elapsed().as_secs_f64() / 60.0;
        command::require(&done)?;
        let artifact = folder.join(format!("seed-{seed}.tw"));
        compile(Some(&database), &artifact)?;
        let [value, low, high] = ratio(&artifact, &untuned, arguments.runs)?;
        println!(
            "| {seed} | {} | {minutes:.1} | {value:.3} | {low:.3} to {high:.3} |",
            arguments.trials
        );
        tuned.push(artifact);
    }
    let [value, low, high] = ratio(&tuned[0], &tuned[1], arguments.runs)?;
    println!("\nseed 1 / seed 2: {value:.3}, 95 % interval {low:.3} to {high:.3}");
    Ok(())
}

/// Kills a tuning at moments that a seed picks, again and again, then lets it end.
fn kills(folder: &Path, arguments: &Arguments) -> Result<()> {
    let path = folder.join("kills.db");
    let mut state = 20_261_125_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let (mut kept, mut ended) = (vec![], 0);
    for kill in 0..arguments.kills {
        let mut child = tune(&path, 10_000, 1).spawn()?;
        // Anywhere from its first moments to some batches on.
        std::thread::park_timeout(Duration::from_secs_f64(0.1 + 6.0 * random()));
        child.kill()?;
        ended += u32::from(child.wait()?.success());
        if !path.exists() {
            continue;
        }
        let database = match Database::open(&path, Access::Write, &tilewright::host()) {
            Ok(database) => database,
            Err(e) => return Err(format!("kill {kill}: {e}").into()),
        };
        database.check()?;
        let now = trials(&database)?;
        for id in &kept {
            if now.binary_search(id).is_err() {
                return Err(format!("kill {kill}: trial {id} is lost").into());
            }
        }
        kept = now;
    }
    let trials = u32::try_from(kept.len())?;
    command::require(&tune(&path, trials + 16, 1).output()?)?;
    let served = compile(Some(&path), &folder.join("kills.tw"))?;
    println!(
        "\n{} kills of a tuning ({ended} had ended): {trials} trials kept, none lost, the file is sound after each; \
         then it ended, and {served} kernels of the artifact have its schedules",
        arguments.kills
    );
    Ok(())
}

/// Four tunings of one database at once.
fn crowd(folder: &Path, arguments: &Arguments) -> Result<()> {
    let path = folder.join("crowd.db");
    let trials_each = (arguments.trials / 4).max(20);
    let children: Vec<_> = (1..=4)
        .map(|seed| tune(&path, trials_each, seed).spawn())
        .collect::<std::io::Result<_>>()?;
    for child in children {
        command::require(&child.wait_with_output()?)?;
    }
    let database = Database::open(&path, Access::Write, &tilewright::host())?;
    database.check()?;
    let found = searched(&database)?;
    println!(
        "\nfour tunings at once, {trials_each} trials each: {found} trials of their searches in the database"
    );
    if found != 4 * trials_each as usize {
        return Err(format!("wanted {}", 4 * trials_each).into());
    }
    Ok(())
}

/// Names of all trials on this CPU, sorted.
fn trials(database: &Database) -> Result<Vec<String>> {
    let mut all: Vec<String> = each(database)?.iter().map(|t| t.id().0).collect();
    all.sort();
    Ok(all)
}

/// Trials that searches made.
fn searched(database: &Database) -> Result<usize> {
    let all = each(database)?;
    Ok(all
        .iter()
        .filter(|t| t.more.get("stage").is_some_and(|s| s == "search"))
        .count())
}

fn each(database: &Database) -> Result<Vec<autotune::database::Trial>> {
    let place = Place::of(&tilewright::target("cpu")?);
    let mut all = vec![];
    for Workload { meaning, .. } in database.tried(&place)? {
        all.extend(database.trials(&meaning, &place)?);
    }
    Ok(all)
}
