//! How a product is made by warpgroups, each some of its rows.

use std::collections::BTreeMap;

use ir::{
    Simt,
    lane::{Layout, Step, WarpgroupInstr},
    tile::{Value, Var},
};

use super::super::{Layouts, SpreadError};

/// Rows of a warpgroup's product. PTX ISA, `wgmma.mma_async`.
pub(super) const ROWS: u32 = 64;

/// A product of tiles by one instruction of each warpgroup, again and again along the depth.
#[derive(Clone, Debug)]
pub(super) struct Tiling {
    pub instr: WarpgroupInstr,
    /// Rows, columns and depth of an instruction.
    pub sides: [u32; 3],
    /// Instructions along the depth.
    pub steps: u32,
    /// The left operand in registers: registers of a fragment, then depth.
    pub a: Layout,
    /// The sum.
    pub c: Layout,
}

/// How each dot is made, by its result.
pub(super) fn all(
    layouts: &Layouts<'_>,
    simt: &Simt,
    consumers: u32,
) -> Result<BTreeMap<Var, Tiling>, SpreadError> {
    let mut tilings = BTreeMap::new();
    for (var, value) in &layouts.defs {
        let Value::Dot { a, b, acc } = value else {
            continue;
        };
        let [(left, shape), (right, _), (sum, whole)] = [a, b, acc].map(|v| layouts.types[v]);
        let takes = |i: &&WarpgroupInstr| i.operands == left && i.accumulator == sum;
        let alike = simt.warpgroup.iter().filter(takes);
        let nearest = alike.min_by_key(|i| i.sides().1.abs_diff(whole.lanes));
        let instr = nearest
            .filter(|_| left == right)
            .ok_or(SpreadError::NoInstr(left))?;
        let sides = [whole.rows, whole.lanes, shape.lanes];
        tilings.insert(*var, Tiling::new(instr, sides, consumers)?);
    }
    Ok(tilings)
}

impl Tiling {
    fn new(instr: &WarpgroupInstr, found: [u32; 3], consumers: u32) -> Result<Self, SpreadError> {
        let (m, n, k) = instr.sides();
        let [rows, columns, depth] = found;
        if rows != m * consumers || columns != n || depth % k != 0 {
            return Err(SpreadError::Dot {
                found,
                wanted: [m * consumers, n, k],
                name: instr.name.clone(),
            });
        }
        let steps = depth / k;
        let layout = |fragment: &Layout, depth: u32| {
            let mut whole = fragment.clone();
            let along = (0..depth.ilog2()).map(|bit| Step::columns(k << bit));
            whole.register.extend(along);
            let down = (0..consumers.ilog2()).map(|bit| Step::rows(m << bit));
            whole.warp.extend(down);
            whole
        };
        Ok(Self {
            instr: instr.clone(),
            sides: [m, n, k],
            steps,
            a: layout(&instr.a, steps),
            c: layout(&instr.c, 1),
        })
    }
}
