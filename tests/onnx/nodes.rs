//! All node cases, each in a process that may die of it.

use std::{
    collections::VecDeque,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use crate::{
    outcome::{Case, Outcome},
    page,
};

/// Set in a worker: the folder of the cases, whose names come by standard input.
const FOLDER: &str = "TILEWRIGHT_ONNX_CASES";
/// Of all 1,884 cases, so many must pass.
const WANTED: usize = 900;
/// Begins each line that a worker writes for its parent; the test harness writes there too.
const MARK: &str = "@case ";

#[test]
fn node_cases_pass_or_are_refused() {
    if let Some(folder) = env::var_os(FOLDER) {
        return work(Path::new(&folder));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".toolchain/venv/bin/python");
    if !python.exists() {
        println!("skipped: no {}; help: cargo xtask setup", python.display());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx-cases");
    let script = root.join("tests/onnx/cases.py");
    let made = Command::new(python)
        .args([&script, &folder])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(
        made.status.success(),
        "{} {}: {said}",
        script.display(),
        folder.display()
    );
    let cases = read_cases(&folder);
    assert_eq!(cases.len(), 1884);
    let outcomes = outcomes(&folder, &cases);
    let wrong: Vec<_> = (cases.iter().zip(&outcomes))
        .filter_map(|(case, outcome)| match outcome {
            Outcome::Wrong(how) => Some(format!("{}: {how}", case.name)),
            _ => None,
        })
        .collect();
    let passed = |o: &&Outcome| matches!(o, Outcome::Pass | Outcome::PassHeld);
    let passed = outcomes.iter().filter(passed).count();
    println!(
        "{passed} of {} cases pass, {} are wrong",
        cases.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        passed >= WANTED,
        "wanted {WANTED} cases that pass, found {passed}"
    );
    page::check(&cases, &outcomes);
}

fn read_cases(folder: &Path) -> Vec<Case> {
    serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap()
}

/// The outcome of each case, by as many workers as there are cores.
fn outcomes(folder: &Path, cases: &[Case]) -> Vec<Outcome> {
    let open: Mutex<VecDeque<usize>> = Mutex::new((0..cases.len()).collect());
    let found = Mutex::new(vec![None; cases.len()]);
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    // A share at a time, so that all workers end together.
                    let share: Vec<_> = {
                        let mut open = open.lock().unwrap();
                        let n = open.len().min(40);
                        open.drain(..n).collect()
                    };
                    if share.is_empty() {
                        return;
                    }
                    for (i, outcome) in worked(folder, cases, share) {
                        found.lock().unwrap()[i] = Some(outcome);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    found
        .into_iter()
        .map(|o| o.expect("each case was worked on"))
        .collect()
}

/// The outcomes of a share; a case in which the worker dies is wrong, and another worker takes what is left.
fn worked(folder: &Path, cases: &[Case], mut share: Vec<usize>) -> Vec<(usize, Outcome)> {
    let mut all = Vec::new();
    while !share.is_empty() {
        let mut worker = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "nodes::node_cases_pass_or_are_refused",
                "--nocapture",
            ])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let names: Vec<_> = share.iter().map(|i| cases[*i].name.as_str()).collect();
        let mut input = worker.stdin.take().unwrap();
        // A worker that is dead already reads nothing.
        let _ = input.write_all(names.join("\n").as_bytes());
        drop(input);
        let lines = BufReader::new(worker.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok);
        let results = said
            .filter_map(|l| parse(l.split_once(MARK)?.1))
            .take(share.len());
        let results: Vec<_> = results.collect();
        let status = worker.wait().unwrap();
        let done = results.len();
        all.extend(share.drain(..done).zip(results));
        if !share.is_empty() {
            let how = format!("the process died: {status}");
            all.push((share.remove(0), Outcome::Wrong(how)));
        }
    }
    all
}

/// What a worker does: a line for each case.
fn work(folder: &Path) {
    let cases = read_cases(folder);
    let values = fs::read(folder.join("values")).unwrap();
    for name in std::io::stdin().lines() {
        let name = name.unwrap();
        let case = cases.iter().find(|c| c.name == name).unwrap();
        let run = || case.outcome(folder, &values);
        let outcome = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Outcome::Wrong(format!("panic: {}", text.unwrap_or_default()))
        });
        println!("{MARK}{}", line(&outcome));
    }
}

fn line(outcome: &Outcome) -> String {
    let text = match outcome {
        Outcome::Pass => "pass".into(),
        Outcome::PassHeld => "held".into(),
        Outcome::Unsupported(why) => format!("unsupported {why}"),
        Outcome::Wrong(how) => format!("wrong {how}"),
    };
    text.replace('\n', " ")
}

fn parse(line: &str) -> Option<Outcome> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "pass" => Some(Outcome::Pass),
        "held" => Some(Outcome::PassHeld),
        "unsupported" => Some(Outcome::Unsupported(rest.into())),
        "wrong" => Some(Outcome::Wrong(rest.into())),
        _ => None,
    }
}
