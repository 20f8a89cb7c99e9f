//! Lane programs of warp roles: one warpgroup copies boxes of tensors, two multiply.
#![allow(dead_code, reason = "each test uses a part")]

use ir::{
    BinaryFn, DType,
    lane::{
        Access, Bulk, Carried, For, Index, LeftOperand, Mbarrier, Memory, Program, SharedTile,
        Signal, Stmt, Swizzle, TensorMap, Type, Value, WarpgroupInstr,
    },
    tile::{Array, Counter, Var},
};

/// Warps that multiply; four more copy.
pub const CONSUMERS: i64 = 8;
/// Rows of a block's tile: two warpgroups of 64.
pub const ROWS: i64 = 128;
pub const BLOCK: Counter = Counter(0);
const PART: Counter = Counter(1);
pub const FULL: u32 = 0;
pub const EMPTY: u32 = 1;

/// What counts the tiles of a block and the steps of a tile, for those who copy and those who multiply.
#[derive(Clone, Copy)]
pub struct Counters {
    pub tile: Counter,
    pub step: Counter,
}

pub const COPYING: Counters = Counters {
    tile: Counter(2),
    step: Counter(3),
};
pub const MULTIPLYING: Counters = Counters {
    tile: Counter(4),
    step: Counter(5),
};

/// Statements in the making.
#[derive(Default)]
pub struct Build {
    next: u32,
    pub body: Vec<Stmt>,
}

impl Build {
    fn var(&mut self) -> Var {
        self.next += 1;
        Var(self.next - 1)
    }

    pub fn let_(&mut self, value: Value) -> Var {
        let var = self.var();
        self.body.push(Stmt::Let(var, value));
        var
    }

    pub fn constant(&mut self, number: f64, dtype: DType, width: u32) -> Var {
        self.let_(Value::Const(number.into(), Type::new(dtype, width)))
    }

    pub fn binary(&mut self, f: BinaryFn, a: Var, b: Var) -> Var {
        self.let_(Value::Binary(f, a, b))
    }

    pub fn bulk(&mut self, bulk: Bulk) {
        self.body.push(Stmt::Bulk(bulk));
    }

    /// What `inside` says, apart.
    fn apart(&mut self, inside: impl FnOnce(&mut Self)) -> Vec<Stmt> {
        let outer = std::mem::take(&mut self.body);
        inside(self);
        std::mem::replace(&mut self.body, outer)
    }

    pub fn when(&mut self, guard: Vec<(Index, Index)>, inside: impl FnOnce(&mut Self)) {
        let body = self.apart(inside);
        self.body.push(Stmt::When { guard, body });
    }

    /// A loop that counts by 1 and carries variables.
    pub fn each(
        &mut self,
        counter: Counter,
        end: Index,
        unroll: u32,
        inits: &[Var],
        inside: impl FnOnce(&mut Self, &[Var]) -> Vec<Var>,
    ) -> Vec<Var> {
        let current: Vec<Var> = inits.iter().map(|_| self.var()).collect();
        let mut next = vec![];
        let body = self.apart(|b| next = inside(b, &current));
        let results: Vec<Var> = inits.iter().map(|_| self.var()).collect();
        let carried = (0..inits.len()).map(|i| Carried {
            init: inits[i],
            current: current[i],
            next: next[i],
            result: results[i],
        });
        self.body.push(Stmt::For(For {
            counter,
            start: Index::Const(0),
            end,
            step: 1,
            unroll,
            carried: carried.collect(),
            body,
        }));
        results
    }
}

pub fn at(counter: Counter) -> Index {
    Index::from(counter)
}

pub fn signal(mbarrier: u32, slot: Index) -> Signal {
    Signal { mbarrier, slot }
}

/// The slot of a step that counts on, and the parity of the phase in which it is full.
pub fn ring(step: Index, stages: i64) -> (Index, Index) {
    (
        step.clone().modulo(stages),
        step.floor_div(stages).modulo(2),
    )
}

