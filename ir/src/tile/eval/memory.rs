//! Arrays with a record of which block touched which element.

use super::{Arithmetic, RunFault};
use crate::{
    DType,
    tile::{Array, Memory, Program},
};

/// The arrays of a program while it runs.
pub(super) struct Memories<'a> {
    params: Vec<Cells<'a, &'a mut [f64]>>,
    locals: Vec<Cells<'a, Vec<f64>>>,
    arithmetic: Arithmetic,
    block: i64,
}

struct Cells<'a, V> {
    array: &'a Array,
    values: V,
    /// Of each element of an array that is written: its last writer.
    writers: Vec<Blocks>,
    /// Of each element of a parameter that is written: who read it.
    readers: Vec<Blocks>,
}

/// Who touched an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocks {
    None,
    One(i64),
    /// More, and this one.
    Several(i64),
}

impl Blocks {
    fn and(self, block: i64) -> Self {
        match self {
            Self::None => Self::One(block),
            Self::One(b) if b == block => self,
            Self::One(_) | Self::Several(_) => Self::Several(block),
        }
    }

    /// A block other than this one.
    fn other_than(self, block: i64) -> Option<i64> {
        match self {
            Self::None => None,
            Self::One(b) => (b != block).then_some(b),
            Self::Several(b) => Some(b),
        }
    }
}

impl<'a> Memories<'a> {
    pub fn new(program: &'a Program, params: &'a mut [Vec<f64>], arithmetic: Arithmetic) -> Self {
        let untouched = |array: &Array, wanted: bool| {
            let len = usize::try_from(array.len).expect("verified: not negative");
            vec![Blocks::None; if wanted { len } else { 0 }]
        };
        let params = program
            .params
            .iter()
            .zip(params)
            .map(|(array, values)| Cells {
                array,
                values: values.as_mut_slice(),
                writers: untouched(array, array.written),
                readers: untouched(array, array.written),
            });
        let locals = program.locals.iter().map(|array| Cells {
            array,
            values: vec![0.0; usize::try_from(array.len).expect("verified: not negative")],
            writers: untouched(array, true),
            readers: vec![],
        });
        Self {
            params: params.collect(),
            locals: locals.collect(),
            arithmetic,
            block: 0,
        }
    }

    /// Locals are undefined from here on, until this block writes them.
    pub fn start(&mut self, block: i64) {
        self.block = block;
    }

    /// The element at `at`.
    pub fn read(
        &mut self,
        memory: Memory,
        place: (usize, usize),
        at: i64,
    ) -> Result<f64, RunFault> {
        let block = self.block;
        match memory {
            Memory::Param(i) => {
                let cells = &mut self.params[i as usize];
                let k = offset(cells.array, place, at)?;
                if cells.array.written {
                    if let Some(writer) = cells.writers[k].other_than(block) {
                        return Err(race(cells.array, at, writer, block));
                    }
                    cells.readers[k] = cells.readers[k].and(block);
                }
                Ok(self.arithmetic.round(cells.array.dtype, cells.values[k]))
            }
            Memory::Local(i) => {
                let cells = &self.locals[i as usize];
                let k = offset(cells.array, place, at)?;
                if cells.writers[k] == Blocks::One(block) {
                    return Ok(cells.values[k]);
                }
                Err(RunFault::Unset {
                    array: cells.array.name.clone(),
                    at,
                })
            }
        }
    }

    /// Sets the element at `at`.
    pub fn write(
        &mut self,
        memory: Memory,
        place: (usize, usize),
        at: i64,
        value: f64,
    ) -> Result<(), RunFault> {
        let block = self.block;
        match memory {
            Memory::Param(i) => {
                let cells = &mut self.params[i as usize];
                let k = offset(cells.array, place, at)?;
                if cells.values[k].to_bits() != value.to_bits() {
                    let touched = [cells.writers[k], cells.readers[k]];
                    if let Some(other) = touched.iter().find_map(|b| b.other_than(block)) {
                        return Err(race(cells.array, at, block, other));
                    }
                }
                cells.values[k] = value;
                cells.writers[k] = cells.writers[k].and(block);
            }
            Memory::Local(i) => {
                let cells = &mut self.locals[i as usize];
                let k = offset(cells.array, place, at)?;
                cells.values[k] = value;
                cells.writers[k] = Blocks::One(block);
            }
        }
        Ok(())
    }
}

impl Arithmetic {
    /// A result as its element type holds it.
    pub(super) fn round(self, dtype: DType, x: f64) -> f64 {
        if self == Self::Exact && dtype.is_float() {
            x
        } else {
            crate::round_to(dtype, x)
        }
    }
}

fn offset(array: &Array, (row, lane): (usize, usize), at: i64) -> Result<usize, RunFault> {
    if (0..array.len).contains(&at) {
        return Ok(at as usize);
    }
    Err(RunFault::Outside {
        array: array.name.clone(),
        len: array.len,
        row,
        lane,
        at,
    })
}

fn race(array: &Array, at: i64, writer: i64, other: i64) -> RunFault {
    RunFault::Race {
        array: array.name.clone(),
        at,
        writer,
        other,
    }
}
