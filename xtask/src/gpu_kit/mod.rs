//! `cargo xtask gpu-kit`: a folder that checks and times compiled kernels on a machine with a GPU, without compiler or network.

mod cases;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{error::Error, process, root::Root, setup};
use cases::{Case, cases};

/// Bytes that the folder may have.
const MOST: u64 = 60_000_000;

/// What kernels and models are compiled for.
const TARGETS: &[&str] = &["cuda:sm_80", "cuda:sm_90a"];

/// Small models of `tests/models`, in f32, with inputs and what transformers computes in float64.
const SMALL_MODELS: &[&str] = &["bert", "gpt2", "llama", "glm4", "mistral", "qwen2"];

/// Relative errors that models may have: in f16 storage as `tests/compiled` holds it; in f32 likewise.
const BOUNDS: [(&str, f64); 2] = [("f16", 5e-3), ("f32", 2e-5)];

/// How the kit is made.
struct Options {
    output: PathBuf,
    /// Cases and models whose name holds this.
    only: String,
    /// Cargo's profile of the programs.
    profile: &'static str,
}

/// What may be asked for.
const USAGE: &str = "[--output FOLDER] [--only NAME] [--debug] [--no-setup]";

/// Makes the kit as asked.
pub fn run(root: &Root, arguments: &[String]) -> Result<(), Error> {
    let mut options = Options {
        output: root.join("target/gpu-kit"),
        only: String::new(),
        profile: "release",
    };
    let mut set_up = true;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words.next().cloned().ok_or_else(|| Error::Usage {
                wanted: format!("a value after {word}"),
            })
        };
        match word.as_str() {
            "--output" => options.output = value()?.into(),
            "--only" => options.only = value()?,
            // For those who work on the kit itself.
            "--debug" => options.profile = "dev",
            "--no-setup" => set_up = false,
            _ => {
                return Err(Error::Usage {
                    wanted: USAGE.into(),
                });
            }
        }
    }
    if set_up {
        setup::run(root)?;
    }
    make(root, &options)
}

fn make(root: &Root, options: &Options) -> Result<(), Error> {
    let programs = build(root, options.profile)?;
    // Beside its place until it is whole.
    let partial = options.output.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    for folder in ["", "kernels", "models"] {
        let folder = partial.join(folder);
        fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
    }
    let tilewright = programs.join("tilewright");
    copy(
        &programs.join("tilewright-run"),
        &partial.join("tilewright-run"),
    )?;
    for script in ["check.py", "triton_kernels.py"] {
        copy(
            &root.join("benches/gpu_kit").join(script),
            &partial.join(script),
        )?;
    }
    opencl(root, &partial)?;

    let mut kernels = Vec::new();
    for case in cases().iter().filter(|c| c.name.contains(&options.only)) {
        println!("gpu-kit: {}", case.name);
        kernel(root, &tilewright, &partial, case)?;
        kernels.push(case.facts.clone());
    }
    let mut models = Vec::new();
    let minilm = ("minilm", root.toolchain(setup::MODEL), "f16", false);
    let small = SMALL_MODELS
        .iter()
        .map(|name| (*name, root.join("tests/models").join(name), "f32", true));
    for (name, source, dtype, small) in [minilm].into_iter().chain(small) {
        if name.contains(&options.only) {
            println!("gpu-kit: {name} in {dtype}");
            models.push(model(
                root,
                &tilewright,
                &partial,
                name,
                &source,
                dtype,
                small,
            )?);
        }
    }
    let kit = json!({
        "kit": env!("CARGO_PKG_VERSION"), "targets": TARGETS, "cases": kernels, "models": models,
    });
    write(&partial.join("kit.json"), &format!("{kit:#}\n"))?;

    pack(&partial)?;

    let bytes = size(&partial)?;
    let _ = fs::remove_dir_all(&options.output);
    fs::rename(&partial, &options.output).map_err(Error::file("move to", &options.output))?;
    println!(
        "{}: {:.1} MB, {} kernels, {} models",
        options.output.display(),
        bytes as f64 / 1e6,
        kernels.len(),
        models.len()
    );
    match bytes > MOST {
        true => Err(Error::KitTooLarge {
            path: options.output.clone(),
            megabytes: bytes / 1_000_000,
            most: MOST / 1_000_000,
        }),
        false => Ok(()),
    }
}

