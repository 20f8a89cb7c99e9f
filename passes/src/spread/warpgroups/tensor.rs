//! Loads of tiles as boxes of tensors.

use ir::{
    lane::{Swizzle, TensorMap},
    tile::{Access, Affine, Axis, Index, Memory, Program, Ranges, Shape},
};

use super::Misfit;

/// Bytes of which strides and starts are multiples. CUDA Driver API, `cuTensorMapEncodeTiled`.
const ALIGN: i64 = 16;

/// Most axes of a tensor map.
const AXES: usize = 5;

/// Most elements of a box along an axis.
const MOST: u32 = 256;

/// A tile as boxes of a tensor, side by side.
#[derive(Clone, Debug)]
pub(super) struct Boxes {
    pub map: TensorMap,
    /// First place of the tile on each axis.
    pub from: Vec<Index>,
    /// The side of the tile along which elements lie side by side.
    pub along: Axis,
}

/// A load under study.
struct Load<'a> {
    name: &'a str,
    /// Bytes of an element.
    size: i64,
    ranges: Ranges,
    access: &'a Access,
}

impl Boxes {
    /// The boxes of a load that gives 0 outside.
    pub fn of(
        program: &Program,
        access: &Access,
        shape: Shape,
        ranges: &Ranges,
    ) -> Result<Self, Misfit> {
        let array = program.array(access.memory);
        let load = Load {
            name: &array.name,
            size: array.dtype.size() as i64,
            ranges: ranges.in_tile(shape),
            access,
        };
        let at = load.ranges.affine(&access.at);
        let (along, pitch) = load.strides(&at)?;
        let sides = match along {
            Axis::Lanes => [Index::Lane, Index::Row],
            Axis::Rows => [Index::Row, Index::Lane],
        };
        let [inner, outer] = &sides;
        let limits = load.limits(&sides)?;
        let start = |limit: &Option<(Affine, i64)>, side: &Index| {
            let whole = limit.as_ref().map(|(a, _)| a.clone());
            without(whole.unwrap_or_default(), side)
        };
        let [mut first, mut line] = [start(&limits[0], inner), start(&limits[1], outer)];
        // What remains of the offset when both coordinates are taken away.
        let overflow = "offsets are far below 64 bits";
        let rest = without(without(at, inner), outer);
        let rest = rest.plus(-1, &first).expect(overflow);
        let rest = rest.plus(-pitch, &line).expect(overflow);
        let (mut lines, mut odd) = rest.split(pitch);
        if limits[1].is_none() {
            line = line.plus(1, &lines).expect(overflow);
        } else {
            odd = odd.plus(pitch, &lines).expect(overflow);
        }
        lines = Affine::default();
        if limits[0].is_none() {
            let (whole, part) = odd.split(pitch);
            first = first.plus(1, &part).expect(overflow);
            lines = Affine::default().plus(pitch, &whole).expect(overflow);
            odd = Affine::default();
        }
        let others = load.others(&odd.plus(1, &lines).expect(overflow))?;
        let end = |start: &Affine, side: &Index| {
            let last = Index::from(start.clone()) + side.clone();
            load.ranges.range(&last).max + 1
        };
        let inner_size = match &limits[0] {
            Some((_, limit)) => *limit,
            None => end(&first, inner).max(pitch),
        };
        let outer_size = match &limits[1] {
            Some((_, limit)) => *limit,
            // The last element of the array is on the last line.
            None if array.len % pitch == 0 => array.len / pitch,
            None => end(&line, outer),
        };
        let Memory::Param(param) = access.memory else {
            unreachable!("programs with arrays of their own are refused")
        };
        let (swizzle, extents) = load.extents(along, shape)?;
        let mut map = TensorMap {
            param,
            sizes: vec![inner_size, outer_size],
            strides: vec![pitch],
            extents,
            swizzle,
        };
        let mut from: Vec<Index> = vec![first.into(), line.into()];
        for (place, size, stride) in others {
            map.sizes.push(size);
            map.strides.push(stride);
            map.extents.push(1);
            from.push(place);
        }
        load.within(&map, array.len)?;
        Ok(Self { map, from, along })
    }
}

