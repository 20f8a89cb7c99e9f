//! Lowering for devices of many lanes: tiles are as large as a block and have sides that are powers of two.
//!
//! Ragged edges are guards: loads give 0 outside, which the templates turn into what a fold ignores, and stores
//! do nothing. How a tile is dealt to lanes is not said here, but by `crate::spread`.

mod attention;
mod contract;
mod factor;
mod fit;
mod fold;
mod gemv;
mod map;
mod merge;
mod rows;
mod scan;
mod split;
mod stream;
mod top_k;
mod warpgroups;

use ir::{
    BinaryFn, DType, Kernel, Schedule, Simt, SimtContractSchedule,
    tile::{Index, Program, Shape, Value, Var},
};

use attention::Masking;
pub use fit::fits;
pub(super) use gemv::lines;

use super::{
    Builder, LowerError, Lowered, Lowering, Range, coordinates,
    emit::{Known, Point, emit, emit_as, emit_full},
    family_of, identity, operand_types, other_family, params, result,
};
use crate::{
    Layout,
    family::{Family, Shaped},
    nest::Nest,
    spread::{Spread, SpreadError, Warpgroups, spread, spread_warpgroups},
};

/// The programs that `schedule` makes of a kernel.
pub(super) fn lower_kernel(
    kernel: &Kernel,
    shaped: &Shaped,
    schedule: &Schedule,
    simt: &Simt,
    in_place: Option<usize>,
) -> Result<Lowered, LowerError> {
    let name = &kernel.name;
    fit::check(name, &family_of(shaped, kernel), schedule, simt)?;
    if shaped.family == Family::Scatter && super::scatter::spec(&shaped.nest).combine.is_some() {
        // A lane that holds what another holds too would count it twice.
        return Err(LowerError::Nest {
            kernel: name.clone(),
            reason: "no template scatters with a function on devices of many lanes".into(),
        });
    }
    let program = lower(name, shaped, schedule, in_place.is_some())
        .ok_or_else(|| other_family(kernel, schedule))?;
    let lane = match (Spread::of(schedule), Warpgroups::of(schedule)) {
        (Some(dealt), _) => spread(&program, simt, &dealt),
        (_, Some(groups)) => spread_warpgroups(&program, simt, &groups),
        _ => return Err(other_family(kernel, schedule)),
    };
    let lane = lanes(kernel, simt, lane)?;
    let combine = combine(&kernel.name, shaped, schedule);
    let combine = combine.map(|program| {
        let lane = spread(&program, simt, &Spread::of_warps(COMBINE_WARPS));
        Ok(Lowering {
            lane: Some(lanes(kernel, simt, lane)?),
            program,
        })
    });
    Ok(Lowered {
        program,
        layouts: vec![Layout::Plain; shaped.nest.operands.len()],
        lane: Some(lane),
        combine: combine.transpose()?,
        in_place,
    })
}

/// Warps of a block that combines parts.
const COMBINE_WARPS: u32 = 4;

/// A tile program spread over lanes, if there is room for it.
fn lanes(
    kernel: &Kernel,
    simt: &Simt,
    lane: Result<ir::lane::Program, SpreadError>,
) -> Result<ir::lane::Program, LowerError> {
    let lane = lane.map_err(|reason| LowerError::Spread {
        kernel: kernel.name.clone(),
        reason,
    })?;
    // Shared memory that a launch asks for starts at a multiple of 16 bytes.
    let start = lane.shared_alignment() - 16;
    let [found, limit] = [(lane.shared_bytes() + start) as u64, simt.shared.0];
    if found > limit {
        return Err(LowerError::DoesNotFit {
            kernel: kernel.name.clone(),
            what: "bytes of shared memory",
            found,
            limit,
        });
    }
    Ok(lane)
}

/// The program that makes the result of the parts that `lower`'s makes, if the schedule has several.
pub(super) fn combine(name: &str, shaped: &Shaped, schedule: &Schedule) -> Option<Program> {
    let nest = &shaped.nest;
    let name = &format!("{name}_combined");
    match (&shaped.family, schedule) {
        (Family::Contract(c), Schedule::SimtContract(s)) => {
            let split = contract::split(nest, s)?;
            Some(split::Sides::of(nest, c).add_parts(name, nest, split))
        }
        (Family::Contract(c), Schedule::SimtGemv(s)) => {
            let split = gemv::split(nest, s)?;
            Some(split::Sides::of(nest, c).add_parts(name, nest, split))
        }
        (Family::Contract(c), Schedule::SimtStream(s)) => {
            Some(stream::Stream::of(nest, c, s)?.add_parts(name, nest, c))
        }
        (Family::Attention, Schedule::SimtAttention(s)) => {
            let split = attention::split(nest, s)?;
            let sizes = super::attention::spec(nest).sizes;
            Some(merge::Merge { split, sizes }.merge_parts(name, nest))
        }
        _ => None,
    }
}

