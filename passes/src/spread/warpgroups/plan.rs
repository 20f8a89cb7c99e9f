//! Which tiles are copied together, where they lie, and between which loops.

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    lane::{Mbarrier, TensorMap},
    tile::{Access, Array, Axis, Counter, For, Index, Program, Ranges, Shape, Stmt, Value, Var},
};

use super::{
    super::{Layouts, SpreadError, layouts::operands, shared::moved},
    Misfit, Warpgroups,
    tensor::Boxes,
    tiling::Tiling,
};

/// Bytes after which a swizzle starts anew: eight lines of the widest.
const PATTERN: u64 = 1024;

/// A tile of a ring.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    /// The shared array, with a place for each stage.
    pub array: u32,
    /// The tensor map, by position.
    pub map: u32,
    /// Elements of a place.
    pub len: i64,
    /// Elements side by side in a box.
    pub width: u32,
    /// Lines of a box.
    pub lines: u32,
    /// Boxes side by side.
    pub boxes: u32,
    /// Along which side of the tile elements lie side by side.
    pub along: Axis,
}

/// Tiles that are copied together, and places for some of each.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub tiles: Vec<Tile>,
    pub stages: u32,
    /// Of all tiles of a stage.
    pub bytes: u32,
}

/// A round of a ring: where its tiles come from.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub ring: usize,
    /// For each tile, its first place on each axis of its map.
    pub from: Vec<Vec<Index>>,
}

/// A statement of a tile program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Dot(Var),
    Loop(Counter),
}

/// What is copied when.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub rings: Vec<Ring>,
    pub arrays: Vec<Array>,
    pub maps: Vec<TensorMap>,
    pub tilings: BTreeMap<Var, Tiling>,
    /// The first counter that the tile program does not use.
    pub counters: u32,
    /// Ring and tile of each operand, the left and the right, of each dot; none for one in registers.
    pub operands: BTreeMap<Var, [Option<(usize, usize)>; 2]>,
    /// What each dot uses up.
    pub rounds: BTreeMap<Var, Round>,
    /// Dots that nobody reads before the next one has ended.
    pub ahead: BTreeSet<Var>,
    /// What is used by some statements that follow each other; the first and the last of them.
    spans: Vec<(Round, [Site; 2])>,
    /// Rings of which rounds end within a loop.
    within: BTreeMap<Counter, BTreeSet<usize>>,
    /// By what is the same of two rings that are one.
    known: Vec<Key>,
}

/// Maps, sides and orientations of tiles; and what is copied, if that stays for some statements.
type Key = (Vec<(TensorMap, Shape, bool)>, Option<Access>);

/// A dot, and the loops around it.
struct Dot<'a> {
    var: Var,
    operands: [Var; 2],
    loops: Vec<&'a For>,
    ranges: Ranges,
}

impl Plan {
    pub fn of(
        program: &Program,
        layouts: &Layouts<'_>,
        tilings: BTreeMap<Var, Tiling>,
        groups: &Warpgroups,
    ) -> Result<Self, SpreadError> {
        let mut plan = Self {
            tilings,
            counters: program.grid.len() as u32,
            ..Self::default()
        };
        let mut of = Finder {
            program,
            layouts,
            groups,
            loads: vec![],
        };
        let mut dots = vec![];
        plan.find(&program.body, &mut vec![], &Ranges::of(program), &mut dots);
        let operands = dots.iter().flat_map(|dot| dot.operands);
        of.loads = operands.filter_map(|var| of.load(var)).collect();
        for dot in &dots {
            plan.dot(&of, dot)?;
        }
        Ok(plan)
    }

