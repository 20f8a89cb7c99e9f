//! Where things are.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::Error;

/// The workspace's root folder.
pub struct Root(PathBuf);

impl Root {
    /// The folder above this package.
    pub fn find() -> Result<Root, Error> {
        // cargo sets the variable when it runs us; a copied binary looks from where it stands.
        let from = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => std::env::current_dir().map_err(Error::file("find", "."))?,
        };
        let is_root = |folder: &&Path| {
            std::fs::read_to_string(folder.join("Cargo.toml"))
                .is_ok_and(|text| text.contains("[workspace]"))
        };
        match from.ancestors().find(is_root) {
            Some(root) => Ok(Root(root.to_path_buf())),
            None => Err(Error::NoRoot { from }),
        }
    }

    /// A path in the workspace.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// A command that runs in the root.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.0);
        command
    }

    /// The cargo that started us, in the root.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// A path under `.toolchain/`, where set-up puts everything it makes.
    pub fn toolchain(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(".toolchain").join(path)
    }
}
