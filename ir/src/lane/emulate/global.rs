//! Global memory, with a record of which lane touched each element that may change.

use super::super::Program;
use super::fault::{RunFault, Thread, Touch};
use crate::tile::Array;

/// Nobody.
const NONE: u64 = u64::MAX;

/// The parameters of a program while it runs. Lanes are numbered through all warps and blocks. No barrier orders
/// what they do here.
pub(super) struct Global<'a> {
    arrays: Vec<Cells<'a>>,
    threads: u64,
    lanes: u64,
}

struct Cells<'a> {
    array: &'a Array,
    values: &'a mut [f64],
    /// Of each element of an array that is written.
    users: Vec<Users>,
}

#[derive(Clone)]
struct Users {
    writers: Few,
    readers: Few,
}

/// One lane that did something, and one other.
#[derive(Clone, Copy)]
struct Few {
    first: u64,
    second: u64,
}

impl Few {
    const NOBODY: Self = Self {
        first: NONE,
        second: NONE,
    };

    fn add(&mut self, lane: u64) {
        if self.first == NONE {
            self.first = lane;
        } else if self.first != lane {
            self.second = lane;
        }
    }

    /// A lane other than this one.
    fn other(&self, lane: u64) -> Option<u64> {
        let mut all = [self.first, self.second].into_iter();
        all.find(|l| *l != lane && *l != NONE)
    }
}

impl<'a> Global<'a> {
    pub fn new(program: &'a Program, params: &'a mut [Vec<f64>]) -> Self {
        let nobody = Users {
            writers: Few::NOBODY,
            readers: Few::NOBODY,
        };
        let arrays = program.params.iter().zip(params).map(|(array, values)| {
            let len = if array.written { values.len() } else { 0 };
            Cells {
                array,
                values,
                users: vec![nobody.clone(); len],
            }
        });
        Self {
            arrays: arrays.collect(),
            threads: program.threads().into(),
            lanes: program.lanes.into(),
        }
    }

    /// The value of an element, whoever asks.
    pub fn peek(&self, array: u32, at: usize) -> f64 {
        let cells = &self.arrays[array as usize];
        crate::round_to(cells.array.dtype, cells.values[at])
    }

    pub fn read(&mut self, array: u32, at: usize, lane: u64) -> Result<f64, RunFault> {
        if let Some(users) = self.arrays[array as usize].users.get_mut(at) {
            if let Some(other) = users.writers.other(lane) {
                return Err(self.conflict(array, at, Touch::Read, other, Touch::Write));
            }
            users.readers.add(lane);
        }
        Ok(self.peek(array, at))
    }

    /// Writes an element. Lanes that write the same value do not disturb each other.
    pub fn write(&mut self, array: u32, at: usize, lane: u64, value: f64) -> Result<(), RunFault> {
        let cells = &mut self.arrays[array as usize];
        let users = &mut cells.users[at];
        if cells.values[at].to_bits() != value.to_bits() {
            for (who, theirs) in [(users.writers, Touch::Write), (users.readers, Touch::Read)] {
                if let Some(other) = who.other(lane) {
                    return Err(self.conflict(array, at, Touch::Write, other, theirs));
                }
            }
        }
        users.writers.add(lane);
        cells.values[at] = value;
        Ok(())
    }

    fn conflict(&self, array: u32, at: usize, this: Touch, other: u64, theirs: Touch) -> RunFault {
        let thread = other % self.threads;
        RunFault::Conflict {
            array: self.arrays[array as usize].array.name.clone(),
            at,
            this,
            block: other / self.threads,
            other: Thread {
                warp: (thread / self.lanes) as u32,
                lane: Some((thread % self.lanes) as u32),
            },
            theirs,
        }
    }
}
