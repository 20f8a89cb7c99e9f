//! A folder that a test may spoil.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{ffi::OsStringExt, fs::symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Map, Value};

/// A folder of its own, removed when dropped.
pub struct Folder(pub PathBuf);

static NEXT: AtomicUsize = AtomicUsize::new(0);

impl Folder {
    /// An empty folder whose name begins with `name`.
    pub fn empty(name: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A copy of the stored model `name`.
    pub fn copy(name: &str) -> Self {
        let folder = Self::empty(name);
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
        copy_tree(&models.join(name), &folder.0);
        folder
    }

    /// A link `name` to a file or folder elsewhere.
    pub fn link(&self, name: &str, to: &Path) {
        symlink(to, self.0.join(name)).unwrap();
    }

    /// What is in it, at any depth: bytes of files, where links lead; nothing for folders.
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        add_contents(&self.0, &mut all);
        all
    }

    /// Rewrites `file` as bytes.
    pub fn edit(&self, file: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let path = self.0.join(file);
        let mut bytes = fs::read(&path).unwrap();
        edit(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    /// Rewrites `file` as a JSON object.
    pub fn edit_json(&self, file: &str, edit: impl FnOnce(&mut Map<String, Value>)) {
        self.edit(file, |bytes| {
            let mut object = serde_json::from_slice(bytes).unwrap();
            edit(&mut object);
            *bytes = serde_json::to_vec(&object).unwrap();
        });
    }

    /// Rewrites the header of a safetensors file.
    pub fn edit_header(&self, file: &str, edit: impl FnOnce(&mut Map<String, Value>)) {
        self.edit(file, |bytes| {
            let end = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
            let mut header = serde_json::from_slice(&bytes[8..end]).unwrap();
            edit(&mut header);
            let header = serde_json::to_vec(&header).unwrap();
            let data = bytes.split_off(end);
            *bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.into_iter().chain(data));
        });
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the build folder, where it does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

fn add_contents(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap();
        let bytes = if kind.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_vec()
        } else if kind.is_dir() {
            add_contents(&path, all);
            vec![]
        } else {
            fs::read(&path).unwrap()
        };
        all.insert(path, bytes);
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
