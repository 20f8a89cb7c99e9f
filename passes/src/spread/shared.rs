//! Tiles in shared memory, and changes of layout through it.

use ir::{
    DType, Skew,
    lane::{self, Layout, Memory, Step},
    tile::{Array, Axis, Shape, Var},
};

use super::{Spreader, access::once, scope::down};

/// Bytes that every tile starts at a multiple of.
const ALIGN: usize = 16;

/// Bytes of all banks.
const BANKS: i64 = 128;

/// Least bytes that asynchronous copies move.
const LEAST: usize = 4;

/// How lanes read a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// How far apart the lines are that they read together.
    pub apart: u32,
    /// Elements of a line that they read together.
    pub width: u32,
}

impl Reading {
    /// By the registers and lanes of a layout, where lines lie across `along`; a lane reads so many elements at once,
    /// at least.
    pub fn of(layout: &Layout, along: Axis, least: u32, dtype: DType) -> Self {
        let [across, on]: [fn(&Step) -> u32; 2] = match along {
            Axis::Lanes => [|s| s.row, |s| s.column],
            Axis::Rows => [|s| s.column, |s| s.row],
        };
        let apart = layout.lane.iter().map(across).filter(|by| *by > 0).min();
        let steps = layout.register.iter().enumerate();
        let low = steps.take_while(|(bit, s)| on(s) == 1 << bit).count();
        let own = least.max(1 << low).min((ALIGN / dtype.size()) as u32);
        // Lanes whose words the banks give at once.
        let bytes = (own as usize * dtype.size()).max(LEAST);
        let together = (BANKS as usize / bytes).ilog2() as usize;
        let mut width = own;
        for step in layout.lane.iter().take(together) {
            if on(step) == width {
                width *= 2;
            }
        }
        Self {
            apart: apart.unwrap_or(1),
            width,
        }
    }
}

/// A tile in shared memory, or a place for one.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub array: u32,
    pub dtype: DType,
    /// The axis along which elements lie side by side.
    pub along: Axis,
    /// Elements side by side, which follow each other in lines.
    line: i64,
    /// Lines of a group.
    group: i64,
    shift: Shift,
    /// Where it starts, a multiple of 16 bytes.
    offset: lane::Index,
}

/// How groups of lines are shifted against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shift {
    /// By elements left free after each.
    Pad(i64),
    /// By an exclusive or of the piece of a line with the number of its group.
    Swizzle {
        /// Elements of a piece.
        piece: i64,
        /// Pieces that change places.
        pieces: i64,
    },
}

impl Staged {
    /// A place for a tile, in no array yet, and its number of elements.
    pub fn new(
        shape: Shape,
        dtype: DType,
        (along, reading): (Axis, Reading),
        skew: Skew,
    ) -> (Self, i64) {
        let (inner, outer) = match along {
            Axis::Lanes => (shape.lanes, shape.rows),
            Axis::Rows => (shape.rows, shape.lanes),
        };
        let unit = (ALIGN / dtype.size()) as i64;
        let line = i64::from(inner);
        let group = i64::from(reading.apart);
        // What lanes read at once is left free between lines, or changes places with others.
        let bytes = (reading.width as usize * dtype.size()).clamp(LEAST, ALIGN);
        let piece = (bytes / dtype.size()).max(1) as i64;
        let (shift, group) = match skew {
            _ if inner == 1 || outer == 1 => (Shift::Pad(0), group),
            Skew::Pad => (Shift::Pad(piece), group),
            Skew::Swizzle => {
                // Lines that fill the banks together need no shift against each other.
                let together = BANKS / (line * dtype.size() as i64).clamp(1, BANKS);
                let shift = Shift::Swizzle {
                    piece,
                    pieces: (line / piece).clamp(1, BANKS / bytes as i64),
                };
                (shift, together.max(group))
            }
        };
        let staged = Self {
            array: u32::MAX,
            dtype,
            along,
            line,
            group,
            shift,
            offset: 0.into(),
        };
        // Whole accesses, so that tiles can follow each other.
        let pad = match shift {
            Shift::Pad(pad) => i64::from(outer) / staged.group * pad,
            Shift::Swizzle { .. } => 0,
        };
        let len = (i64::from(outer) * line + pad) as u64;
        (staged, len.next_multiple_of(unit as u64) as i64)
    }

