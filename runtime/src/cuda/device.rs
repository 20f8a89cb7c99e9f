//! One device of NVIDIA's driver.

#![allow(unsafe_code, reason = "the driver is asked through its library")]

use std::{ffi::c_char, path::Path, ptr, sync::Arc, time::Duration};

use cudarc::driver::sys::{CUdevice_attribute as Attribute, CUlaunchConfig, CUstreamCaptureMode};

use super::{
    code::{Function, Launch},
    fit::{Capability, LEAST},
    library::{Functions, Raw},
};
use crate::{
    DriverDevice, DriverError,
    driver::{Address, Done, Driver, Handle, Interface, Meaning, Refusal, call, done, made},
    manifest::Kernel,
};

/// A device, opened.
pub(super) struct Cuda {
    pub functions: Arc<Functions>,
    pub info: DriverDevice,
    pub capability: Capability,
    /// Most lanes of a block.
    pub threads: u32,
    device: i32,
    context: Context,
}

/// The context that all users of a device in a process share.
struct Context(Raw);

// SAFETY: a context may be made current on any thread.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// All devices.
pub(super) fn devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    let functions = Functions::load(library)?;
    let count = functions.count();
    Ok((0..count)
        .filter_map(|n| Some(info(&functions, n, functions.device(n).ok()?)))
        .collect())
}

impl Cuda {
    /// Opens the device of this number.
    pub fn open(wanted: u32, library: Option<&Path>) -> Result<Self, DriverError> {
        let functions = Functions::load(library)?;
        let count = functions.count();
        if wanted >= count {
            let found = (0..count).filter_map(|n| {
                let device = functions.device(n).ok()?;
                Some(info(&functions, n, device).to_string())
            });
            return Err(DriverError::NoDevice {
                interface: Interface::Cuda,
                wanted,
                found: found.collect(),
            });
        }
        let refused = |r: Refusal, what: &str| DriverError::Call {
            device: format!("cuda:{wanted}"),
            call: r.call,
            what: what.into(),
            code: functions.name(r.code),
        };
        let device = functions.device(wanted);
        let device = device.map_err(|r| refused(r, "the device"))?;
        let capability = functions.capability(device);
        let info = info(&functions, wanted, device);
        if capability < LEAST {
            return Err(DriverError::TooSmall {
                device: info.to_string(),
                arch: capability.name(),
                least: "sm_80",
            });
        }
        let mut context = ptr::null_mut();
        // SAFETY: there is room for the answer; the device is one that the driver named.
        let code = unsafe { (functions.cuDevicePrimaryCtxRetain)(&mut context, device) };
        done("cuDevicePrimaryCtxRetain", code).map_err(|r| refused(r, "the device"))?;
        let threads =
            functions.attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
        let card = Self {
            threads: threads.unsigned_abs(),
            functions,
            info,
            capability,
            device,
            context: Context(context),
        };
        card.enter().map_err(|r| DriverError::Call {
            device: card.describe(),
            call: r.call,
            what: "the device".into(),
            code: card.name(r.code),
        })?;
        Ok(card)
    }
}

impl Functions {
    /// How many devices there are; none where the driver says that it has none.
    fn count(&self) -> u32 {
        let mut count = 0;
        // SAFETY: there is room for the answer.
        match unsafe { (self.cuDeviceGetCount)(&mut count) } {
            0 => count.unsigned_abs(),
            _ => 0,
        }
    }

    fn device(&self, number: u32) -> Done<i32> {
        let mut device = 0;
        // SAFETY: there is room for the answer.
        let code = unsafe { (self.cuDeviceGet)(&mut device, number as i32) };
        done("cuDeviceGet", code).map(|()| device)
    }

    /// A number that the driver says of a device; 0 if it does not.
    fn attribute(&self, device: i32, what: Attribute) -> i32 {
        let mut value = 0;
        // SAFETY: there is room for the answer.
        match unsafe { (self.cuDeviceGetAttribute)(&mut value, what, device) } {
            0 => value,
            _ => 0,
        }
    }

    fn capability(&self, device: i32) -> Capability {
        let [major, minor] = [
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
        ]
        .map(|what| self.attribute(device, what));
        Capability(major, minor)
    }
}

