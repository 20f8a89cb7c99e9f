//! Bounds, sums and guards of tile indices against every value they take.

use ir::{
    DType,
    tile::{Access, Array, Counter, For, Index, Memory, Program, Ranges, Shape},
};
use proptest::prelude::*;

const GRID: [i64; 2] = [3, 2];
const SHAPE: Shape = Shape::new(4, 8);

fn counter(i: u32) -> Index {
    Counter(i).into()
}

fn program() -> Program {
    Program {
        name: "ranges".into(),
        params: vec![Array {
            name: "ids".into(),
            dtype: DType::U8,
            len: 8,
            written: false,
        }],
        locals: vec![],
        grid: GRID.to_vec(),
        body: vec![],
    }
}

fn round(counter: u32, start: Index, end: Index, step: i64) -> For {
    For {
        counter: Counter(counter),
        start,
        end,
        step,
        unroll: 1,
        carried: vec![],
        body: vec![],
    }
}

/// The value at a place: counters 0 to 2, row, lane.
fn value(index: &Index, at: [i64; 5]) -> i64 {
    let of = |i: &Index| value(i, at);
    match index {
        Index::Const(c) => *c,
        Index::Counter(Counter(c)) => at[*c as usize],
        Index::Row => at[3],
        Index::Lane => at[4],
        Index::Add(a, b) => of(a) + of(b),
        Index::Mul(a, b) => of(a) * of(b),
        Index::Div(a, b) => of(a).div_euclid(of(b)),
        Index::Mod(a, b) => of(a).rem_euclid(of(b)),
        Index::Min(a, b) => of(a).min(of(b)),
        Index::Max(a, b) => of(a).max(of(b)),
        Index::Load(_, a) => (of(a) * 37).rem_euclid(256),
    }
}

/// Every place inside the loop and the tile.
fn places(l: &For) -> Vec<[i64; 5]> {
    let mut places = Vec::new();
    for x in 0..GRID[0] {
        for y in 0..GRID[1] {
            let [start, end] = [&l.start, &l.end].map(|i| value(i, [x, y, 0, 0, 0]));
            for z in (start..end).step_by(l.step as usize) {
                for row in 0..i64::from(SHAPE.rows) {
                    places.extend((0..i64::from(SHAPE.lanes)).map(|lane| [x, y, z, row, lane]));
                }
            }
        }
    }
    places
}

fn index(counters: u32, tile: bool) -> impl Strategy<Value = Index> {
    let constant = (-20i64..20).prop_map(Index::Const);
    let counter = (0..counters).prop_map(counter);
    let place = if tile {
        vec![Index::Row, Index::Lane]
    } else {
        vec![Index::Const(5)]
    };
    let leaf = prop_oneof![constant, counter, proptest::sample::select(place)];
    leaf.prop_recursive(4, 24, 2, |part| {
        let pair = (part.clone(), part.clone());
        prop_oneof![
            3 => pair.clone().prop_map(|(a, b)| a + b),
            2 => (part.clone(), -9i64..9).prop_map(|(a, c)| a * c),
            1 => pair.clone().prop_map(|(a, b)| a * b),
            1 => (part.clone(), 1i64..9).prop_map(|(a, c)| a.floor_div(c)),
            1 => (part.clone(), 1i64..9).prop_map(|(a, c)| a.modulo(c)),
            1 => pair.clone().prop_map(|(a, b)| a.min(b)),
            1 => pair.prop_map(|(a, b)| a.max(b)),
            1 => part.prop_map(|a| Index::Load(Memory::Param(0), a.into())),
        ]
    })
}

