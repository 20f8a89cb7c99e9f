//! Lets the binaries, tests and examples of this package find LLVM's libraries at run time.
//! A dependency's build script cannot: its link arguments reach its own package only.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=MLIR_SYS_220_PREFIX");
    let prefix = std::env::var("MLIR_SYS_220_PREFIX");
    println!(
        "cargo:rustc-link-arg=-Wl,-rpath,{}/lib",
        prefix.as_deref().unwrap_or("/usr/lib/llvm-22")
    );
}
