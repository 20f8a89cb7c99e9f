//! How long a kernel takes by a schedule, about: work, traffic, and how many blocks there are to hide waiting.
//!
//! The model ranks schedules of one kernel. It does not predict times; measured ones decide where there are any.

use ir::{
    AttentionRows, Schedule, Simt, SimtAttentionSchedule, SimtContractSchedule, SimtGemvSchedule,
    Target, lane::Spelling,
};
use passes::{KernelFamily, Lines};

use crate::space::blocks;

/// How much faster a matrix instruction is than multiply-adds of lanes, and caches than memory. Assumed, so that
/// schedules can be ranked.
const MATRIX_SPEED: f64 = 8.0;
const CACHE_SPEED: f64 = 3.0;

/// Warps that a unit needs under way, to have one that does not wait. Assumed.
const UNDER_WAY: f64 = 8.0;

/// Warps of a unit that keep its share of memory busy, each with a few accesses under way. Assumed.
const STREAMING: f64 = 16.0;

/// Seconds that a round of a block's loop takes beyond its work: two barriers and a trip to memory. Assumed.
const ROUND_SECONDS: f64 = 5e-7;

/// Seconds of a round that meets no barrier: a trip to memory, of which two are under way. Assumed.
const LOAD_SECONDS: f64 = 4e-7;

/// Bytes side by side that memory gives at full speed: a pair of sectors.
const SECTORS: f64 = 64.0;

/// Bytes of a part of a result.
const PART: f64 = 4.0;

/// Work of a round of attention beyond its products and copies, in multiply-adds of a lane: shuffles, barriers. Assumed.
const MEETING: f64 = 1024.0;

/// What a model knows.
pub(super) struct Model<'a> {
    pub target: &'a Target,
    pub simt: &'a Simt,
    pub family: &'a KernelFamily,
}

