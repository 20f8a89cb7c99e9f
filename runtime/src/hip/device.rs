//! One device of HIP.

#![allow(unsafe_code, reason = "the driver is asked through its library")]

use std::{
    ffi::{CString, c_char},
    path::Path,
    ptr,
    sync::Arc,
    time::Duration,
};

use super::library::{Loaded, Raw, number};
use crate::{
    Artifact, DeviceError, DriverDevice, DriverError,
    driver::{Address, Done, Driver, Handle, Interface, Meaning, Refusal, call, made},
    manifest::{Kernel, TargetCode},
};

/// A device, opened.
pub(super) struct Hip {
    library: Arc<Loaded>,
    pub info: DriverDevice,
    /// Most lanes of a block.
    pub threads: u32,
    number: i32,
}

/// All devices.
pub(super) fn devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    let library = Loaded::load(library)?;
    Ok((0..count(&library)).map(|n| info(&library, n)).collect())
}

fn count(library: &Loaded) -> u32 {
    let count = made!(library.functions, hipGetDeviceCount(0));
    // A driver without devices refuses.
    count.map_or(0, i32::unsigned_abs)
}

fn attribute(library: &Loaded, number: u32, what: i32) -> u32 {
    let value = made!(
        library.functions,
        hipDeviceGetAttribute(0, what, number as i32)
    );
    value.map_or(0, i32::unsigned_abs)
}

fn info(library: &Loaded, number: u32) -> DriverDevice {
    let mut name = [0_u8; 256];
    let to: *mut c_char = name.as_mut_ptr().cast();
    // A device that has no name leaves zeros; one that does not tell its memory has none.
    let _ = call!(
        library.functions,
        hipDeviceGetName(to, name.len() as i32, number as i32)
    );
    let memory = made!(library.functions, hipDeviceTotalMem(0, number as i32));
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    DriverDevice {
        device: format!("rocm:{number}"),
        name: String::from_utf8_lossy(&name[..end]).into_owned(),
        arch: library.arch(number as i32),
        driver: format!("HIP {}", library.version()),
        units: attribute(library, number, number::MULTIPROCESSOR_COUNT).into(),
        shared: attribute(library, number, number::MAX_SHARED_MEMORY_PER_BLOCK).into(),
        memory: memory.unwrap_or(0) as u64,
    }
}

impl Hip {
    /// Opens the device of this number.
    pub fn open(wanted: u32, path: Option<&Path>) -> Result<Self, DriverError> {
        let library = Loaded::load(path)?;
        let count = count(&library);
        if wanted >= count {
            let found = (0..count).map(|n| info(&library, n).to_string());
            return Err(DriverError::NoDevice {
                interface: Interface::Hip,
                wanted,
                found: found.collect(),
            });
        }
        let card = Self {
            info: info(&library, wanted),
            threads: attribute(&library, wanted, number::MAX_THREADS_PER_BLOCK),
            library,
            number: wanted as i32,
        };
        card.enter().map_err(|r| card.refused(r, "the device"))?;
        Ok(card)
    }

    fn refused(&self, refusal: Refusal, what: &str) -> DriverError {
        DriverError::Call {
            device: self.describe(),
            call: refusal.call,
            what: what.into(),
            code: self.name(refusal.code),
        }
    }
}

/// A kernel in the device.
pub(super) struct Function {
    library: Arc<Loaded>,
    module: usize,
    function: usize,
    threads: u32,
    shared_asked: u32,
}

impl Drop for Function {
    fn drop(&mut self) {
        // A refusal leaves nothing to do.
        let _ = call!(self.library.functions, hipModuleUnload(self.module as Raw));
    }
}

