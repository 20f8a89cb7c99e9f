//! The features, one line each.

use passes::KernelFamily;

use super::counted::Counted;

/// A feature: its name and how it follows from what was counted.
pub(super) struct Feature {
    pub name: &'static str,
    pub value: fn(&Counted) -> f64,
}

/// All features. `a / b` in a name says that it is the logarithm to base 2 of the ratio.
#[rustfmt::skip]
pub(super) const FEATURES: &[Feature] = &[
    // What is to be done.
    Feature { name: "family", value: |c| family(&c.family) },
    Feature { name: "template", value: |c| choice(c, 0) },
    Feature { name: "flops", value: |c| log(c.work.flops) },
    Feature { name: "flops / bytes", value: |c| ratio(c.work.flops, c.work.bytes) },
    // How it is cut into blocks.
    Feature { name: "blocks", value: |c| log(c.blocks) },
    Feature { name: "flops / block", value: |c| ratio(c.work.flops, c.blocks) },
    Feature { name: "blocks / units", value: |c| c.machine.units.map_or(0.0, |units| ratio(c.blocks, units)) },
    Feature { name: "idle units", value: |c| c.machine.units.map_or(0.0, |units| log(c.idle(units))) },
    Feature { name: "idle of 2", value: |c| log(c.idle(2.0)) },
    Feature { name: "idle of 8", value: |c| log(c.idle(8.0)) },
    Feature { name: "idle of 32", value: |c| log(c.idle(32.0)) },
    // Instructions of all blocks.
    Feature { name: "flops done / flops", value: |c| ratio(c.total.flops, c.work.flops) },
    Feature { name: "numbers of a vector / used", value: |c| ratio(1.0 + 2.0 * c.machine.vector * c.total.products, 1.0 + c.work.flops) },
    Feature { name: "elementwise / flops", value: |c| ratio(1.0 + c.total.elementwise * c.machine.vector, c.work.flops) },
    Feature { name: "loads / products", value: |c| ratio(1.0 + c.total.loads, 1.0 + c.total.products) },
    Feature { name: "broadcasts / products", value: |c| ratio(1.0 + c.total.broadcasts, 1.0 + c.total.products) },
    Feature { name: "gathers / instructions", value: |c| c.total.gathers / c.total.instructions().max(1.0) },
    Feature { name: "stores / instructions", value: |c| ratio(1.0 + c.total.stores, c.total.instructions()) },
    Feature { name: "instructions / rounds", value: |c| ratio(c.total.instructions(), c.rounds) },
    // The loop in which most is done.
    Feature { name: "inner trips", value: |c| log(c.hot.trips) },
    Feature { name: "inner unroll", value: |c| log(c.hot.unroll) },
    Feature { name: "inner instructions", value: |c| log(c.hot.unroll.min(c.hot.trips) * c.hot.round.instructions()) },
    Feature { name: "inner products", value: |c| log(c.hot.round.products) },
    Feature { name: "inner loads / products", value: |c| ratio(1.0 + c.hot.round.loads + c.hot.round.broadcasts, 1.0 + c.hot.round.products) },
    Feature { name: "inner sums", value: |c| log(c.hot.carried) },
    Feature { name: "registers / held", value: |c| ratio(1.0 + c.hot.carried + c.hot.round.operands, c.machine.held) },
    Feature { name: "rows of a set", value: |c| log(c.hot.round.meeting) },
    // What loops and blocks touch, against what memories hold.
    Feature { name: "inner loop / near", value: |c| ratio(footprint(c, 0), c.machine.near) },
    Feature { name: "second loop / near", value: |c| ratio(footprint(c, 1), c.machine.near) },
    Feature { name: "second loop / far", value: |c| ratio(footprint(c, 1), c.machine.far) },
    Feature { name: "third loop / far", value: |c| ratio(footprint(c, 2), c.machine.far) },
    Feature { name: "block / near", value: |c| ratio(c.block, c.machine.near) },
    Feature { name: "block / far", value: |c| ratio(c.block, c.machine.far) },
    Feature { name: "scratch / near", value: |c| ratio(64.0 + c.scratch, c.machine.near) },
    Feature { name: "near traffic / flops", value: |c| ratio(c.near, c.work.flops) },
    Feature { name: "far traffic / flops", value: |c| ratio(c.far, c.work.flops) },
    Feature { name: "far traffic / bytes", value: |c| ratio(c.far, c.work.bytes) },
    // Cycles by the model of the device.
    Feature { name: "computing / flops", value: |c| ratio(c.computing(), c.work.flops) },
    Feature { name: "computing / near", value: |c| ratio(c.computing(), c.moving()[0]) },
    Feature { name: "computing / far", value: |c| ratio(c.computing(), c.moving()[1]) },
    Feature { name: "estimate / flops", value: |c| ratio(c.estimate() * 1e12, c.work.flops) },
    // Lanes.
    Feature { name: "warps", value: |c| log(c.lanes.warps) },
    Feature { name: "shared memory", value: |c| c.lanes.shared },
    Feature { name: "carried registers", value: |c| c.lanes.registers },
    Feature { name: "statements", value: |c| log(c.lanes.statements) },
    Feature { name: "bank conflicts", value: |c| counts(c, |n| n.bank_conflicts as f64 / (n.shared_wavefronts as f64).max(1.0)) },
    Feature { name: "wavefronts / flops", value: |c| counts(c, |n| ratio(1.0 + n.shared_wavefronts as f64, 1.0 + n.flops.0 as f64)) },
    Feature { name: "sectors / flops", value: |c| counts(c, |n| ratio(1.0 + n.global_transactions as f64, 1.0 + n.flops.0 as f64)) },
    Feature { name: "bytes / sectors", value: |c| counts(c, |n| ratio(1.0 + n.global_bytes.0 as f64, 1.0 + n.global_transactions as f64)) },
    Feature { name: "barriers / flops", value: |c| counts(c, |n| ratio(1.0 + n.barriers as f64, 1.0 + n.flops.0 as f64)) },
    Feature { name: "shuffles / flops", value: |c| counts(c, |n| ratio(1.0 + n.shuffles as f64, 1.0 + n.flops.0 as f64)) },
    Feature { name: "matrix / flops", value: |c| counts(c, |n| ratio(1.0 + n.matrix as f64, 1.0 + n.flops.0 as f64)) },
    // The choices themselves.
    Feature { name: "choice 1", value: |c| choice(c, 1) },
    Feature { name: "choice 2", value: |c| choice(c, 2) },
    Feature { name: "choice 3", value: |c| choice(c, 3) },
    Feature { name: "choice 4", value: |c| choice(c, 4) },
    Feature { name: "choice 5", value: |c| choice(c, 5) },
    Feature { name: "choice 6", value: |c| choice(c, 6) },
    Feature { name: "choice 7", value: |c| choice(c, 7) },
    Feature { name: "choice 8", value: |c| choice(c, 8) },
    Feature { name: "choice 9", value: |c| choice(c, 9) },
    Feature { name: "choice 10", value: |c| choice(c, 10) },
];