impl Model<'_> {
    /// About how long the kernel takes; only differences mean something.
    pub fn seconds(&self, schedule: &Schedule) -> f64 {
        match schedule {
            Schedule::SimtContract(s) => self.contract(s, None),
            Schedule::SimtStream(s) => self.contract(&s.tile, Some(s.blocks)),
            Schedule::SimtGemv(s) => self.gemv(s),
            Schedule::SimtAttention(s) => self.attention(s),
            // One is all there is.
            _ => 0.0,
        }
    }

    /// Multiply-adds of a unit in a second, counted as two, and bytes that reach it from caches.
    fn rates(&self, instr: u32) -> [f64; 2] {
        let units = f64::from(self.simt.units);
        let speed = match self.simt.matrix[instr as usize].spelling {
            Spelling::Outer => 1.0,
            Spelling::Word(_) => MATRIX_SPEED,
        };
        let roofline = &self.target.roofline;
        [
            roofline.flops_per_second * speed / units,
            roofline.bytes_per_second * CACHE_SPEED / units,
        ]
    }

    /// Seconds to write parts of results and to combine them in a launch of its own.
    fn combining(&self, splits: i64, elements: f64) -> f64 {
        if splits < 2 {
            return 0.0;
        }
        let moved = 2.0 * splits as f64 * elements * PART;
        let roofline = &self.target.roofline;
        moved / roofline.bytes_per_second + roofline.dispatch_seconds
    }

    /// With blocks that share all rounds, if there are such.
    fn contract(&self, s: &SimtContractSchedule, sharing: Option<u32>) -> f64 {
        let KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            operands,
            ..
        } = *self.family
        else {
            return f64::INFINITY;
        };
        let size = operands.size() as f64;
        let warps = f64::from(s.warp_rows * s.warp_columns);
        let sides = f64::from(s.block_rows + s.block_columns);
        let shared = sides * f64::from(s.block_depth * s.stages) * size;
        let units = f64::from(self.simt.units);
        let grid = batch * blocks(columns, s.block_columns) * blocks(rows, s.block_rows);
        let whole = blocks(depth, s.block_depth);
        let (count, rounds) = match sharing {
            None => (
                grid as f64 * f64::from(s.splits),
                blocks(whole, s.splits) as f64,
            ),
            Some(some) => (f64::from(some), blocks(grid * whole, some) as f64),
        };
        let depth = rounds * f64::from(s.block_depth);
        let work = 2.0 * f64::from(s.block_rows) * f64::from(s.block_columns) * depth;
        let moved = sides * depth * size;
        let [rate, traffic] = self.rates(s.instr);
        // Blocks that share a unit wait for each other's memory.
        let room = (self.simt.shared.0 as f64 / shared.max(1.0)).max(1.0);
        let side_by_side = (count / units).clamp(1.0, room);
        let busy = (side_by_side * warps / UNDER_WAY).min(1.0);
        let block = (work / (rate * busy)).max(moved / (traffic * busy))
            + rounds * ROUND_SECONDS / side_by_side;
        let elements = (batch * rows * columns) as f64;
        let operands = (batch * (rows + columns) * whole * i64::from(s.block_depth)) as f64 * size;
        // Each tile has a part, and most blocks end within one.
        let parts = match sharing {
            None => s.splits.into(),
            Some(_) => 2,
        };
        ((count / units).ceil() * block).max(operands / self.target.roofline.bytes_per_second)
            + self.combining(parts, elements)
    }

    fn gemv(&self, s: &SimtGemvSchedule) -> f64 {
        let KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            operands,
            lines,
            ..
        } = *self.family
        else {
            return f64::INFINITY;
        };
        let roofline = &self.target.roofline;
        let units = f64::from(self.simt.units);
        let reads = blocks(rows, s.block_rows);
        let grid = batch * blocks(columns, s.block_columns) * reads;
        let count = grid as f64 * f64::from(s.splits);
        let weights = (batch * columns * depth) as f64;
        let warps = count * f64::from(s.warps);
        // Lanes that have no weight in a tile at the edge wait for those that have.
        let tile = i64::from(s.block_columns) * i64::from(s.block_depth);
        let covered =
            (blocks(columns, s.block_columns) * blocks(depth, s.block_depth) * tile) as f64;
        let wasted = covered / (columns * depth) as f64;
        let busy = (warps / (units * STREAMING)).min(1.0);
        let size = operands.size() as f64;
        // Whole sectors, and whole accesses of a lane.
        let side = match lines {
            Lines::Depth => i64::from(s.block_depth).min(depth),
            Lines::Columns => i64::from(s.block_columns).min(columns),
        };
        let own = tile as f64 / f64::from(s.warps * self.simt.lanes);
        let access = self.simt.access.0 as f64;
        let whole = (side as f64 * size / SECTORS).min(1.0) * (own * size / access).min(1.0);
        let bytes = weights * size * reads as f64 * wasted / whole;
        let moving = bytes / (roofline.bytes_per_second * busy);
        // A product and a sum for each weight and row.
        let adding = 2.0 * weights * wasted * rows as f64 * 2.0
            / (roofline.flops_per_second * (warps / (units * UNDER_WAY)).min(1.0));
        let resident = units * (2.0 * STREAMING / f64::from(s.warps)).max(1.0);
        let rounds = blocks(blocks(depth, s.block_depth), s.splits) as f64;
        let waiting = (count / resident).ceil() * rounds * LOAD_SECONDS;
        // What is left is folded over lanes: as many steps for every column and row of a warp.
        let elements = (batch * rows * columns) as f64;
        let folding = elements * f64::from(s.splits) * f64::from(self.simt.lanes) * 2.0
            / roofline.flops_per_second;
        moving.max(adding).max(waiting) + folding + self.combining(s.splits.into(), elements)
    }

    fn attention(&self, s: &SimtAttentionSchedule) -> f64 {
        let KernelFamily::Attention {
            heads,
            group,
            queries,
            keys,
            depth,
            columns,
            operands,
        } = *self.family
        else {
            return f64::INFINITY;
        };
        let (grids, lines) = match s.rows {
            AttentionRows::Queries => (heads, queries),
            AttentionRows::Group => (heads / group, group * queries),
        };
        let warps = f64::from(s.warp_rows * s.warp_columns);
        let rows = f64::from(s.block_queries);
        let [tile, deep, wide] = [s.block_keys, s.block_depth, s.block_columns].map(f64::from);
        // Scores are computed anew for each part of the value columns.
        let parts = blocks(columns, s.block_columns);
        let grid = grids * blocks(lines, s.block_queries) * parts;
        let waves = (grid as f64 * f64::from(s.splits) / f64::from(self.simt.units)).ceil();
        let pieces = blocks(depth, s.block_depth) as f64;
        let whole = pieces * deep;
        // Queries stay in shared memory if their depth is taken at once.
        let again = if pieces > 1.0 { rows * whole } else { 0.0 };
        let rounds = blocks(blocks(keys, s.block_keys), s.splits) as f64;
        let round = tile * rows * (whole + wide) + 8.0 * (tile * (whole + wide) + again);
        let busy = (waves * warps / UNDER_WAY).min(1.0);
        // Rows that several warps share are folded through shared memory.
        let meetings = pieces + if s.warp_columns > 1 { 2.0 } else { 0.0 };
        let units = f64::from(self.simt.units);
        let [rate, _] = self.rates(s.instr);
        // Traffic is counted as eight multiply-adds an element.
        let work = waves * rounds * 2.0 * (round / busy + MEETING * meetings) / rate;
        let bytes = grid as f64 * keys as f64 * (whole + wide) * operands.size() as f64;
        let reached = (grid as f64 * f64::from(s.splits) * warps / (units * UNDER_WAY)).min(1.0);
        let traffic = self.target.roofline.bytes_per_second * CACHE_SPEED * reached;
        let elements = (heads * queries * (columns + 2)) as f64;
        work.max(bytes / traffic)
            + rounds * waves * ROUND_SECONDS
            + self.combining(s.splits.into(), elements)
    }
}
