//! Candidates in a child process: what is right is timed, what goes wrong is an outcome, and the next one is measured.

#[path = "support/candidates.rs"]
mod candidates;
#[path = "support/sum.rs"]
mod sum;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use candidates::{FEW, PANELS, candidate, candidate_with, job, program};
use ir::{Bytes, Layout};
use tempfile::tempdir;
use tilewright_runtime::{
    Drivers,
    cli::MEASURE_WORKER,
    measure::{
        Candidate, Job, Limits, Measured, Outcome, Policy, Runner, Stage, ratio, serve_watched,
    },
};

/// Patience enough for a machine that does other things, too.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(60),
    memory: Bytes(1 << 30),
};

/// For candidates that hang.
const SHORT: Limits = Limits {
    time: Duration::from_millis(1500),
    memory: Bytes(1 << 30),
};

fn runner(limits: Limits) -> Runner {
    Runner::new(program(), [MEASURE_WORKER.into()], limits)
}

fn measured(outcome: Outcome) -> Measured {
    match outcome {
        Outcome::Ok(measured) => measured,
        other => panic!("wanted times, found {other:?}"),
    }
}

fn crash(outcome: Outcome, words: &[&str]) {
    match outcome {
        Outcome::Crash { reason } => {
            for word in words {
                assert!(reason.contains(word), "wanted {word} in: {reason}");
            }
        }
        other => panic!("wanted a crash, found {other:?}"),
    }
}

fn refused(outcome: Outcome, words: &[&str]) {
    match outcome {
        Outcome::Refused { reason } => {
            for word in words {
                assert!(reason.contains(word), "wanted {word} in: {reason}");
            }
        }
        other => panic!("wanted a refusal, found {other:?}"),
    }
}

#[test]
fn a_right_candidate_is_timed_beside_the_baseline() {
    let folder = tempdir().unwrap();
    let mut job = job(folder.path(), "slow");
    let mut runner = runner(LIMITS);
    let slow = measured(runner.measure(&job).unwrap());
    assert!((6..=8).contains(&slow.samples_s.len()));
    assert_eq!(slow.samples_s.len(), slow.baseline_s.len());
    // It does the same two thousand times over: whatever else runs, it is not the faster one.
    let slower = ratio(&slow.samples_s, &slow.baseline_s).unwrap();
    assert!(slower.value > 1.0, "{slower:?}");
    assert!(slow.error <= slow.bound && slow.bound < 1e-5);
    assert!(slow.device.starts_with("cpu: ") && slow.threads == 2);
    // Packed as it wants it, in the same child.
    let child = runner.child();
    job.candidate = candidate(folder.path(), "panels", PANELS);
    measured(runner.measure(&job).unwrap());
    assert_eq!(runner.child(), child);
    // It reads what is not where it looks.
    job.candidate = candidate(folder.path(), "panels", Layout::Plain);
    let Outcome::WrongResult(wrong) = runner.measure(&job).unwrap() else {
        panic!("panels were read from rows");
    };
    assert!(wrong.error > wrong.bound && wrong.unwritten == 0);
}

#[test]
fn only_checking_gives_no_times() {
    let folder = tempdir().unwrap();
    let mut job = job(folder.path(), "panels");
    job.candidate = candidate(folder.path(), "panels", PANELS);
    job.policy = Policy::CHECK;
    job.baseline.artifact = "/nowhere".into();
    let Outcome::Checked(checked) = runner(LIMITS).measure(&job).unwrap() else {
        panic!("it is right");
    };
    assert!(checked.error <= checked.bound && checked.threads == 2);
}