/// 0 for what is not there.
fn log(x: f64) -> f64 {
    if x > 0.0 { x.log2() } else { 0.0 }
}

fn ratio(a: f64, b: f64) -> f64 {
    log(a) - log(b)
}

fn family(family: &KernelFamily) -> f64 {
    match family {
        KernelFamily::Map { .. } | KernelFamily::Scatter { .. } => 0.0,
        KernelFamily::Rows { .. } => 1.0,
        KernelFamily::Fold { .. } => 2.0,
        KernelFamily::Contract { .. } => 3.0,
        KernelFamily::Attention { .. } => 4.0,
    }
}

/// What a run of the loop touches that is so many loops outside the one in which most is done.
fn footprint(c: &Counted, out: usize) -> f64 {
    let all = &c.hot.footprints;
    all[out.min(all.len() - 1)]
}

fn counts(c: &Counted, of: impl Fn(&ir::lane::Counts) -> f64) -> f64 {
    c.lanes.counts.as_ref().map_or(0.0, of)
}

/// The template, and the logarithms of its choices.
fn choice(c: &Counted, at: usize) -> f64 {
    let number = c.choices.get(at).copied().map_or(0.0, f64::from);
    if at == 0 { number } else { log(1.0 + number) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<_> = FEATURES.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), FEATURES.len());
    }
}