pub fn array(name: &str, dtype: DType, len: i64, written: bool) -> Array {
    Array {
        name: name.into(),
        dtype,
        len,
        written,
    }
}

pub fn mbarriers(stages: u32) -> Vec<Mbarrier> {
    let make = |name: &str, arrivals| Mbarrier {
        name: name.into(),
        len: stages,
        arrivals,
    };
    // One lane copies; one lane of each warp that multiplies says that it has read.
    vec![make("full", 1), make("empty", CONSUMERS as u32)]
}

/// A rows x columns tensor of which boxes with lines of the swizzle are copied.
pub fn map(param: u32, [rows, columns]: [i64; 2], tall: i64, swizzle: Swizzle) -> TensorMap {
    TensorMap {
        param,
        sizes: vec![columns, rows],
        strides: vec![columns],
        extents: vec![swizzle.line() / 2, tall as u32],
        swizzle,
    }
}

/// A contraction `y = x w`, or `x w^T`, in bf16 or f16, summed in f32.
#[derive(Clone, Copy, Debug)]
pub struct Gemm {
    pub dtype: DType,
    pub rows: i64,
    pub columns: i64,
    pub depth: i64,
    /// Columns of a block's tile.
    pub wide: i64,
    /// Depth of a stage.
    pub deep: i64,
    pub stages: i64,
    /// Blocks, each of which takes tiles until there are none.
    pub blocks: i64,
    pub swizzle: Swizzle,
    /// Whether `x` is stored as its transpose.
    pub x_turned: bool,
    /// Whether `w` has a line for each place along the depth, not for each column.
    pub w_turned: bool,
}

impl Gemm {
    pub fn new(dtype: DType, wide: i64) -> Self {
        Self {
            dtype,
            rows: 8192,
            columns: 8192,
            depth: 8192,
            wide,
            deep: 64,
            stages: 4,
            blocks: 132,
            swizzle: Swizzle::B128,
            x_turned: false,
            w_turned: false,
        }
    }

    /// Small enough for an emulator: several tiles to a block, more steps than stages, a ragged edge.
    pub fn small(self) -> Self {
        Self {
            rows: 200,
            columns: 2 * self.wide - 56,
            depth: 6 * self.deep - 40,
            blocks: 3,
            ..self
        }
    }

    /// A program; the instruction is the one for a block's columns.
    pub fn program(&self, instrs: &[WarpgroupInstr]) -> Program {
        let fits =
            |i: &&WarpgroupInstr| i.operands == self.dtype && i64::from(i.sides().1) == self.wide;
        let instr = instrs.iter().find(fits).unwrap().clone();
        let line = i64::from(self.swizzle.line()) / 2;
        let [x_sizes, w_sizes] =
            [(self.x_turned, self.rows), (self.w_turned, self.columns)].map(|(turned, n)| {
                if turned {
                    [self.depth, n]
                } else {
                    [n, self.depth]
                }
            });
        let tall = |turned: bool, n: i64| if turned { self.deep } else { n };
        let mut b = Build::default();
        self.producer(&mut b, line);
        self.consumer(&mut b, line, &instr);
        Program {
            name: "gemm".into(),
            params: vec![
                array("x", self.dtype, self.rows * self.depth, false),
                array("w", self.dtype, self.depth * self.columns, false),
                array("y", self.dtype, self.rows * self.columns, true),
            ],
            shared: vec![
                array("xs", self.dtype, self.stages * ROWS * self.deep, true),
                array("ws", self.dtype, self.stages * self.wide * self.deep, true),
            ],
            grid: vec![self.blocks],
            warps: 12,
            lanes: 32,
            matrix: vec![],
            maps: vec![
                map(0, x_sizes, tall(self.x_turned, ROWS), self.swizzle),
                map(1, w_sizes, tall(self.w_turned, self.wide), self.swizzle),
            ],
            mbarriers: mbarriers(self.stages as u32),
            warpgroup: vec![instr],
            body: b.body,
        }
    }

    fn across(&self) -> i64 {
        (self.columns + self.wide - 1) / self.wide
    }