/// The program that the schedule makes of a nest, if it is for the nest's family.
pub(super) fn lower(
    name: &str,
    shaped: &Shaped,
    schedule: &Schedule,
    in_place: bool,
) -> Option<Program> {
    let nest = &shaped.nest;
    Some(match (&shaped.family, schedule) {
        (Family::Map, Schedule::SimtMap(s)) => map::lower(name, nest, s),
        (Family::Fold, Schedule::SimtMap(s)) => fold::lower(name, nest, s),
        (Family::Scatter, Schedule::SimtMap(s)) => {
            super::scatter::lower_simt(name, nest, s, in_place)
        }
        (Family::Rows { rows }, Schedule::SimtRows(s)) => rows::lower(name, nest, *rows, s),
        (Family::TopK, Schedule::SimtRows(s)) => top_k::lower(name, nest, s),
        (Family::Scan, Schedule::SimtMap(s)) => scan::lower(name, nest, s),
        (Family::Contract(c), Schedule::SimtContract(s)) => contract::lower(name, nest, c, s),
        (Family::Attention, Schedule::SimtAttention(s)) => {
            attention::lower(name, nest, s, Masking::Everywhere)
        }
        (Family::Contract(c), Schedule::WarpgroupContract(s)) => {
            contract::lower(name, nest, c, &warpgroups::contract(s))
        }
        (Family::Attention, Schedule::WarpgroupAttention(s)) => attention::lower(
            name,
            nest,
            &warpgroups::attention(s),
            Masking::AtEdges(s.scores),
        ),
        (Family::Contract(c), Schedule::SimtGemv(s)) => gemv::lower(name, nest, c, s),
        (Family::Contract(c), Schedule::SimtStream(s)) => match stream::Stream::of(nest, c, s) {
            Some(stream) => stream.parts(name, nest, c, s),
            None => contract::lower(
                name,
                nest,
                c,
                &SimtContractSchedule {
                    splits: 1,
                    ..s.tile
                },
            ),
        },
        _ => return None,
    })
}

/// A builder whose operands lie as their types say.
pub(super) fn builder(name: &str, nest: &Nest, grid: Vec<i64>) -> Builder {
    let plain = vec![Layout::Plain; nest.operands.len()];
    Builder::new(name, params(nest, &plain), grid)
}

/// Blocks of `block` that cover `size`.
pub(super) fn blocks(size: i64, block: u32) -> i64 {
    (size.max(1) as u64).div_ceil(block.into()) as i64
}

/// A part of an axis that a tile covers.
#[derive(Clone)]
pub(super) struct Span {
    /// The coordinate of each element.
    pub(super) at: Index,
    /// Size of the axis.
    size: i64,
    /// Whether coordinates may pass the size.
    ragged: bool,
}

impl Span {
    /// `start + element`, where `start` is a multiple of `tile`, and `element` below it.
    pub(super) fn new(start: Index, element: Index, size: i64, tile: u32) -> Self {
        Self {
            at: start + element,
            size,
            ragged: size % i64::from(tile) != 0,
        }
    }

    /// The pair that holds within the axis, unless it always does.
    fn bound(&self) -> Option<(Index, Index)> {
        self.ragged.then(|| (self.at.clone(), self.size.into()))
    }

    /// `bool`s that say where coordinates lie within the axis.
    fn inside(&self, b: &mut Builder, shape: Shape) -> Var {
        let at = b.set(Value::Coordinate(self.at.clone(), shape));
        let size = Value::Splat((self.size as f64).into(), DType::I32, Shape::ONE);
        let size = b.set(size);
        b.binary(BinaryFn::Lt, at, size)
    }
}

/// The pairs of some spans.
pub(super) fn bounds<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Vec<(Index, Index)> {
    spans.into_iter().filter_map(Span::bound).collect()
}

/// Sizes of a tile's side: the power of two that covers `size`, at most `most`.
pub(super) fn side(size: i64, most: u32) -> u32 {
    let covering = (size.max(1) as u64).next_power_of_two();
    u64::from(most).min(covering) as u32
}