#[test]
fn wrong_numbers_are_found_before_a_time_counts() {
    let folder = tempdir().unwrap();
    let mut runner = runner(LIMITS);
    let mut wrong = |symbol: &str| {
        let job = job(folder.path(), symbol);
        match runner.measure(&job).unwrap() {
            Outcome::WrongResult(wrong) => wrong,
            other => panic!("{symbol}: {other:?}"),
        }
    };
    let dropped = wrong("drops_the_last_tile");
    assert_eq!((dropped.unwritten, dropped.elements), (20, 100));
    assert_eq!(dropped.position, [4, 0]);
    assert_eq!(dropped.error, f64::INFINITY);
    assert_eq!(
        dropped.to_string(),
        "20 of 100 elements were not written, the first at [4, 0]"
    );
    let off = wrong("adds_one");
    assert_eq!((off.unwritten, off.position), (0, vec![2, 3]));
    assert!((0.1..2.0).contains(&off.error));
    // Right on what it saw first, and wrong on what comes after.
    assert_eq!(wrong("keeps_its_first_result").unwritten, 0);
    // Right when it is checked, wrong after a while.
    assert_eq!(wrong("tires").unwritten, 0);
    let job = job(folder.path(), "rows");
    measured(runner.measure(&job).unwrap());
}

#[test]
fn what_crashes_costs_one_candidate() {
    let folder = tempdir().unwrap();
    let mut runner = runner(LIMITS);
    let lost = runner.measure(&job(folder.path(), "writes_to_nowhere"));
    crash(
        lost.unwrap(),
        &["SIGSEGV", "while the candidate was checked"],
    );
    measured(runner.measure(&job(folder.path(), "rows")).unwrap());
    let ate = runner.measure(&job(folder.path(), "eats_memory"));
    crash(ate.unwrap(), &["SIGABRT", "it said: no more memory"]);
    measured(runner.measure(&job(folder.path(), "rows")).unwrap());
}

#[test]
fn what_hangs_is_killed() {
    let folder = tempdir().unwrap();
    let mut runner = runner(SHORT);
    let mut hangs = job(folder.path(), "hangs");
    // The reference and the baseline are there, so that the time is the candidate's.
    let outcome = runner.measure(&hangs).unwrap();
    let Outcome::Timeout { after, stage } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((after, stage), (SHORT.time, Stage::Candidate));
    assert_eq!(runner.child(), None);
    // A baseline that hangs says nothing about the candidate.
    std::mem::swap(&mut hangs.candidate, &mut hangs.baseline);
    let outcome = runner.measure(&hangs).unwrap();
    refused(outcome, &["no end after", "the baseline was checked"]);
    measured(runner.measure(&job(folder.path(), "rows")).unwrap());
}

#[test]
fn what_prints_is_measured_all_the_same() {
    let folder = tempdir().unwrap();
    measured(
        runner(LIMITS)
            .measure(&job(folder.path(), "prints"))
            .unwrap(),
    );
}

#[test]
fn jobs_that_contradict_themselves_are_refused() {
    let folder = tempdir().unwrap();
    let mut runner = runner(LIMITS);
    let good = job(folder.path(), "rows");
    let mut refuse = |change: &dyn Fn(&mut Job), words: &[&str]| {
        let mut job = good.clone();
        change(&mut job);
        refused(runner.measure(&job).unwrap(), words);
    };
    refuse(&|j| j.device = "toaster".into(), &["found `toaster`"]);
    refuse(
        &|j| j.device = "emulator:sm_80".into(),
        &["baseline", "no code for emulator:sm_80"],
    );
    refuse(
        &|j| j.candidate.artifact = folder.path().join("none.tw"),
        &["none.tw", "No such file"],
    );
    refuse(
        &|j| j.candidate.layouts.truncate(1),
        &["layouts: wanted one for each of 2 operands, found 1"],
    );
    refuse(
        &|j| j.candidate.layouts[1] = PANELS,
        &["input `1.0`", "Panels", "f32[140]"],
    );
    refuse(
        &|j| {
            j.candidate.layouts[1] = Layout::Panels {
                rows: i64::MAX,
                columns: 2,
                transposed: true,
                lanes: 0,
            }
        },
        &["input `1.0`"],
    );
    refuse(
        &|j| j.graph = ir::Graph::new("none"),
        &["one output, found 0"],
    );
    let named = candidate_with(folder.path(), "slow", Layout::Plain, |m| {
        m.inputs[1].name = "w".into();
    });
    refuse(
        &|j| j.candidate = named.clone(),
        &["input `w`: wanted `OPERAND.COPY`"],
    );
    refuse(
        &|j| j.baseline = candidate(folder.path(), "adds_one", Layout::Plain),
        &["baseline: error"],
    );
    let crashes = |j: &mut Job| {
        j.baseline = candidate(folder.path(), "writes_to_nowhere", Layout::Plain);
    };
    refuse(&crashes, &["SIGSEGV", "while the baseline was checked"]);
}

