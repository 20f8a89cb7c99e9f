//! Products by matrix instructions.

use std::ops::Range;

use ir::{
    DType,
    lane::{self, Layout},
    tile::{Axis, Var},
};

use super::{
    Spreader,
    scope::down,
    shared::{Reading, Staged, moved},
    tiling::Tiling,
};

/// Fragments of depth 1 that are read at once: as many elements as one access moves.
const AHEAD: u32 = 4;

/// Where the fragments of an operand come from.
enum Source {
    /// Registers, in the layout of the operand.
    Held(Var),
    /// Shared memory.
    Staged(Staged),
}

impl Spreader<'_> {
    /// The result of a dot, in its own layout.
    pub(super) fn dot(&mut self, result: Var, operands: [Var; 2], acc: Var) -> Var {
        if self.warpgroups.is_some() {
            return self.product(result, operands, acc);
        }
        let tiling = self.layouts.tilings[&result].clone();
        let sum = self.want(acc, &tiling.c);
        let layouts = [&tiling.a, &tiling.b];
        // Both are read from global memory before either is written to shared memory.
        for (var, layout) in operands.into_iter().zip(layouts) {
            self.fetch(var, layout, &tiling);
        }
        let mut sources = operands
            .into_iter()
            .zip(layouts)
            .map(|(var, layout)| self.source(var, layout, &tiling));
        let sources = [sources.next(), sources.next()].map(|s| s.expect("two operands"));
        let dtypes = operands.map(|v| self.layouts.types[&v].0);
        self.products(&tiling, &sources, dtypes, sum)
    }

    /// The axis along which an operand that is wanted in `layout` is to lie in shared memory.
    pub(super) fn orientation(&self, var: Var, layout: &Layout, tiling: &Tiling) -> Axis {
        let own = contiguous(layout);
        // Matrices are turned where they are read, and fragments of depth 1 are read several at once: such a tile
        // lies as it does in global memory.
        if tiling.reads_ahead() || self.reads_matrices(layout, self.layouts.types[&var].0) {
            self.layouts.runs(var).unwrap_or(own)
        } else {
            own
        }
    }

    /// How lanes read an operand that lies along `along` in shared memory.
    pub(super) fn reading(
        &self,
        var: Var,
        layout: &Layout,
        along: Axis,
        tiling: &Tiling,
    ) -> Reading {
        let dtype = self.layouts.types[&var].0;
        let width = if self.reads_matrices(layout, dtype) {
            self.simt.access.0 as u32 / dtype.size() as u32
        } else if tiling.reads_ahead() && along != contiguous(layout) {
            AHEAD
        } else {
            1
        };
        Reading::of(layout, along, width, dtype)
    }

    /// Brings an operand into the registers from which it is staged.
    fn fetch(&mut self, var: Var, layout: &Layout, tiling: &Tiling) {
        if self.layouts.own.contains_key(&var) || self.is_staged(var, layout, tiling) {
            return;
        }
        let vector = self.simt.access.0 / self.layouts.types[&var].0.size() as u64;
        let from = self.layouts.preferred(var, vector);
        self.want(var, &from);
    }

    fn is_staged(&self, var: Var, layout: &Layout, tiling: &Tiling) -> bool {
        let staged = &self.scopes[self.scope_of(var)].staged;
        staged.contains_key(&(var, down(self.orientation(var, layout, tiling))))
    }

    fn source(&mut self, var: Var, layout: &Layout, tiling: &Tiling) -> Source {
        let own = self.layouts.own.get(&var).cloned();
        if own.is_some_and(|own| moved(&own, layout).is_some()) {
            return Source::Held(self.want(var, layout));
        }
        let along = self.orientation(var, layout, tiling);
        let reading = self.reading(var, layout, along, tiling);
        Source::Staged(self.staged(var, along, reading))
    }

    /// Adds all products to the registers `sum`.
    fn products(
        &mut self,
        tiling: &Tiling,
        sources: &[Source; 2],
        dtypes: [DType; 2],
        sum: Var,
    ) -> Var {
        let [rows, columns, depth] = tiling.times;
        let [a_width, b_width, width] =
            [&tiling.instr.a, &tiling.instr.b, &tiling.instr.c].map(Layout::width);
        let instr = self.instruction(tiling);
        let whole = tiling.c.width();
        let mut sums: Vec<Var> = (0..rows * columns)
            .map(|i| self.pick(sum, whole, i * width..(i + 1) * width))
            .collect();
        let ahead = if tiling.reads_ahead() {
            depth.min(AHEAD)
        } else {
            1
        };
        for first in (0..depth).step_by(ahead as usize) {
            let mut each =
                |side: usize, times: u32, layout: &Layout, width: u32| -> Vec<Vec<Var>> {
                    let runs = (0..times).map(|i| {
                        let registers =
                            (i * depth + first) * width..(i * depth + first + ahead) * width;
                        self.fragments(
                            &sources[side],
                            layout,
                            registers,
                            ahead,
                            dtypes[side],
                            tiling,
                        )
                    });
                    runs.collect()
                };
            let left = each(0, rows, &tiling.a, a_width);
            let right = each(1, columns, &tiling.b, b_width);
            for k in 0..ahead as usize {
                for (i, a) in left.iter().enumerate() {
                    for (j, b) in right.iter().enumerate() {
                        let at = i * columns as usize + j;
                        sums[at] = self.set(lane::Value::Matrix {
                            instr,
                            a: a[k],
                            b: b[k],
                            c: sums[at],
                        });
                    }
                }
            }
        }
        self.concat(sums)
    }

    /// So many fragments that follow each other along the depth.
    fn fragments(
        &mut self,
        source: &Source,
        layout: &Layout,
        registers: Range<u32>,
        count: u32,
        dtype: DType,
        tiling: &Tiling,
    ) -> Vec<Var> {
        let width = registers.len() as u32 / count;
        let Source::Staged(staged) = source else {
            let starts = registers.step_by(width as usize);
            let each = starts.map(|r| self.fragment(source, layout, r..r + width, dtype, tiling));
            return each.collect();
        };
        let (within, bits) = (width.ilog2() as usize, count.ilog2() as usize);
        let along_depth = layout
            .register
            .get(within)
            .is_some_and(|s| staged.delta(s) == 1);
        if count == 1 || !along_depth {
            let starts = registers.step_by(width as usize);
            let each = starts.map(|r| self.fragment(source, layout, r..r + width, dtype, tiling));
            return each.collect();
        }
        // The same elements, numbered along the depth first.
        let mut turned = layout.clone();
        turned.register[..within + bits].rotate_left(within);
        let registers: Vec<u32> = registers.collect();
        let all = self.get(staged, &turned, &registers);
        let of = |k: u32| (0..width).map(move |r| r * count + k);
        let each = (0..count).map(|k| {
            let x = self.pick(all, width * count, of(k));
            self.taken(x, dtype, tiling)
        });
        each.collect()
    }

    /// One fragment, in the type that the instruction takes.
    fn fragment(
        &mut self,
        source: &Source,
        layout: &Layout,
        registers: Range<u32>,
        dtype: DType,
        tiling: &Tiling,
    ) -> Var {
        let x = match source {
            Source::Held(var) => self.pick(*var, layout.width(), registers),
            Source::Staged(staged) => {
                if let Some(x) = self.matrices(staged, layout, registers.clone()) {
                    return self.taken(x, dtype, tiling);
                }
                let registers: Vec<u32> = registers.collect();
                self.get(staged, layout, &registers)
            }
        };
        self.taken(x, dtype, tiling)
    }

    /// A fragment in the type that the instruction takes.
    fn taken(&mut self, x: Var, dtype: DType, tiling: &Tiling) -> Var {
        if dtype == tiling.instr.operands {
            return x;
        }
        self.set(lane::Value::Cast(tiling.instr.operands, x))
    }

    /// The position of an instruction among those of the program.
    fn instruction(&mut self, tiling: &Tiling) -> u32 {
        let known = self.matrix.iter().position(|i| *i == tiling.instr);
        let at = known.unwrap_or(self.matrix.len());
        if known.is_none() {
            self.matrix.push(tiling.instr.clone());
        }
        at as u32
    }
}

/// The axis along which a lane's registers lie, the lowest first.
pub(super) fn contiguous(layout: &Layout) -> Axis {
    match layout.register.first() {
        Some(step) if step.row > 0 => Axis::Rows,
        _ => Axis::Lanes,
    }
}
