//! Everything the workspace needs that cargo does not bring, under `.toolchain/`, without root.
//!
//! Each step is idempotent and leaves a stamp with its pins, so a killed set-up resumes at the
//! step it was in, and a finished one is a handful of reads.

mod adapter;
mod apt;
mod chromium;
mod cuda;
mod cxx;
mod libraries;
mod llvm;
mod mlir19;
mod model;
mod pocl;
mod python;
mod stamp;
mod venv;

use std::{fs, path::Path, process::Command};

use crate::{error::Error, process, root::Root};
use stamp::Stamp;

pub use model::PLACE as MODEL;
pub use venv::pip;

/// One step: the name of its stamp, the pins that the stamp records, what it costs, and how.
struct Step {
    name: &'static str,
    about: &'static str,
    /// A file below `.toolchain/` that stands when the step is done.
    leaves: &'static str,
    pins: fn() -> String,
    /// Peak megabytes on disk.
    megabytes: u64,
    /// False when the user brought their own.
    wanted: fn(&Root) -> Result<bool, Error>,
    run: fn(&Root) -> Result<(), Error>,
}

const STEPS: &[Step] = &[
    Step {
        name: "llvm",
        about: "LLVM and MLIR 22 from Debian's packages (230 MB to fetch, 1.8 GB unpacked)",
        leaves: "llvm/usr/lib/llvm-22/bin/llvm-config",
        pins: llvm::pins,
        megabytes: 2300,
        wanted: llvm::wanted,
        run: llvm::unpack,
    },
    Step {
        name: "mlir-19",
        about: "MLIR 19 from Debian's packages, to verify kernels for Ascend (90 MB to fetch)",
        leaves: "mlir-19/usr/lib/llvm-19/bin/mlir-opt",
        pins: mlir19::pins,
        megabytes: 700,
        wanted: |_| Ok(true),
        run: mlir19::unpack,
    },
    Step {
        name: "c++",
        about: "a C++ compiler for build scripts",
        leaves: "bin/c++",
        pins: cxx::pins,
        megabytes: 50,
        wanted: |_| Ok(true),
        run: cxx::place,
    },
    Step {
        name: "pocl",
        about: "PoCL, oclgrind and tools of SPIR-V from Debian's packages (115 MB to fetch, 530 MB unpacked)",
        leaves: "pocl/usr/lib/x86_64-linux-gnu/libpocl.so.2",
        pins: pocl::pins,
        megabytes: 700,
        wanted: |_| Ok(true),
        run: pocl::unpack,
    },
    Step {
        name: "venv",
        about: "Python tools as wheels: numpy, torch, transformers (2 GB to fetch, 5 GB installed)",
        leaves: "venv/bin/python",
        pins: venv::pins,
        megabytes: 8000,
        wanted: |_| Ok(true),
        run: venv::install,
    },
    Step {
        name: "cuda",
        about: "NVIDIA's assembler as wheels, to check code for its devices (52 MB to fetch)",
        leaves: "cuda/nvidia/cu13/bin/ptxas",
        pins: cuda::pins,
        megabytes: 300,
        wanted: |_| Ok(true),
        run: cuda::unpack,
    },
    Step {
        name: "triton-ascend",
        about: "a verifier of kernels for Ascend, out of triton-ascend's wheel (54 MB to fetch)",
        leaves: "triton-ascend/triton-adapter-opt",
        pins: adapter::pins,
        megabytes: 400,
        wanted: |_| Ok(true),
        run: adapter::unpack,
    },
    Step {
        name: "chromium",
        about: "headless Chromium from Debian's packages, to open pages in (110 MB to fetch)",
        leaves: "chromium/usr/lib/chromium/chromium-headless-shell",
        pins: chromium::pins,
        megabytes: 600,
        wanted: |_| Ok(true),
        run: chromium::unpack,
    },
    Step {
        name: "model",
        about: "all-MiniLM-L6-v2 (84 MB to fetch)",
        leaves: "models/all-MiniLM-L6-v2/model.safetensors",
        pins: model::pins,
        megabytes: 300,
        wanted: |_| Ok(true),
        run: model::unpack,
    },
];

/// Does what is not done yet; says what; silent when nothing is left.
pub fn run(root: &Root) -> Result<(), Error> {
    if first_undone(root)?.is_none() {
        return Ok(());
    }
    fs::create_dir_all(root.toolchain("stamps"))
        .map_err(Error::file("create", root.toolchain("stamps")))?;
    // Two set-ups at once would unpack over each other; the second waits, then finds it done.
    let lock_path = root.toolchain("lock");
    let lock = fs::File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
    lock.lock().map_err(Error::file("lock", &lock_path))?;

    while let Some(step) = first_undone(root)? {
        println!("set-up: {}", step.about);
        require_space(&root.toolchain(""), step.megabytes)?;
        (step.run)(root)?;
        Stamp::of(root, step.name).write(&(step.pins)())?;
    }
    remove_if_there(&root.toolchain("cache"))?;
    println!("set-up: done, in {}", root.toolchain("").display());
    Ok(())
}

fn first_undone(root: &Root) -> Result<Option<&'static Step>, Error> {
    for step in STEPS {
        let done = Stamp::of(root, step.name).matches(&(step.pins)())
            && root.toolchain(step.leaves).exists();
        if !done && (step.wanted)(root)? {
            return Ok(Some(step));
        }
    }
    Ok(None)
}

fn require_space(folder: &Path, wanted_mb: u64) -> Result<(), Error> {
    let text = process::output(
        Command::new("df")
            .args(["--output=avail", "-BM"])
            .arg(folder),
    )?;
    let line = text
        .lines()
        .nth(1)
        .unwrap_or_default()
        .trim()
        .trim_end_matches('M');
    match line.parse() {
        Ok(found_mb) if found_mb < wanted_mb => Err(Error::DiskSpace {
            path: folder.into(),
            wanted_mb,
            found_mb,
        }),
        // A df that answers otherwise is no reason to stop: a full disk says so itself.
        _ => Ok(()),
    }
}

/// Removes a folder with all in it; fine if there is none.
fn remove_if_there(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::File {
            action: "remove",
            path: folder.into(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// Puts a finished folder in its place: what stood there goes, so a reader sees old or new.
fn replace(partial: &Path, place: &Path) -> Result<(), Error> {
    remove_if_there(place)?;
    fs::rename(partial, place).map_err(Error::file("move into place", place))
}

/// An empty folder to build in, beside its final place.
fn fresh(folder: &Path) -> Result<(), Error> {
    remove_if_there(folder)?;
    fs::create_dir_all(folder).map_err(Error::file("create", folder))
}

/// Refuses a file that is not the pinned one.
fn require_sha256(path: &Path, wanted: &str) -> Result<(), Error> {
    let text = process::output(Command::new("sha256sum").arg(path))?;
    let found = text.split_whitespace().next().unwrap_or_default();
    if found == wanted {
        return Ok(());
    }
    Err(Error::Checksum {
        path: path.into(),
        wanted: wanted.into(),
        found: found.into(),
    })
}
