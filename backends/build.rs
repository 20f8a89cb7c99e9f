//! Lets the linker find MLIR's C API, and the tests of this package find LLVM at run time.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=MLIR_SYS_220_PREFIX");
    let prefix = env::var("MLIR_SYS_220_PREFIX").unwrap_or_else(|_| "/usr/lib/llvm-22".into());
    let library_folder = Path::new(&prefix).join("lib");
    if !library_folder.exists() {
        panic!("no LLVM in {prefix}; run `cargo xtask setup`, or set MLIR_SYS_220_PREFIX");
    }

    // mlir-sys asks for -lMLIR-C, which Debian does not ship: its C API comes as archives only.
    // A linker script of that name stands in, and puts the C API into our own binary.
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut parts = c_api_archives(&library_folder)?;
    for name in ["libMLIR.so", "libLLVM.so"] {
        parts.push(library_folder.join(name).display().to_string());
    }
    fs::write(
        out.join("libMLIR-C.so"),
        format!("GROUP ( {} )\n", parts.join(" ")),
    )?;
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-env=TILEWRIGHT_LLVM_PREFIX={prefix}");
    println!(
        "cargo:rustc-link-arg=-Wl,-rpath,{}",
        library_folder.display()
    );
    Ok(())
}

fn c_api_archives(library_folder: &Path) -> io::Result<Vec<String>> {
    let mut archives = Vec::new();
    for entry in fs::read_dir(library_folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("libMLIRCAPI") && name.ends_with(".a") {
            archives.push(path.display().to_string());
        }
    }
    archives.sort();
    for name in ["libMLIRExecutionEngine.a", "libMLIRExecutionEngineUtils.a"] {
        archives.push(library_folder.join(name).display().to_string());
    }
    Ok(archives)
}
