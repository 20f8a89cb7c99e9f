//! Programs for ranges of sizes.

use std::collections::BTreeMap;

use ir::{Bounds, Graph, Sizes, Symbol, TensorType};
use passes::Plan;
use runtime::manifest::Ranges;

use super::{CompileError, CompileOptions};

/// Programs of one artifact, at most, for all combinations of sizes.
const PROGRAMS: usize = 64;

/// The graph that also serves sizes below those that it is bound to.
pub(super) fn pad(graph: &Graph, ranges: &BTreeMap<Symbol, Bounds>) -> Result<Graph, CompileError> {
    for end in [|b: &Bounds| b.min, |b: &Bounds| b.max] {
        graph.check_sizes(&ranges.iter().map(|(s, b)| (s.clone(), end(b))).collect())?;
    }
    let symbols: Vec<_> = ranges.keys().cloned().collect();
    Ok(passes::pad(graph, &symbols)?)
}

/// The sizes of the programs: those asked for, with each combination of those of ranges.
pub(super) fn sizes(options: &CompileOptions) -> Vec<Sizes> {
    let count = options.ranges.len() as u32;
    // As many of each as fit: 8 of one or two, 4 of three.
    let each = (1..=8_usize).rev().find(|n| n.pow(count) <= PROGRAMS);
    let mut all = options.sizes.clone();
    for (symbol, bounds) in &options.ranges {
        let steps = steps(*bounds, each.unwrap_or(1));
        let with = |sizes: &Sizes| {
            let sizes = sizes.clone();
            let one = move |n: &i64| {
                let mut sizes = sizes.clone();
                sizes.insert(symbol.clone(), *n);
                sizes
            };
            steps.iter().map(one).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

/// The largest size and its halves, as many as are wanted and no smaller than the range.
fn steps(bounds: Bounds, most: usize) -> Vec<i64> {
    let halves = std::iter::successors(Some(bounds.max), |n| (n / 2 >= bounds.min).then(|| n / 2));
    let mut steps: Vec<_> = halves.take(most).take_while(|n| *n > 0).collect();
    steps.reverse();
    steps
}

/// What the artifact says about ranges: the axes of inputs and outputs.
pub(super) fn ranges(
    graph: &Graph,
    plan: &Plan,
    ranges: &BTreeMap<Symbol, Bounds>,
) -> Option<Ranges> {
    if ranges.is_empty() {
        return None;
    }
    let axes = |ty: &TensorType| {
        let symbol = |d: &ir::Dim| {
            let symbol = d.symbols().next().filter(|s| ranges.contains_key(s));
            symbol.map(|s| s.name().to_owned())
        };
        ty.shape.iter().map(symbol).collect::<Vec<_>>()
    };
    let inputs = graph.nodes().iter().filter_map(|n| match &n.op {
        ir::Op::Input(i) => Some((i.name.as_str(), &i.ty)),
        _ => None,
    });
    let types: BTreeMap<_, _> = inputs.collect();
    Some(Ranges {
        symbols: ranges
            .iter()
            .map(|(s, b)| (s.name().into(), [b.min, b.max].map(i64::unsigned_abs)))
            .collect(),
        inputs: plan
            .inputs
            .iter()
            .map(|i| axes(types[i.name.as_str()]))
            .collect(),
        outputs: graph.results().map(|o| axes(graph.ty(o.value))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_for_the_largest_size_and_its_halves() {
        let of = |min, max, most| steps(Bounds { min, max }, most);
        assert_eq!(of(1, 512, 6), [16, 32, 64, 128, 256, 512]);
        assert_eq!(of(1, 32, 6), [1, 2, 4, 8, 16, 32]);
        assert_eq!(of(100, 384, 8), [192, 384]);
        assert_eq!(of(7, 7, 8), [7]);
        assert_eq!(of(1, 3, 8), [1, 3]);
    }
}