/// Whether division is only of numbers that are not negative, as the definition wants.
fn divides_well(index: &Index, at: [i64; 5]) -> bool {
    let parts = index.parts().into_iter().all(|p| divides_well(p, at));
    parts && !matches!(index, Index::Div(a, _) | Index::Mod(a, _) if value(a, at) < 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bounds_and_sums_hold_everywhere(
        (start, end) in (index(2, false), index(2, false)),
        step in 1i64..5,
        (i, j) in (index(3, true), index(3, true)),
    ) {
        let l = round(2, start, end, step);
        let places = places(&l);
        let all = [&l.start, &l.end, &i, &j];
        prop_assume!(places.iter().all(|p| all.iter().all(|i| divides_well(i, *p))));
        let ranges = Ranges::of(&program()).in_loop(&l).in_tile(SHAPE);
        let range = ranges.range(&i);
        let simple = ranges.simplify(&i);
        let below = ranges.below(&i, &j);
        let guarded = ranges.where_below(&[(i.clone(), j.clone())]);
        let (guarded_range, guarded_simple) = (guarded.range(&j), guarded.simplify(&j));
        let lane = ranges.affine(&i).stride(&Index::Lane);
        for p in places {
            let (x, y) = (value(&i, p), value(&j, p));
            prop_assert!(range.min <= x && x <= range.max, "{x} in {range:?} at {p:?}");
            prop_assert!(range.step != 0 || x == range.min);
            prop_assert!(range.step == 0 || (x - range.min) % range.step == 0);
            prop_assert_eq!(value(&simple, p), x);
            prop_assert!(below.is_none_or(|b| b == (x < y)));
            if x < y {
                prop_assert!(guarded_range.min <= y && y <= guarded_range.max);
                prop_assert_eq!(value(&guarded_simple, p), y);
            }
            if let (Some(stride), 0) = (lane, p[4]) {
                let mut next = p;
                next[4] = 1;
                prop_assert_eq!(value(&i, next) - x, stride);
            }
        }
    }
}

#[test]
fn a_cut_of_a_ragged_axis_stays_within_it() {
    // Block #0 takes rows 64 #0 .. of 100; each round 4 of them.
    let start = counter(0) * 64;
    let end = (start.clone() + 64).min(100);
    let mut p = program();
    p.grid = vec![2, 2];
    let l = round(2, start.clone(), end, 4);
    let ranges = Ranges::of(&p).in_loop(&l).in_tile(SHAPE);
    let range = ranges.range(&counter(2));
    assert_eq!((range.min, range.max, range.step), (0, 96, 4));
    assert_eq!(
        ranges.below(&(counter(2) + Index::Row), &100.into()),
        Some(true)
    );
    assert_eq!(ranges.below(&(counter(2) + Index::Row), &99.into()), None);
    // The place within the block, for a local array of 64 rows.
    let within = counter(2) + start * -1 + Index::Row;
    assert_eq!(ranges.range(&within).max, 63);
    assert_eq!(ranges.range(&within).min, 0);
}

#[test]
fn a_guard_bounds_the_access_behind_it() {
    let row = counter(0) * 4 + Index::Row;
    let mut access = Access {
        memory: Memory::Param(0),
        at: row.clone() * 8 + Index::Lane,
        guard: vec![(row, 10.into())],
    };
    let ranges = Ranges::of(&program());
    assert!(ranges.contains(&access, SHAPE, 80));
    assert!(!ranges.contains(&access, SHAPE, 79));
    access.guard.clear();
    assert!(!ranges.contains(&access, SHAPE, 80));
}

#[test]
fn a_head_split_over_whole_tiles_is_a_sum() {
    let mut p = program();
    p.grid = vec![12, 1];
    let column = counter(0) * 8 + Index::Lane;
    let at = column.clone().floor_div(32) * 4096 + column.modulo(32);
    let ranges = Ranges::of(&p).in_tile(SHAPE);
    let sum = ranges.affine(&at);
    assert_eq!(
        sum.stride(&Index::Lane),
        None,
        "8 of 32 columns: the head depends on the block"
    );
    let column = counter(0) * 32 + Index::Lane;
    let at = column.clone().floor_div(32) * 4096 + column.modulo(32);
    let sum = ranges.affine(&at);
    assert!(sum.is_plain());
    assert_eq!(sum.stride(&Index::Lane), Some(1));
    assert_eq!(sum.stride(&counter(0)), Some(4096));
}
