//! Machine code from an artifact, ready to call.

#![allow(
    unsafe_code,
    reason = "loading code and calling it is what this module wraps"
)]

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
    sync::Arc,
};

use libloading::os::unix::{Library, RTLD_NOW};
use rustix::fs::{MemfdFlags, Mode, OFlags};

/// A kernel: runs the blocks `first_block..last_block` of its grid, counted row-major.
///
/// `args` points to one pointer for each parameter, each a multiple of 64; `scratch` points to the memory that the
/// kernel asks for, also at a multiple of 64, which no other thread uses. Blocks may run in any order, on any thread.
pub type KernelFn =
    unsafe extern "C" fn(args: *const *mut u8, first_block: i64, last_block: i64, scratch: *mut u8);

/// Loaded machine code.
pub(super) struct Code {
    // Dropped in this order: the library is named after the descriptor, and a name must not be reused while
    // the loader knows it, or the next library would be taken for this one.
    library: Library,
    _file: File,
}

/// A kernel whose code stays loaded as long as this lives.
#[derive(Clone)]
pub(super) struct Entry {
    function: KernelFn,
    _code: Arc<Code>,
}

impl Code {
    /// Loads an ELF shared object.
    pub fn load(elf: &[u8]) -> io::Result<Arc<Self>> {
        let mut file = unnamed()?;
        file.write_all(elf)?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the object comes from an artifact whose checksums match; it was made by our backend, which emits
        // neither constructors nor destructors. Whoever runs an artifact trusts who made it, as with any program.
        let library = unsafe { Library::open(Some(&path), RTLD_NOW) }
            .map_err(|e| io::Error::other(chain(&e)))?;
        Ok(Arc::new(Self {
            library,
            _file: file,
        }))
    }

    /// The kernel of this name.
    pub fn entry(self: &Arc<Self>, symbol: &str) -> io::Result<Entry> {
        // SAFETY: the backend gives every kernel that the manifest names this type.
        let function = unsafe { self.library.get::<KernelFn>(symbol) }
            .map_err(|e| io::Error::other(chain(&e)))?;
        Ok(Entry {
            function: *function,
            _code: Arc::clone(self),
        })
    }
}

impl Entry {
    /// Runs some blocks.
    ///
    /// # Safety
    /// `args` holds a pointer for each parameter of the kernel, to memory of at least the parameter's length, which
    /// nobody else writes, and nobody else reads where the kernel writes; `scratch` is as large as the kernel asks for.
    pub unsafe fn call(&self, args: &[*mut u8], first: i64, last: i64, scratch: *mut u8) {
        // SAFETY: forwarded to the caller; the code is loaded, since `_code` lives.
        unsafe { (self.function)(args.as_ptr(), first, last, scratch) }
    }
}

/// A file without a name that code can be loaded from.
fn unnamed() -> io::Result<File> {
    let name = "tilewright-kernels";
    // `EXEC` is unknown to older kernels, and needed by newer ones with `vm.memfd_noexec`.
    let memory = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC));
    if let Ok(fd) = memory {
        return Ok(fd.into());
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let fd = rustix::fs::open(std::env::temp_dir(), flags, Mode::from_raw_mode(0o700))?;
    Ok(fd.into())
}

/// What the loader says, without the wrapping.
fn chain(e: &libloading::Error) -> String {
    let source = std::error::Error::source(e).map(|s| format!(": {s}"));
    format!("{e}{}", source.unwrap_or_default())
}
