//! Tile programs of a folder: how long code generation takes, and each on one core against the machine's peak.
//! `cargo bench -p tilewright-backends --bench kernels FOLDER [TARGET]`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{fs, path::PathBuf, time::Instant};

use backends::cpu::{Workers, compile, mlir};
use support::{Buffer, Code, can_run, encoded};

const RUNS: usize = 30;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let Some(folder) = arguments.first() else {
        println!("skipped: no folder of .tile files was named");
        return;
    };
    let target = arguments.get(1).map_or("cpu", String::as_str);
    let target = backends::resolve(target).expect("a target");
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|e| e.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "tile"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        ir::tile::parse(&fs::read_to_string(path).expect("text")).expect("a program")
    };
    let programs: Vec<_> = files.iter().map(read).collect();
    for _ in 0..2 {
        let start = Instant::now();
        let object = compile(&programs, &target, &Workers::InProcess).expect("code");
        println!(
            "{} programs in {:?}, {} bytes",
            programs.len(),
            start.elapsed(),
            object.elf.len()
        );
    }
    for program in &programs {
        let start = Instant::now();
        let object =
            compile(std::slice::from_ref(program), &target, &Workers::InProcess).expect("code");
        let made = start.elapsed();
        if !can_run(&target) {
            continue;
        }
        let code = Code::load(&object);
        let number = |i: usize| (i * 7919 % 101) as f64 / 101.0 - 0.5;
        let mut buffers: Vec<Buffer> = program
            .params
            .iter()
            .map(|a| {
                let values: Vec<f64> = (0..a.len as usize).map(number).collect();
                Buffer::of(&encoded(a.dtype, &values))
            })
            .collect();
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let start = Instant::now();
            code.call(program, &mut buffers);
            best = best.min(start.elapsed().as_secs_f64());
        }
        let types = ir::tile::types(program).expect("a program without faults");
        let counts = ir::tile::count(program, &types).expect("loops with known bounds");
        let flops = counts.flops().0 as f64;
        println!(
            "{:24} made in {:7.1} ms from {:6} lines; {:8.1} us, {:6.1} GFLOP/s",
            program.name,
            made.as_secs_f64() * 1e3,
            mlir(program, &target).expect("text").lines().count(),
            best * 1e6,
            flops / best / 1e9,
        );
    }
}
