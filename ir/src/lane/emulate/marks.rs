//! Who touched each element of shared memory, in programs whose warps meet at mbarriers.

use super::{
    clock::{Clock, Clocks},
    fault::{Thread, Touch},
};
use crate::lane::{Swizzle, WARPGROUP};

/// A lane of a warp, or all of them.
pub(super) type By = (u32, Option<u32>);

/// Marks of all elements of all shared arrays.
pub(super) struct Marks {
    lanes: u32,
    warps: usize,
    groups: usize,
    elements: Vec<Element>,
    /// For each element and warp.
    reads: Vec<Mark>,
    /// For each element and warpgroup: its last product that read it.
    products: Vec<u32>,
}

/// Who wrote an element last, and someone else who wrote the same value.
#[derive(Clone, Copy)]
struct Element {
    first: Mark,
    second: Mark,
    /// Whether lanes have read it.
    read: bool,
    /// How the box lies that was copied to it.
    swizzle: Swizzle,
}

/// Who did something and when; a packed [`Moment`], 0 for never.
type Mark = u64;

/// Counters of mbarriers are numbered from here, lanes of the block below.
const BOX: u32 = 1 << 31;
/// More than one lane of a warp.
const MANY: u32 = BOX - 2;

/// A lane, or a counter of an mbarrier, and when: the time of its warp, or the phase.
#[derive(Clone, Copy)]
struct Moment {
    who: u32,
    time: u32,
}

impl Moment {
    fn mark(self) -> Mark {
        u64::from(self.who + 1) << 32 | u64::from(self.time)
    }

    fn of(mark: Mark) -> Option<Self> {
        (mark > 0).then(|| Self {
            who: (mark >> 32) as u32 - 1,
            time: mark as u32,
        })
    }
}

/// What is not over for who touches an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Before {
    /// What a lane did, or several.
    Lane(Thread, Touch),
    /// A product of a warp, that may still read.
    Product(u32),
    /// A copy of a box, which ends with a phase of a counter.
    Box(usize, u32),
}

impl Marks {
    pub fn new(elements: usize, warps: usize, lanes: u32) -> Self {
        let element = Element {
            first: 0,
            second: 0,
            read: false,
            swizzle: Swizzle::None,
        };
        let groups = warps.div_ceil(WARPGROUP as usize);
        Self {
            lanes,
            warps,
            groups,
            elements: vec![element; elements],
            reads: vec![0; elements * warps],
            products: vec![0; elements * groups],
        }
    }

    fn thread(&self, who: u32) -> By {
        (who / self.lanes, Some(who % self.lanes))
    }

    /// Whether a write is over for who touches and knows this much.
    fn over(&self, by: By, known: &Clock, mark: Mark) -> bool {
        match Moment::of(mark) {
            None => true,
            Some(m) if m.who >= BOX => known.phase((m.who - BOX) as usize) > m.time,
            Some(m) => known.after(by, self.thread(m.who), m.time),
        }
    }

    /// A write that is not over for who touches an element.
    pub fn write_before(&self, by: By, known: &Clock, element: usize) -> Option<Before> {
        let Element { first, second, .. } = self.elements[element];
        let mark = [first, second]
            .into_iter()
            .find(|m| !self.over(by, known, *m))?;
        let Moment { who, time } = Moment::of(mark)?;
        Some(if who >= BOX {
            Before::Box((who - BOX) as usize, time)
        } else {
            let (warp, lane) = self.thread(who);
            Before::Lane(Thread { warp, lane }, Touch::Write)
        })
    }

    /// A read that is not over for who touches an element.
    pub fn read_before(&self, by: By, known: &Clock, element: usize) -> Option<Before> {
        let products = &self.products[element * self.groups..][..self.groups];
        for (group, product) in products.iter().enumerate().filter(|(_, p)| **p > 0) {
            let first = group * WARPGROUP as usize;
            let mut warps = first..first + WARPGROUP as usize;
            if let Some(warp) = warps.find(|w| known.product(*w) < *product) {
                return Some(Before::Product(warp as u32));
            }
        }
        if !self.elements[element].read {
            return None;
        }
        let reads = &self.reads[element * self.warps..][..self.warps];
        for (warp, mark) in reads.iter().enumerate() {
            let Some(Moment { who, time }) = Moment::of(*mark) else {
                continue;
            };
            let (warp, lane) = (warp as u32, Some(who).filter(|who| *who != MANY));
            if !known.after(by, (warp, lane), time) {
                return Some(Before::Lane(Thread { warp, lane }, Touch::Read));
            }
        }
        None
    }

    /// A read or a write that is not over for who touches an element.
    pub fn before(&self, by: By, known: &Clock, element: usize) -> Option<Before> {
        self.read_before(by, known, element)
            .or_else(|| self.write_before(by, known, element))
    }

    /// A lane reads an element.
    pub fn read(&mut self, clocks: &Clocks, element: usize, (warp, lane): (u32, u32)) {
        let by = (warp, Some(lane));
        let mark = &mut self.reads[element * self.warps + warp as usize];
        let over = Moment::of(*mark).is_none_or(|Moment { who, time }| {
            let theirs = Some(who).filter(|who| *who != MANY);
            clocks.known(by).after(by, (warp, theirs), time)
        });
        let who = if over { lane } else { MANY };
        let time = clocks.now(warp);
        *mark = Moment { who, time }.mark();
        self.elements[element].read = true;
    }

    /// A product of a warpgroup reads an element.
    pub fn product(&mut self, element: usize, group: usize, product: u32) {
        self.products[element * self.groups + group] = product;
    }

    /// How the box lies that was copied to an element.
    pub fn swizzle(&self, element: usize) -> Swizzle {
        self.elements[element].swizzle
    }

    /// Whether two elements were written by the same copies.
    pub fn alike(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.elements[a], &self.elements[b]);
        (a.first, a.second, a.swizzle) == (b.first, b.second, b.swizzle)
    }

    /// A lane writes an element.
    pub fn write(&mut self, clocks: &Clocks, element: usize, (warp, lane): (u32, u32)) {
        let who = warp * self.lanes + lane;
        let time = clocks.now(warp);
        let mark = Moment { who, time }.mark();
        let by = (warp, Some(lane));
        let known = clocks.known(by);
        let Element { first, second, .. } = self.elements[element];
        let (first, second) = match [first, second].map(|m| self.over(by, &known, m)) {
            [true, true] => (mark, 0),
            [true, false] => (second, mark),
            [false, _] => (first, mark),
        };
        let element = &mut self.elements[element];
        (element.first, element.second) = (first, second);
        element.swizzle = Swizzle::None;
    }

    /// A box is copied to an element, which ends with this phase. What is over for who copies is over for who knows of
    /// that phase.
    pub fn copy(&mut self, element: usize, (counter, phase): (usize, u32), swizzle: Swizzle) {
        let known = &mut self.elements[element];
        if std::mem::take(&mut known.read) {
            self.reads[element * self.warps..][..self.warps].fill(0);
        }
        self.products[element * self.groups..][..self.groups].fill(0);
        let who = BOX + counter as u32;
        known.first = Moment { who, time: phase }.mark();
        known.second = 0;
        known.swizzle = swizzle;
    }
}
