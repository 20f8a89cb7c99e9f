//! Objects that CANN's compiler made of an artifact's texts, loaded into a device.

#![allow(unsafe_code, reason = "objects are asked through the system's loader")]

use std::{
    ffi::CString,
    path::{Path, PathBuf},
    ptr,
    sync::Arc,
};

use libloading::os::unix::Library;
use serde::Deserialize;

use super::{
    device::Ascend,
    library::{Loaded, Raw},
};
use crate::{
    Artifact, DeviceError, DriverError,
    driver::{Driver, Refusal, call},
    manifest::{Kernel, TargetCode},
};

/// A kernel in the device.
pub(super) struct Function {
    library: Arc<Loaded>,
    binary: usize,
    pub function: usize,
    /// Blocks along three axes.
    pub grid: [i32; 3],
    /// Bytes of memory for each block, through which its units exchange tiles.
    pub workspace: u64,
}

impl Function {
    pub fn raw(&self) -> Raw {
        self.function as Raw
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // A refusal leaves nothing to do.
        let _ = call!(
            self.library.functions,
            aclrtBinaryUnLoad(self.binary as Raw)
        );
    }
}

/// The folder in which an artifact's objects lie: `m.ascend` beside `m.tw`.
fn folder(artifact: &Path) -> PathBuf {
    artifact.with_extension("ascend")
}

/// Loads every kernel of a target that fits.
pub(super) fn load(
    card: &Ascend,
    artifact: &Artifact,
    target: &TargetCode,
) -> Result<Vec<Function>, DeviceError> {
    let folder = folder(artifact.path());
    let mut loaded = Vec::new();
    for kernel in &target.kernels {
        let object = find(card, artifact, target, kernel, &folder)?;
        let refused = |r: Refusal| DriverError::Call {
            device: card.describe(),
            call: r.call,
            what: object.display().to_string(),
            code: card.name(r.code),
        };
        let functions = &card.library.functions;
        let path = c_string(&object.display().to_string());
        let mut binary = ptr::null_mut();
        call!(
            functions,
            aclrtBinaryLoadFromFile(path.as_ptr(), ptr::null_mut(), &mut binary)
        )
        .map_err(refused)?;
        let mut function = Function {
            library: Arc::clone(&card.library),
            binary: binary as usize,
            function: 0,
            grid: grid(artifact, kernel)?,
            workspace: workspace(card, &folder, kernel)?,
        };
        let name = c_string(&kernel.symbol);
        let mut found = ptr::null_mut();
        call!(
            functions,
            aclrtBinaryGetFunction(binary, name.as_ptr(), &mut found)
        )
        .map_err(refused)?;
        function.function = found as usize;
        loaded.push(function);
    }
    Ok(loaded)
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("names were checked, and paths that were opened have no NUL")
}

/// The object of a kernel: under the name that the compiler gives it today, or gave it once.
fn find(
    card: &Ascend,
    artifact: &Artifact,
    target: &TargetCode,
    kernel: &Kernel,
    folder: &Path,
) -> Result<PathBuf, DeviceError> {
    let object = folder.join(format!("{}.o", kernel.symbol));
    let older = folder.join(format!("{}_reloc.o", kernel.symbol));
    if let Some(found) = [&object, &older].into_iter().find(|p| p.is_file()) {
        return Ok(found.clone());
    }
    let launch = kernel.launch.as_ref().and_then(|l| l.source);
    let text = artifact.text(launch.expect("`artifact::check` wants a text"))?;
    // The text says itself how it is compiled.
    let compile = text
        .lines()
        .map_while(|l| l.strip_prefix("//"))
        .map(str::trim)
        .find(|l| l.starts_with("bishengir-compile"));
    let compile = compile.unwrap_or("bishengir-compile");
    let (own, folder) = (artifact.path().display(), folder.display());
    Err(DriverError::NoObject {
        device: card.describe(),
        kernel: kernel.name.clone(),
        path: object.display().to_string(),
        command: format!(
            "`tilewright-run emit {own} --target {} -o {folder}`, then in {folder}, for each text: `{compile}`",
            target.target
        ),
    }
    .into())
}

/// The part of a tile program that a host needs.
#[derive(Deserialize)]
struct Grid {
    grid: Vec<i64>,
}

/// The sizes of a kernel's grid, which are among its arguments.
fn grid(artifact: &Artifact, kernel: &Kernel) -> Result<[i32; 3], DeviceError> {
    let unreadable = |reason: String| DeviceError::LaneProgram {
        path: artifact.path().display().to_string(),
        kernel: kernel.name.clone(),
        reason: format!("its tile program says no grid: {reason}"),
    };
    let tile = kernel
        .tile
        .ok_or_else(|| unreadable("there is none".into()))?;
    let read: Result<Grid, _> = serde_json::from_str(artifact.text(tile)?);
    let Grid { grid } = read.map_err(|e| unreadable(e.to_string()))?;
    let mut sizes = [1_i32; 3];
    let blocks = grid
        .iter()
        .try_fold(1_u64, |n, size| n.checked_mul(u64::try_from(*size).ok()?));
    if grid.len() > 3 || blocks != Some(kernel.blocks) {
        return Err(unreadable(format!("{grid:?} for {} blocks", kernel.blocks)));
    }
    for (size, wanted) in sizes.iter_mut().zip(&grid) {
        *size = i32::try_from(*wanted).map_err(|e| unreadable(e.to_string()))?;
    }
    Ok(sizes)
}

/// What the library that the compiler makes beside an object says of its kernel; without one, the kernel needs nothing.
fn workspace(card: &Ascend, folder: &Path, kernel: &Kernel) -> Result<u64, DriverError> {
    let path = folder.join(format!("lib{}.so", kernel.symbol));
    if !path.is_file() {
        return Ok(0);
    }
    let wrong = |reason: String| DriverError::Code {
        device: card.describe(),
        kernel: kernel.name.clone(),
        arch: path.display().to_string(),
        reason,
    };
    // SAFETY: the user had it made beside the object, which is trusted as much.
    let library = unsafe { Library::new(&path) }.map_err(|e| wrong(e.to_string()))?;
    let ask = |what: &str| {
        let name = format!("{}_infer_{what}_function", kernel.symbol);
        // SAFETY: such functions have no arguments and give 64 bits (triton-ascend, third_party/ascend/backend).
        let function = unsafe { library.get::<unsafe extern "C" fn() -> i64>(&name) };
        // SAFETY: as above.
        function.map_or(0, |f| unsafe { f() })
    };
    match ask("sync_block_lock_num") {
        0 => Ok(ask("workspace_shape").unsigned_abs()),
        n => Err(wrong(format!(
            "it wants {n} locks between blocks; kernels here use none"
        ))),
    }
}
