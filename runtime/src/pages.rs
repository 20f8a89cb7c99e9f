//! Pages of code that this process does not need for now.

#![allow(unsafe_code, reason = "advice about memory is given by address")]

use std::{ffi::c_void, fs};

use rustix::mm::{Advice, madvise};

/// Gives back the memory into which this program and its libraries were read: a compiler's are large, and a run needs
/// little of them. A page that is used again is read again. Where the system does not allow it, nothing changes.
pub fn release_code() {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for (start, end) in unchanged(&maps) {
        // SAFETY: nobody can write the range, and no page of it differs from its file: what is dropped is what will be
        // read again. A range that is no longer mapped is refused.
        let _ = unsafe { madvise(start as *mut c_void, end - start, Advice::LinuxDontNeed) };
    }
}

/// The ranges in the text of `/proc/self/smaps` that show a file as it is, and that this process cannot write.
fn unchanged(maps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut range = None;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Anonymous:"), Some("0")) => found.extend(range.take()),
            (Some("Anonymous:"), _) => range = None,
            (Some(bounds), Some(rights)) if bounds.contains('-') => {
                let of_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
                let fixed = rights.starts_with('r') && !rights.contains('w');
                range = bounds.split_once('-').and_then(|(start, end)| {
                    let address = |text| usize::from_str_radix(text, 16).ok();
                    Some((address(start)?, address(end)?)).filter(|_| of_file && fixed)
                });
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_as_they_are_can_be_read_again() {
        let library = "/usr/lib/libLLVM.so.22.1";
        let maps = format!(
            "7f10-7f20 r-xp 00001000 fe:00 12   {library}\nRss: 12 kB\nAnonymous:             0 kB\n\
             7f20-7f30 r--p 00002000 fe:00 12   {library}\nAnonymous:             4 kB\n\
             7f30-7f40 rw-p 00003000 fe:00 12   {library}\nAnonymous:             0 kB\n\
             7f40-7f50 r-xp 00000000 00:00 0    [vdso]\nAnonymous:             0 kB\n\
             7f50-7f60 r--p 00000000 00:00 0\nAnonymous:             0 kB\n"
        );
        assert_eq!(unchanged(&maps), [(0x7f10, 0x7f20)]);
        release_code();
    }
}
