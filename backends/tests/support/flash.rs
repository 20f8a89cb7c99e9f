//! Attention by warp roles: scores from queries and keys in shared memory, results from weights in registers.

use ir::{
    BinaryFn, DType, UnaryFn,
    lane::{Bulk, Index, LeftOperand, Program, SharedTile, Swizzle, Value, WarpgroupInstr},
    tile::Var,
};

use super::hopper::{
    BLOCK, Build, CONSUMERS, COPYING, EMPTY, FULL, MULTIPLYING, ROWS, array, at, map, mbarriers,
    ring, signal, store_pairs,
};

/// Filled once, with the queries.
const QUERIES: u32 = 2;
/// Numbers of a line of 128 bytes.
const LINE: i64 = 64;

/// `y = softmax(q k^T / sqrt(head)) v` of one head, in bf16 or f16; all keys, or those up to the query.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    pub dtype: DType,
    pub length: i64,
    pub head: i64,
    /// Keys of a step.
    pub keys: i64,
    pub stages: i64,
    pub causal: bool,
}

impl Attention {
    fn steps(&self) -> Index {
        let all = (self.length + self.keys - 1) / self.keys;
        match self.causal {
            false => all.into(),
            true => (at(BLOCK) * ROWS + (ROWS + self.keys - 1))
                .floor_div(self.keys)
                .min(all),
        }
    }

    /// A program; instructions are those for keys, and for the head.
    pub fn program(&self, instrs: &[WarpgroupInstr]) -> Program {
        let of = |n: i64| {
            let fits =
                |i: &&WarpgroupInstr| i.operands == self.dtype && i64::from(i.sides().1) == n;
            instrs.iter().find(fits).unwrap().clone()
        };
        let mut warpgroup = vec![of(self.keys)];
        if self.head != self.keys {
            warpgroup.push(of(self.head));
        }
        let whole = self.length * self.head;
        let mut b = Build::default();
        b.when(vec![(Index::Const(CONSUMERS - 1), Index::Warp)], |b| {
            b.bulk(Bulk::Registers {
                count: 40,
                more: false,
            });
            let first = vec![
                (Index::Warp, Index::Const(CONSUMERS + 1)),
                (Index::Lane, Index::Const(1)),
            ];
            b.when(first, |b| self.producer(b));
        });
        b.when(vec![(Index::Warp, Index::Const(CONSUMERS))], |b| {
            b.bulk(Bulk::Registers {
                count: 232,
                more: true,
            });
            self.consumer(b, &warpgroup);
        });
        let mut all = mbarriers(self.stages as u32);
        all.push(ir::lane::Mbarrier {
            name: "asked".into(),
            len: 1,
            arrivals: 1,
        });
        let shape = [self.length, self.head];
        Program {
            name: "attention".into(),
            params: ["q", "k", "v", "y"]
                .map(|name| array(name, self.dtype, whole, name == "y"))
                .into(),
            shared: vec![
                array("qs", self.dtype, ROWS * self.head, true),
                array("ks", self.dtype, self.stages * self.keys * self.head, true),
                array("vs", self.dtype, self.stages * self.keys * self.head, true),
            ],
            grid: vec![(self.length + ROWS - 1) / ROWS],
            warps: 12,
            lanes: 32,
            matrix: vec![],
            maps: vec![
                map(0, shape, ROWS, Swizzle::B128),
                map(1, shape, self.keys, Swizzle::B128),
                map(2, shape, self.keys, Swizzle::B128),
            ],
            mbarriers: all,
            warpgroup,
            body: b.body,
        }
    }

    /// Copies rows of a parameter, 64 columns after the other.
    fn copy(
        &self,
        b: &mut Build,
        which: u32,
        row: &Index,
        rows: i64,
        slot: Index,
        signal: ir::lane::Signal,
    ) {
        for chunk in 0..self.head / LINE {
            b.bulk(Bulk::Copy {
                map: which,
                from: vec![Index::Const(chunk * LINE), row.clone()],
                array: which,
                at: slot.clone() * (rows * self.head) + chunk * LINE * rows,
                signal: signal.clone(),
            });
        }
    }

