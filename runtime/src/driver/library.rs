//! Libraries of drivers, loaded when they are first asked for.

#![allow(unsafe_code, reason = "libraries are loaded here")]

use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{DriverError, Interface};

/// Loads the library at `path` if there is one, else the first of `names` that the system's loader finds.
pub(crate) fn open(
    interface: Interface,
    path: Option<&Path>,
    names: &[&str],
) -> Result<&'static Library, DriverError> {
    let mut tried = Vec::new();
    let named = path.into_iter().map(Path::to_path_buf);
    for name in named.chain(names.iter().map(Into::into)) {
        // SAFETY: whoever runs a program trusts the libraries that the system's loader finds, or that they named.
        match unsafe { Library::open(Some(&name), RTLD_NOW | RTLD_LOCAL) } {
            // Drivers have threads of their own: the library stays.
            Ok(library) => return Ok(Box::leak(Box::new(library))),
            Err(e) => tried.push(library_words(&e)),
        }
    }
    Err(DriverError::NoLibrary { interface, tried })
}

/// A function of a library.
///
/// # Safety
/// `F` is its type.
pub(crate) unsafe fn find<F: Copy>(
    interface: Interface,
    library: &Library,
    name: &str,
    since: &str,
) -> Result<F, DriverError> {
    // SAFETY: the caller's promise.
    match unsafe { library.get::<F>(name) } {
        Ok(function) => Ok(*function),
        Err(_) => Err(DriverError::TooOld {
            interface,
            what: format!("function {name}"),
            wanted: since.into(),
            found: "an older version, which lacks it".into(),
        }),
    }
}

/// What the loader says, without the wrapping.
fn library_words(e: &libloading::Error) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string)
}