    /// The dots of a body, in their order.
    fn find<'a>(
        &mut self,
        body: &'a [Stmt],
        loops: &mut Vec<&'a For>,
        ranges: &Ranges,
        dots: &mut Vec<Dot<'a>>,
    ) {
        for stmt in body {
            match stmt {
                Stmt::Let(var, Value::Dot { a, b, .. }) => {
                    if loops.last().is_some_and(|l| is_ahead(l, *var)) {
                        self.ahead.insert(*var);
                    }
                    dots.push(Dot {
                        var: *var,
                        operands: [*a, *b],
                        loops: loops.clone(),
                        ranges: ranges.clone(),
                    });
                }
                Stmt::Let(..) | Stmt::Store { .. } => {}
                Stmt::For(l) => {
                    self.counters = self.counters.max(l.counter.0 + 1);
                    loops.push(l);
                    self.find(&l.body, loops, &ranges.in_loop(l), dots);
                    loops.pop();
                }
            }
        }
    }

    fn dot(&mut self, of: &Finder<'_>, dot: &Dot<'_>) -> Result<(), SpreadError> {
        let mut places = [None, None];
        let mut local = vec![];
        for (side, var) in dot.operands.into_iter().enumerate() {
            let Some((access, shape)) = of.load(var) else {
                let own = of.layouts.own.get(&var);
                let stays = own.is_some_and(|own| moved(own, &self.tilings[&dot.var].a).is_some());
                if side == 0 && stays {
                    continue;
                }
                return Err(Misfit::Computed(var).into());
            };
            let boxes = Boxes::of(of.program, access, shape, &dot.ranges)?;
            let used = |l: &&For| mentions(access, l.counter);
            let level = dot.loops.iter().rposition(used).map_or(0, |at| at + 1);
            let site = match dot.loops.get(level) {
                Some(l) => Site::Loop(l.counter),
                None if of.shares(access) => Site::Dot(dot.var),
                None => {
                    local.push((side, boxes, shape));
                    continue;
                }
            };
            let from = vec![boxes.from.clone()];
            let ring = self.ring(of, &[(boxes, shape)], Some(access));
            places[side] = Some((ring, 0));
            self.ends_within(ring, &dot.loops[..level]);
            match self.spans.iter_mut().find(|(round, _)| round.ring == ring) {
                Some((_, [_, last])) => *last = site,
                None => self.spans.push((Round { ring, from }, [site; 2])),
            }
        }
        if !local.is_empty() {
            let tiles: Vec<_> = local
                .iter()
                .map(|(_, b, shape)| (b.clone(), *shape))
                .collect();
            let ring = self.ring(of, &tiles, None);
            for (at, (side, ..)) in local.iter().enumerate() {
                places[*side] = Some((ring, at));
            }
            self.ends_within(ring, &dot.loops);
            let from = local.into_iter().map(|(_, b, _)| b.from).collect();
            self.rounds.insert(dot.var, Round { ring, from });
        }
        self.operands.insert(dot.var, places);
        Ok(())
    }

    fn ends_within(&mut self, ring: usize, loops: &[&For]) {
        for l in loops {
            self.within.entry(l.counter).or_default().insert(ring);
        }
    }

    /// The ring of some tiles.
    fn ring(&mut self, of: &Finder<'_>, tiles: &[(Boxes, Shape)], stays: Option<&Access>) -> usize {
        let same = |(b, shape): &(Boxes, Shape)| (b.map.clone(), *shape, b.along == Axis::Lanes);
        let key = (tiles.iter().map(same).collect(), stays.cloned());
        if let Some(at) = self.known.iter().position(|k| *k == key) {
            return at;
        }
        self.known.push(key);
        let stages = if stays.is_some() { 1 } else { of.groups.stages };
        let mut bytes = 0;
        let tiles = tiles.iter().map(|(boxes, shape)| {
            let array = of.program.params[boxes.map.param as usize].clone();
            let size = array.dtype.size() as i64;
            let whole = i64::from(shape.rows) * i64::from(shape.lanes);
            bytes += (whole * size) as u32;
            let len = ((whole * size) as u64).next_multiple_of(PATTERN) as i64 / size;
            self.arrays.push(Array {
                name: format!("s{}", self.arrays.len()),
                dtype: array.dtype,
                len: len * i64::from(stages),
                written: true,
            });
            let map = match self.maps.iter().position(|m| *m == boxes.map) {
                Some(at) => at,
                None => {
                    self.maps.push(boxes.map.clone());
                    self.maps.len() - 1
                }
            };
            let [width, lines] = [0, 1].map(|axis| boxes.map.extents[axis]);
            Tile {
                array: self.arrays.len() as u32 - 1,
                map: map as u32,
                len,
                width,
                lines,
                boxes: whole as u32 / (width * lines),
                along: boxes.along,
            }
        });
        let tiles = tiles.collect();
        self.rings.push(Ring {
            tiles,
            stages,
            bytes,
        });
        self.rings.len() - 1
    }

    /// Counters in shared memory: for each ring, its full and its empty stages.
    pub fn mbarriers(&self, consumers: u32) -> Vec<Mbarrier> {
        let each = self.rings.iter().enumerate().flat_map(|(i, ring)| {
            [("full", 1), ("empty", consumers)].map(|(name, arrivals)| Mbarrier {
                name: format!("{name}{i}"),
                len: ring.stages,
                arrivals,
            })
        });
        each.collect()
    }

    /// Rounds that begin before a statement.
    pub fn before(&self, site: Site) -> impl Iterator<Item = &Round> {
        let here = move |(_, [first, _]): &&(Round, [Site; 2])| *first == site;
        self.spans.iter().filter(here).map(|(round, _)| round)
    }

    /// Rounds that end after a statement.
    pub fn after(&self, site: Site) -> impl Iterator<Item = &Round> {
        let here = move |(_, [_, last]): &&(Round, [Site; 2])| *last == site;
        self.spans.iter().filter(here).map(|(round, _)| round)
    }

    /// Rings of which rounds end within a loop.
    pub fn within(&self, l: Counter) -> Vec<usize> {
        let rings = self.within.get(&l).into_iter().flatten();
        rings.copied().collect()
    }
}

