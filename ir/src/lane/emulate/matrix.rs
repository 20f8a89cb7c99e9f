//! Matrix instructions, by their meaning and their fragments.

use super::super::{Layout, MatrixInstr, Spelling, Step, WarpgroupInstr};
use super::{compute, fault::RunFault};
use crate::DType;

/// Where the registers of a warp lie in the matrices of an instruction.
pub(super) struct Fragments {
    /// Of [`Spelling::Outer`]: for each register of `c`, those of `a` and `b`.
    own: Option<Vec<(u32, u32)>>,
    a: Fragment,
    /// Of the transposed matrix, so that columns lie side by side.
    b: Fragment,
    c: Fragment,
    sides: (usize, usize, usize),
    accumulator: DType,
}

/// Where the registers of a warpgroup lie in the matrices of an instruction.
pub(super) struct GroupFragments {
    a: Fragment,
    c: Fragment,
    sides: (usize, usize, usize),
    accumulator: DType,
}

/// Where each register of each lane lies in a matrix.
struct Fragment {
    operand: char,
    columns: usize,
    /// Offsets, warp by warp, the lanes of a register side by side.
    at: Vec<usize>,
    elements: usize,
    /// Whether an element has several holders.
    repeats: bool,
}

impl Fragment {
    fn new(operand: char, layout: &Layout) -> Self {
        let (rows, columns) = layout.shape();
        let registers = 0..layout.width();
        let holders = (0..layout.warps()).flat_map(|w| registers.clone().map(move |r| (w, r)));
        let places =
            holders.flat_map(|(w, r)| (0..layout.lanes()).map(move |l| layout.place(r, l, w)));
        Self {
            operand,
            columns: columns as usize,
            at: places.map(|(r, c)| (r * columns + c) as usize).collect(),
            elements: (rows * columns) as usize,
            repeats: layout.steps().any(|s| s == Step::NONE),
        }
    }

    /// The matrix that the registers hold.
    fn gather(&self, registers: &[f64]) -> Result<Vec<f64>, RunFault> {
        let mut matrix = vec![0.0; self.elements];
        for (at, x) in self.at.iter().zip(registers) {
            matrix[*at] = *x;
        }
        if self.repeats {
            for (at, x) in self.at.iter().zip(registers) {
                if matrix[*at].to_bits() != x.to_bits() {
                    let (row, column) = (at / self.columns, at % self.columns);
                    let turned = self.operand == 'b';
                    return Err(RunFault::Fragment {
                        operand: self.operand,
                        row: if turned { column } else { row } as u32,
                        column: if turned { row } else { column } as u32,
                        first: *x,
                        second: matrix[*at],
                    });
                }
            }
        }
        Ok(matrix)
    }
}

impl Fragments {
    pub fn new(instr: &MatrixInstr) -> Self {
        let (m, n, k) = instr.sides();
        let turned = |s: &Step| Step {
            row: s.column,
            column: s.row,
        };
        let turn = |steps: &[Step]| steps.iter().map(turned).collect();
        let b = Layout {
            register: turn(&instr.b.register),
            lane: turn(&instr.b.lane),
            warp: turn(&instr.b.warp),
        };
        Self {
            own: (instr.spelling == Spelling::Outer)
                .then(|| instr.own_registers())
                .flatten(),
            a: Fragment::new('a', &instr.a),
            b: Fragment::new('b', &b),
            c: Fragment::new('c', &instr.c),
            sides: (m as usize, n as usize, k as usize),
            accumulator: instr.accumulator,
        }
    }

    /// Operations of the whole warp.
    pub fn flops(&self) -> u64 {
        let (m, n, k) = self.sides;
        2 * (m * n * k) as u64
    }

    /// Makes `out` the registers of `c + a b`.
    pub fn run(
        &self,
        [a, b, c]: [&[f64]; 3],
        lanes: usize,
        out: &mut Vec<f64>,
    ) -> Result<(), RunFault> {
        match &self.own {
            Some(own) => {
                for ((a_at, b_at), c) in own.iter().zip(c.chunks(lanes)) {
                    let a = &a[*a_at as usize * lanes..][..lanes];
                    let b = &b[*b_at as usize * lanes..][..lanes];
                    let each = a.iter().zip(b).zip(c);
                    out.extend(each.map(|((a, b), c)| a * b + c));
                }
            }
            None => {
                let (a, b) = (self.a.gather(a)?, self.b.gather(b)?);
                let mut c = self.c.gather(c)?;
                add_product(&a, &b, &mut c, self.sides);
                out.extend(self.c.at.iter().map(|at| c[*at]));
            }
        }
        compute::round(self.accumulator, out);
        Ok(())
    }
}

/// Adds the product of `a` and `b`, whose columns lie side by side, to `c`.
fn add_product(a: &[f64], b: &[f64], c: &mut [f64], (_, n, k): (usize, usize, usize)) {
    for (a, c) in a.chunks(k).zip(c.chunks_mut(n)) {
        for (b, c) in b.chunks(k).zip(c) {
            *c += a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        }
    }
}

impl GroupFragments {
    pub fn new(instr: &WarpgroupInstr) -> Self {
        let (m, n, k) = instr.sides();
        Self {
            a: Fragment::new('a', &instr.a),
            c: Fragment::new('c', &instr.c),
            sides: (m as usize, n as usize, k as usize),
            accumulator: instr.accumulator,
        }
    }

    /// Operations of the whole warpgroup.
    pub fn flops(&self) -> u64 {
        let (m, n, k) = self.sides;
        2 * (m * n * k) as u64
    }

    /// The left matrix that the registers of the warps hold.
    pub fn left(&self, registers: &[f64]) -> Result<Vec<f64>, RunFault> {
        self.a.gather(registers)
    }

    /// The registers of the warps that hold `c + a b`, of matrices `a` and `b`, its columns side by side.
    pub fn add(&self, a: &[f64], b: &[f64], c: &[f64]) -> Result<Vec<f64>, RunFault> {
        let mut sum = self.c.gather(c)?;
        add_product(a, b, &mut sum, self.sides);
        let mut out: Vec<_> = self.c.at.iter().map(|at| sum[*at]).collect();
        compute::round(self.accumulator, &mut out);
        Ok(out)
    }
}