#[test]
fn a_program_that_does_not_measure_is_named() {
    let folder = tempdir().unwrap();
    let job = job(folder.path(), "rows");
    let measure = |program: &str, arguments: &[&str]| {
        let arguments = arguments.iter().map(Into::into);
        Runner::new(program, arguments, LIMITS).measure(&job)
    };
    let message = measure("/nowhere/run", &[]).unwrap_err().to_string();
    assert!(message.contains("/nowhere/run: cannot be run"), "{message}");
    let message = measure("echo", &["this is no frame, that much is sure"]);
    let message = message.unwrap_err().to_string();
    assert!(message.contains("says something else"), "{message}");
    refused(
        measure("false", &[]).unwrap(),
        &["code 1", "before it began"],
    );
}

#[test]
fn a_child_that_is_gone_between_jobs_is_replaced() {
    let folder = tempdir().unwrap();
    let mut runner = runner(LIMITS);
    let job = job(folder.path(), "rows");
    measured(runner.measure(&job).unwrap());
    let id = i32::try_from(runner.child().unwrap()).unwrap();
    let id = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    measured(runner.measure(&job).unwrap());
}

/// Set for a run of this program that is a child of [`a_panic_is_a_crash_of_one_candidate`].
const CHILD: &str = "TILEWRIGHT_TEST_MEASURES";
/// The seed of jobs at which that child panics.
const PANICS: u64 = 13;

/// The child: what `tilewright-run measure-worker` is, but for a defect.
#[test]
fn a_child_with_a_defect() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let frames = File::options().write(true).open("/proc/self/fd/3").unwrap();
    rustix::stdio::dup2_stdout(frames).unwrap();
    let drivers = Drivers::default();
    let served = serve_watched(&drivers, |job, stage| {
        assert!(
            (job.seed, stage) != (PANICS, Stage::Candidate),
            "a planted defect"
        );
    });
    std::process::exit(i32::from(served.is_err()));
}

#[test]
fn a_panic_is_a_crash_of_one_candidate() {
    let folder = tempdir().unwrap();
    let mut job = job(folder.path(), "rows");
    // What the test harness prints does not belong to the frames.
    let line = format!(
        "{CHILD}=1 exec '{}' --exact a_child_with_a_defect --nocapture 3>&1 1>&2",
        std::env::current_exe().unwrap().display()
    );
    let arguments = ["-c".into(), line.into()];
    let mut runner = Runner::new("sh", arguments, LIMITS);
    measured(runner.measure(&job).unwrap());
    job.seed = PANICS;
    let words = ["code 101", "the candidate was checked", "a planted defect"];
    crash(runner.measure(&job).unwrap(), &words);
    job.seed += 1;
    measured(runner.measure(&job).unwrap());
}

/// Set for a run of this program that is a parent, with the folder of the candidate that hangs.
const PARENT: &str = "TILEWRIGHT_TEST_PARENT";

/// A parent whose candidate hangs for a long time.
#[test]
fn a_parent_that_waits() {
    let Some(folder) = std::env::var_os(PARENT) else {
        return;
    };
    let mut runner = runner(LIMITS);
    let good = job(folder.as_ref(), "rows");
    measured(runner.measure(&good).unwrap());
    println!("child {}", runner.child().unwrap());
    let _ = runner.measure(&job(folder.as_ref(), "hangs"));
}