    fn steps(&self) -> i64 {
        (self.depth + self.deep - 1) / self.deep
    }

    /// How many tiles this block takes.
    fn rounds(&self) -> Index {
        let tiles = (self.rows + ROWS - 1) / ROWS * self.across();
        (at(BLOCK) * -1 + (tiles + self.blocks - 1)).floor_div(self.blocks)
    }

    /// First row and column of a tile.
    fn corner(&self, by: Counters) -> (Index, Index) {
        let tile = at(by.tile) * self.blocks + at(BLOCK);
        (
            tile.clone().floor_div(self.across()) * ROWS,
            tile.modulo(self.across()) * self.wide,
        )
    }

    fn ring(&self, by: Counters) -> (Index, Index) {
        ring(at(by.tile) * self.steps() + at(by.step), self.stages)
    }

    fn producer(&self, b: &mut Build, line: i64) {
        let by = COPYING;
        b.when(vec![(Index::Const(CONSUMERS - 1), Index::Warp)], |b| {
            b.bulk(Bulk::Registers {
                count: 40,
                more: false,
            });
            let first = vec![
                (Index::Warp, Index::Const(CONSUMERS + 1)),
                (Index::Lane, Index::Const(1)),
            ];
            b.when(first, |b| {
                b.each(by.tile, self.rounds(), 1, &[], |b, _| {
                    b.each(by.step, self.steps().into(), 1, &[], |b, _| {
                        self.fill(b, line);
                        vec![]
                    });
                    vec![]
                });
            });
        });
    }

    fn fill(&self, b: &mut Build, line: i64) {
        let by = COPYING;
        let (slot, phase) = self.ring(by);
        let (row, column) = self.corner(by);
        b.bulk(Bulk::Await {
            signal: signal(EMPTY, slot.clone()),
            parity: (phase + 1).modulo(2),
        });
        b.bulk(Bulk::Expect {
            signal: signal(FULL, slot.clone()),
            bytes: ((ROWS + self.wide) * self.deep * 2) as u32,
        });
        let sides = [
            (0, row, ROWS, self.x_turned),
            (1, column, self.wide, self.w_turned),
        ];
        for (which, start, side, turned) in sides {
            let depth = at(by.step) * self.deep;
            let (lines, along) = if turned {
                (self.deep, side)
            } else {
                (side, self.deep)
            };
            for chunk in 0..along / line {
                let from = match turned {
                    true => vec![start.clone() + chunk * line, depth.clone()],
                    false => vec![depth.clone() + chunk * line, start.clone()],
                };
                b.bulk(Bulk::Copy {
                    map: which,
                    from,
                    array: which,
                    at: slot.clone() * (side * self.deep) + chunk * line * lines,
                    signal: signal(FULL, slot.clone()),
                });
            }
        }
    }

    /// The operand of one product: from row or column `start`, `side` to a stage.
    fn tile(
        &self,
        array: u32,
        slot: &Index,
        start: Index,
        side: i64,
        turned: bool,
        line: i64,
    ) -> SharedTile {
        let per_line = line / 16;
        // Along the depth within a line, then to the next chunk; else by lines.
        let deeper = match turned {
            true => at(PART) * (16 * line),
            false => at(PART).modulo(per_line) * 16 + at(PART).floor_div(per_line) * (side * line),
        };
        let start = match turned {
            true => start.clone().floor_div(line) * (self.deep * line) + start.modulo(line),
            false => start * line,
        };
        SharedTile {
            array,
            at: slot.clone() * (side * self.deep) + start + deeper,
            along_depth: !turned,
            swizzle: self.swizzle,
            next_lines: 8 * line as u32,
            next_chunk: if turned { (self.deep * line) as u32 } else { 0 },
        }
    }