fn info(functions: &Functions, number: u32, device: i32) -> DriverDevice {
    let mut name = [0_u8; 256];
    let to: *mut c_char = name.as_mut_ptr().cast();
    // SAFETY: there is room for 256 bytes. A device that has no name leaves zeros.
    unsafe { (functions.cuDeviceGetName)(to, name.len() as i32, device) };
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    let mut memory = 0;
    // SAFETY: there is room for the answer. A driver that refuses leaves 0.
    unsafe { (functions.cuDeviceTotalMem)(&mut memory, device) };
    let number_of = |what| u64::from(functions.attribute(device, what).unsigned_abs());
    DriverDevice {
        device: format!("cuda:{number}"),
        name: String::from_utf8_lossy(&name[..end]).into_owned(),
        arch: functions.capability(device).name(),
        driver: format!("driver for CUDA {}", functions.version()),
        units: number_of(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        shared: number_of(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        memory: memory as u64,
    }
}

fn raw(handle: Handle) -> Raw {
    handle.0 as Raw
}

/// A recording, made ready to be given.
pub(super) struct Graph {
    functions: Arc<Functions>,
    ready: usize,
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the driver made it; it is given back once, after its stream was drained.
        unsafe { (self.functions.cuGraphExecDestroy)(self.ready as Raw) };
    }
}

impl Driver for Cuda {
    type Function = Function;
    type Launch = Launch;
    type Graph = Graph;

    fn describe(&self) -> String {
        self.info.to_string()
    }

    fn meaning(&self, code: i32) -> Meaning {
        // Numbers of `cuda.h`. Its text says of the lost ones that the process must be ended to go on.
        match code {
            2 => Meaning::Memory,
            4
            | 46
            | 214
            | 220
            | 226
            | 700
            | 702
            | 709
            | 710
            | 714..=719
            | 721
            | 802
            | 807
            | 810
            | 999 => Meaning::Lost,
            801 | 900..=908 => Meaning::NoRecording,
            _ => Meaning::Other,
        }
    }

    fn name(&self, code: i32) -> String {
        self.functions.name(code)
    }

    fn enter(&self) -> Done {
        call!(self.functions, cuCtxSetCurrent(self.context.0))
    }

    fn free_memory(&self) -> Done<[u64; 2]> {
        let [mut free, mut all] = [0, 0];
        call!(self.functions, cuMemGetInfo(&mut free, &mut all))?;
        Ok([free as u64, all as u64])
    }

    fn allocate(&self, len: u64) -> Done<Address> {
        made!(self.functions, cuMemAlloc(0, len as usize)).map(Address)
    }

    fn free(&self, at: Address) {
        // A refusal leaves nothing to do.
        let _ = call!(self.functions, cuMemFree(at.0));
    }

    fn allocate_here(&self, len: usize) -> Done<Address> {
        made!(self.functions, cuMemHostAlloc(ptr::null_mut(), len, 0)).map(|at| Address(at as u64))
    }

    fn free_here(&self, at: Address) {
        let _ = call!(self.functions, cuMemFreeHost(at.0 as Raw));
    }

    fn make_stream(&self) -> Done<Handle> {
        // CU_STREAM_NON_BLOCKING: it does not wait for what others give to the device.
        made!(self.functions, cuStreamCreate(ptr::null_mut(), 1)).map(|s| Handle(s as usize))
    }

    fn end_stream(&self, stream: Handle) {
        let _ = call!(self.functions, cuStreamDestroy(raw(stream)));
    }

    fn make_event(&self) -> Done<Handle> {
        made!(self.functions, cuEventCreate(ptr::null_mut(), 0)).map(|e| Handle(e as usize))
    }

    fn end_event(&self, event: Handle) {
        let _ = call!(self.functions, cuEventDestroy(raw(event)));
    }

    fn mark(&self, event: Handle, stream: Handle) -> Done {
        call!(self.functions, cuEventRecord(raw(event), raw(stream)))
    }

    fn between(&self, first: Handle, last: Handle) -> Done<Duration> {
        let mut milliseconds = 0.0_f32;
        call!(
            self.functions,
            cuEventElapsedTime(&mut milliseconds, raw(first), raw(last))
        )?;
        Ok(Duration::from_secs_f64(
            f64::from(milliseconds.max(0.0)) / 1e3,
        ))
    }

    fn send(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        call!(
            self.functions,
            cuMemcpyHtoDAsync(to.0, from.0 as Raw, len, raw(stream))
        )
    }

    fn fetch(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        call!(
            self.functions,
            cuMemcpyDtoHAsync(to.0 as Raw, from.0, len, raw(stream))
        )
    }

    fn clear(&self, at: Address, len: u64, stream: Handle) -> Option<Done> {
        Some(call!(
            self.functions,
            cuMemsetD8Async(at.0, 0, len as usize, raw(stream))
        ))
    }

    fn prepare(
        &self,
        function: &Arc<Function>,
        kernel: &Kernel,
        addresses: &[Address],
    ) -> Done<Launch> {
        Launch::new(self, function, kernel, addresses)
    }

    fn launch(&self, launch: &mut Launch, stream: Handle) -> Done {
        let config = CUlaunchConfig {
            gridDimX: launch.blocks,
            gridDimY: 1,
            gridDimZ: 1,
            blockDimX: launch.function.threads,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: launch.function.shared_asked,
            hStream: raw(stream).cast(),
            attrs: ptr::null_mut(),
            numAttrs: 0,
        };
        let arguments = launch.arguments.as_mut_ptr();
        call!(
            self.functions,
            cuLaunchKernelEx(&config, launch.function.raw(), arguments, ptr::null_mut())
        )
    }

    fn record(&self, stream: Handle, give: &mut dyn FnMut() -> Done) -> Done<Option<Graph>> {
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        call!(self.functions, cuStreamBeginCapture(raw(stream), mode))?;
        let given = give();
        // Even after a refusal, so that the stream is one again.
        let mut graph = ptr::null_mut();
        let ended = call!(self.functions, cuStreamEndCapture(raw(stream), &mut graph));
        given.and(ended)?;
        let ready = made!(
            self.functions,
            cuGraphInstantiateWithFlags(ptr::null_mut(), graph, 0)
        );
        let _ = call!(self.functions, cuGraphDestroy(graph));
        let ready = Graph {
            functions: Arc::clone(&self.functions),
            ready: ready? as usize,
        };
        call!(
            self.functions,
            cuGraphUpload(ready.ready as Raw, raw(stream))
        )?;
        call!(self.functions, cuStreamSynchronize(raw(stream)))?;
        Ok(Some(ready))
    }

    fn replay(&self, graph: &Graph, stream: Handle) -> Done {
        call!(
            self.functions,
            cuGraphLaunch(graph.ready as Raw, raw(stream))
        )
    }

    fn finish(&self, stream: Handle) -> Done {
        call!(self.functions, cuStreamSynchronize(raw(stream)))
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        // SAFETY: it was retained once. What was made in it is gone: all of that keeps the device.
        unsafe { (self.functions.cuDevicePrimaryCtxRelease)(self.device) };
    }
}