    fn producer(&self, b: &mut Build) {
        b.bulk(Bulk::Expect {
            signal: signal(QUERIES, 0.into()),
            bytes: (ROWS * self.head * 2) as u32,
        });
        self.copy(
            b,
            0,
            &(at(BLOCK) * ROWS),
            ROWS,
            0.into(),
            signal(QUERIES, 0.into()),
        );
        b.each(COPYING.step, self.steps(), 1, &[], |b, _| {
            let (slot, phase) = ring(at(COPYING.step), self.stages);
            let row = at(COPYING.step) * self.keys;
            b.bulk(Bulk::Await {
                signal: signal(EMPTY, slot.clone()),
                parity: (phase + 1).modulo(2),
            });
            b.bulk(Bulk::Expect {
                signal: signal(FULL, slot.clone()),
                bytes: (2 * self.keys * self.head * 2) as u32,
            });
            for which in [1, 2] {
                self.copy(
                    b,
                    which,
                    &row,
                    self.keys,
                    slot.clone(),
                    signal(FULL, slot.clone()),
                );
            }
            vec![]
        });
    }

    fn consumer(&self, b: &mut Build, instrs: &[WarpgroupInstr]) {
        let (scores, results) = (&instrs[0], &instrs[instrs.len() - 1]);
        b.bulk(Bulk::Await {
            signal: signal(QUERIES, 0.into()),
            parity: 0.into(),
        });
        let most = b.constant(-1e30, DType::F32, 2);
        let total = b.constant(0.0, DType::F32, 2);
        let sums = b.constant(0.0, DType::F32, results.c.width());
        let last = b.each(
            MULTIPLYING.step,
            self.steps(),
            1,
            &[most, total, sums],
            |b, carried| self.step(b, scores, results, (instrs.len() - 1) as u32, carried),
        );
        let share = b.let_(Value::Unary(UnaryFn::Recip, last[1]));
        let share = rows_of(b, share, results.c.width());
        let y = b.binary(BinaryFn::Mul, last[2], share);
        let y = b.let_(Value::Cast(self.dtype, y));
        store_pairs(
            b,
            results,
            y,
            3,
            at(BLOCK) * ROWS,
            0.into(),
            [self.length, self.head],
        );
    }

    fn tile(
        &self,
        array: u32,
        rows: i64,
        slot: &Index,
        from: Index,
        along_depth: bool,
    ) -> SharedTile {
        SharedTile {
            array,
            at: slot.clone() * (rows * self.head) + from,
            along_depth,
            swizzle: Swizzle::B128,
            next_lines: 8 * LINE as u32,
            next_chunk: if along_depth { 0 } else { (rows * LINE) as u32 },
        }
    }