    /// Where a line starts, in a tile at 0; lines are powers of two.
    fn passed(&self, line: u32) -> i64 {
        let line = i64::from(line);
        let group = line / self.group;
        match self.shift {
            Shift::Pad(pad) => line * self.line + group * pad,
            Shift::Swizzle { piece, pieces } => line * self.line + group % pieces * piece,
        }
    }

    /// Elements that a step passes: added to, or with a swizzle xored with, those of other steps.
    pub fn delta(&self, s: &Step) -> i64 {
        match self.along {
            Axis::Lanes => self.passed(s.row) + i64::from(s.column),
            Axis::Rows => self.passed(s.column) + i64::from(s.row),
        }
    }

    /// Whether every line starts at a multiple of `by` elements.
    pub fn starts_at(&self, by: i64) -> bool {
        let shift = match self.shift {
            Shift::Pad(pad) => pad,
            Shift::Swizzle { piece, .. } => piece,
        };
        self.line % by == 0 && shift % by == 0
    }

    /// Where an element lies in a tile at 0.
    fn at_element(&self, row: lane::Index, column: lane::Index) -> lane::Index {
        let (outer, inner) = match self.along {
            Axis::Lanes => (row, column),
            Axis::Rows => (column, row),
        };
        match self.shift {
            Shift::Pad(pad) if self.group == 1 => outer * (self.line + pad) + inner,
            Shift::Pad(pad) => {
                let groups = outer.clone().floor_div(self.group);
                outer * self.line + groups * pad + inner
            }
            Shift::Swizzle { piece, pieces } => {
                let group = outer.clone().floor_div(self.group).modulo(pieces);
                outer * self.line + inner.xor(group * piece)
            }
        }
    }

    /// The element of the registers that take these steps from the one at `base`, in a tile at 0.
    fn stepped<'s>(&self, base: lane::Index, steps: impl Iterator<Item = &'s Step>) -> lane::Index {
        let deltas = steps.map(|s| self.delta(s));
        match self.shift {
            Shift::Pad(_) => base + deltas.sum::<i64>(),
            // Steps are distinct bits, and the swizzle is linear in bits.
            Shift::Swizzle { .. } => base.xor(deltas.fold(0, |a, b| a ^ b)),
        }
    }

    /// The same tile in an array.
    pub fn within(self, array: u32) -> Self {
        Self { array, ..self }
    }

    /// The same tile elsewhere in its array.
    pub fn at(&self, offset: lane::Index) -> Self {
        Self {
            offset,
            ..self.clone()
        }
    }
}

