//! A folder for what is built, which goes when tuning ends.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// How names of such folders begin; then come the number of the process and that of the folder in it.
const PREFIX: &str = "tilewright-tune-";

/// Folders of this process so far.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A folder of its own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one where the system wants such folders; those of processes that were killed go.
    pub fn new() -> io::Result<Self> {
        let above = std::env::temp_dir();
        sweep(&above);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = above.join(format!("{PREFIX}{}-{number}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind goes with the next tuning.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes folders whose process is gone.
fn sweep(above: &Path) {
    let Ok(entries) = fs::read_dir(above) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|n| n.strip_prefix(PREFIX));
        let process = process.and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        let Some(process) = process else {
            continue;
        };
        if !Path::new("/proc").join(process.to_string()).exists() {
            // Another tuning may have begun to do the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
