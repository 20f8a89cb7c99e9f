//! Which schedules a target has room for, before anything is built.

use ir::{
    Schedule, Scores, Simt, SimtAttentionSchedule, SimtContractSchedule, Skew, lane::WARPGROUP,
};

use super::LowerError;
use crate::{lower::KernelFamily, spread::Warpgroups};

/// What a schedule takes.
struct Needs {
    warps: u32,
    /// Of a lane, for the tiles that are held all the time.
    registers: u64,
    /// Bytes of shared memory.
    shared: u64,
}

/// More than there is.
struct Excess {
    what: &'static str,
    found: u64,
    limit: u64,
}

/// How shared memory is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    /// What the schedule takes at least.
    Least,
    /// With the largest padding, and all that may change hands.
    Most,
}

/// Bytes of the widest operands.
const ELEMENT: u64 = 4;

/// Bytes left free after a line.
const PAD: u64 = 16;

/// Rows of a warpgroup.
const ROWS: u32 = 64;

/// Registers of a lane beside those that hold tiles: places, rows' maxima and sums, what masks are made of. As the
/// assembler was seen to need.
const OTHERS: u64 = 40;

/// Bytes of mbarriers, and to start where swizzles do, at most.
const COUNTERS: u64 = 1280;

/// A count of a schedule's needs.
struct Counting<'a> {
    family: &'a KernelFamily,
    simt: &'a Simt,
    count: Count,
}

fn area(rows: u32, columns: u32) -> u64 {
    u64::from(rows) * u64::from(columns)
}

/// Bytes of a place for a tile of 16-bit elements that boxes are copied to.
fn place(rows: u32, columns: u32) -> u64 {
    (area(rows, columns) * 2).next_multiple_of(1024)
}

