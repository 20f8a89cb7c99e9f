//! Shared memory, with a record of who touched each element since the last barrier; in programs with mbarriers, of who
//! touched it at all.

use super::super::{Program, Swizzle, WARPGROUP};
use super::{
    clock::{Clock, Clocks},
    fault::{RunFault, Thread, Touch},
    marks::{Before, By, Marks},
    phases::Phases,
};
use crate::tile::Array;

/// Nobody.
const NONE: u32 = u32::MAX;

/// Shared memory of the block that runs. Lanes are numbered through all warps.
pub(super) struct Shared<'a> {
    arrays: Vec<Cells<'a>>,
    /// Counts barriers and blocks.
    epoch: u32,
    /// When the block started.
    start: u32,
    lanes: u32,
    /// In programs with mbarriers.
    pub order: Option<Clocked<'a>>,
}

/// What orders lanes that meet at mbarriers.
pub(super) struct Clocked<'a> {
    pub clocks: Clocks,
    pub marks: Marks,
    pub phases: Phases<'a>,
}

struct Cells<'a> {
    array: &'a Array,
    /// Its first element among those of all arrays.
    first: usize,
    /// Where the array starts, in bytes.
    base: usize,
    cells: Vec<Cell>,
}

#[derive(Clone)]
struct Cell {
    value: f64,
    writes: Last,
    reads: Last,
    /// Who has a copy to here under way.
    copier: u32,
}

/// Who touched an element in the last epoch in which someone did.
#[derive(Clone, Copy)]
struct Last {
    epoch: u32,
    first: u32,
    /// Someone other than the first.
    second: u32,
}

impl Last {
    const NEVER: Self = Self {
        epoch: 0,
        first: NONE,
        second: NONE,
    };

    fn add(&mut self, epoch: u32, lane: u32) {
        if self.epoch != epoch {
            *self = Self {
                epoch,
                first: lane,
                second: NONE,
            };
        } else if self.first != lane {
            self.second = lane;
        }
    }

    /// A lane other than this one, in this epoch.
    fn other(&self, epoch: u32, lane: u32) -> Option<u32> {
        let mut all = [self.first, self.second].into_iter();
        let other = all.find(|l| *l != lane && *l != NONE);
        other.filter(|_| self.epoch == epoch)
    }
}

impl<'a> Shared<'a> {
    pub fn new(program: &'a Program) -> Self {
        let cell = Cell {
            value: 0.0,
            writes: Last::NEVER,
            reads: Last::NEVER,
            copier: NONE,
        };
        let (mut base, mut elements) = (0, 0);
        let arrays = program.shared.iter().map(|array| {
            let (start, first) = (base, elements);
            let len = usize::try_from(array.len).expect("verified");
            base += array.bytes().next_multiple_of(program.shared_alignment());
            elements += len;
            Cells {
                array,
                first,
                base: start,
                cells: vec![cell.clone(); len],
            }
        });
        let arrays: Vec<_> = arrays.collect();
        let clocked = || {
            let (warps, phases) = (program.warps as usize, Phases::new(program));
            Clocked {
                clocks: Clocks::new(warps, program.lanes, phases.len()),
                marks: Marks::new(elements, warps, program.lanes),
                phases,
            }
        };
        Self {
            order: (program.warpgroup.len() + program.mbarriers.len() > 0).then(clocked),
            arrays,
            epoch: 0,
            start: 0,
            lanes: program.lanes,
        }
    }

    /// What the block before left is undefined.
    pub fn start(&mut self) {
        self.epoch += 1;
        self.start = self.epoch;
        if let Some(order) = &mut self.order {
            order.clocks.start(&order.phases.start());
        }
    }

    /// All lanes have met.
    pub fn barrier(&mut self) {
        self.epoch += 1;
        if let Some(order) = &mut self.order {
            order.clocks.barrier();
        }
    }

    /// The address of an element, in bytes.
    pub fn address(&self, array: u32, at: usize) -> usize {
        let cells = &self.arrays[array as usize];
        cells.base + at * cells.array.dtype.size()
    }

