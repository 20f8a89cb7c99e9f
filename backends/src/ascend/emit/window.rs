//! Accesses as rectangles of memory: an offset, strides, and how much of each side is inside.

use ir::tile::{Access, Affine, Index, Ranges, Shape};

/// A rectangle of an array, and the part of it that is accessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ascend) struct Window {
    /// Where its first element lies; without `Row` and `Lane`.
    pub offset: Index,
    /// Rows, then lanes.
    pub sides: [Side; 2],
    /// Nothing is accessed unless all are above 0; each has a meaning where those before are.
    pub conditions: Vec<Index>,
}

/// A side of a rectangle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ascend) struct Side {
    /// Elements, no more than can be inside.
    pub size: i64,
    /// How far they lie apart.
    pub stride: i64,
    /// The first elements are accessed: fewer than `limit / by`, rounded up, of each pair.
    pub bounds: Vec<(Index, i64)>,
}

const PARTS: [Index; 2] = [Index::Row, Index::Lane];

/// The rectangle of an access; none if it is no such.
pub(in crate::ascend) fn window(ranges: &Ranges, access: &Access, shape: Shape) -> Option<Window> {
    let sizes = [shape.rows, shape.lanes];
    let bare = ranges.in_tile(shape);
    // What guards tell makes quotients plain, but hides the stride of a side that they cut to one.
    let mut at = bare.affine(&access.at);
    if PARTS.iter().any(|part| at.stride(part).is_none()) {
        at = bare.where_below(&access.guard).affine(&access.at);
    }
    let mut sides = vec![];
    for (part, size) in PARTS.iter().zip(sizes) {
        sides.push(Side {
            size: size.into(),
            stride: at.stride(part)?,
            bounds: vec![],
        });
    }
    let mut window = Window {
        offset: first(&at)?.into(),
        sides: sides.try_into().ok()?,
        conditions: vec![],
    };
    for (a, b) in &access.guard {
        if bare.below(a, b) == Some(true) {
            continue;
        }
        // `a - b < 0`
        let difference = bare.affine(a).plus(-1, &bare.affine(b))?;
        let [row, lane] = PARTS.map(|part| difference.stride(&part));
        let limit = Affine::constant(0).plus(-1, &first(&difference)?)?;
        let limit: Index = limit.into();
        let (side, by) = match (row?, lane?) {
            (0, 0) => {
                window.conditions.push(limit);
                continue;
            }
            (by, 0) if by > 0 => (&mut window.sides[0], by),
            (0, by) if by > 0 => (&mut window.sides[1], by),
            _ => return None,
        };
        let most = (ranges.range(&limit).max.max(1) as u64).div_ceil(by as u64) as i64;
        side.size = side.size.min(most);
        side.bounds.push((limit, by));
    }
    Some(window)
}

/// The value at row 0 and lane 0.
fn first(at: &Affine) -> Option<Affine> {
    let zero = Affine::constant(0);
    PARTS
        .iter()
        .try_fold(at.clone(), |at, part| at.replace(part, &zero))
}

/// The access with `value` in place of `part`.
pub(in crate::ascend) fn place(access: &Access, part: &Index, value: &Index) -> Access {
    Access {
        memory: access.memory,
        at: replace(&access.at, part, value),
        guard: access
            .guard
            .iter()
            .map(|(a, b)| (replace(a, part, value), replace(b, part, value)))
            .collect(),
    }
}

pub(in crate::ascend) fn replace(index: &Index, part: &Index, value: &Index) -> Index {
    if index == part {
        return value.clone();
    }
    let go = |x: &Index| Box::new(replace(x, part, value));
    match index {
        Index::Const(_) | Index::Counter(_) | Index::Row | Index::Lane => index.clone(),
        Index::Add(a, b) => Index::Add(go(a), go(b)),
        Index::Mul(a, b) => Index::Mul(go(a), go(b)),
        Index::Div(a, b) => Index::Div(go(a), go(b)),
        Index::Mod(a, b) => Index::Mod(go(a), go(b)),
        Index::Min(a, b) => Index::Min(go(a), go(b)),
        Index::Max(a, b) => Index::Max(go(a), go(b)),
        Index::Load(memory, at) => Index::Load(*memory, go(at)),
    }
}

/// Whether an access differs from element to element along `part`.
pub(in crate::ascend) fn varies(access: &Access, part: &Index) -> bool {
    let pairs = access.guard.iter().flat_map(|(a, b)| [a, b]);
    pairs.chain([&access.at]).any(|i| i.mentions(part))
}

#[cfg(test)]
mod tests {
    use ir::tile::{Stmt, Value};

    use super::*;

    /// The rectangle of the only load of a program over one array of 1000.
    fn of(at: &str, shape: &str) -> Option<Window> {
        let text = format!(
            "tile t grid [3] {{\n  param %x : f32[1000]\n  param %y : f32[1] written\n  \
             %0 = load %x[{at} : {shape}\n}}\n"
        );
        let program = ir::tile::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let Stmt::Let(_, Value::Load { from, shape, .. }) = &program.body[0] else {
            panic!("a load");
        };
        window(&Ranges::of(&program), from, *shape)
    }

    #[test]
    fn strides_and_ends_are_found() {
        let w = of(
            "(#0 * 8 + row) * 40 + lane * 2 + 3] where (#0 * 8 + row < 20, lane * 2 < 31)",
            "8x32",
        )
        .unwrap();
        assert_eq!([w.sides[0].stride, w.sides[1].stride], [40, 2]);
        assert_eq!(w.sides[0].bounds.len(), 1);
        assert_eq!(w.sides[1].bounds, [(31.into(), 2)]);
        assert!(w.conditions.is_empty());
    }

    #[test]
    fn what_always_holds_bounds_nothing() {
        let w = of("row * 8 + lane] where (row < 4, #0 < 2)", "4x8").unwrap();
        assert!(w.sides.iter().all(|s| s.bounds.is_empty()));
        assert_eq!(w.conditions.len(), 1);
    }

    #[test]
    fn curves_and_slopes_are_no_rectangles() {
        assert_eq!(of("div(row * 8 + lane, 3)]", "4x8"), None);
        assert_eq!(of("row * 8 + lane] where (row < lane)", "4x8"), None);
    }
}
