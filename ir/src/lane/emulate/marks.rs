//! Who touched each element of shared memory, in programs whose warps meet at mbarriers.

use super::{
    clock::Clocks,
    fault::{Thread, Touch},
};

/// Nobody.
const NONE: u32 = u32::MAX;
/// More than one lane of a warp.
const MANY: u32 = u32::MAX - 1;
/// Counters of mbarriers are numbered from here, lanes of the block below.
const BOX: u32 = 1 << 31;

/// A lane of a warp, or all of them.
pub(super) type By = (u32, Option<u32>);

/// Marks of all elements of all shared arrays.
pub(super) struct Marks {
    lanes: u32,
    warps: usize,
    elements: Vec<Element>,
    /// For each element and warp.
    reads: Vec<Mark>,
    /// For each element and warp: the last group of its products that read it.
    products: Vec<u32>,
}

/// Who wrote an element last, and someone else who wrote the same value.
#[derive(Clone)]
struct Element {
    first: Mark,
    second: Mark,
}

/// Lane, or counter of an mbarrier, and when: the time of its warp, or the phase.
#[derive(Clone, Copy)]
struct Mark {
    who: u32,
    time: u32,
}

impl Mark {
    const NEVER: Self = Self { who: NONE, time: 0 };
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
            first: Mark::NEVER,
            second: Mark::NEVER,
        };
        Self {
            lanes,
            warps,
            elements: vec![element; elements],
            reads: vec![Mark::NEVER; elements * warps],
            products: vec![0; elements * warps],
        }
    }

    fn thread(&self, who: u32) -> By {
        (who / self.lanes, Some(who % self.lanes))
    }

    /// Whether a write is over for who touches.
    fn over(&self, clocks: &Clocks, by: By, mark: Mark) -> bool {
        match mark.who {
            NONE => true,
            who if who >= BOX => clocks.after_phase(by, (who - BOX) as usize, mark.time),
            who => clocks.after(by, self.thread(who), mark.time),
        }
    }

    /// A write that is not over for who touches an element.
    pub fn write_before(&self, clocks: &Clocks, element: usize, by: By) -> Option<Before> {
        let Element { first, second } = &self.elements[element];
        let mark = [first, second]
            .into_iter()
            .find(|m| !self.over(clocks, by, **m))?;
        Some(if mark.who >= BOX {
            Before::Box((mark.who - BOX) as usize, mark.time)
        } else {
            let (warp, lane) = self.thread(mark.who);
            Before::Lane(Thread { warp, lane }, Touch::Write)
        })
    }

    /// A read that is not over for who touches an element.
    pub fn read_before(&self, clocks: &Clocks, element: usize, by: By) -> Option<Before> {
        let start = element * self.warps;
        for warp in 0..self.warps {
            if !clocks.after_group(by, warp, self.products[start + warp]) {
                return Some(Before::Product(warp as u32));
            }
            let mark = self.reads[start + warp];
            let lane = Some(mark.who).filter(|who| *who != MANY);
            let warp = warp as u32;
            if mark.who != NONE && !clocks.after(by, (warp, lane), mark.time) {
                return Some(Before::Lane(Thread { warp, lane }, Touch::Read));
            }
        }
        None
    }

    /// A lane reads an element.
    pub fn read(&mut self, clocks: &Clocks, element: usize, (warp, lane): (u32, u32)) {
        let time = clocks.now(warp);
        let mark = &mut self.reads[element * self.warps + warp as usize];
        let theirs = Some(mark.who).filter(|who| *who != MANY);
        let over = mark.who == NONE || clocks.after((warp, Some(lane)), (warp, theirs), mark.time);
        let who = if over { lane } else { MANY };
        *mark = Mark { who, time };
    }

    /// A product of a warp reads an element, in this group.
    pub fn product(&mut self, element: usize, warp: u32, group: u32) {
        self.products[element * self.warps + warp as usize] = group;
    }

    /// A lane writes an element.
    pub fn write(&mut self, clocks: &Clocks, element: usize, (warp, lane): (u32, u32)) {
        let who = warp * self.lanes + lane;
        let mark = Mark {
            who,
            time: clocks.now(warp),
        };
        let both = self.elements[element].clone();
        let over = |m| self.over(clocks, (warp, Some(lane)), m);
        self.elements[element] = if over(both.first) && over(both.second) {
            Element {
                first: mark,
                second: Mark::NEVER,
            }
        } else if over(both.first) {
            Element {
                first: both.second,
                second: mark,
            }
        } else {
            Element {
                first: both.first,
                second: mark,
            }
        };
    }

    /// A box is copied to an element, which ends with this phase.
    pub fn copy(&mut self, element: usize, counter: usize, phase: u32) {
        self.elements[element] = Element {
            first: Mark {
                who: BOX + counter as u32,
                time: phase,
            },
            second: Mark::NEVER,
        };
    }
}