impl Spreader<'_> {
    pub(super) fn array(&mut self, dtype: DType, len: i64) -> u32 {
        let at = self.shared.len() as u32;
        self.shared.push(Array {
            name: format!("s{at}"),
            dtype,
            len,
            written: true,
        });
        at
    }

    /// The array through which elements of this type change hands, of at least this length.
    fn scratch(&mut self, dtype: DType, len: i64) -> u32 {
        let at = match self.scratch.get(&dtype) {
            Some(at) => *at,
            None => self.array(dtype, len),
        };
        self.scratch.insert(dtype, at);
        let array = &mut self.shared[at as usize];
        array.len = array.len.max(len);
        at
    }

    /// Registers in layout `from` as registers in layout `to`.
    pub(super) fn convert(&mut self, var: Var, dtype: DType, from: &Layout, to: &Layout) -> Var {
        if let Some(registers) = moved(from, to) {
            return self.pick(var, from.width(), registers);
        }
        let (rows, lanes) = from.shape();
        self.exchange(
            var,
            dtype,
            [from, to],
            (Shape::new(rows, lanes), Axis::Lanes),
        )
    }

    /// Registers of one layout of a tile as those of another, through shared memory.
    pub(super) fn exchange(
        &mut self,
        var: Var,
        dtype: DType,
        [from, to]: [&Layout; 2],
        (shape, along): (Shape, Axis),
    ) -> Var {
        let reading = Reading {
            apart: 1,
            width: (ALIGN / dtype.size()) as u32,
        };
        let (staged, len) = Staged::new(shape, dtype, (along, reading), Skew::Pad);
        let array = self.scratch(dtype, len);
        let staged = staged.within(array);
        self.put(&staged, from, var);
        let registers: Vec<u32> = (0..to.width()).collect();
        self.get(&staged, to, &registers)
    }

    /// A tile in shared memory, contiguous along `along`, which lanes read so.
    pub(super) fn staged(&mut self, var: Var, along: Axis, reading: Reading) -> Staged {
        let at = self.scope_of(var);
        let key = (var, down(along));
        if let Some(staged) = self.scopes[at].staged.get(&key) {
            return staged.clone();
        }
        let (dtype, shape) = self.layouts.types[&var];
        let vector = self.simt.access.0 / dtype.size() as u64;
        let layout = self.layouts.preferred(var, vector);
        let (staged, len) = Staged::new(shape, dtype, (along, reading), self.skew);
        let array = self.array(dtype, len);
        let staged = staged.within(array);
        let x = self.want(var, &layout);
        self.within(at, |s| s.put(&staged, &layout, x));
        self.scopes[at].staged.insert(key, staged.clone());
        staged
    }

    /// Writes a tile, each element once.
    fn put(&mut self, staged: &Staged, layout: &Layout, value: Var) {
        let run = self.run(staged, layout, layout.width());
        let guard = once(layout);
        for register in (0..layout.width()).step_by(run as usize) {
            let to = lane::Access {
                memory: Memory::Shared(staged.array),
                at: self.place(staged, layout, register),
                guard: guard.clone(),
            };
            let value = self.pick(value, layout.width(), register..register + run);
            self.push(lane::Stmt::Store { to, value });
        }
    }

    /// Reads these registers of a tile: a run whose length and start are powers of two, or all.
    pub(super) fn get(&mut self, staged: &Staged, layout: &Layout, registers: &[u32]) -> Var {
        let width = self.run(staged, layout, registers.len() as u32);
        let parts = registers
            .iter()
            .step_by(width as usize)
            .map(|register| {
                let from = lane::Access {
                    memory: Memory::Shared(staged.array),
                    at: self.place(staged, layout, *register),
                    guard: vec![],
                };
                let other = 0.0.into();
                self.set(lane::Value::Load { from, width, other })
            })
            .collect();
        self.concat(parts)
    }

    pub(super) fn place(&mut self, staged: &Staged, layout: &Layout, register: u32) -> lane::Index {
        let (row, column) = layout.index(0);
        let base = self.kept(staged.at_element(row, column));
        let steps = layout.register.iter().enumerate();
        let taken = steps.filter(|(bit, _)| register >> bit & 1 == 1);
        let at = staged.stepped(base, taken.map(|(_, s)| s));
        at + staged.offset.clone()
    }

    /// How many of at most `most` registers lie side by side and may be accessed at once.
    pub(super) fn run(&self, staged: &Staged, layout: &Layout, most: u32) -> u32 {
        let delta = |s: &Step| staged.delta(s);
        let bytes = (self.simt.access.0 as u32 / staged.dtype.size() as u32).max(1);
        let mut run = bytes.min(most);
        let fits = |run: u32| {
            let (within, beyond) = layout.register.split_at(run.ilog2() as usize);
            let others = beyond.iter().chain(&layout.lane).chain(&layout.warp);
            within
                .iter()
                .enumerate()
                .all(|(bit, s)| delta(s) == 1 << bit)
                && others.into_iter().all(|s| delta(s) % i64::from(run) == 0)
        };
        while run > 1 && !fits(run) {
            run /= 2;
        }
        run
    }
}

/// The registers of `from` that are those of `to`, if no element changes its lane.
pub(super) fn moved(from: &Layout, to: &Layout) -> Option<Vec<u32>> {
    let places = |l: &Layout| (l.lane.clone(), l.warp.clone());
    if places(from) != places(to) {
        return None;
    }
    let bits: Option<Vec<usize>> = to
        .register
        .iter()
        .map(|step| from.register.iter().position(|s| s == step))
        .collect();
    let bits = bits?;
    let register = |r: u32| {
        let each = bits.iter().enumerate();
        each.map(|(to, from)| (r >> to & 1) << from).sum()
    };
    Some((0..to.width()).map(register).collect())
}
