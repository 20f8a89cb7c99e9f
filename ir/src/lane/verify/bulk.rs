//! Tensor maps, mbarriers and products of warpgroups.

use std::collections::BTreeSet;

use super::{Checker, Fault, MapFault, identifier, small};
use crate::{
    DType,
    lane::{
        Bulk, Index, LeftOperand, Mbarrier, Memory, Program, SharedTile, Signal, Stmt, Swizzle,
        TensorMap, Type, Value, WARPGROUP,
    },
    tile::Var,
};

/// Most elements of a box along an axis. Source: CUDA driver API, `cuTensorMapEncodeTiled`, 2025.
const MOST_EXTENT: u32 = 256;
/// Most axes of a tensor map; of the same source.
const MOST_AXES: usize = 5;
/// Sizes of a tensor map are at most 2^32, strides in bytes less than 2^40; of the same source.
const MOST_SIZE: i64 = 1 << 32;
const MOST_STRIDE: i128 = 1 << 40;
/// What strides, and boxes along axis 0, are multiples of, in bytes; of the same source.
const CHUNK: u64 = 16;
/// Most arrivals, and most bytes, that an mbarrier counts. Source: PTX ISA, "mbarrier object", 2025.
const MOST_COUNT: u32 = (1 << 20) - 1;
/// Most that a matrix descriptor holds, in bytes: 14 bits of 16 bytes. Source: PTX ISA, "matrix descriptor", 2025.
const MOST_LEAD: u64 = 1 << 18;

/// The shared arrays that boxes are copied to, or that products read. Other writes would need a fence between them.
pub(super) fn boxed(body: &[Stmt], arrays: &mut BTreeSet<u32>) {
    for stmt in body {
        match stmt {
            Stmt::Bulk(Bulk::Copy { array, .. }) => {
                arrays.insert(*array);
            }
            Stmt::Let(_, Value::Product { a, b, .. }) => {
                arrays.insert(b.array);
                if let LeftOperand::Shared(a) = a {
                    arrays.insert(a.array);
                }
            }
            Stmt::For(l) => boxed(&l.body, arrays),
            Stmt::When { body, .. } => boxed(body, arrays),
            _ => {}
        }
    }
}

