//! `tilewright-run` starts on machines without a driver or a compiler: it is linked to the system's C library and what
//! belongs to that, and to nothing else.

use std::process::Command;

/// What `ldd` says that a program loads before it starts; none, with a line that says so, where there is no `ldd`.
fn loaded(program: &str) -> Option<Vec<String>> {
    let Ok(output) = Command::new("ldd").arg(program).output() else {
        println!("skipped: ldd is not here");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    Some(names.map(name).collect())
}

#[test]
fn no_library_of_a_device_is_loaded_at_the_start() {
    let Some(all) = loaded(env!("CARGO_BIN_EXE_tilewright-run")) else {
        return;
    };
    // The kernel's own, the loader, and glibc with the unwinder that Rust links.
    let known = [
        "linux-vdso.so",
        "ld-linux",
        "libc.so",
        "libm.so",
        "libdl.so",
        "libpthread.so",
        "libgcc_s.so",
    ];
    let others = all
        .iter()
        .filter(|name| !known.iter().any(|k| name.starts_with(k)));
    let others: Vec<_> = others.collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(
        all.iter().any(|name| name.starts_with("libc.so")),
        "{all:?}"
    );
}

#[test]
fn a_machine_without_opencl_is_a_machine() {
    let output = Command::new(env!("CARGO_BIN_EXE_tilewright-run"))
        .arg("devices")
        .env_clear()
        .env("TILEWRIGHT_OPENCL", "/nowhere/libOpenCL.so.1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("cpu "), "{text}");
    assert!(text.contains("/nowhere/libOpenCL.so.1"), "{text}");
}
