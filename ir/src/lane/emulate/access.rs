//! Accesses of a warp: which lanes, where, whether they may.

use super::super::{Access, Memory};
use super::{
    fault::{RunFault, Stop},
    ints::lanes_of,
    machine::Machine,
    warp::Warp,
};
use crate::tile::Array;

/// Lanes that take part in an access, in order, and where each starts.
type Places = Vec<(usize, usize)>;

impl Machine<'_> {
    /// Reads an element.
    pub(super) fn read(
        &mut self,
        warp: &Warp,
        memory: Memory,
        lane: usize,
        at: usize,
    ) -> Result<f64, RunFault> {
        let thread = warp.thread(self.code, lane);
        match memory {
            Memory::Param(array) => self.global.read(array, at, self.everywhere(thread)),
            Memory::Shared(array) => self.shared.read(array, at, thread as u32),
        }
    }

    /// A lane's number in the grid.
    pub(super) fn everywhere(&self, thread: usize) -> u64 {
        self.block as u64 * u64::from(self.code.program.threads()) + thread as u64
    }

    /// Where the lanes that take part start.
    pub(super) fn places(&self, warp: &Warp, access: &Access, width: u32) -> Result<Places, Stop> {
        self.places_within(warp, access, width, warp.mask)
    }

    /// Where the lanes of `mask` that take part start.
    pub(super) fn places_within(
        &self,
        warp: &Warp,
        access: &Access,
        width: u32,
        mask: u64,
    ) -> Result<Places, Stop> {
        let mask = warp.below(self.code, &access.guard, mask)?;
        if mask == 0 {
            return Ok(vec![]);
        }
        let array = self.code.program.array(access.memory);
        let ints = warp.index(self.code, &access.at, mask)?;
        let (len, step) = (array.len, i64::from(width));
        let fits = |at: i64| at >= 0 && at <= len - step && at % step == 0;
        let mut places = Vec::with_capacity(self.code.lanes());
        for lane in lanes_of(mask) {
            let at = ints.at(lane);
            if !fits(at) {
                return Err(misplaced(array, at, width).in_lane(lane));
            }
            places.push((lane, at as usize));
        }
        Ok(places)
    }

    /// Counts an access.
    pub(super) fn count(&mut self, memory: Memory, width: u32, places: &Places) {
        let size = self.code.program.array(memory).dtype.size();
        let bytes = width as usize * size;
        match memory {
            Memory::Param(_) => {
                let starts = places.iter().map(|(_, at)| at * size);
                self.counts.global(starts, bytes);
            }
            Memory::Shared(array) => {
                let address =
                    |(lane, at): &(usize, usize)| (*lane, self.shared.address(array, *at));
                self.counts.shared(places.iter().map(address), bytes);
            }
        }
    }
}

/// What is wrong with an access that starts here.
fn misplaced(array: &Array, at: i64, width: u32) -> RunFault {
    let (len, array) = (array.len, array.name.clone());
    if at < 0 || at > len - i64::from(width) {
        RunFault::Outside {
            array,
            len,
            width,
            at,
        }
    } else {
        RunFault::Misaligned { array, width, at }
    }
}