/// Loads every kernel of a target that fits.
pub(super) fn load(
    card: &Hip,
    artifact: &Artifact,
    target: &TargetCode,
) -> Result<Vec<Function>, DeviceError> {
    let mut loaded = Vec::new();
    for kernel in &target.kernels {
        let launch = kernel.launch.as_ref();
        let launch = launch.expect("`artifact::check` wants a launch");
        let image = artifact.image(launch);
        let image = image.expect("`fit` takes machine code only");
        let functions = &card.library.functions;
        let from = image.as_ptr().cast();
        let module = made!(functions, hipModuleLoadData(ptr::null_mut(), from));
        let module = module.map_err(|r| DriverError::Code {
            device: card.describe(),
            kernel: kernel.name.clone(),
            arch: card.info.arch.clone(),
            reason: card.name(r.code),
        })?;
        let mut function = Function {
            library: Arc::clone(&card.library),
            module: module as usize,
            function: 0,
            threads: launch.threads,
            shared_asked: u32::try_from(launch.shared_asked.0)
                .expect("`artifact::check` bounds shared memory"),
        };
        let name = CString::new(kernel.symbol.as_str())
            .expect("names were checked when the artifact was opened");
        let found = made!(
            functions,
            hipModuleGetFunction(ptr::null_mut(), module, name.as_ptr())
        );
        let found = found.map_err(|r| card.refused(r, &format!("kernel {}", kernel.name)))?;
        function.function = found as usize;
        loaded.push(function);
    }
    Ok(loaded)
}

/// A kernel with its arguments.
pub(super) struct Launch {
    function: Arc<Function>,
    blocks: u32,
    /// Where each address lies: in the list that follows, which never moves.
    arguments: Box<[Raw]>,
    _addresses: Box<[u64]>,
}

// SAFETY: the pointers are to a list that the launch owns, on the heap.
unsafe impl Send for Launch {}
// SAFETY: as above; nobody writes it.
unsafe impl Sync for Launch {}

/// A recording, made ready to be given.
pub(super) struct Graph {
    library: Arc<Loaded>,
    ready: usize,
}

impl Drop for Graph {
    fn drop(&mut self) {
        let _ = call!(
            self.library.functions,
            hipGraphExecDestroy(self.ready as Raw)
        );
    }
}

fn raw(handle: Handle) -> Raw {
    handle.0 as Raw
}

fn place(address: Address) -> Raw {
    address.0 as Raw
}

impl Driver for Hip {
    type Function = Function;
    type Launch = Launch;
    type Graph = Graph;

    fn describe(&self) -> String {
        self.info.to_string()
    }

    fn meaning(&self, code: i32) -> Meaning {
        // Numbers of `hipError_t`.
        match code {
            2 | 1052 => Meaning::Memory,
            4 | 53 | 214 | 700 | 702 | 709 | 710 | 719 | 999 | 1053 => Meaning::Lost,
            801 | 900..=908 => Meaning::NoRecording,
            _ => Meaning::Other,
        }
    }

    fn name(&self, code: i32) -> String {
        self.library.name(code)
    }

    fn enter(&self) -> Done {
        call!(self.library.functions, hipSetDevice(self.number))
    }

    fn free_memory(&self) -> Done<[u64; 2]> {
        let [mut free, mut all] = [0, 0];
        call!(self.library.functions, hipMemGetInfo(&mut free, &mut all))?;
        Ok([free as u64, all as u64])
    }

    fn allocate(&self, len: u64) -> Done<Address> {
        let at = made!(
            self.library.functions,
            hipMalloc(ptr::null_mut(), len as usize)
        );
        at.map(|at| Address(at as u64))
    }

    fn free(&self, at: Address) {
        let _ = call!(self.library.functions, hipFree(place(at)));
    }

    fn allocate_here(&self, len: usize) -> Done<Address> {
        let at = made!(
            self.library.functions,
            hipHostMalloc(ptr::null_mut(), len, 0)
        );
        at.map(|at| Address(at as u64))
    }

    fn free_here(&self, at: Address) {
        let _ = call!(self.library.functions, hipHostFree(place(at)));
    }

