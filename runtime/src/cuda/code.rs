//! Kernels, loaded into a device, and their launches.

#![allow(unsafe_code, reason = "kernels are loaded through the library")]

use std::{
    ffi::{CString, c_void},
    ptr,
    sync::Arc,
};

use cudarc::driver::sys::{CUfunction_attribute, CUjit_option as Jit, CUtensorMap};
use ir::lane::TensorMap;

use super::{
    device::Cuda,
    library::{Functions, Raw},
    maps,
};
use crate::{
    Artifact, DeviceError, DriverError,
    driver::{Address, Done, Driver, Interface, Refusal, done},
    manifest::{Code, Kernel, TargetCode},
};

/// A block may have more shared memory than this only if that was asked for. Source: CUDA C++ Programming Guide, "Shared
/// Memory" of compute capability 8.0 and later.
const SHARED_UNASKED: u64 = 48 << 10;

/// A kernel in the device.
pub(super) struct Function {
    functions: Arc<Functions>,
    module: usize,
    function: usize,
    /// Lanes of a block.
    pub threads: u32,
    /// Bytes of shared memory that a launch asks for.
    pub shared_asked: u32,
    maps: Vec<TensorMap>,
}

impl Function {
    pub fn raw(&self) -> Raw {
        self.function as Raw
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // SAFETY: the module is given back once; whoever launches its kernel keeps this.
        unsafe { (self.functions.cuModuleUnload)(self.module as Raw) };
    }
}

/// Loads every kernel of a target that fits.
pub(super) fn load(
    card: &Cuda,
    artifact: &Artifact,
    target: &TargetCode,
) -> Result<Vec<Function>, DeviceError> {
    let mut loaded = Vec::new();
    for kernel in &target.kernels {
        let launch = kernel.launch.as_ref();
        let launch = launch.expect("`artifact::check` wants a launch");
        let module = match artifact.image(launch) {
            Some(image) => match module(card, image) {
                Ok(module) => module,
                // What an older driver does not read it may yet compile.
                Err((refusal, log)) => match launch.source {
                    Some(_) => text(card, artifact, target, kernel)?,
                    None => return Err(not_taken(card, target, kernel, refusal, &log).into()),
                },
            },
            None => text(card, artifact, target, kernel)?,
        };
        let shared_asked = launch.shared_asked.0;
        let mut function = Function {
            functions: Arc::clone(&card.functions),
            module,
            function: 0,
            threads: launch.threads,
            shared_asked: u32::try_from(shared_asked)
                .expect("`artifact::check` bounds shared memory"),
            maps: maps::read(artifact, launch, kernel)?,
        };
        let refused = |r: Refusal| DriverError::Call {
            device: card.describe(),
            call: r.call,
            what: format!("kernel {}", kernel.name),
            code: card.name(r.code),
        };
        let name = CString::new(kernel.symbol.as_str())
            .expect("names were checked when the artifact was opened");
        let mut found = ptr::null_mut();
        // SAFETY: the module is loaded; the name ends with NUL; there is room for the answer.
        let code = unsafe {
            (card.functions.cuModuleGetFunction)(&mut found, module as Raw, name.as_ptr())
        };
        done("cuModuleGetFunction", code).map_err(refused)?;
        function.function = found as usize;
        if shared_asked > SHARED_UNASKED {
            let what = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            // SAFETY: the function is loaded.
            let code = unsafe {
                (card.functions.cuFuncSetAttribute)(found, what, function.shared_asked as i32)
            };
            done("cuFuncSetAttribute", code).map_err(refused)?;
        }
        loaded.push(function);
    }
    Ok(loaded)
}

/// Has the driver compile a kernel's text.
fn text(
    card: &Cuda,
    artifact: &Artifact,
    target: &TargetCode,
    kernel: &Kernel,
) -> Result<usize, DeviceError> {
    let launch = kernel.launch.as_ref();
    let source = launch.and_then(|l| l.source);
    let ptx = artifact.text(source.expect("`artifact::check` wants a text"))?;
    let mut bytes = ptx.as_bytes().to_vec();
    bytes.push(0);
    module(card, &bytes).map_err(|(refusal, log)| {
        match refusal.code {
            UNSUPPORTED_PTX_VERSION => too_old(card, kernel, ptx),
            _ => not_taken(card, target, kernel, refusal, &log),
        }
        .into()
    })
}

/// `CUDA_ERROR_UNSUPPORTED_PTX_VERSION`
const UNSUPPORTED_PTX_VERSION: i32 = 222;

