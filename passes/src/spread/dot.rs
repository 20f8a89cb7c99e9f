//! Products by matrix instructions.

use ir::{
    DType,
    lane::{self, Layout},
    tile::{Axis, Var},
};

use super::{Spreader, shared::Staged, tiling::Tiling};

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
        let tiling = self.layouts.tilings[&result].clone();
        let sum = self.want(acc, &tiling.c);
        let layouts = [&tiling.a, &tiling.b];
        // Both are read from global memory before either is written to shared memory.
        for (var, layout) in operands.into_iter().zip(layouts) {
            self.fetch(var, layout);
        }
        let mut sources = operands
            .into_iter()
            .zip(layouts)
            .map(|(var, layout)| self.source(var, layout));
        let sources = [sources.next(), sources.next()].map(|s| s.expect("two operands"));
        let dtypes = operands.map(|v| self.layouts.types[&v].0);
        self.products(&tiling, &sources, dtypes, sum)
    }

    /// Brings an operand into the registers from which it is staged.
    fn fetch(&mut self, var: Var, layout: &Layout) {
        if self.layouts.own.contains_key(&var) || self.is_staged(var, layout) {
            return;
        }
        let vector = self.simt.access.0 / self.layouts.types[&var].0.size() as u64;
        let from = self.layouts.preferred(var, vector);
        self.want(var, &from);
    }

    fn is_staged(&self, var: Var, layout: &Layout) -> bool {
        let staged = &self.scopes[self.scope_of(var)].staged;
        staged.contains_key(&(var, super::scope::key(contiguous(layout))))
    }

    fn source(&mut self, var: Var, layout: &Layout) -> Source {
        let own = self.layouts.own.get(&var).cloned();
        if own.is_some_and(|own| super::shared::moved(&own, layout).is_some()) {
            return Source::Held(self.want(var, layout));
        }
        Source::Staged(self.staged(var, contiguous(layout)))
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
        for k in 0..depth {
            let fragment = |s: &mut Self, side: usize, layout: &Layout, i: u32, width: u32| {
                let first = (i * depth + k) * width;
                s.fragment(&sources[side], layout, first..first + width, dtypes[side], tiling)
            };
            let left: Vec<Var> = (0..rows)
                .map(|i| fragment(self, 0, &tiling.a, i, a_width))
                .collect();
            let right: Vec<Var> = (0..columns)
                .map(|i| fragment(self, 1, &tiling.b, i, b_width))
                .collect();
            for (i, a) in left.iter().enumerate() {
                for (j, b) in right.iter().enumerate() {
                    let at = i * columns as usize + j;
                    sums[at] = self.set(lane::Value::Matrix {
                        instr,
                        a: *a,
                        b: *b,
                        c: sums[at],
                    });
                }
            }
        }
        self.concat(sums)
    }

    /// One fragment, in the type that the instruction takes.
    fn fragment(
        &mut self,
        source: &Source,
        layout: &Layout,
        registers: std::ops::Range<u32>,
        dtype: DType,
        tiling: &Tiling,
    ) -> Var {
        let x = match source {
            Source::Held(var) => self.pick(*var, layout.width(), registers),
            Source::Staged(staged) => {
                let registers: Vec<u32> = registers.collect();
                self.get(staged, layout, &registers)
            }
        };
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
fn contiguous(layout: &Layout) -> Axis {
    match layout.register.first() {
        Some(step) if step.row > 0 => Axis::Rows,
        _ => Axis::Lanes,
    }
}
