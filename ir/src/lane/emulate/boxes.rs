//! Copies of boxes: one lane starts them, an mbarrier says when they have come.

use std::{collections::VecDeque, ops::Range};

use super::super::{Bulk, Index, Memory, Signal};
use super::{
    fault::{RunFault, Stop},
    machine::Machine,
    warp::Warp,
};

/// What the offset of a box is a multiple of, in bytes. Source: CUDA C++ Programming Guide, "Asynchronous data copies
/// using the Tensor Memory Accelerator", 2025.
const ALIGNMENT: usize = 128;
/// Bytes of a piece.
const CHUNK: usize = 16;

/// Copies of boxes of the block that runs.
#[derive(Default)]
pub(super) struct Boxes {
    /// Those that have not come, the oldest first.
    under_way: VecDeque<Flight>,
    /// Of each counter, the last one.
    last: Vec<Option<Origin>>,
}

/// Who started a copy, and when it ends.
#[derive(Clone)]
pub(super) struct Origin {
    pub warp: usize,
    pub lane: usize,
    /// The step that started it.
    pub step: usize,
    pub array: u32,
    pub at: usize,
    counter: usize,
    phase: u32,
}

struct Flight {
    origin: Origin,
    map: u32,
    from: Vec<i64>,
}

/// Elements of a box that stay side by side, whatever the swizzle.
struct Piece {
    /// Offset in the shared array.
    to: usize,
    /// Offset in the parameter of the first.
    from: i64,
    /// Those that lie within the tensor; the others are zeros.
    inside: Range<usize>,
}

impl Boxes {
    pub fn restart(&mut self, counters: usize) {
        self.under_way.clear();
        self.last.clear();
        self.last.resize(counters, None);
    }

    /// Takes the oldest that has not come of those whose counter fits.
    fn take(&mut self, fits: impl Fn(usize) -> bool) -> Option<Flight> {
        let mut all = self.under_way.iter();
        let position = all.position(|f| fits(f.origin.counter))?;
        self.under_way.remove(position)
    }
}

