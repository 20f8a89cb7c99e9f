//! NVIDIA's assembler and disassemblers, out of their wheels, into a folder of their own.

use std::{fs, process::Command};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{fresh, replace, require_sha256, venv},
};

/// Requirement, file and sha256 of each wheel; unpacked side by side they are one tree.
const WHEELS: &[(&str, &str, &str)] = &[
    (
        "nvidia-cuda-nvcc==13.5.37",
        "nvidia_cuda_nvcc-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7",
    ),
    (
        "nvidia-cuda-nvdisasm==13.5.37",
        "nvidia_cuda_nvdisasm-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "d3fdbdd49fa53e2e4aacd3db8259d052bd2b049ececdcb69e92e083c6728e7ca",
    ),
    (
        "nvidia-cuda-cuobjdump==13.5.37",
        "nvidia_cuda_cuobjdump-13.5.37-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "38780fee50863252a0b8926357faa91615ca1c8346490563f33a06100cd73f58",
    ),
];

/// Where the programs are in the tree.
const TOOLS: &[&str] = &["ptxas", "nvdisasm", "cuobjdump"];

/// What the stamp records.
pub fn pins() -> String {
    format!("{WHEELS:?}")
}

/// Fetches the wheels, checks and unpacks them.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let cache = root.toolchain("cache/cuda");
    fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
    let partial = root.toolchain("cuda.partial");
    fresh(&partial)?;
    for (requirement, file, sha256) in WHEELS {
        let wheel = cache.join(file);
        if !wheel.exists() {
            let options = ["download", "--quiet", "--no-deps", "--only-binary=:all:"];
            let mut pip = venv::pip(root);
            pip.args(options).arg(requirement).arg("--dest").arg(&cache);
            process::output(&mut pip)?;
        }
        require_sha256(&wheel, sha256)?;
        process::output(
            Command::new(root.toolchain("venv/bin/python"))
                .args(["-m", "zipfile", "-e"])
                .arg(&wheel)
                .arg(&partial),
        )?;
    }
    // Python's zipfile forgets that they are programs.
    for tool in TOOLS {
        let path = partial.join("nvidia/cu13/bin").join(tool);
        process::output(Command::new("chmod").arg("+x").arg(&path))?;
    }
    replace(&partial, &root.toolchain("cuda"))
}