    fn consumer(&self, b: &mut Build, line: i64, instr: &WarpgroupInstr) {
        let by = MULTIPLYING;
        b.when(vec![(Index::Warp, Index::Const(CONSUMERS))], |b| {
            b.bulk(Bulk::Registers {
                count: 232,
                more: true,
            });
            b.each(by.tile, self.rounds(), 1, &[], |b, _| {
                let zero = b.constant(0.0, DType::F32, instr.c.width());
                let sums = b.each(by.step, self.steps().into(), 1, &[zero], |b, sums| {
                    vec![self.multiply(b, line, sums[0])]
                });
                b.bulk(Bulk::Wait { pending: 0 });
                let last = at(by.tile) * self.steps() + (self.steps() - 1);
                self.release(b, last);
                self.store(b, instr, sums[0]);
                vec![]
            });
        });
    }

    fn release(&self, b: &mut Build, step: Index) {
        let (slot, _) = ring(step, self.stages);
        b.when(vec![(Index::Lane, Index::Const(1))], |b| {
            b.bulk(Bulk::Arrive(signal(EMPTY, slot)));
        });
    }

    /// One stage; the one before is given back when its products have ended.
    fn multiply(&self, b: &mut Build, line: i64, sums: Var) -> Var {
        let by = MULTIPLYING;
        let (slot, phase) = self.ring(by);
        b.bulk(Bulk::Await {
            signal: signal(FULL, slot.clone()),
            parity: phase,
        });
        let parts = self.deep / 16;
        let sums = b.each(PART, parts.into(), parts as u32, &[sums], |b, sums| {
            let start = Index::Warp.floor_div(4) * 64;
            let a = self.tile(0, &slot, start, ROWS, self.x_turned, line);
            let right = self.tile(1, &slot, 0.into(), self.wide, self.w_turned, line);
            vec![b.let_(Value::Product {
                instr: 0,
                a: LeftOperand::Shared(a),
                b: right,
                c: sums[0],
            })]
        });
        b.bulk(Bulk::Commit);
        b.bulk(Bulk::Wait { pending: 1 });
        b.when(vec![(Index::Const(0), at(by.step))], |b| {
            // A whole ring more, so that it is not negative.
            self.release(
                b,
                at(by.tile) * self.steps() + at(by.step) + (self.stages - 1),
            );
        });
        sums[0]
    }

    /// Pairs of neighbours, where the tile lies in the result.
    fn store(&self, b: &mut Build, instr: &WarpgroupInstr, sums: Var) {
        let by = MULTIPLYING;
        let (row, column) = self.corner(by);
        let narrow = b.let_(Value::Cast(self.dtype, sums));
        store_pairs(b, instr, narrow, 2, row, column, [self.rows, self.columns]);
    }
}

/// Stores a warpgroup's fragment.
pub fn store_pairs(
    b: &mut Build,
    instr: &WarpgroupInstr,
    value: Var,
    param: u32,
    row: Index,
    column: Index,
    [rows, columns]: [i64; 2],
) {
    for register in (0..instr.c.width()).step_by(2) {
        let (r, c) = in_block(instr, register);
        let (r, c) = (row.clone() + r, column.clone() + c);
        let pair = b.let_(Value::Pick(value, vec![register, register + 1]));
        let guard = vec![(r.clone(), rows.into()), (c.clone(), columns.into())];
        b.body.push(Stmt::Store {
            to: Access {
                memory: Memory::Param(param),
                at: r * columns + c,
                guard,
            },
            value: pair,
        });
    }
}

/// Row and column of a register in a block's tile, a warpgroup below the other: layouts count four warps.
pub fn in_block(instr: &WarpgroupInstr, register: u32) -> (Index, Index) {
    let (row, column) = instr.c.index(register);
    (of_four(row) + Index::Warp.floor_div(4) * 64, column)
}

/// An index with the warp's place among four.
fn of_four(index: Index) -> Index {
    let own = |a: Box<Index>| Box::new(of_four(*a));
    match index {
        Index::Warp => Index::Warp.modulo(4),
        Index::Add(a, b) => Index::Add(own(a), own(b)),
        Index::Mul(a, b) => Index::Mul(own(a), own(b)),
        Index::Div(a, b) => Index::Div(own(a), own(b)),
        Index::Mod(a, b) => Index::Mod(own(a), own(b)),
        other => other,
    }
}
