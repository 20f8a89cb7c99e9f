//! A file under a `ZipWriter`.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

/// A file that takes everything from its first error on, and gives that error in the end: a `ZipWriter` that is
/// dropped after an error tries again, and prints to standard error if it fails again.
pub(super) struct Quiet {
    file: BufWriter<File>,
    /// Where the next byte goes, or would.
    at: u64,
    /// Where the last byte ends, or would.
    end: u64,
    error: Option<io::Error>,
}

impl Quiet {
    /// At the start of an empty file.
    pub fn new(file: File) -> Self {
        Self {
            file: BufWriter::new(file),
            at: 0,
            end: 0,
            error: None,
        }
    }

    /// Hands all bytes to the system, unless there was an error.
    pub fn finish(mut self) -> io::Result<()> {
        match self.error {
            Some(e) => Err(e),
            None => self.file.flush(),
        }
    }
}

impl Write for Quiet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.error.is_none() {
            self.error = self.file.write_all(bytes).err();
        }
        self.at += bytes.len() as u64;
        self.end = self.end.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Quiet {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(by) => self.end.saturating_add_signed(by),
        };
        if self.error.is_none() {
            self.error = self.file.seek(SeekFrom::Start(self.at)).err();
        }
        Ok(self.at)
    }
}
