//! Mbarriers: counters that go through phases.

use super::super::{Program, Signal};
use super::{
    clock::{Clock, Clocks},
    code::Code,
    fault::{RunFault, Stop},
    stuck::Awaited,
    warp::Warp,
};

/// The counters of all mbarriers.
pub(super) struct Phases<'a> {
    program: &'a Program,
    counters: Vec<Counter>,
}

struct Counter {
    mbarrier: usize,
    slot: u32,
    /// Phases that have ended, in all blocks.
    phase: u32,
    /// Those that had ended when the block started.
    start: u32,
    /// Arrivals that the phase lacks.
    arrivals: u32,
    /// Bytes that were expected and have not come; below 0 if more came.
    bytes: i64,
    /// Bytes of boxes whose copies have started and that have not come.
    under_way: u64,
    /// What who arrives in this phase tells.
    gathering: Clock,
    /// What is told by the end of each phase of the block.
    told: Vec<Clock>,
    /// Phases that someone knows to have ended.
    heard: u32,
}

impl<'a> Phases<'a> {
    pub fn new(program: &'a Program) -> Self {
        let slots = program.mbarriers.iter().enumerate();
        let slots: Vec<_> = slots
            .flat_map(|(i, m)| (0..m.len).map(move |slot| (i, slot)))
            .collect();
        let clock = Clock::new(program.warps as usize, slots.len());
        let counter = |(mbarrier, slot): (usize, u32)| Counter {
            mbarrier,
            slot,
            phase: 0,
            start: 0,
            arrivals: program.mbarriers[mbarrier].arrivals,
            bytes: 0,
            under_way: 0,
            gathering: clock.clone(),
            told: vec![],
            heard: 0,
        };
        Self {
            program,
            counters: slots.into_iter().map(counter).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.counters.len()
    }

    /// A block starts. Phases that have ended, for each counter.
    pub fn start(&mut self) -> Vec<u32> {
        let empty = Clock::new(self.program.warps as usize, self.counters.len());
        for c in &mut self.counters {
            // Of the phase that the block before was in nobody knows the end.
            c.phase += 1;
            c.start = c.phase;
            c.heard = c.phase;
            c.arrivals = self.program.mbarriers[c.mbarrier].arrivals;
            c.bytes = 0;
            c.under_way = 0;
            c.gathering.clone_from(&empty);
            c.told.clear();
        }
        self.counters.iter().map(|c| c.phase).collect()
    }

    /// The counter that a warp means.
    pub fn of(&self, code: &Code, warp: &Warp, signal: &Signal) -> Result<usize, Stop> {
        let slot = warp.common(code, &signal.slot, "slot of an mbarrier")?;
        let mbarriers = &self.program.mbarriers;
        let known = &mbarriers[signal.mbarrier as usize];
        if !(0..i64::from(known.len)).contains(&slot) {
            let fault = RunFault::Slot {
                mbarrier: known.name.clone(),
                len: known.len,
                found: slot,
            };
            return Err(fault.in_warp());
        }
        let before = mbarriers[..signal.mbarrier as usize].iter();
        Ok(before.map(|m| m.len as usize).sum::<usize>() + slot as usize)
    }

    /// The phase that a counter is in, of all blocks.
    pub fn phase(&self, counter: usize) -> u32 {
        self.counters[counter].phase
    }

    /// Name and slot of a counter, and a phase as the block counts.
    pub fn name(&self, counter: usize, phase: u32) -> (String, u32, u32) {
        let c = &self.counters[counter];
        let name = self.program.mbarriers[c.mbarrier].name.clone();
        (name, c.slot, phase - c.start)
    }

    /// So many bytes more are expected.
    pub fn expect(&mut self, counter: usize, bytes: u32) {
        self.counters[counter].bytes += i64::from(bytes);
    }

    /// A lane arrives.
    pub fn arrive(&mut self, counter: usize, tells: &Clock) -> Result<(), RunFault> {
        let c = &mut self.counters[counter];
        if c.arrivals == 0 {
            let (mbarrier, slot, phase) = self.name(counter, self.phase(counter));
            let c = &self.counters[counter];
            return Err(RunFault::Arrivals {
                mbarrier,
                slot,
                phase,
                arrivals: self.program.mbarriers[c.mbarrier].arrivals,
                bytes: c.bytes,
            });
        }
        c.gathering.join(tells);
        c.arrivals -= 1;
        self.end(counter)
    }

    /// The copy of a box starts, of so many bytes.
    pub fn start_box(&mut self, counter: usize, bytes: u64) {
        self.counters[counter].under_way += bytes;
    }

    /// The bytes of a box come.
    pub fn land(&mut self, counter: usize, bytes: u64) -> Result<(), RunFault> {
        let c = &mut self.counters[counter];
        c.under_way -= bytes;
        c.bytes -= bytes as i64;
        self.end(counter)
    }

    /// Ends the phase if nothing lacks.
    fn end(&mut self, counter: usize) -> Result<(), RunFault> {
        let empty = Clock::new(self.program.warps as usize, self.counters.len());
        let c = &mut self.counters[counter];
        if c.arrivals > 0 || c.bytes > 0 {
            return Ok(());
        }
        if c.bytes < 0 {
            return Err(self.bytes(counter));
        }
        if c.under_way > 0 {
            let (mbarrier, slot, phase) = self.name(counter, self.phase(counter));
            return Err(RunFault::Late {
                mbarrier,
                slot,
                phase,
                bytes: self.counters[counter].under_way,
            });
        }
        c.phase += 1;
        c.arrivals = self.program.mbarriers[c.mbarrier].arrivals;
        c.gathering.set_phase(counter, c.phase);
        let mut told = std::mem::replace(&mut c.gathering, empty);
        if let Some(before) = c.told.last() {
            told.join(before);
        }
        c.told.push(told);
        Ok(())
    }

    /// What the bytes of the phase are to blame for.
    fn bytes(&self, counter: usize) -> RunFault {
        let (mbarrier, slot, phase) = self.name(counter, self.phase(counter));
        RunFault::Bytes {
            mbarrier,
            slot,
            phase,
            missing: self.counters[counter].bytes,
        }
    }

    /// Whether lanes that await this parity go on. What they know is only that the phase has ended in which the counter
    /// was as far as they knew, if it has this parity: then they know what who arrived in it did.
    pub fn pass(
        &mut self,
        counter: usize,
        parity: i64,
        (warp, mask): (usize, u64),
        clocks: &mut Clocks,
    ) -> bool {
        let c = &mut self.counters[counter];
        let is_of = |phase: u32| i64::from((phase - c.start) % 2) == parity;
        if is_of(c.phase) {
            return false;
        }
        let known = clocks.known((warp as u32, Some(mask.trailing_zeros())));
        let known = known.phase(counter);
        if is_of(known) {
            c.heard = c.heard.max(known + 1);
            clocks.acquire(warp, mask, &c.told[(known - c.start) as usize]);
        }
        true
    }

    /// Whether someone knows of the end of a phase.
    pub fn heard(&self, counter: usize, phase: u32) -> bool {
        self.counters[counter].heard > phase
    }

    /// What lacks, for who awaits this parity.
    pub fn awaited(&self, counter: usize, parity: i64) -> Awaited {
        let c = &self.counters[counter];
        let (mbarrier, slot, phase) = self.name(counter, c.phase);
        Awaited {
            mbarrier,
            slot,
            parity,
            phase,
            arrivals: c.arrivals,
            bytes: c.bytes,
        }
    }

    /// Bytes that are missing, or too many, when the block ends.
    pub fn unequal(&self) -> Option<RunFault> {
        let counter = self.counters.iter().position(|c| c.bytes != 0)?;
        Some(self.bytes(counter))
    }
}