    pub fn read(&mut self, array: u32, at: usize, lane: u32) -> Result<f64, RunFault> {
        self.free(array, at, Touch::Read)?;
        let (epoch, start) = (self.epoch, self.start);
        let cells = &mut self.arrays[array as usize];
        let cell = &mut cells.cells[at];
        if cell.writes.epoch < start {
            return Err(RunFault::Unset {
                array: cells.array.name.clone(),
                at,
            });
        }
        let value = cell.value;
        if let Some(order) = &mut self.order {
            let (element, by) = (cells.first + at, (lane / self.lanes, lane % self.lanes));
            let who = (by.0, Some(by.1));
            let known = order.clocks.known(who);
            let before = order.marks.write_before(who, &known, element);
            order.marks.read(&order.clocks, element, by);
            return before.map_or(Ok(value), |b| Err(self.early(array, at, Touch::Read, b)));
        }
        if let Some(other) = cell.writes.other(epoch, lane) {
            return Err(self.race(array, at, Touch::Read, other, Touch::Write));
        }
        cell.reads.add(epoch, lane);
        Ok(value)
    }

    /// Writes an element. Lanes that write the same value do not disturb each other.
    pub fn write(&mut self, array: u32, at: usize, lane: u32, value: f64) -> Result<(), RunFault> {
        self.free(array, at, Touch::Write)?;
        let epoch = self.epoch;
        let cells = &mut self.arrays[array as usize];
        let cell = &mut cells.cells[at];
        if let Some(order) = &mut self.order {
            let (element, by) = (cells.first + at, (lane / self.lanes, lane % self.lanes));
            let who = (by.0, Some(by.1));
            let known = order.clocks.known(who);
            let mut before = order.marks.read_before(who, &known, element);
            if cell.value.to_bits() != value.to_bits() {
                let write = order.marks.write_before(who, &known, element);
                before = before.or(write);
            }
            order.marks.write(&order.clocks, element, by);
            (cell.value, cell.writes.epoch) = (value, epoch);
            return before.map_or(Ok(()), |b| Err(self.early(array, at, Touch::Write, b)));
        }
        if let Some(other) = cell.reads.other(epoch, lane) {
            return Err(self.race(array, at, Touch::Write, other, Touch::Read));
        }
        if cell.value.to_bits() != value.to_bits()
            && let Some(other) = cell.writes.other(epoch, lane)
        {
            return Err(self.race(array, at, Touch::Write, other, Touch::Write));
        }
        cell.value = value;
        cell.writes.add(epoch, lane);
        Ok(())
    }

    /// A copy to an element begins; with its value, if it takes effect at once.
    pub fn begin(
        &mut self,
        array: u32,
        at: usize,
        lane: u32,
        value: Option<f64>,
    ) -> Result<(), RunFault> {
        self.free(array, at, Touch::Copy)?;
        let epoch = self.epoch;
        let cells = &mut self.arrays[array as usize];
        let cell = &mut cells.cells[at];
        if let Some(order) = &self.order {
            let by = (lane / self.lanes, Some(lane % self.lanes));
            let known = order.clocks.known(by);
            if let Some(before) = order.marks.before(by, &known, cells.first + at) {
                return Err(self.early(array, at, Touch::Copy, before));
            }
            cell.copier = lane;
            cell.value = value.unwrap_or(cell.value);
            return Ok(());
        }
        for (last, theirs) in [(cell.reads, Touch::Read), (cell.writes, Touch::Write)] {
            if let Some(other) = last.other(epoch, lane) {
                return Err(self.race(array, at, Touch::Copy, other, theirs));
            }
        }
        cell.copier = lane;
        cell.value = value.unwrap_or(cell.value);
        Ok(())
    }

    /// A copy has ended, which the lane that began it knows from now on; with its value, if it takes effect only now.
    pub fn end(&mut self, array: u32, at: usize, lane: u32, value: Option<f64>) {
        let epoch = self.epoch;
        let cells = &mut self.arrays[array as usize];
        let cell = &mut cells.cells[at];
        cell.copier = NONE;
        cell.value = value.unwrap_or(cell.value);
        cell.writes.add(epoch, lane);
        if let Some(order) = &mut self.order {
            let by = (lane / self.lanes, lane % self.lanes);
            order.marks.write(&order.clocks, cells.first + at, by);
        }
    }

