//! One device of AscendCL.

#![allow(unsafe_code, reason = "the driver is asked through its library")]

use std::{path::Path, ptr, sync::Arc, time::Duration};

use super::{
    library::{Loaded, Raw, number},
    object::Function,
};
use crate::{
    DriverDevice, DriverError,
    driver::{Address, Done, Driver, Handle, Interface, Meaning, call, made},
    manifest::Kernel,
};

/// A device, opened.
pub(super) struct Ascend {
    pub library: Arc<Loaded>,
    pub info: DriverDevice,
    number: i32,
}

/// All devices.
pub(super) fn devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    let library = Loaded::load(library)?;
    Ok((0..count(&library)).map(|n| info(&library, n)).collect())
}

fn count(library: &Loaded) -> u32 {
    // A driver without devices refuses.
    made!(library.functions, aclrtGetDeviceCount(0)).unwrap_or(0)
}

fn info(library: &Loaded, number: u32) -> DriverDevice {
    // The chip and its memory are those of the thread's device; one that cannot be had has none.
    let had = call!(library.functions, aclrtSetDevice(number as i32));
    let [mut free, mut all] = [0, 0];
    let asked = call!(
        library.functions,
        aclrtGetMemInfo(number::HBM, &mut free, &mut all)
    );
    let chip = library.chip();
    DriverDevice {
        device: format!("ascend:{number}"),
        name: chip.clone(),
        arch: chip,
        driver: "AscendCL".into(),
        units: library.device_info(number, number::AI_CORES),
        shared: 0,
        memory: had.and(asked).map_or(0, |()| all as u64),
    }
}

impl Ascend {
    /// Opens the device of this number.
    pub fn open(wanted: u32, path: Option<&Path>) -> Result<Self, DriverError> {
        let library = Loaded::load(path)?;
        let count = count(&library);
        if wanted >= count {
            let found = (0..count).map(|n| info(&library, n).to_string());
            return Err(DriverError::NoDevice {
                interface: Interface::AscendCl,
                wanted,
                found: found.collect(),
            });
        }
        let card = Self {
            info: info(&library, wanted),
            library,
            number: wanted as i32,
        };
        card.enter().map_err(|r| DriverError::Call {
            device: card.describe(),
            call: r.call,
            what: "the device".into(),
            code: card.name(r.code),
        })?;
        Ok(card)
    }

    fn copy(&self, to: Raw, from: Raw, len: usize, kind: i32) -> Done {
        call!(
            self.library.functions,
            aclrtMemcpy(to, len, from, len, kind)
        )
    }
}

/// A kernel, and its arguments in the device's memory, from where the driver wants them.
pub(super) struct Launch {
    function: Arc<Function>,
    library: Arc<Loaded>,
    blocks: u32,
    arguments: usize,
    len: usize,
    workspace: usize,
}

impl Drop for Launch {
    fn drop(&mut self) {
        for at in [self.arguments, self.workspace] {
            if at != 0 {
                // A refusal leaves nothing to do.
                let _ = call!(self.library.functions, aclrtFree(at as Raw));
            }
        }
    }
}

/// What a kernel is given: where cores meet (on devices whose cube and vector cores are apart), a lock, a workspace, its
/// parameters, the sizes of its grid. Source: triton-ascend, MIT, third_party/ascend/backend/driver.py.
fn arguments(
    chip: &str,
    sync_address: u64,
    workspace: u64,
    addresses: &[Address],
    grid: [i32; 3],
) -> Vec<u8> {
    let mut words = Vec::new();
    if chip.starts_with("Ascend910B") || chip.starts_with("Ascend910_93") {
        words.push(sync_address);
    }
    words.extend([0, workspace]);
    words.extend(addresses.iter().map(|a| a.0));
    let mut bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    bytes.extend(grid.iter().flat_map(|n| n.to_le_bytes()));
    bytes
}

/// AscendCL records nothing here.
pub(super) enum Graph {}

impl Driver for Ascend {
    type Function = Function;
    type Launch = Launch;
    type Graph = Graph;

    fn describe(&self) -> String {
        self.info.to_string()
    }

    fn meaning(&self, code: i32) -> Meaning {
        match code {
            number::MEMORY_ALLOCATION => Meaning::Memory,
            code if number::INTERNAL.contains(&code) => Meaning::Lost,
            _ => Meaning::Other,
        }
    }

    fn name(&self, code: i32) -> String {
        format!("error {code}")
    }

    fn enter(&self) -> Done {
        call!(self.library.functions, aclrtSetDevice(self.number))
    }