/// A program under study.
struct Finder<'a> {
    program: &'a Program,
    layouts: &'a Layouts<'a>,
    groups: &'a Warpgroups,
    /// What operands are loaded from, once for each time.
    loads: Vec<(&'a Access, Shape)>,
}

impl<'a> Finder<'a> {
    /// Whether several dots take the same tile of memory.
    fn shares(&self, access: &Access) -> bool {
        let same = self.loads.iter().filter(|(other, _)| *other == access);
        same.count() > 1
    }

    /// The load that a tile is, if it is one and no more.
    fn load(&self, var: Var) -> Option<(&'a Access, Shape)> {
        match self.layouts.def(var)? {
            Value::Load { from, shape, other } if other.get() == 0.0 => {
                let pairs = from.guard.iter().flat_map(|(a, b)| [a, b]);
                let plain = !pairs.chain([&from.at]).any(gathers);
                plain.then_some((from, *shape))
            }
            Value::Broadcast(x, shape) if self.layouts.types[x].1 == *shape => self.load(*x),
            _ => None,
        }
    }
}

/// Whether an access depends on a counter.
fn mentions(access: &Access, counter: Counter) -> bool {
    let pairs = access.guard.iter().flat_map(|(a, b)| [a, b]);
    pairs
        .chain([&access.at])
        .any(|i| i.mentions(&counter.into()))
}

/// Whether an index has elements of arrays.
fn gathers(index: &Index) -> bool {
    matches!(index, Index::Load(..)) || index.parts().into_iter().any(gathers)
}

/// Whether a loop's dot is for the next round, and another one follows in this.
fn is_ahead(l: &For, dot: Var) -> bool {
    let values = l.body.iter().filter_map(|stmt| match stmt {
        Stmt::Let(var, value) => Some((*var, value)),
        _ => None,
    });
    let read = values.clone().any(|(_, v)| operands(v).contains(&dot));
    let mut later = values.skip_while(|(var, _)| *var != dot).skip(1);
    let another = later.any(|(_, v)| matches!(v, Value::Dot { .. }));
    another && !read && l.carried.iter().any(|c| c.next == dot)
}
