//! A block at work.

use super::super::{Access, Bulk, Memory, Value};
use super::{
    boxes::Boxes,
    code::{Code, Step},
    compute,
    copies::Landing,
    count::Counts,
    fault::{RunFault, Stop},
    global::Global,
    ints::lanes_of,
    order::Random,
    product::Products,
    shared::{Clocked, Shared},
    warp::Warp,
};
use crate::tile::Var;

/// What the warps of a block have in common.
pub(super) struct Machine<'a> {
    pub code: &'a Code<'a>,
    pub global: Global<'a>,
    pub shared: Shared<'a>,
    pub landing: Landing,
    pub boxes: Boxes,
    pub products: Products,
    /// For what lands some time.
    pub random: Random,
    pub block: i64,
    pub counts: Counts,
}

impl<'a> Machine<'a> {
    /// The machine stands at the start of another block.
    pub fn restart(&mut self, block: i64) {
        self.block = block;
        self.shared.start();
        let counters = self.shared.order.as_ref().map_or(0, |o| o.phases.len());
        self.boxes.restart(counters);
        self.products.restart(self.code.program.warps as usize);
    }

    /// What orders lanes in programs with mbarriers or warpgroups.
    pub fn order(&mut self) -> &mut Clocked<'a> {
        let order = self.shared.order.as_mut();
        order.expect("verified: it has mbarriers or warpgroup instructions")
    }

    /// Whether what is started now takes effect at once.
    pub fn early(&mut self) -> bool {
        match self.landing {
            Landing::Earliest => true,
            Landing::Latest => false,
            Landing::Seeded(_) => self.random.below(2) == 0,
        }
    }

    /// Whether a box may come now that nobody has to wait for.
    pub fn in_between(&mut self) -> bool {
        matches!(self.landing, Landing::Seeded(_)) && self.random.below(2) == 0
    }

    /// Runs a warp up to where it waits for others, or to the end; whether it took a step.
    pub fn run(&mut self, warp: &mut Warp) -> Result<bool, Stop> {
        let code = self.code;
        let mut moved = false;
        while let Some(step) = code.steps.get(warp.at).copied() {
            if warp.go(code, step)? {
                moved = true;
                continue;
            }
            match step {
                Step::Let(var, value) => self.assign(warp, var, value)?,
                Step::Store { to, value } => self.store(warp, to, value)?,
                Step::Copy { to, from, width } => self.copy(warp, to, from, width)?,
                Step::Commit => warp.copies.commit(warp.mask),
                Step::Wait { pending } => self.wait(warp, pending),
                Step::Barrier | Step::Product(..) => return Ok(moved),
                Step::Bulk(bulk) => {
                    if !self.bulk(warp, bulk)? {
                        return Ok(moved);
                    }
                }
                Step::Enter { .. } | Step::Repeat { .. } | Step::When { .. } | Step::Merge => {
                    unreachable!("taken by the warp")
                }
            }
            warp.at += 1;
            moved = true;
        }
        self.products_ended(warp)?;
        match warp.copies.any() {
            None => Ok(moved),
            Some(copy) => {
                let (array, at) = copy.to;
                let array = code.program.array(Memory::Shared(array)).name.clone();
                warp.at = copy.step;
                Err(RunFault::Unwaited { array, at }.in_lane(copy.lane))
            }
        }
    }

    /// Takes such a step; false if the warp has to wait.
    fn bulk(&mut self, warp: &mut Warp, bulk: &Bulk) -> Result<bool, Stop> {
        let code = self.code;
        match bulk {
            Bulk::Copy { .. } => self.copy_box(warp, bulk)?,
            Bulk::Expect { signal, .. } | Bulk::Arrive(signal) => {
                let counter = self.counter(warp, signal)?;
                let order = self.order();
                let tells = order.clocks.release(warp.number, warp.mask);
                for lane in lanes_of(warp.mask) {
                    if let Bulk::Expect { bytes, .. } = bulk {
                        order.phases.expect(counter, *bytes);
                    }
                    let arrived = order.phases.arrive(counter, &tells);
                    arrived.map_err(|fault| fault.in_lane(lane))?;
                }
            }
            Bulk::Await { signal, parity } => {
                let counter = self.counter(warp, signal)?;
                let parity = warp.common(code, parity, "parity")?;
                if !(0..2).contains(&parity) {
                    return Err(RunFault::Parity(parity).in_warp());
                }
                let Clocked { clocks, phases, .. } = self.order();
                return Ok(phases.pass(counter, parity, (warp.number, warp.mask), clocks));
            }
            Bulk::Commit => {
                warp.together(code)?;
                self.order().clocks.commit(warp.number);
            }
            Bulk::Wait { pending } => self.wait_products(warp, *pending)?,
            Bulk::Registers { .. } => warp.together(code)?,
        }
        Ok(true)
    }

    fn assign(&mut self, warp: &mut Warp, var: Var, value: &Value) -> Result<(), Stop> {
        let code = self.code;
        let slot = code.vars.of(var);
        warp.ready(code, value)?;
        warp.free(code, var)?;
        // The space of the value from the last round, if there was one.
        let mut out = std::mem::take(&mut warp.vars[slot]);
        out.clear();
        if compute::value(code, warp, value, &mut out) {
            self.counts.flops.0 += compute::flops(code, value) * u64::from(warp.mask.count_ones());
        } else {
            let before = self.counts.bank_conflicts;
            self.reach(warp, value, &mut out)?;
            self.counts.read_conflicts += self.counts.bank_conflicts - before;
        }
        warp.vars[slot] = out;
        Ok(())
    }

    /// Makes `out` a value that needs memory, indices or the whole warp.
    fn reach(&mut self, warp: &Warp, value: &Value, out: &mut Vec<f64>) -> Result<(), Stop> {
        let (code, lanes) = (self.code, self.code.lanes());
        match value {
            Value::Index(each) => {
                for index in each {
                    let ints = warp.index(code, index, warp.mask)?;
                    out.extend((0..lanes).map(|lane| f64::from(ints.at(lane) as i32)));
                }
            }
            Value::Load { from, width, other } => {
                let dtype = code.program.array(from.memory).dtype;
                let other = crate::round_to(dtype, other.get());
                out.resize(*width as usize * lanes, other);
                let places = self.places(warp, from, *width)?;
                self.count(from.memory, *width, &places);
                for (lane, start) in places {
                    for i in 0..*width as usize {
                        let read = self.read(warp, from.memory, lane, start + i);
                        out[i * lanes + lane] = read.map_err(|fault| fault.in_lane(lane))?;
                    }
                }
            }
            Value::ShuffleXor(var, bits) => {
                warp.together(code)?;
                self.counts.shuffles += u64::from(code.types[var].width);
                for register in warp.vars[code.vars.of(*var)].chunks(lanes) {
                    out.extend((0..lanes).map(|lane| register[lane ^ *bits as usize]));
                }
            }
            Value::Matrix { instr, a, b, c } => {
                warp.together(code)?;
                let fragments = &code.fragments[*instr as usize];
                let operands = [a, b, c].map(|v| &*warp.vars[code.vars.of(*v)]);
                let done = fragments.run(operands, lanes, out);
                done.map_err(RunFault::in_warp)?;
                self.counts.matrix += 1;
                self.counts.flops.0 += fragments.flops();
            }
            Value::LoadMatrix {
                from,
                count,
                transposed,
            } => {
                warp.together(code)?;
                self.load_matrix(warp, from, *count as usize, *transposed, out)?;
            }
            _ => unreachable!("computed from registers"),
        }
        Ok(())
    }

    fn load_matrix(
        &mut self,
        warp: &Warp,
        from: &Access,
        count: usize,
        transposed: bool,
        out: &mut Vec<f64>,
    ) -> Result<(), Stop> {
        // Lanes behind the last row have no say.
        let mask = u64::MAX >> (64 - 8 * count);
        let rows = self.places_within(warp, from, 8, mask)?;
        self.count(from.memory, 8, &rows);
        for register in 0..2 * count {
            for lane in 0..self.code.lanes() {
                let (row, column) = (lane / 4, 2 * (lane % 4) + register % 2);
                let (row, column) = if transposed {
                    (column, row)
                } else {
                    (row, column)
                };
                let at = rows[register / 2 * 8 + row].1 + column;
                let read = self.read(warp, from.memory, lane, at);
                out.push(read.map_err(|fault| fault.in_lane(lane))?);
            }
        }
        Ok(())
    }

    fn store(&mut self, warp: &Warp, to: &Access, value: Var) -> Result<(), Stop> {
        let (code, lanes) = (self.code, self.code.lanes());
        let width = code.types[&value].width;
        warp.ready_var(code, value)?;
        let places = self.places(warp, to, width)?;
        self.count(to.memory, width, &places);
        let values = &warp.vars[code.vars.of(value)];
        for (lane, start) in places {
            for i in 0..width as usize {
                let (at, x) = (start + i, values[i * lanes + lane]);
                let thread = warp.thread(code, lane);
                let written = match to.memory {
                    Memory::Param(array) => {
                        self.global.write(array, at, self.everywhere(thread), x)
                    }
                    Memory::Shared(array) => self.shared.write(array, at, thread as u32, x),
                };
                written.map_err(|fault| fault.in_lane(lane))?;
            }
        }
        Ok(())
    }

    fn copy(
        &mut self,
        warp: &mut Warp,
        to: &Access,
        from: &Access,
        width: u32,
    ) -> Result<(), Stop> {
        let (Memory::Shared(target), Memory::Param(source)) = (to.memory, from.memory) else {
            unreachable!("verified: copies go from global to shared memory")
        };
        let targets = self.places(warp, to, width)?;
        self.count(to.memory, width, &targets);
        let sources = self.places(warp, from, width)?;
        self.count(from.memory, width, &sources);
        let mut sources = sources.into_iter().peekable();
        for (lane, to) in targets {
            let from = sources.next_if(|(l, _)| *l == lane).map(|(_, at)| at);
            let thread = warp.thread(self.code, lane);
            let early = self.early();
            for i in 0..width as usize {
                let read = from.map(|at| self.global.read(source, at + i, self.everywhere(thread)));
                let value = read.unwrap_or(Ok(0.0));
                let value = value.map_err(|fault| fault.in_lane(lane))?;
                let value = early.then_some(value);
                let begun = self.shared.begin(target, to + i, thread as u32, value);
                begun.map_err(|fault| fault.in_lane(lane))?;
            }
            let from = from.map(|at| (source, at));
            let width = (width as usize, early);
            warp.copies.start(warp.at, lane, (target, to), from, width);
        }
        Ok(())
    }

    fn wait(&mut self, warp: &mut Warp, pending: u32) {
        for copy in warp.copies.wait(warp.mask, pending) {
            let thread = warp.thread(self.code, copy.lane) as u32;
            let (array, to) = copy.to;
            for i in 0..copy.width {
                let read = || {
                    copy.from
                        .map_or(0.0, |(array, at)| self.global.peek(array, at + i))
                };
                let value = (!copy.early).then(read);
                self.shared.end(array, to + i, thread, value);
            }
        }
    }
}
