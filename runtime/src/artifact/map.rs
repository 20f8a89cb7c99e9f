//! A file as memory.

#![allow(unsafe_code, reason = "mapping a file is unsafe: others may change it")]

use std::{fs::File, io, ops::Deref};

use memmap2::Mmap;

/// A file mapped for reading; starts at a page.
pub(super) struct FileMap(Mmap);

impl FileMap {
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the map is private and read-only. Nobody may truncate or rewrite an artifact in place while
        // it is open; `docs/artifact.md` says so, and our own writer replaces files instead.
        unsafe { Mmap::map(file) }.map(Self)
    }
}

impl Deref for FileMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
