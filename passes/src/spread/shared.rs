//! Tiles in shared memory, and changes of layout through it.

use ir::{
    DType,
    lane::{self, Layout, Memory, Step},
    tile::{Array, Axis, Shape, Var},
};

use super::{
    Spreader,
    access::once,
    scope::key,
};

/// Bytes that are left free between rows, so that columns do not lie in one bank.
const PAD: usize = 16;

/// A tile in shared memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staged {
    pub array: u32,
    dtype: DType,
    /// Elements from one row to the next, and from one column to the next.
    strides: [i64; 2],
}

/// Strides of a padded tile that is contiguous along `along`, and its number of elements.
fn padded(shape: Shape, dtype: DType, along: Axis) -> ([i64; 2], i64) {
    let (inner, outer) = match along {
        Axis::Lanes => (shape.lanes, shape.rows),
        Axis::Rows => (shape.rows, shape.lanes),
    };
    let pad = if inner == 1 || outer == 1 {
        0
    } else {
        (PAD / dtype.size()) as i64
    };
    let stride = i64::from(inner) + pad;
    let strides = match along {
        Axis::Lanes => [stride, 1],
        Axis::Rows => [1, stride],
    };
    (strides, stride * i64::from(outer))
}

impl Spreader<'_> {
    fn array(&mut self, dtype: DType, len: i64) -> u32 {
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
        self.exchange(var, dtype, [from, to], (Shape::new(rows, lanes), Axis::Lanes))
    }

    /// Registers of one layout of a tile as those of another, through shared memory.
    pub(super) fn exchange(
        &mut self,
        var: Var,
        dtype: DType,
        [from, to]: [&Layout; 2],
        (shape, along): (Shape, Axis),
    ) -> Var {
        let (strides, len) = padded(shape, dtype, along);
        let array = self.scratch(dtype, len);
        let staged = Staged {
            array,
            dtype,
            strides,
        };
        self.put(&staged, from, var);
        let registers: Vec<u32> = (0..to.width()).collect();
        self.get(&staged, to, &registers)
    }

    /// A tile in shared memory, contiguous along `along`.
    pub(super) fn staged(&mut self, var: Var, along: Axis) -> Staged {
        let at = self.scope_of(var);
        let key = (var, key(along));
        if let Some(staged) = self.scopes[at].staged.get(&key) {
            return *staged;
        }
        let (dtype, shape) = self.layouts.types[&var];
        let vector = self.simt.access.0 / dtype.size() as u64;
        let layout = self.layouts.preferred(var, vector);
        let (strides, len) = padded(shape, dtype, along);
        let array = self.array(dtype, len);
        let staged = Staged {
            array,
            dtype,
            strides,
        };
        let x = self.want(var, &layout);
        self.within(at, |s| s.put(&staged, &layout, x));
        self.scopes[at].staged.insert(key, staged);
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

    fn place(&mut self, staged: &Staged, layout: &Layout, register: u32) -> lane::Index {
        let [down, across] = staged.strides;
        let (row, column) = layout.index(0);
        let base = self.kept(row * down + column * across);
        let (row, column) = layout.place(register, 0, 0);
        base + (i64::from(row) * down + i64::from(column) * across)
    }

    /// How many of at most `most` registers lie side by side and may be accessed at once.
    fn run(&self, staged: &Staged, layout: &Layout, most: u32) -> u32 {
        let [down, across] = staged.strides;
        let delta = |s: &Step| i64::from(s.row) * down + i64::from(s.column) * across;
        let bytes = (self.simt.access.0 as u32 / staged.dtype.size() as u32).max(1);
        let mut run = bytes.min(most);
        let fits = |run: u32| {
            let (within, beyond) = layout.register.split_at(run.ilog2() as usize);
            let others = beyond.iter().chain(&layout.lane).chain(&layout.warp);
            within.iter().enumerate().all(|(bit, s)| delta(s) == 1 << bit)
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