impl Checker<'_> {
    /// Fails unless maps, mbarriers and warpgroup instructions are whole.
    pub(super) fn bulk_head(&self) -> Result<(), Fault> {
        let program = self.program;
        for (i, map) in program.maps.iter().enumerate() {
            require_map(program, map).map_err(|fault| Fault::Map {
                map: i as u32,
                fault: fault.into(),
            })?;
        }
        let mut names: BTreeSet<_> = program.params.iter().map(|a| &a.name).collect();
        names.extend(program.shared.iter().map(|a| &a.name));
        for Mbarrier {
            name,
            len,
            arrivals,
        } in &program.mbarriers
        {
            identifier(name)?;
            if !names.insert(name) {
                return Err(Fault::Name(name.clone()));
            }
            for (what, found) in [("counters", *len), ("arrivals", *arrivals)] {
                if !(1..=MOST_COUNT).contains(&found) {
                    return Err(Fault::Count {
                        what: format!("{what} of mbarrier `{name}`"),
                        most: MOST_COUNT,
                        found,
                    });
                }
            }
        }
        self.warpgroups()
    }

    fn warpgroups(&self) -> Result<(), Fault> {
        let (lanes, warps) = (self.program.lanes, self.program.warps);
        let mut names = BTreeSet::new();
        for instr in &self.program.warpgroup {
            let name = instr.name.clone();
            if !names.insert(&instr.name) {
                return Err(Fault::Twice(name));
            }
            if !small([&instr.a, &instr.c]) || !instr.fits(lanes) {
                return Err(Fault::Fragments { name, lanes });
            }
            if warps % WARPGROUP != 0 {
                return Err(Fault::Warpgroups(warps));
            }
        }
        Ok(())
    }

    pub(super) fn bulk(&self, bulk: &Bulk) -> Result<(), Fault> {
        match bulk {
            Bulk::Copy {
                map,
                from,
                array,
                at,
                signal,
            } => {
                let known = self.program.maps.get(*map as usize);
                let known = known.ok_or(Fault::NoMap(*map))?;
                if from.len() != known.extents.len() {
                    return Err(Fault::Axes {
                        map: *map,
                        wanted: known.extents.len(),
                        found: from.len(),
                    });
                }
                from.iter().try_for_each(|index| self.index(index))?;
                self.index(at)?;
                let target = self.array(Memory::Shared(*array))?;
                let source = &self.program.params[known.param as usize];
                require_dtype(&target.name, target.dtype, source.dtype)?;
                self.signal(signal)
            }
            Bulk::Expect { signal, bytes } => {
                if !(1..=MOST_COUNT).contains(bytes) {
                    return Err(Fault::Count {
                        what: "expected bytes".into(),
                        most: MOST_COUNT,
                        found: *bytes,
                    });
                }
                self.signal(signal)
            }
            Bulk::Arrive(signal) => self.signal(signal),
            Bulk::Await { signal, parity } => {
                self.signal(signal)?;
                if let Index::Const(n) = parity
                    && !(0..2).contains(n)
                {
                    return Err(Fault::Parity(*n));
                }
                self.of_warp("parity", parity)
            }
            Bulk::Commit => self.grouped("commit products"),
            Bulk::Wait { .. } => self.grouped("wait products"),
            Bulk::Registers { count, .. } => {
                if !count.is_multiple_of(8) || !(24..=240).contains(count) {
                    return Err(Fault::RegisterCount(*count));
                }
                self.grouped("registers")
            }
        }
    }

    fn signal(&self, signal: &Signal) -> Result<(), Fault> {
        let known = self.program.mbarriers.get(signal.mbarrier as usize);
        let known = known.ok_or(Fault::NoMbarrier(signal.mbarrier))?;
        if let Index::Const(found) = signal.slot
            && !(0..i64::from(known.len)).contains(&found)
        {
            return Err(Fault::Slot {
                mbarrier: known.name.clone(),
                len: known.len,
                found,
            });
        }
        self.of_warp("slot of an mbarrier", &signal.slot)
    }

    /// An index that is the same in all lanes of a warp, as far as can be seen.
    fn of_warp(&self, what: &'static str, index: &Index) -> Result<(), Fault> {
        if index.mentions(&Index::Lane) {
            return Err(Fault::LaneIndex(what));
        }
        self.index(index)
    }

    /// Fails where a step of whole warpgroups cannot stand.
    fn grouped(&self, what: &'static str) -> Result<(), Fault> {
        if !self.program.warps.is_multiple_of(WARPGROUP) {
            return Err(Fault::Warpgroups(self.program.warps));
        }
        self.split
            .map_or(Ok(()), |by| Err(Fault::Split { what, by }))
    }

    /// The type of a product.
    pub(super) fn product(
        &self,
        instr: u32,
        a: &LeftOperand,
        b: &SharedTile,
        c: Var,
    ) -> Result<Type, Fault> {
        let known = self.program.warpgroup.get(instr as usize);
        let known = known.ok_or(Fault::NoWarpgroup(instr))?;
        self.grouped("product")?;
        match a {
            LeftOperand::Held(var) => {
                self.require(*var, Type::new(known.operands, known.a.width()))?;
            }
            LeftOperand::Shared(tile) => self.tile(tile, known.operands)?,
        }
        self.tile(b, known.operands)?;
        let ty = Type::new(known.accumulator, known.c.width());
        self.require(c, ty)?;
        Ok(ty)
    }

    fn tile(&self, tile: &SharedTile, operands: DType) -> Result<(), Fault> {
        let array = self.array(Memory::Shared(tile.array))?;
        require_dtype(&array.name, array.dtype, operands)?;
        self.of_warp("offset of an operand", &tile.at)?;
        let size = operands.size() as u64;
        let fault = |wanted| Fault::Tile {
            array: array.name.clone(),
            wanted,
        };
        if tile.swizzle == Swizzle::None {
            return Err(fault("a swizzle"));
        }
        // PTX ISA, "shared memory matrix layout": only 16-bit operands may be turned.
        if !tile.along_depth && size != 2 {
            return Err(fault("lines along the depth, unless elements have 16 bits"));
        }
        for step in [tile.next_lines, tile.next_chunk] {
            let bytes = u64::from(step) * size;
            if !bytes.is_multiple_of(CHUNK) || bytes >= MOST_LEAD {
                return Err(fault(
                    "steps that are multiples of 16 bytes, less than 256 KiB",
                ));
            }
        }
        Ok(())
    }
}

fn require_dtype(array: &str, found: DType, wanted: DType) -> Result<(), Fault> {
    if found == wanted {
        return Ok(());
    }
    Err(Fault::DType {
        what: format!("array `{array}`"),
        wanted: wanted.name().into(),
        found,
    })
}