/// Versions of PTX, and the first CUDA whose driver reads them. Source: PTX ISA 9.0, "Release Notes" (noted from memory,
/// 2026-11).
const PTX: [(&str, &str); 10] = [
    ("8.0", "12.0"),
    ("8.1", "12.1"),
    ("8.2", "12.2"),
    ("8.3", "12.3"),
    ("8.4", "12.4"),
    ("8.5", "12.5"),
    ("8.6", "12.7"),
    ("8.7", "12.8"),
    ("8.8", "12.9"),
    ("9.0", "13.0"),
];

fn too_old(card: &Cuda, kernel: &Kernel, ptx: &str) -> DriverError {
    let version = ptx.lines().find_map(|l| l.strip_prefix(".version "));
    let version = version.map_or("of an unknown version", str::trim);
    let known = PTX.iter().find(|(ptx, _)| *ptx == version);
    DriverError::TooOld {
        interface: Interface::Cuda,
        what: format!("kernel {} is PTX {version}", kernel.name),
        wanted: known.map_or("a later version".into(), |(_, cuda)| (*cuda).into()),
        found: card.functions.version(),
    }
}

fn not_taken(
    card: &Cuda,
    target: &TargetCode,
    kernel: &Kernel,
    refusal: Refusal,
    log: &str,
) -> DriverError {
    let arch = match &target.code {
        Code::Source(source) => &source.arch,
        Code::Image(image) => &image.arch,
        Code::Elf(_) => unreachable!("`fit` takes no code of processors"),
    };
    let name = card.name(refusal.code);
    DriverError::Code {
        device: card.describe(),
        kernel: kernel.name.clone(),
        arch: arch.clone(),
        reason: match log.trim() {
            "" => name,
            log => format!("{name}:\n{log}"),
        },
    }
}

/// Loads machine code, or a text that ends with NUL. What the driver's compiler says comes with a refusal.
fn module(card: &Cuda, code: &[u8]) -> Result<usize, (Refusal, String)> {
    let mut log = vec![0_u8; 16 << 10];
    let mut options = [
        Jit::CU_JIT_ERROR_LOG_BUFFER,
        Jit::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
    ];
    // The second value is a number in the place of a pointer.
    let mut values: [*mut c_void; 2] = [log.as_mut_ptr().cast(), log.len() as *mut c_void];
    let mut module = ptr::null_mut();
    // SAFETY: the code lives until the call ends, is machine code with its own length or ends with NUL; the log has the
    // room that is told.
    let code = unsafe {
        (card.functions.cuModuleLoadDataEx)(
            &mut module,
            code.as_ptr().cast(),
            options.len() as u32,
            options.as_mut_ptr(),
            values.as_mut_ptr(),
        )
    };
    done("cuModuleLoadDataEx", code)
        .map(|()| module as usize)
        .map_err(|refusal| {
            let end = log.iter().position(|b| *b == 0).unwrap_or(log.len());
            (refusal, String::from_utf8_lossy(&log[..end]).into_owned())
        })
}

/// A kernel with its arguments: addresses, then tensor maps.
pub(super) struct Launch {
    pub function: Arc<Function>,
    pub blocks: u32,
    /// Where each argument lies: in the two lists that follow, which never move.
    pub arguments: Box<[Raw]>,
    _addresses: Box<[u64]>,
    _maps: Box<[CUtensorMap]>,
}

// SAFETY: the pointers are to lists that the launch owns, on the heap.
unsafe impl Send for Launch {}
// SAFETY: as above; nobody writes them.
unsafe impl Sync for Launch {}

impl Launch {
    /// Makes the list of arguments; maps are encoded here, once.
    pub fn new(
        card: &Cuda,
        function: &Arc<Function>,
        kernel: &Kernel,
        addresses: &[Address],
    ) -> Done<Self> {
        let mut own: Box<[u64]> = addresses.iter().map(|a| a.0).collect();
        let encoded = function.maps.iter().map(|map| {
            let param = map.param as usize;
            maps::encode(card, map, kernel.params[param].dtype, addresses[param])
        });
        let mut encoded = encoded.collect::<Done<Box<[CUtensorMap]>>>()?;
        let first = own.iter_mut().map(|a| ptr::from_mut(a).cast());
        let then = encoded.iter_mut().map(|m| ptr::from_mut(m).cast());
        Ok(Self {
            function: Arc::clone(function),
            blocks: u32::try_from(kernel.blocks).expect("`artifact::check` bounds blocks"),
            arguments: first.chain(then).collect(),
            _addresses: own,
            _maps: encoded,
        })
    }
}
