//! What happened before what, in programs whose warps meet at mbarriers: vector clocks.
//!
//! Time passes for a warp where it lets others know what it did: at a barrier, or when it arrives. A clock says how much
//! of each warp, of the products of each warp, and of the phases of each mbarrier is over. It is joined with others at
//! barriers, given to a phase by who arrives, and taken over by who awaits the phase.
//!
//! Lanes of a warp that arrive without the others speak for themselves, and only lanes that await hear. Lamport 1978,
//! "Time, clocks, and the ordering of events"; Flanagan and Freund 2009, "FastTrack".

use std::borrow::Cow;

use super::marks::By;

/// How much of a warp is over.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Of all its lanes.
    full: u32,
    /// Of the lanes of a mask.
    some: u32,
    mask: u64,
}

/// What is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    warps: Vec<Seen>,
    /// The last product of each warp that is.
    products: Vec<u32>,
    /// Phases of each counter of mbarriers, of all blocks.
    phases: Vec<u32>,
}

/// The clocks of the warps of a block.
pub(super) struct Clocks {
    warps: Vec<Own>,
    all_lanes: u64,
}

struct Own {
    /// The time of what the warp does now.
    now: u32,
    /// Groups of products that the warp has closed.
    closed: u32,
    clock: Clock,
    /// What only the lanes of a mask know beside.
    some: Clock,
    mask: u64,
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.full = self.full.max(other.full);
        // What is forgotten here may be taken for a race later, never the other way round.
        if other.some > self.some {
            (self.some, self.mask) = (other.some, other.mask);
        }
    }

    fn covers(&self, lane: Option<u32>, time: u32) -> bool {
        let own = |lane| time <= self.some && self.mask >> lane & 1 == 1;
        time <= self.full || lane.is_some_and(own)
    }
}

impl Clock {
    pub fn new(warps: usize, counters: usize) -> Self {
        Self {
            warps: vec![Seen::default(); warps],
            products: vec![0; warps],
            phases: vec![0; counters],
        }
    }

    pub fn join(&mut self, other: &Self) {
        for (a, b) in self.warps.iter_mut().zip(&other.warps) {
            a.join(*b);
        }
        for (a, b) in self.products.iter_mut().zip(&other.products) {
            *a = (*a).max(*b);
        }
        for (a, b) in self.phases.iter_mut().zip(&other.phases) {
            *a = (*a).max(*b);
        }
    }

    /// So many phases of a counter are over.
    pub fn set_phase(&mut self, counter: usize, phases: u32) {
        self.phases[counter] = phases;
    }

    /// How many phases of a counter are over.
    pub fn phase(&self, counter: usize) -> u32 {
        self.phases[counter]
    }

    /// The last product that is over in a warp.
    pub fn product(&self, warp: usize) -> u32 {
        self.products[warp]
    }

    /// Whether what a lane, or all lanes, of warp `other` did at a time is over for who knows this.
    pub fn after(&self, by: By, (other, theirs): By, time: u32) -> bool {
        by == (other, theirs) && theirs.is_some() || self.warps[other as usize].covers(theirs, time)
    }
}

impl Clocks {
    pub fn new(warps: usize, lanes: u32, counters: usize) -> Self {
        let own = || Own {
            now: 1,
            closed: 0,
            clock: Clock::new(warps, counters),
            some: Clock::new(warps, counters),
            mask: 0,
        };
        Self {
            warps: (0..warps).map(|_| own()).collect(),
            all_lanes: u64::MAX >> (64 - lanes),
        }
    }

    /// All that was before is over: a block starts.
    pub fn start(&mut self, phases: &[u32]) {
        for own in &mut self.warps {
            own.clock.phases.copy_from_slice(phases);
        }
        self.barrier();
    }

    /// All lanes have met.
    pub fn barrier(&mut self) {
        let mut joined = Clock::default();
        for (warp, own) in self.warps.iter_mut().enumerate() {
            own.clock.warps[warp].full = own.now;
            own.clock.join(&own.some);
            own.now += 1;
            own.mask = 0;
            if warp == 0 {
                joined = own.clock.clone();
            } else {
                joined.join(&own.clock);
            }
        }
        for own in &mut self.warps {
            own.clock.clone_from(&joined);
        }
    }

    pub fn now(&self, warp: u32) -> u32 {
        self.warps[warp as usize].now
    }

    /// What the lanes of a mask tell when they arrive.
    pub fn release(&mut self, warp: usize, mask: u64) -> Clock {
        let own = &mut self.warps[warp];
        let mut clock = own.clock.clone();
        if own.mask > 0 && mask & !own.mask == 0 {
            clock.join(&own.some);
        }
        let now = own.now;
        clock.warps[warp].join(if mask == self.all_lanes {
            Seen {
                full: now,
                ..Seen::default()
            }
        } else {
            Seen {
                full: 0,
                some: now,
                mask,
            }
        });
        own.now += 1;
        clock
    }

    /// What the lanes of a mask hear when they go on.
    pub fn acquire(&mut self, warp: usize, mask: u64, told: &Clock) {
        let own = &mut self.warps[warp];
        if mask == self.all_lanes {
            own.clock.join(told);
        } else if own.mask & mask > 0 {
            own.mask &= mask;
            own.some.join(told);
        } else {
            own.mask = mask;
            own.some.clone_from(told);
        }
    }

    /// The warp closes a group of products.
    pub fn commit(&mut self, warp: usize) {
        self.warps[warp].closed += 1;
    }

    /// The group that a product of the warp belongs to, counted from 1.
    pub fn group(&self, warp: usize) -> u32 {
        self.warps[warp].closed + 1
    }

    /// The last group of products that is over when the warp waits for all but its last ones.
    pub fn over(&self, warp: usize, pending: u32) -> u32 {
        self.warps[warp].closed.saturating_sub(pending)
    }

    /// A product is over in a warp.
    pub fn end_product(&mut self, warp: usize, product: u32) {
        self.warps[warp].clock.products[warp] = product;
    }

    /// What a lane, or all lanes of a warp, know.
    pub fn known(&self, (warp, lane): By) -> Cow<'_, Clock> {
        let own = &self.warps[warp as usize];
        if lane.is_some_and(|lane| own.mask >> lane & 1 == 1) {
            let mut clock = own.clock.clone();
            clock.join(&own.some);
            Cow::Owned(clock)
        } else {
            Cow::Borrowed(&own.clock)
        }
    }
}