/// Builds both programs; gives the folder that they are in.
fn build(root: &Root, profile: &str) -> Result<PathBuf, Error> {
    process::run(root.cargo().args([
        "build",
        "--profile",
        profile,
        "--package",
        "tilewright",
        "--package",
        "tilewright-runtime",
        "--bins",
    ]))?;
    let metadata =
        process::output(
            root.cargo()
                .args(["metadata", "--no-deps", "--format-version=1"]),
        )?;
    let metadata: Value = serde_json::from_str(&metadata).unwrap_or_default();
    let Some(target) = metadata["target_directory"].as_str() else {
        return Err(Error::Unreadable {
            command: "cargo metadata",
            detail: "no target_directory".into(),
        });
    };
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(Path::new(target).join(folder))
}

/// The OpenCL library, which tilewright-run finds beside itself, and its licence.
fn opencl(root: &Root, kit: &Path) -> Result<(), Error> {
    let pocl = root.toolchain("pocl/usr");
    copy(
        &pocl.join("lib/x86_64-linux-gnu/libOpenCL.so.1"),
        &kit.join("libOpenCL.so.1"),
    )?;
    copy(
        &pocl.join("share/doc/ocl-icd-libopencl1/copyright"),
        &kit.join("libOpenCL.copyright"),
    )
}

/// Compiles a case; small ones for OpenCL too.
fn kernel(root: &Root, tilewright: &Path, kit: &Path, case: &Case) -> Result<(), Error> {
    let graph = kit.join(format!("kernels/{}.graph", case.name));
    write(&graph, &case.graph)?;
    let mut command = root.command(tilewright);
    command.arg("compile").arg(&graph);
    for target in TARGETS.iter().chain(case.small.then_some(&"opencl")) {
        command.args(["--target", target]);
    }
    command
        .arg("-o")
        .arg(kit.join(format!("kernels/{}.tw", case.name)));
    process::output(&mut command)?;
    fs::remove_file(&graph).map_err(Error::file("remove", &graph))
}

/// Compiles a model at the sizes of its stored inputs.
fn model(
    root: &Root,
    tilewright: &Path,
    kit: &Path,
    name: &str,
    source: &Path,
    dtype: &str,
    small: bool,
) -> Result<Value, Error> {
    let stored = root.join("tests/models").join(name).join("cases.json");
    let text = fs::read_to_string(&stored).map_err(Error::file("read", &stored))?;
    let cases: Vec<Value> = serde_json::from_str(&text).map_err(|e| Error::Unreadable {
        command: "cases.json",
        detail: e.to_string(),
    })?;
    let mut command = root.command(tilewright);
    command.arg("compile").arg(source).args(["--dtype", dtype]);
    for target in TARGETS.iter().chain(small.then_some(&"opencl")) {
        command.args(["--target", target]);
    }
    let mut shapes = Vec::new();
    for case in &cases {
        let [batch, seq] = [0, 1].map(|axis| &case["inputs"]["input_ids"]["shape"][axis]);
        let shape = format!("batch={batch},seq={seq}");
        if !shapes.contains(&shape) {
            command.args(["--shape", &shape]);
            shapes.push(shape);
        }
    }
    let artifact = format!("models/{name}.tw");
    process::output(command.arg("-o").arg(kit.join(&artifact)))?;
    let own = format!("models/{name}.json");
    copy(&stored, &kit.join(&own))?;
    let bound = BOUNDS.iter().find(|(d, _)| *d == dtype).map(|(_, b)| b);
    Ok(json!({
        "name": name, "artifact": artifact, "cases": own, "dtype": dtype, "bound": bound, "small": small,
    }))
}

/// Puts the artifacts into one archive, which the script unpacks: texts of kernels become a tenth.
fn pack(kit: &Path) -> Result<(), Error> {
    let folders = ["kernels", "models"];
    let mut python = std::process::Command::new("python3");
    python.args(["-m", "zipfile", "-c", "artifacts.zip"]);
    process::output(python.args(folders).current_dir(kit))?;
    for folder in folders {
        let folder = kit.join(folder);
        fs::remove_dir_all(&folder).map_err(Error::file("remove", &folder))?;
    }
    Ok(())
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(Error::file("list", folder))? {
        let entry = entry.map_err(Error::file("list", folder))?;
        let metadata = entry
            .metadata()
            .map_err(Error::file("look at", entry.path()))?;
        bytes += match metadata.is_dir() {
            true => size(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to)
        .map_err(Error::file("copy", from))
        .map(|_| ())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::file("write", path))
}