fn require_map(program: &Program, map: &TensorMap) -> Result<(), MapFault> {
    let fault = |what: &str, wanted: &str, found: String| {
        Err(MapFault {
            what: what.into(),
            wanted: wanted.into(),
            found,
        })
    };
    let Some(param) = program.params.get(map.param as usize) else {
        return fault("parameter", "one of the program", map.param.to_string());
    };
    if param.written {
        return fault(
            "parameter",
            "one that is not written",
            format!("`{}`", param.name),
        );
    }
    let size = param.dtype.size();
    let (axes, line) = (map.sizes.len(), u64::from(map.swizzle.line()));
    let fit = map.strides.len() + 1 == axes && map.extents.len() == axes;
    if !(1..=MOST_AXES).contains(&axes) || !fit {
        return fault(
            "axes",
            "1 to 5, with an extent for each and a stride for each but the first",
            format!(
                "{axes} sizes, {} strides, {} extents",
                map.strides.len(),
                map.extents.len()
            ),
        );
    }
    for (axis, n) in map.sizes.iter().enumerate() {
        if !(1..=MOST_SIZE).contains(n) {
            return fault(&format!("size of axis {axis}"), "1 to 2^32", n.to_string());
        }
    }
    for (i, stride) in map.strides.iter().enumerate() {
        let bytes = i128::from(*stride) * size as i128;
        if !(1..MOST_STRIDE).contains(&bytes) || bytes % CHUNK as i128 != 0 {
            return fault(
                &format!("stride of axis {}", i + 1),
                "a multiple of 16 bytes, above 0 and less than 2^40",
                format!("{bytes} bytes"),
            );
        }
    }
    for (axis, n) in map.extents.iter().enumerate() {
        if !(1..=MOST_EXTENT).contains(n) {
            return fault(
                &format!("box along axis {axis}"),
                "1 to 256 elements",
                n.to_string(),
            );
        }
    }
    let bytes = u64::from(map.extents[0]) * size as u64;
    if !bytes.is_multiple_of(CHUNK) {
        let found = format!("{bytes} bytes");
        return fault("box along axis 0", "a multiple of 16 bytes", found);
    }
    // Narrower boxes would lie otherwise than side by side.
    if map.swizzle != Swizzle::None && bytes != line {
        let wanted = format!("{line} bytes, as the swizzle is wide");
        return fault("box along axis 0", &wanted, format!("{bytes} bytes"));
    }
    let steps = map.sizes[1..].iter().zip(&map.strides);
    let steps = steps.map(|(n, stride)| i128::from(n - 1) * i128::from(*stride));
    let last = i128::from(map.sizes[0]) + steps.sum::<i128>();
    if last > i128::from(param.len) {
        let wanted = format!("at most {} elements of `{}`", param.len, param.name);
        return fault("extent", &wanted, last.to_string());
    }
    Ok(())
}

/// By what warps of one warpgroup may be kept apart: a pair that depends on the lane, or on the warp through less than
/// whole groups. What depends on counters or variables is seen only when it runs.
pub(super) fn splits(pairs: &[(Index, Index)], warps: u32) -> bool {
    pairs.iter().any(|(a, b)| {
        if a.mentions(&Index::Lane) || b.mentions(&Index::Lane) {
            return true;
        }
        let below = |warp| Some(of_warp(a, warp)? < of_warp(b, warp)?);
        (0..warps).any(|warp| {
            let first = below(warp / WARPGROUP * WARPGROUP);
            first.is_some() && first != below(warp)
        })
    })
}

/// Whether warps of one warpgroup have different numbers.
pub(super) fn parts_warpgroups(index: &Index, warps: u32) -> bool {
    (0..warps).any(|warp| {
        let first = of_warp(index, warp / WARPGROUP * WARPGROUP);
        first.is_some() && first != of_warp(index, warp)
    })
}

/// The value of an index that only depends on the warp.
fn of_warp(index: &Index, warp: u32) -> Option<i64> {
    let each = |a, b| Some((of_warp(a, warp)?, of_warp(b, warp)?));
    match index {
        Index::Const(n) => Some(*n),
        Index::Warp => Some(warp.into()),
        Index::Counter(_) | Index::Lane | Index::Var(_) => None,
        Index::Add(a, b) => each(a, b).and_then(|(a, b)| a.checked_add(b)),
        Index::Mul(a, b) => each(a, b).and_then(|(a, b)| a.checked_mul(b)),
        Index::Div(a, b) => each(a, b).and_then(|(a, b)| (a >= 0 && b > 0).then(|| a / b)),
        Index::Mod(a, b) => each(a, b).and_then(|(a, b)| (a >= 0 && b > 0).then(|| a % b)),
        Index::Min(a, b) => each(a, b).map(|(a, b)| a.min(b)),
        Index::Max(a, b) => each(a, b).map(|(a, b)| a.max(b)),
        Index::Xor(a, b) => each(a, b).and_then(|(a, b)| (a >= 0 && b >= 0).then_some(a ^ b)),
    }
}
