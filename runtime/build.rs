//! Lets `tilewright-run` find libraries that lie beside it, such as the OpenCL library of the GPU kit.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN");
}