    /// The copy of a box to elements side by side begins, which ends with a phase of a counter.
    pub fn copy_box(
        &mut self,
        (array, start, count): (u32, usize, usize),
        by: By,
        known: &Clock,
        ends: (usize, u32),
        swizzle: Swizzle,
    ) -> Result<(), RunFault> {
        let epoch = self.epoch;
        let cells = &mut self.arrays[array as usize];
        let first = cells.first;
        let order = self.order.as_mut().expect("verified: it has a signal");
        for at in start..start + count {
            if let Some(before) = order.marks.before(by, known, first + at) {
                return Err(self.early(array, at, Touch::Copy, before));
            }
            order.marks.copy(first + at, ends, swizzle);
            cells.cells[at].writes.epoch = epoch;
        }
        Ok(())
    }

    /// A piece of a box has come.
    pub fn land(&mut self, array: u32, start: usize, values: impl Iterator<Item = f64>) {
        let cells = &mut self.arrays[array as usize].cells[start..];
        cells.iter_mut().zip(values).for_each(|(c, x)| c.value = x);
    }

    /// A product of a warpgroup starts to read pieces of an array, with this swizzle; with the warp that is to blame.
    pub fn product(
        &mut self,
        array: u32,
        (pieces, count): (&[usize], usize),
        group: usize,
        product: u32,
        swizzle: Swizzle,
    ) -> Result<(), (usize, RunFault)> {
        let start = self.start;
        let cells = &self.arrays[array as usize];
        let order = self.order.as_mut().expect("it has warpgroup instructions");
        let size = WARPGROUP as usize;
        let mut fine = None;
        for at in pieces.iter().flat_map(|at| *at..at + count) {
            let element = cells.first + at;
            if cells.cells[at].writes.epoch < start {
                let array = cells.array.name.clone();
                return Err((0, RunFault::Unset { array, at }));
            }
            if !fine.is_some_and(|other| order.marks.alike(element, other)) {
                for i in 0..size {
                    let by = ((group * size + i) as u32, None);
                    let known = order.clocks.known(by);
                    let before = order.marks.write_before(by, &known, element);
                    if let Some(before) = before {
                        return Err((i, self.early(array, at, Touch::Read, before)));
                    }
                }
                let copied = order.marks.swizzle(element);
                if copied != swizzle {
                    let array = cells.array.name.clone();
                    let fault = RunFault::Swizzled {
                        array,
                        at,
                        copied,
                        read: swizzle,
                    };
                    return Err((0, fault));
                }
                fine = Some(element);
            }
            order.marks.product(element, group, product);
        }
        Ok(())
    }

    /// The values of elements side by side, whoever asks.
    pub fn peek(&self, array: u32, start: usize, count: usize) -> impl Iterator<Item = f64> {
        let cells = &self.arrays[array as usize].cells[start..][..count];
        cells.iter().map(|c| c.value)
    }

    /// What is wrong with touching an element before something is over.
    fn early(&self, array: u32, at: usize, this: Touch, before: Before) -> RunFault {
        let array = self.arrays[array as usize].array.name.clone();
        match before {
            Before::Lane(other, theirs) => RunFault::Unordered {
                array,
                at,
                this,
                other,
                theirs,
            },
            Before::Product(warp) => RunFault::Multiplied {
                array,
                at,
                this,
                warp,
            },
            Before::Box(counter, phase) => {
                let order = self.order.as_ref().expect("it has counters");
                let (mbarrier, slot, phase) = order.phases.name(counter, phase);
                RunFault::Boxed {
                    array,
                    at,
                    this,
                    mbarrier,
                    slot,
                    phase,
                }
            }
        }
    }

    /// Fails if a copy to the element is under way.
    fn free(&self, array: u32, at: usize, this: Touch) -> Result<(), RunFault> {
        let cells = &self.arrays[array as usize];
        match cells.cells[at].copier {
            NONE => Ok(()),
            copier => Err(RunFault::UnderWay {
                array: cells.array.name.clone(),
                at,
                this,
                other: self.thread(copier),
            }),
        }
    }

    fn race(&self, array: u32, at: usize, this: Touch, other: u32, theirs: Touch) -> RunFault {
        RunFault::Race {
            array: self.arrays[array as usize].array.name.clone(),
            at,
            this,
            other: self.thread(other),
            theirs,
        }
    }

    fn thread(&self, lane: u32) -> Thread {
        Thread {
            warp: lane / self.lanes,
            lane: Some(lane % self.lanes),
        }
    }
}
