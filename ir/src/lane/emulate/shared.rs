//! Shared memory, with a record of who touched each element since the last barrier.

use super::super::Program;
use super::fault::{RunFault, Thread, Touch};
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
}

struct Cells<'a> {
    array: &'a Array,
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
        let mut base = 0;
        let arrays = program.shared.iter().map(|array| {
            let start = base;
            base += array.bytes().next_multiple_of(16);
            Cells {
                array,
                base: start,
                cells: vec![cell.clone(); usize::try_from(array.len).expect("verified")],
            }
        });
        Self {
            arrays: arrays.collect(),
            epoch: 0,
            start: 0,
            lanes: program.lanes,
        }
    }

    /// What the block before left is undefined.
    pub fn start(&mut self) {
        self.epoch += 1;
        self.start = self.epoch;
    }

    /// All lanes have met.
    pub fn barrier(&mut self) {
        self.epoch += 1;
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
        if let Some(other) = cell.writes.other(epoch, lane) {
            return Err(self.race(array, at, Touch::Read, other, Touch::Write));
        }
        cell.reads.add(epoch, lane);
        Ok(cell.value)
    }

    /// Writes an element. Lanes that write the same value do not disturb each other.
    pub fn write(&mut self, array: u32, at: usize, lane: u32, value: f64) -> Result<(), RunFault> {
        self.free(array, at, Touch::Write)?;
        let epoch = self.epoch;
        let cell = &mut self.arrays[array as usize].cells[at];
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
        let cell = &mut self.arrays[array as usize].cells[at];
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
        let cell = &mut self.arrays[array as usize].cells[at];
        cell.copier = NONE;
        cell.value = value.unwrap_or(cell.value);
        cell.writes.add(epoch, lane);
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