#[test]
fn a_child_ends_with_its_parent() {
    let folder = tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_parent_that_waits", "--nocapture"])
        .env(PARENT, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(parent.stdout.take().unwrap());
    let line = output
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("child "));
    let child: u32 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let stat = || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    // In the loop without end, which is what takes half a second of a processor here (proc_pid_stat(5), `utime`, in ticks);
    // a child that waits for a job would see the end of its input.
    let ticks = || -> u64 {
        let stat = stat();
        let utime = stat.rsplit(") ").next().and_then(|s| s.split(' ').nth(11));
        utime.and_then(|t| t.parse().ok()).unwrap_or(0)
    };
    let begun = ticks();
    while ticks() < begun + 50 {
        assert!(!stat().is_empty(), "the child has ended");
        std::thread::yield_now();
    }
    parent.kill().unwrap();
    parent.wait().unwrap();
    let ended = || {
        stat()
            .rsplit(") ")
            .next()
            .is_none_or(|s| s.is_empty() || s.starts_with('Z'))
    };
    let start = std::time::Instant::now();
    while !ended() {
        assert!(start.elapsed() < LIMITS.time, "the child lives on");
        std::thread::yield_now();
    }
}

/// `z = x + w` twice over, for devices of many lanes: the operands are inputs, as candidates have them.
fn sum_candidate(folder: &std::path::Path) -> Candidate {
    use tilewright_runtime::{Writer, manifest::BufferRef};
    let artifact = folder.join("sum.tw");
    let (writer, mut manifest) = sum::written_to(Writer::create(&artifact).unwrap(), sum::TEXT);
    let mut w = manifest.inputs[0].clone();
    w.name = "0.0".into();
    manifest.inputs[0].name = "1.0".into();
    manifest.inputs.insert(0, w);
    for program in &mut manifest.targets.iter_mut().flat_map(|t| &mut t.programs) {
        program.input_shapes.push(vec![sum::LEN]);
        for step in &mut program.steps {
            for arg in &mut step.args {
                *arg = match *arg {
                    BufferRef::Weight { .. } => BufferRef::Input(0),
                    BufferRef::Input(_) => BufferRef::Input(1),
                    other => other,
                };
            }
        }
    }
    writer.finish(manifest).unwrap();
    Candidate {
        artifact,
        layouts: vec![Layout::Plain; 2],
    }
}

fn sum_job(folder: &std::path::Path, device: &str) -> Job {
    let text = format!(
        r#"graph "sum" {{
  %w = input {{name = "in0", ty = f32[{n}], absent = required, below = 0}} : f32[{n}]
  %x = input {{name = "in1", ty = f32[{n}], absent = required, below = 0}} : f32[{n}]
  %y = add(%x, %w) : f32[{n}]
  %z = add(%y, %w) : f32[{n}]
  return out = %z
}}"#,
        n = sum::LEN
    );
    let candidate = sum_candidate(folder);
    Job {
        graph: ir::text::parse(&text).unwrap(),
        baseline: candidate.clone(),
        candidate,
        seed: 3,
        device: device.into(),
        threads: None,
        policy: FEW,
    }
}

#[test]
fn the_emulator_checks_and_keeps_no_times() {
    let folder = tempdir().unwrap();
    let mut job = sum_job(folder.path(), "emulator:opencl");
    let mut runner = runner(LIMITS);
    refused(runner.measure(&job).unwrap(), &["has no clock"]);
    job.policy = Policy::CHECK;
    let Outcome::Checked(checked) = runner.measure(&job).unwrap() else {
        panic!("it is right");
    };
    assert_eq!(checked.threads, 0);
    assert!(checked.device.contains("emulator"));
}

#[test]
fn opencl_times_its_launches() {
    let folder = tempdir().unwrap();
    let job = sum_job(folder.path(), "opencl:0");
    match runner(LIMITS).measure(&job).unwrap() {
        Outcome::Refused { reason } if reason.contains("OpenCL") => println!("skipped: {reason}"),
        outcome => {
            let measured = measured(outcome);
            assert!(measured.device.starts_with("opencl:0 ("));
            assert!(measured.samples_s.iter().all(|s| *s > 0.0));
        }
    }
}