    fn make_stream(&self) -> Done<Handle> {
        let flags = number::STREAM_NON_BLOCKING;
        let stream = made!(
            self.library.functions,
            hipStreamCreateWithFlags(ptr::null_mut(), flags)
        );
        stream.map(|s| Handle(s as usize))
    }

    fn end_stream(&self, stream: Handle) {
        let _ = call!(self.library.functions, hipStreamDestroy(raw(stream)));
    }

    fn make_event(&self) -> Done<Handle> {
        let event = made!(self.library.functions, hipEventCreate(ptr::null_mut()));
        event.map(|e| Handle(e as usize))
    }

    fn end_event(&self, event: Handle) {
        let _ = call!(self.library.functions, hipEventDestroy(raw(event)));
    }

    fn mark(&self, event: Handle, stream: Handle) -> Done {
        call!(
            self.library.functions,
            hipEventRecord(raw(event), raw(stream))
        )
    }

    fn between(&self, first: Handle, last: Handle) -> Done<Duration> {
        let milliseconds = made!(
            self.library.functions,
            hipEventElapsedTime(0.0, raw(first), raw(last))
        )?;
        Ok(Duration::from_secs_f64(
            f64::from(milliseconds.max(0.0)) / 1e3,
        ))
    }

    fn send(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        call!(
            self.library.functions,
            hipMemcpyHtoDAsync(place(to), place(from), len, raw(stream))
        )
    }

    fn fetch(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        call!(
            self.library.functions,
            hipMemcpyDtoHAsync(place(to), place(from), len, raw(stream))
        )
    }

    fn clear(&self, at: Address, len: u64, stream: Handle) -> Option<Done> {
        Some(call!(
            self.library.functions,
            hipMemsetAsync(place(at), 0, len as usize, raw(stream))
        ))
    }

    fn prepare(
        &self,
        function: &Arc<Function>,
        kernel: &Kernel,
        addresses: &[Address],
    ) -> Done<Launch> {
        let mut own: Box<[u64]> = addresses.iter().map(|a| a.0).collect();
        Ok(Launch {
            function: Arc::clone(function),
            blocks: u32::try_from(kernel.blocks).expect("`artifact::check` bounds blocks"),
            arguments: own.iter_mut().map(|a| ptr::from_mut(a).cast()).collect(),
            _addresses: own,
        })
    }

    fn launch(&self, launch: &mut Launch, stream: Handle) -> Done {
        let function = &launch.function;
        let (threads, shared) = (function.threads, function.shared_asked);
        let arguments = launch.arguments.as_mut_ptr();
        call!(
            self.library.functions,
            hipModuleLaunchKernel(
                function.function as Raw,
                launch.blocks,
                1,
                1,
                threads,
                1,
                1,
                shared,
                raw(stream),
                arguments,
                ptr::null_mut()
            )
        )
    }

    fn record(&self, stream: Handle, give: &mut dyn FnMut() -> Done) -> Done<Option<Graph>> {
        let f = &self.library.functions;
        call!(
            f,
            hipStreamBeginCapture(raw(stream), number::CAPTURE_THREAD_LOCAL)
        )?;
        let given = give();
        // Even after a refusal, so that the stream is one again.
        let mut graph = ptr::null_mut();
        let ended = call!(f, hipStreamEndCapture(raw(stream), &mut graph));
        given.and(ended)?;
        let [node, log] = [ptr::null_mut(), ptr::null_mut()];
        let ready = made!(
            f,
            hipGraphInstantiate(ptr::null_mut(), graph, node, log.cast(), 0)
        );
        let _ = call!(f, hipGraphDestroy(graph));
        Ok(Some(Graph {
            library: Arc::clone(&self.library),
            ready: ready? as usize,
        }))
    }

    fn replay(&self, graph: &Graph, stream: Handle) -> Done {
        call!(
            self.library.functions,
            hipGraphLaunch(graph.ready as Raw, raw(stream))
        )
    }

    fn finish(&self, stream: Handle) -> Done {
        call!(self.library.functions, hipStreamSynchronize(raw(stream)))
    }
}
