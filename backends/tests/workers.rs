//! Code generation in other processes. This test is its own worker, so it has a `main`.

#[path = "support/lanes.rs"]
mod lanes;
mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use backends::cpu::{BackendError, Failure, Processes, Workers, compile, serve};
use ir::tile::Shape;
use support::contraction;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("--worker") => serve().unwrap(),
        Some("--parent") => parent(),
        // Takes what it is sent and never answers.
        Some("--deaf") => drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink())),
        _ => {
            the_bytes_are_those_made_in_process();
            a_worker_that_ends_is_a_failure_of_its_kernel();
            no_worker_outlives_its_parent();
            lane_programs_succeed_or_fail_each_by_itself();
            a_worker_that_takes_too_long_is_killed();
            println!("test result: ok. 5 passed; 0 failed; 0 ignored");
        }
    }
}

fn workers(program: PathBuf, count: usize) -> Workers {
    Workers::Processes(Processes {
        program,
        arguments: vec!["--worker".into()],
        count,
        limit: None,
    })
}

fn a_worker_that_takes_too_long_is_killed() {
    let target = backends::resolve("cpu:x86-64-v3").unwrap();
    let programs = ["late", "later"].map(|name| contraction(name, 2, 16, 8, Shape::new(1, 16), 1));
    let limit = Duration::from_millis(50);
    let deaf = Workers::Processes(Processes {
        program: env::current_exe().unwrap(),
        arguments: vec!["--deaf".into()],
        count: 1,
        limit: Some(limit),
    });
    let all = backends::cpu::compile_each(&programs, &target, &deaf).unwrap();
    assert_eq!(all, vec![Err(Failure::TimedOut(limit)); 2]);
    // A limit that is not met changes nothing.
    let patient = Workers::Processes(Processes {
        program: env::current_exe().unwrap(),
        arguments: vec!["--worker".into()],
        count: 2,
        limit: Some(Duration::from_secs(600)),
    });
    let there = backends::cpu::compile_each(&programs, &target, &patient).unwrap();
    let here = backends::cpu::compile_each(&programs, &target, &Workers::InProcess).unwrap();
    assert_eq!(there, here);
}

fn the_bytes_are_those_made_in_process() {
    let target = backends::resolve("cpu:x86-64-v3").unwrap();
    let programs: Vec<_> = [2, 3, 4]
        .map(|rows| contraction(&format!("c{rows}"), rows, 16, 8, Shape::new(1, 16), 2))
        .into();
    let here = compile(&programs, &target, &Workers::InProcess).unwrap();
    let there = compile(&programs, &target, &workers(env::current_exe().unwrap(), 2)).unwrap();
    assert_eq!(here, there);
    assert_eq!(here.symbols, ["c2", "c3", "c4"]);
}

fn a_worker_that_ends_is_a_failure_of_its_kernel() {
    let target = backends::resolve("cpu:x86-64-v3").unwrap();
    let program = contraction("lost", 2, 16, 8, Shape::new(1, 16), 1);
    let error = compile(&[program], &target, &workers("/bin/false".into(), 1)).unwrap_err();
    let BackendError::Kernel {
        kernel,
        failure: Failure::Crashed(_),
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(kernel, "lost");
}

fn lane_programs_succeed_or_fail_each_by_itself() {
    let target = backends::resolve("rocm:gfx942").unwrap();
    let good = lanes::add(64);
    let there = workers(env::current_exe().unwrap(), 2);
    let programs = [good.clone(), lanes::backwards(64), good];
    let all = backends::simt::compile(&programs, &target, &there).unwrap();
    assert!(matches!(all[1], Err(Failure::Exceeds { .. })));
    let here = backends::simt::compile(&programs, &target, &Workers::InProcess).unwrap();
    assert_eq!(all, here);
    let lost = backends::simt::compile(&programs, &target, &workers("/bin/false".into(), 1));
    for result in lost.unwrap() {
        assert!(matches!(result, Err(Failure::Crashed(_))));
    }
}

/// Starts a worker, says its number, and waits to be killed.
fn parent() {
    let mut worker = Command::new(env::current_exe().unwrap())
        .arg("--worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    println!("{}", worker.id());
    std::io::stdout().flush().unwrap();
    worker
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut Vec::new())
        .unwrap();
    worker.wait().unwrap();
}

fn no_worker_outlives_its_parent() {
    let mut parent = Command::new(env::current_exe().unwrap())
        .arg("--parent")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    let stat = Path::new("/proc").join(line.trim()).join("stat");
    let lives = || fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z "));
    let start = Instant::now();
    while lives() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "worker {line} lives on"
        );
        thread::yield_now();
    }
}