    fn step(
        &self,
        b: &mut Build,
        scores: &WarpgroupInstr,
        results: &WarpgroupInstr,
        second: u32,
        carried: &[Var],
    ) -> Vec<Var> {
        let (slot, phase) = ring(at(MULTIPLYING.step), self.stages);
        let &[most, total, sums] = carried else {
            panic!("three")
        };
        b.bulk(Bulk::Await {
            signal: signal(FULL, slot.clone()),
            parity: phase,
        });
        let mut s = b.constant(0.0, DType::F32, scores.c.width());
        let rows = || Index::Warp.floor_div(4) * (64 * LINE);
        for part in 0..self.head / 16 {
            let along = |tall: i64| part % 4 * 16 + part / 4 * (tall * LINE);
            s = b.let_(Value::Product {
                instr: 0,
                a: LeftOperand::Shared(self.tile(0, ROWS, &0.into(), rows() + along(ROWS), true)),
                b: self.tile(1, self.keys, &slot, along(self.keys).into(), true),
                c: s,
            });
        }
        b.bulk(Bulk::Commit);
        b.bulk(Bulk::Wait { pending: 0 });
        let width = scores.c.width();
        let scale = b.constant(1.0 / (self.head as f64).sqrt(), DType::F32, width);
        s = b.binary(BinaryFn::Mul, s, scale);
        s = self.masked(b, scores, s);
        let now = folded(b, BinaryFn::Max, s, width);
        let now = b.binary(BinaryFn::Max, most, now);
        let change = b.binary(BinaryFn::Sub, most, now);
        let change = b.let_(Value::Unary(UnaryFn::Exp, change));
        let wide = rows_of(b, now, width);
        let p = b.binary(BinaryFn::Sub, s, wide);
        let p = b.let_(Value::Unary(UnaryFn::Exp, p));
        let added = folded(b, BinaryFn::Add, p, width);
        let total = b.let_(Value::Fma(total, change, added));
        let wide = rows_of(b, change, results.c.width());
        let mut sums = b.binary(BinaryFn::Mul, sums, wide);
        let p = b.let_(Value::Cast(self.dtype, p));
        let parts: Vec<Var> = (0..self.keys as u32 / 16)
            .map(|part| b.let_(Value::Pick(p, (8 * part..8 * part + 8).collect())))
            .collect();
        for (part, a) in (0..).zip(parts) {
            sums = b.let_(Value::Product {
                instr: second,
                a: LeftOperand::Held(a),
                b: self.tile(2, self.keys, &slot, Index::Const(part * 16 * LINE), false),
                c: sums,
            });
        }
        b.bulk(Bulk::Commit);
        b.bulk(Bulk::Wait { pending: 0 });
        b.when(vec![(Index::Lane, Index::Const(1))], |b| {
            b.bulk(Bulk::Arrive(signal(EMPTY, slot)));
        });
        vec![now, total, sums]
    }

    /// Scores of keys that there are, and that the query may see.
    fn masked(&self, b: &mut Build, instr: &WarpgroupInstr, s: Var) -> Var {
        if !self.causal && self.length % self.keys == 0 {
            return s;
        }
        let width = instr.c.width();
        let place = |register: u32| {
            let (row, column) = super::hopper::in_block(instr, register);
            (
                at(BLOCK) * ROWS + row,
                at(MULTIPLYING.step) * self.keys + column,
            )
        };
        let keys = b.let_(Value::Index((0..width).map(|r| place(r).1).collect()));
        let last = |r: u32| match self.causal {
            true => place(r).0.min(self.length - 1),
            false => Index::Const(self.length - 1),
        };
        let last = b.let_(Value::Index((0..width).map(last).collect()));
        let seen = b.binary(BinaryFn::Le, keys, last);
        let none = b.constant(-1e30, DType::F32, width);
        b.let_(Value::Select(seen, s, none))
    }
}

/// Two rows' numbers for each register of a fragment.
fn rows_of(b: &mut Build, rows: Var, width: u32) -> Var {
    b.let_(Value::Pick(rows, (0..width).map(|r| r / 2 % 2).collect()))
}

/// A fragment's rows folded, over all four lanes that hold them.
fn folded(b: &mut Build, f: BinaryFn, mut value: Var, mut width: u32) -> Var {
    while width > 4 {
        width /= 2;
        let low = b.let_(Value::Pick(value, (0..width).collect()));
        let high = b.let_(Value::Pick(value, (width..2 * width).collect()));
        value = b.binary(f, low, high);
    }
    let low = b.let_(Value::Pick(value, vec![0, 2]));
    let high = b.let_(Value::Pick(value, vec![1, 3]));
    value = b.binary(f, low, high);
    for bits in [1, 2] {
        let other = b.let_(Value::ShuffleXor(value, bits));
        value = b.binary(f, value, other);
    }
    value
}
