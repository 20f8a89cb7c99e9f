//! The memory of an executor: one block, allocated once.

#![allow(unsafe_code, reason = "kernels share this memory by address")]

use std::{io, slice};

use memmap2::{Advice, MmapMut, MmapRaw};

/// Every array starts at a multiple of this.
const ALIGN: usize = 64;

/// A piece of a [`Memory`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    offset: usize,
    len: usize,
}

/// Where pieces will lie, before there is memory.
#[derive(Default)]
pub(super) struct Plan {
    end: usize,
}

impl Plan {
    /// Sets room aside; 64 bytes more than asked for, so that neighbours share no cache line.
    pub fn add(&mut self, len: u64) -> Option<Region> {
        let (offset, len) = (self.end, usize::try_from(len).ok()?);
        self.end = offset
            .checked_add(len)?
            .checked_next_multiple_of(ALIGN)?
            .checked_add(ALIGN)?;
        Some(Region { offset, len })
    }

    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.end
    }
}

/// Memory that starts as zeros, on pages that the system may make large.
pub(super) struct Memory(MmapRaw);

impl Memory {
    pub fn new(plan: &Plan) -> io::Result<Self> {
        let map = MmapRaw::from(MmapMut::map_anon(plan.end.max(1))?);
        // Only advice: a system without large pages refuses it, and the memory works all the same.
        let _ = map.advise(Advice::HugePage);
        Ok(Self(map))
    }

    /// What a region holds, while no kernel runs.
    pub fn bytes(&self, region: Region) -> &[u8] {
        let at = self.address(region);
        // SAFETY: the region lies within the map, which was zeroed. Only the owner's kernels write it by address,
        // and the owner lets them run under `&mut` only.
        unsafe { slice::from_raw_parts(at, region.len) }
    }

    /// As [`Memory::bytes`], to be written.
    pub fn bytes_mut(&mut self, region: Region) -> &mut [u8] {
        let at = self.address(region);
        // SAFETY: as above, and `&mut self` excludes other slices.
        unsafe { slice::from_raw_parts_mut(at, region.len) }
    }

    /// Makes a region zeros.
    ///
    /// # Safety
    /// Nobody else reads or writes it meanwhile.
    pub unsafe fn clear(&self, region: Region) {
        // SAFETY: the region lies within the map; the caller keeps others away.
        unsafe { self.address(region).write_bytes(0, region.len) }
    }

    /// The address of a region, valid as long as the memory; a multiple of 64.
    pub fn address(&self, region: Region) -> *mut u8 {
        assert!(
            region.offset + region.len <= self.0.len(),
            "regions come from the memory's own plan"
        );
        self.0.as_mut_ptr().wrapping_add(region.offset)
    }
}