impl Counting<'_> {
    fn needs(&self, schedule: &Schedule) -> Option<Needs> {
        let held = |elements: u64, warps: u32| {
            elements / (u64::from(warps.max(1)) * u64::from(self.simt.lanes))
        };
        let flat = |rows, columns, warps| Needs {
            warps,
            registers: held(area(rows, columns), warps),
            shared: 0,
        };
        Some(match schedule {
            Schedule::SimtMap(s) => flat(s.block_rows, s.block_columns, s.warps),
            Schedule::SimtRows(s) => flat(s.block_rows, s.block_columns, s.warps),
            Schedule::SimtGemv(s) => Needs {
                // A tile of weights, and one of sums for each row.
                registers: held(area(s.block_columns, s.block_depth), s.warps)
                    * u64::from(s.block_rows + 1),
                ..flat(1, 1, s.warps)
            },
            Schedule::SimtStream(s) => return self.needs(&Schedule::SimtContract(s.tile)),
            Schedule::SimtContract(s) => {
                let warps = s.warp_rows * s.warp_columns;
                Needs {
                    warps,
                    registers: held(area(s.block_rows, s.block_columns), warps),
                    shared: self.contract(s),
                }
            }
            Schedule::SimtAttention(s) => {
                let warps = s.warp_rows * s.warp_columns;
                let tiles = area(s.block_queries, s.block_columns + s.block_keys);
                Needs {
                    warps,
                    registers: held(tiles, warps),
                    shared: self.attention(s),
                }
            }
            Schedule::WarpgroupContract(s) => self.warpgroups(s.block_rows, s.block_columns, {
                let both =
                    place(s.block_rows, s.block_depth) + place(s.block_depth, s.block_columns);
                both * u64::from(s.stages)
            }),
            Schedule::WarpgroupAttention(s) => {
                // Scores, and weights two to a register.
                let scores = match s.scores {
                    Scores::InTurn => 1,
                    Scores::Ahead => 2,
                };
                let columns = s.block_columns + scores * s.block_keys + s.block_keys / 2;
                self.warpgroups(s.block_queries, columns, {
                    let keys = place(s.block_keys, s.block_depth);
                    let values = place(s.block_keys, s.block_columns);
                    place(s.block_queries, s.block_depth) + (keys + values) * u64::from(s.stages)
                })
            }
            Schedule::Map(_)
            | Schedule::Rows(_)
            | Schedule::Contract(_)
            | Schedule::Attention(_) => return None,
        })
    }

    /// Warpgroups that hold so many numbers of each row.
    fn warpgroups(&self, rows: u32, columns: u32, shared: u64) -> Needs {
        let counters = match self.count {
            Count::Least => 0,
            Count::Most => COUNTERS,
        };
        Needs {
            // One more feeds them.
            warps: (rows / ROWS + 1) * WARPGROUP,
            registers: area(ROWS, columns) / u64::from(WARPGROUP * self.simt.lanes) + OTHERS,
            shared: shared + counters,
        }
    }

    fn contract(&self, s: &SimtContractSchedule) -> u64 {
        let tile = |rows, columns| self.tile(rows, columns, s.skew);
        let both = tile(s.block_rows, s.block_depth) + tile(s.block_depth, s.block_columns);
        both * self.stages(s.stages)
    }

    fn attention(&self, s: &SimtAttentionSchedule) -> u64 {
        let tile = |rows, columns| self.tile(rows, columns, s.skew);
        let stages = self.stages(s.stages);
        let whole = match self.family {
            KernelFamily::Attention { depth, .. } => *depth <= i64::from(s.block_depth),
            _ => true,
        };
        // Queries stay if their depth is taken at once.
        let again = if whole || self.count == Count::Least {
            1
        } else {
            stages
        };
        let queries = tile(s.block_queries, s.block_depth) * again;
        let streamed = tile(s.block_keys, s.block_depth) + tile(s.block_keys, s.block_columns);
        let handed = match self.count {
            Count::Least => 0,
            // Weights on their way to the next product, and what warps or lanes fold.
            Count::Most => {
                let lanes = if self.simt.shuffle {
                    1
                } else {
                    self.simt.lanes
                };
                let folded = area(s.block_queries, s.warp_columns * lanes) * ELEMENT;
                let lines = u64::from(s.block_queries) * PAD;
                tile(s.block_queries, s.block_keys) + folded + lines
            }
        };
        queries + streamed * stages + handed
    }

    /// Slots of a streamed operand.
    fn stages(&self, stages: u32) -> u64 {
        let ahead = self.simt.asynchronous || self.count == Count::Least;
        if ahead { stages.into() } else { 1 }
    }

    /// Bytes of an operand of products.
    fn tile(&self, rows: u32, columns: u32, skew: Skew) -> u64 {
        let free = match (self.count, skew) {
            (Count::Most, Skew::Pad) => u64::from(rows.max(columns)) * PAD,
            (Count::Most, Skew::Swizzle) => PAD,
            (Count::Least, _) => 0,
        };
        area(rows, columns) * self.element() + free
    }

    /// Bytes of an element of an operand, as it is stored.
    fn element(&self) -> u64 {
        match self.family {
            KernelFamily::Contract { operands, .. } | KernelFamily::Attention { operands, .. } => {
                operands.size() as u64
            }
            _ => ELEMENT,
        }
    }

    /// What there is not enough of.
    fn excess(&self, schedule: &Schedule) -> Option<Excess> {
        let needs = self.needs(schedule)?;
        let lanes = u64::from(needs.warps) * u64::from(self.simt.lanes);
        let registers = match Warpgroups::of(schedule) {
            Some(groups) => groups.registers(self.simt.lanes).into(),
            None => self.simt.registers.into(),
        };
        let all = [
            ("lanes", lanes, self.simt.threads.into()),
            ("registers of a lane", needs.registers, registers),
            ("bytes of shared memory", needs.shared, self.simt.shared.0),
        ];
        let mut all = all.into_iter();
        let (what, found, limit) = all.find(|(_, found, limit)| found > limit)?;
        Some(Excess { what, found, limit })
    }
}

/// Fails if the schedule takes more lanes, registers or shared memory than there are.
pub(super) fn check(
    kernel: &str,
    family: &KernelFamily,
    schedule: &Schedule,
    simt: &Simt,
) -> Result<(), LowerError> {
    let counting = Counting {
        family,
        simt,
        count: Count::Least,
    };
    match counting.excess(schedule) {
        None => Ok(()),
        Some(Excess { what, found, limit }) => Err(LowerError::DoesNotFit {
            kernel: kernel.into(),
            what,
            found,
            limit,
        }),
    }
}

/// Whether a target has room for a schedule of a kernel, whatever its operands need of padding: [`crate::lower`] then
/// finds room too.
pub fn fits(family: &KernelFamily, schedule: &Schedule, simt: &Simt) -> bool {
    let counting = Counting {
        family,
        simt,
        count: Count::Most,
    };
    counting.excess(schedule).is_none()
}
