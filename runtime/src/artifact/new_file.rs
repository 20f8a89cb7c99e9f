//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::WriteProblem;

/// A file without a name, which [`NewFile::publish`] gives it. If the process dies before, even by a signal
/// that cannot be caught, the system frees it.
pub(crate) struct NewFile {
    /// The open file.
    pub file: File,
    path: PathBuf,
    /// On file systems without unnamed files: the name that the file has until it is published.
    named: Option<PathBuf>,
}

impl NewFile {
    /// Opens a file in the folder of `path`, which is replaced only when the file is published.
    pub fn create(path: &Path) -> Result<Self, WriteProblem> {
        let path = resolve(path)?;
        let folder = folder_of(&path);
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666)) {
            Ok(fd) => Ok(Self {
                file: fd.into(),
                path,
                named: None,
            }),
            Err(
                rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL,
            ) => {
                let name = beside(&path, &format!("{}", std::process::id()));
                let file = File::options()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(&name)
                    .map_err(WriteProblem::Create)?;
                Ok(Self {
                    file,
                    path,
                    named: Some(name),
                })
            }
            Err(e) => Err(WriteProblem::Create(e.into())),
        }
    }

    /// Stores the bytes and gives the file its name, atomically, also over an older file.
    ///
    /// Where an older file is replaced, a hidden name beside it exists between two consecutive system calls;
    /// the next publication to this path reuses it, should the process die just there.
    pub fn publish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.named.take() {
            Some(name) => {
                fs::rename(&name, &self.path).inspect_err(|_| drop(fs::remove_file(&name)))?
            }
            None => self.link()?,
        }
        File::open(folder_of(&self.path))?.sync_all()
    }

    fn link(&self) -> io::Result<()> {
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let link = |to: &Path| rustix::fs::linkat(CWD, &own, CWD, to, AtFlags::SYMLINK_FOLLOW);
        match link(&self.path) {
            Err(rustix::io::Errno::EXIST) => {}
            other => return Ok(other?),
        }
        let name = beside(&self.path, "new");
        // Another process may publish to the same path; each round, one of the two succeeds.
        for _ in 0..64 {
            match link(&name) {
                Err(rustix::io::Errno::EXIST) => drop(fs::remove_file(&name)),
                Err(e) => return Err(e.into()),
                Ok(()) => match fs::rename(&name, &self.path) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    other => return other.inspect_err(|_| drop(fs::remove_file(&name))),
                },
            }
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "other processes keep replacing the file",
        ))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(name) = &self.named {
            drop(fs::remove_file(name));
        }
    }
}

/// The file behind a symbolic link; refuses what is not a file.
fn resolve(path: &Path) -> Result<PathBuf, WriteProblem> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(path.into());
    };
    let path = if meta.is_symlink() {
        fs::canonicalize(path).map_err(WriteProblem::Create)?
    } else {
        path.into()
    };
    let meta = fs::metadata(&path).map_err(WriteProblem::Create)?;
    match (meta.is_file(), meta.is_dir()) {
        (true, _) => Ok(path),
        (_, true) => Err(WriteProblem::NotAFile { found: "a folder" }),
        _ => Err(WriteProblem::NotAFile {
            found: "a device or a pipe",
        }),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// A hidden name for a file that is to replace `path`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(end);
    path.with_file_name(name)
}