    fn free_memory(&self) -> Done<[u64; 2]> {
        let [mut free, mut all] = [0, 0];
        call!(
            self.library.functions,
            aclrtGetMemInfo(number::HBM, &mut free, &mut all)
        )?;
        Ok([free as u64, all as u64])
    }

    fn allocate(&self, len: u64) -> Done<Address> {
        let at = made!(
            self.library.functions,
            aclrtMalloc(ptr::null_mut(), len as usize, number::HUGE_FIRST)
        );
        at.map(|at| Address(at as u64))
    }

    fn free(&self, at: Address) {
        let _ = call!(self.library.functions, aclrtFree(at.0 as Raw));
    }

    fn allocate_here(&self, len: usize) -> Done<Address> {
        let at = made!(
            self.library.functions,
            aclrtMallocHost(ptr::null_mut(), len)
        );
        at.map(|at| Address(at as u64))
    }

    fn free_here(&self, at: Address) {
        let _ = call!(self.library.functions, aclrtFreeHost(at.0 as Raw));
    }

    fn make_stream(&self) -> Done<Handle> {
        let stream = made!(self.library.functions, aclrtCreateStream(ptr::null_mut()));
        stream.map(|s| Handle(s as usize))
    }

    fn end_stream(&self, stream: Handle) {
        let _ = call!(self.library.functions, aclrtDestroyStream(stream.0 as Raw));
    }

    fn make_event(&self) -> Done<Handle> {
        let event = made!(self.library.functions, aclrtCreateEvent(ptr::null_mut()));
        event.map(|e| Handle(e as usize))
    }

    fn end_event(&self, event: Handle) {
        let _ = call!(self.library.functions, aclrtDestroyEvent(event.0 as Raw));
    }

    fn mark(&self, event: Handle, stream: Handle) -> Done {
        call!(
            self.library.functions,
            aclrtRecordEvent(event.0 as Raw, stream.0 as Raw)
        )
    }

    fn between(&self, first: Handle, last: Handle) -> Done<Duration> {
        let milliseconds = made!(
            self.library.functions,
            aclrtEventElapsedTime(0.0, first.0 as Raw, last.0 as Raw)
        )?;
        Ok(Duration::from_secs_f64(
            f64::from(milliseconds.max(0.0)) / 1e3,
        ))
    }

    // Asynchronous copies want memory of the driver's on this side, which weights are not: these wait instead.
    fn send(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        self.finish(stream)?;
        self.copy(to.0 as Raw, from.0 as Raw, len, number::HOST_TO_DEVICE)
    }

    fn fetch(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done {
        self.finish(stream)?;
        self.copy(to.0 as Raw, from.0 as Raw, len, number::DEVICE_TO_HOST)
    }

    fn clear(&self, _at: Address, _len: u64, _stream: Handle) -> Option<Done> {
        None
    }

    fn prepare(
        &self,
        function: &Arc<Function>,
        kernel: &Kernel,
        addresses: &[Address],
    ) -> Done<Launch> {
        let mut launch = Launch {
            function: Arc::clone(function),
            library: Arc::clone(&self.library),
            blocks: u32::try_from(kernel.blocks).expect("`artifact::check` bounds blocks"),
            arguments: 0,
            len: 0,
            workspace: 0,
        };
        if function.workspace > 0 {
            launch.workspace = self.allocate(function.workspace * kernel.blocks)?.0 as usize;
        }
        let mut bytes = arguments(
            &self.info.arch,
            self.library.sync_address(),
            launch.workspace as u64,
            addresses,
            function.grid,
        );
        launch.len = bytes.len();
        launch.arguments = self.allocate(launch.len as u64)?.0 as usize;
        let (to, from) = (launch.arguments as Raw, bytes.as_mut_ptr().cast());
        self.copy(to, from, launch.len, number::HOST_TO_DEVICE)?;
        Ok(launch)
    }

    fn launch(&self, launch: &mut Launch, stream: Handle) -> Done {
        let (arguments, len) = (launch.arguments as Raw, launch.len);
        call!(
            self.library.functions,
            aclrtLaunchKernel(
                launch.function.raw(),
                launch.blocks,
                arguments,
                len,
                stream.0 as Raw
            )
        )
    }

    fn record(&self, _stream: Handle, _give: &mut dyn FnMut() -> Done) -> Done<Option<Graph>> {
        Ok(None)
    }

    fn replay(&self, graph: &Graph, _stream: Handle) -> Done {
        match *graph {}
    }

    fn finish(&self, stream: Handle) -> Done {
        call!(
            self.library.functions,
            aclrtSynchronizeStream(stream.0 as Raw)
        )
    }
}