impl Machine<'_> {
    /// A lane starts the copy of a box.
    pub(super) fn copy_box(&mut self, warp: &Warp, bulk: &Bulk) -> Result<(), Stop> {
        let Bulk::Copy {
            map,
            from,
            array,
            at,
            signal,
        } = bulk
        else {
            unreachable!("a copy of a box")
        };
        if warp.mask.count_ones() != 1 {
            return Err(RunFault::Lanes(warp.mask.count_ones()).in_warp());
        }
        let lane = warp.mask.trailing_zeros() as usize;
        let index = |index: &Index| Ok(warp.index(self.code, index, warp.mask)?.at(lane));
        let from = from.iter().map(index).collect::<Result<Vec<_>, Stop>>()?;
        let (at, counter) = (index(at)?, self.counter(warp, signal)?);
        let at = self.place_box(*array, at, *map);
        let at = at.map_err(|fault| fault.in_lane(lane))?;
        let origin = Origin {
            warp: warp.number,
            lane,
            step: warp.at,
            array: *array,
            at,
            counter,
            phase: self.order().phases.phase(counter),
        };
        let started = self.start(origin, *map, from);
        started.map_err(|fault| fault.in_lane(lane))
    }

    /// The counter that a warp means.
    pub(super) fn counter(&self, warp: &Warp, signal: &Signal) -> Result<usize, Stop> {
        let order = self.shared.order.as_ref().expect("it has mbarriers");
        order.phases.of(self.code, warp, signal)
    }

    /// Where a box lies, if it may.
    fn place_box(&self, array: u32, at: i64, map: u32) -> Result<usize, RunFault> {
        let target = self.code.program.array(Memory::Shared(array));
        let count = self.code.program.maps[map as usize].box_len();
        let (name, step) = (&target.name, ALIGNMENT / target.dtype.size());
        if at < 0 || at as u64 + count > target.len as u64 {
            return Err(RunFault::Outside {
                array: name.clone(),
                len: target.len,
                width: count as u32,
                at,
            });
        }
        if !(at as usize).is_multiple_of(step) {
            return Err(RunFault::Misaligned {
                array: name.clone(),
                width: step as u32,
                at,
            });
        }
        Ok(at as usize)
    }

    fn start(&mut self, origin: Origin, map: u32, from: Vec<i64>) -> Result<(), RunFault> {
        let known = &self.code.program.maps[map as usize];
        let size = self.code.program.params[known.param as usize].dtype.size();
        let ends = (origin.counter, origin.phase);
        let by = (origin.warp as u32, Some(origin.lane as u32));
        let early = self.early();
        let flight = Flight { origin, map, from };
        let (array, count) = (flight.origin.array, CHUNK / size);
        let pieces = self.pieces(&flight);
        let told = self.order().clocks.known(by).into_owned();
        for piece in &pieces {
            let to = (array, piece.to, count);
            self.shared.copy_box(to, by, &told, ends, known.swizzle)?;
        }
        let bytes = (pieces.len() * CHUNK) as u64;
        self.order().phases.start_box(ends.0, bytes);
        self.counts.box_copies += 1;
        self.counts.box_bytes.0 += bytes;
        for row in pieces.chunks(known.extents[0] as usize / count) {
            let inside = row
                .iter()
                .flat_map(|p| p.inside.clone().map(|i| p.from + i as i64));
            self.counts.row(inside.map(|at| at as usize * size), size);
        }
        self.boxes.last[ends.0] = Some(flight.origin.clone());
        if early {
            self.come(&flight)
        } else {
            self.boxes.under_way.push_back(flight);
            Ok(())
        }
    }

    /// The pieces of a box, by rows.
    fn pieces(&self, flight: &Flight) -> Vec<Piece> {
        let map = &self.code.program.maps[flight.map as usize];
        let (array, start) = (flight.origin.array, flight.origin.at);
        let target = self.code.program.array(Memory::Shared(array));
        let size = target.dtype.size();
        let (base, count) = (self.shared.address(array, 0) as u64, CHUNK / size);
        let chunks = map.extents[0] as usize / count;
        let rows = map.box_len() as usize / map.extents[0] as usize;
        let mut place = vec![0; map.extents.len()];
        let mut pieces = Vec::with_capacity(rows * chunks);
        for row in 0..rows {
            let at = |axis: usize| flight.from[axis] + place[axis];
            let there = (1..place.len()).all(|axis| (0..map.sizes[axis]).contains(&at(axis)));
            let steps = map.strides.iter().enumerate().map(|(i, n)| at(i + 1) * n);
            let line = steps.sum::<i64>();
            for chunk in 0..chunks {
                let linear = (start + row * map.extents[0] as usize + chunk * count) * size;
                let first = flight.from[0] + (chunk * count) as i64;
                let within = |n: i64| n.clamp(0, count as i64) as usize;
                let inside = if there {
                    within(-first)..within(map.sizes[0] - first)
                } else {
                    0..0
                };
                pieces.push(Piece {
                    to: (map.swizzle.place(base + linear as u64) - base) as usize / size,
                    from: line + first,
                    inside,
                });
            }
            for (n, extent) in place[1..].iter_mut().zip(&map.extents[1..]) {
                *n += 1;
                if *n < i64::from(*extent) {
                    break;
                }
                *n = 0;
            }
        }
        pieces
    }

    /// The bytes of a box come.
    fn come(&mut self, flight: &Flight) -> Result<(), RunFault> {
        let map = &self.code.program.maps[flight.map as usize];
        let size = self.code.program.params[map.param as usize].dtype.size();
        for Piece { to, from, inside } in self.pieces(flight) {
            let value = |i| {
                if inside.contains(&i) {
                    self.global.peek(map.param, (from + i as i64) as usize)
                } else {
                    0.0
                }
            };
            let values = (0..CHUNK / size).map(value);
            self.shared.land(flight.origin.array, to, values);
        }
        let bytes = map.box_len() * size as u64;
        let counter = flight.origin.counter;
        self.order().phases.land(counter, bytes)
    }

    /// Lets a box come whose copy takes its time: the oldest one of a counter that fits. False if there is none.
    pub(super) fn land(
        &mut self,
        fits: impl Fn(usize) -> bool,
    ) -> Result<bool, (Origin, RunFault)> {
        let Some(flight) = self.boxes.take(fits) else {
            return Ok(false);
        };
        let come = self.come(&flight);
        come.map_err(|fault| (flight.origin, fault))?;
        Ok(true)
    }

    /// A box of whose coming nobody knows when the block ends.
    pub(super) fn unheard(&self) -> Option<&Origin> {
        let order = self.shared.order.as_ref()?;
        let mut all = self.boxes.last.iter().flatten();
        all.find(|o| !order.phases.heard(o.counter, o.phase))
    }
}
