//! Which warp of a block goes on when.

use super::super::{Bulk, WARPGROUP};
use super::{
    EmulateError, Emulation,
    code::Step,
    fault::{RunFault, Thread},
    machine::Machine,
    order,
    stuck::{Waiting, WaitsFor},
    warp::Warp,
};

/// Runs a block: warps in the chosen order, each until it waits for others, again and again. When none can go on, what
/// takes its time ends: the copy of a box that someone waits for.
pub(super) fn run_block(
    machine: &mut Machine,
    warps: &mut [Warp],
    options: &Emulation,
) -> Result<(), EmulateError> {
    let code = machine.code;
    let mut round = machine.block as u64;
    loop {
        let mut moved = false;
        for number in order::warps(warps.len(), options.order, round) {
            let warp = &mut warps[number];
            let done = machine.run(warp);
            moved |= done.map_err(|stop| super::error(code, warp, stop))?;
            moved |= multiply(machine, warps, number)?;
        }
        round = round.wrapping_add(1);
        let at = warps[0].at;
        if warps.iter().all(|w| w.at == at) {
            match code.steps.get(at) {
                None => return end(machine, warps),
                Some(Step::Barrier) => {
                    warps.iter_mut().for_each(|w| w.at += 1);
                    machine.shared.barrier();
                    machine.counts.barriers += 1;
                    continue;
                }
                Some(_) => {}
            }
        }
        if machine.in_between() {
            moved |= land(machine, warps, |_| true)?;
        }
        if !moved && !land_awaited(machine, warps)? {
            return Err(stuck(machine, warps));
        }
    }
}

/// Starts a product if a warp has come to it as the last one of its warpgroup.
fn multiply(
    machine: &mut Machine,
    warps: &mut [Warp],
    number: usize,
) -> Result<bool, EmulateError> {
    let code = machine.code;
    let Some(Step::Product(var, value)) = code.steps.get(warps[number].at).copied() else {
        return Ok(false);
    };
    let size = WARPGROUP as usize;
    let group = &mut warps[number / size * size..][..size];
    let (at, counts) = (group[0].at, group[0].counts(code));
    if group.iter().any(|w| w.at != at || w.counts(code) != counts) {
        return Ok(false);
    }
    let done = machine.product(group, (var, value));
    done.map_err(|(i, stop)| super::error(code, &group[i], stop))?;
    group.iter_mut().for_each(|w| w.at += 1);
    Ok(true)
}

/// Lets a box come, the oldest one of a counter that fits.
fn land(
    machine: &mut Machine,
    warps: &mut [Warp],
    fits: impl Fn(usize) -> bool,
) -> Result<bool, EmulateError> {
    machine.land(fits).map_err(|(origin, fault)| {
        let warp = &mut warps[origin.warp];
        warp.at = origin.step;
        super::error(machine.code, warp, fault.in_lane(origin.lane))
    })
}

/// Lets a box come for which a warp waits, or else any.
fn land_awaited(machine: &mut Machine, warps: &mut [Warp]) -> Result<bool, EmulateError> {
    let mut awaited = vec![];
    for warp in warps.iter() {
        if let Some(Step::Bulk(Bulk::Await { signal, .. })) = machine.code.steps.get(warp.at) {
            awaited.extend(machine.counter(warp, signal));
        }
    }
    let one = land(machine, warps, |counter| awaited.contains(&counter))?;
    Ok(one || land(machine, warps, |_| true)?)
}

/// What is wrong when a block has come to its end.
fn end(machine: &Machine, warps: &mut [Warp]) -> Result<(), EmulateError> {
    let code = machine.code;
    if let Some(origin) = machine.unheard() {
        let array = code.program.shared[origin.array as usize].name.clone();
        let fault = RunFault::Unwaited {
            array,
            at: origin.at,
        };
        let warp = &mut warps[origin.warp];
        warp.at = origin.step;
        return Err(super::error(code, warp, fault.in_lane(origin.lane)));
    }
    match machine
        .shared
        .order
        .as_ref()
        .and_then(|o| o.phases.unequal())
    {
        None => Ok(()),
        Some(fault) => {
            // What all warps have passed.
            let warp = &mut warps[0];
            warp.at = code.steps.len() - 1;
            Err(super::error(code, warp, fault.in_warp()))
        }
    }
}

/// What each warp waits for, at the first one.
fn stuck(machine: &Machine, warps: &[Warp]) -> EmulateError {
    let code = machine.code;
    let waiting = |warp: &Warp| {
        let what = match code.steps.get(warp.at)? {
            Step::Bulk(Bulk::Await { signal, parity }) => {
                let counter = machine.counter(warp, signal).ok()?;
                let parity = warp.common(code, parity, "parity").ok()?;
                let order = machine.shared.order.as_ref()?;
                WaitsFor::Phase(order.phases.awaited(counter, parity))
            }
            Step::Product(..) => WaitsFor::Warpgroup,
            _ => WaitsFor::Barrier,
        };
        Some(Waiting {
            warp: warp.number as u32,
            place: code.places[warp.at].clone(),
            what,
        })
    };
    let waits: Vec<_> = warps.iter().filter_map(waiting).collect();
    let first = waits.first().map_or(0, |w| w.warp as usize);
    let warp = &warps[first];
    EmulateError::Run {
        program: code.program.name.clone(),
        place: code.places[warp.at].clone(),
        counters: warp.counts(code),
        thread: Thread {
            warp: warp.number as u32,
            lane: None,
        },
        fault: RunFault::Stuck(waits).into(),
    }
}
