//! How long code generation takes: all `.tile` files of a folder, together and one by one.
//! `cargo bench -p tilewright-backends --bench compile FOLDER [TARGET]`.

use std::{fs, path::PathBuf, time::Instant};

use backends::cpu::{Workers, compile};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let Some(folder) = arguments.first() else {
        println!("skipped: names no folder of .tile files");
        return;
    };
    let target = arguments.get(1).map_or("cpu", String::as_str);
    let target = backends::resolve(target).expect("a target");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        ir::tile::parse(&fs::read_to_string(path).expect("text")).expect("a program")
    };
    let programs: Vec<_> = files.iter().map(read).collect();
    for round in 0..2 {
        let start = Instant::now();
        let object = compile(&programs, &target, &Workers::InProcess).expect("code");
        let (took, bytes) = (start.elapsed(), object.elf.len());
        println!(
            "round {round}: {} programs in {took:?}, {bytes} bytes",
            programs.len()
        );
    }
    for program in &programs {
        let start = Instant::now();
        let object =
            compile(std::slice::from_ref(program), &target, &Workers::InProcess).expect("code");
        let text = backends::cpu::mlir(program, &target).expect("text");
        println!(
            "{:40} {:>8.1} ms, {:>6} lines, {:>7} bytes",
            program.name,
            start.elapsed().as_secs_f64() * 1e3,
            text.lines().count(),
            object.elf.len()
        );
    }
}