impl Load<'_> {
    /// Fails if a tensor has elements that the array does not have.
    fn within(&self, map: &TensorMap, len: i64) -> Result<(), Misfit> {
        let steps = map.sizes[1..].iter().zip(&map.strides);
        let steps: i64 = steps.map(|(size, stride)| (size - 1) * stride).sum();
        let found = map.sizes[0] + steps;
        if found <= len {
            return Ok(());
        }
        Err(Misfit::Extent {
            array: self.name.into(),
            found,
            len,
        })
    }

    /// Along which side elements lie side by side, and how far apart those along the other are.
    fn strides(&self, at: &Affine) -> Result<(Axis, i64), Misfit> {
        let by = [Index::Row, Index::Lane].map(|side| at.stride(&side));
        let pitch = |n: i64| n > 0 && n * self.size % ALIGN == 0;
        match by {
            [Some(n), Some(1)] if pitch(n) => Ok((Axis::Lanes, n)),
            [Some(1), Some(n)] if pitch(n) => Ok((Axis::Rows, n)),
            found => Err(Misfit::Strides {
                array: self.name.into(),
                found: found.map(|n| n.map(|n| n * self.size)),
            }),
        }
    }

    /// The coordinate along each of two sides and where it ends, if a guard says so.
    fn limits(&self, sides: &[Index; 2]) -> Result<[Option<(Affine, i64)>; 2], Misfit> {
        let mut limits = [None, None];
        for (a, b) in &self.access.guard {
            let (place, limit) = (self.ranges.affine(a), self.ranges.affine(b).known());
            let by = sides.each_ref().map(|side| place.stride(side));
            let side = match by {
                [Some(1), Some(0)] => Some(0),
                [Some(0), Some(1)] => Some(1),
                _ => None,
            };
            match (side, limit) {
                (Some(side), Some(limit)) if limits[side].is_none() => {
                    limits[side] = Some((place, limit));
                }
                _ if self.ranges.below(a, b) == Some(true) => {}
                _ => return Err(Misfit::Guard(self.name.into())),
            }
        }
        Ok(limits)
    }

    /// Place, size and stride of the axes whose sum is `rest`.
    fn others(&self, rest: &Affine) -> Result<Vec<(Index, i64, i64)>, Misfit> {
        let constant = (rest.constant > 0).then_some((&Index::Const(1), rest.constant));
        let terms = rest.terms.iter().map(|(atom, by)| (atom, *by));
        let all: Vec<_> = terms.chain(constant).collect();
        let odd = all.iter().find(|(_, by)| by * self.size % ALIGN != 0);
        if let Some((_, by)) = odd {
            return Err(Misfit::Start {
                array: self.name.into(),
                found: by * self.size,
            });
        }
        let below = |index: &Index| {
            let range = self.ranges.range(index);
            (range.min >= 0).then_some(range.max + 1)
        };
        let wrong = || Misfit::Guard(self.name.into());
        let positive = all.iter().all(|(_, by)| *by > 0);
        if positive && rest.constant >= 0 && all.len() + 2 <= AXES {
            let axes = all.into_iter().map(|(place, by)| {
                let size = below(place).ok_or_else(wrong)?;
                Ok((place.clone(), size, by))
            });
            return axes.collect();
        }
        // One axis of all places at which a tile may start.
        let unit = ALIGN / self.size;
        let (place, _) = rest.split(unit);
        let place = Index::from(place);
        let size = below(&place).ok_or_else(wrong)?;
        Ok(vec![(place, size, unit)])
    }

    /// How boxes lie, and how long they are along both sides.
    fn extents(&self, along: Axis, shape: Shape) -> Result<(Swizzle, Vec<u32>), Misfit> {
        let (inner, lines) = match along {
            Axis::Lanes => (shape.lanes, shape.rows),
            Axis::Rows => (shape.rows, shape.lanes),
        };
        let widest = Swizzle::B128.line() / self.size as u32;
        let width = inner.min(widest);
        let swizzle = [Swizzle::B128, Swizzle::B64, Swizzle::B32]
            .into_iter()
            .find(|s| s.line() == width * self.size as u32);
        match swizzle {
            Some(swizzle) if inner % width == 0 && (8..=MOST).contains(&lines) => {
                Ok((swizzle, vec![width, lines]))
            }
            _ => Err(Misfit::Box {
                array: self.name.into(),
                found: inner,
                lines,
            }),
        }
    }
}

/// A sum without the term of an atom.
fn without(mut sum: Affine, atom: &Index) -> Affine {
    sum.terms.remove(atom);
    sum
}
