//! Which of the equal graphs of a model is run: the one whose kernels take the least time together.

use std::collections::BTreeMap;

use autotune::{
    Measured,
    database::{Database, Place, meaning},
};
use ir::{Graph, Kernel, Sizes, Target};
use passes::{PlanError, Rewritten};

use super::{CompileError, CompileOptions, Equal, FromDatabase, bind};

/// What another graph than the roofline's must save at least, as a part of its time: sums of times that were measured
/// on different days are not known better.
const LEAST_GAIN: f64 = 0.02;

/// The graphs of one program, and which is run.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphChoice {
    /// The sizes.
    pub sizes: Sizes,
    /// The equal graphs; the roofline's best first.
    pub graphs: Vec<GraphTime>,
    /// The one that is run, by position.
    pub chosen: usize,
}

/// What the kernels of a graph take together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphTime {
    /// Kernels launched in one run.
    pub launches: usize,
    /// Distinct kernels.
    pub kernels: usize,
    /// Those that were measured.
    pub measured: usize,
    /// Seconds of one run, as far as is known.
    pub seconds: f64,
    /// The same, where kernels that the first graph does not have and nobody measured are as slow as any like them.
    pub cautious_s: f64,
}

impl GraphChoice {
    /// The part of the time that the chosen graph saves; 0 if it is the first.
    pub fn gain(&self) -> f64 {
        let [first, chosen] = [0, self.chosen].map(|i| self.graphs[i].seconds);
        if first > 0.0 {
            1.0 - chosen / first
        } else {
            0.0
        }
    }
}

/// The distinct kernels of all equal graphs of a model's programs for the first target, and how often a run calls
/// each: of the graphs of a program, the one that calls it most often counts.
///
/// # Errors
/// Sizes that the model does not have or allow, or ops without a kernel.
pub fn kernels_of_graphs(
    graph: &Graph,
    options: &CompileOptions,
) -> Result<Vec<(Kernel, u64)>, CompileError> {
    let mut found: Vec<(Kernel, u64)> = vec![];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for sizes in &options.sizes {
        let (_, bound) = bind(graph, sizes)?;
        let mut most: BTreeMap<usize, u64> = BTreeMap::new();
        for rewritten in Equal::new(&bound, options).all()? {
            for (kernel, calls) in launched(rewritten)? {
                let meaning = meaning(&kernel.graph, &kernel.constant);
                let at = *places.entry(meaning).or_insert_with(|| {
                    found.push((kernel, 0));
                    found.len() - 1
                });
                let known = most.entry(at).or_default();
                *known = calls.max(*known);
            }
        }
        for (at, calls) in most {
            found[at].1 += calls;
        }
    }
    Ok(found)
}

/// What a compile with this database chooses for the first target, for each of the model's programs.
///
/// # Errors
/// As [`kernels_of_graphs`], or the database cannot be read.
pub fn choose_graphs(
    graph: &Graph,
    options: &CompileOptions,
    from: &FromDatabase<'_>,
) -> Result<Vec<GraphChoice>, CompileError> {
    let target = &options.targets[0];
    let cost = Measured::of_database(from.database, target, from.threads(target))?;
    let program = |sizes| {
        let (sizes, bound) = bind(graph, sizes)?;
        let equal = Equal::new(&bound, options);
        let graphs = times(equal.all()?, &cost, target)?;
        Ok(GraphChoice {
            sizes,
            chosen: best(&graphs),
            graphs,
        })
    };
    options.sizes.iter().map(program).collect()
}

/// The graph that a compile with a database runs: the roofline's, unless another is known to be faster.
pub(super) fn choose<'e>(
    equal: &'e Equal<'_>,
    target: &Target,
    database: &Database,
    threads: u32,
) -> Result<&'e Rewritten, CompileError> {
    // Without a time there is nothing that speaks for another one; to find them all takes long.
    if database.tried(&Place::of(target))?.is_empty() {
        return equal.first();
    }
    let cost = Measured::of_database(database, target, threads)?;
    if cost.is_empty() {
        return equal.first();
    }
    let all = equal.all()?;
    Ok(&all[best(&times(all, &cost, target)?)])
}

/// What the kernels of each graph take.
fn times(
    all: &[Rewritten],
    cost: &Measured,
    target: &Target,
) -> Result<Vec<GraphTime>, CompileError> {
    let mut first: Vec<String> = vec![];
    let mut times = vec![];
    for (i, rewritten) in all.iter().enumerate() {
        let mut time = GraphTime {
            launches: 0,
            kernels: 0,
            measured: 0,
            seconds: 0.0,
            cautious_s: 0.0,
        };
        for (kernel, calls) in launched(rewritten)? {
            let meaning = meaning(&kernel.graph, &kernel.constant);
            let of = cost.of(&kernel, target);
            if i == 0 {
                first.push(meaning.clone());
            }
            let cautious = match first.contains(&meaning) {
                true => of.seconds,
                false => of.cautious_s,
            };
            time.launches += calls as usize;
            time.kernels += 1;
            time.measured += usize::from(of.is_measured);
            time.seconds += of.seconds * calls as f64;
            time.cautious_s += cautious * calls as f64;
        }
        times.push(time);
    }
    Ok(times)
}

/// The one that is run: the first, unless another is faster by more than is uncertain.
fn best(graphs: &[GraphTime]) -> usize {
    // With nothing measured, ops were compared already, and by more than a floor.
    if graphs.iter().all(|g| g.measured == 0) {
        return 0;
    }
    let wanted = graphs[0].seconds * (1.0 - LEAST_GAIN);
    let others = graphs.iter().enumerate().skip(1);
    let faster = others.filter(|(_, g)| g.cautious_s < wanted);
    let best = faster.min_by(|(_, a), (_, b)| a.cautious_s.total_cmp(&b.cautious_s));
    best.map_or(0, |(i, _)| i)
}

/// The distinct kernels of a graph, and how often a run launches each.
fn launched(rewritten: &Rewritten) -> Result<Vec<(Kernel, u64)>, CompileError> {
    let groups = passes::launches(&rewritten.graph, &rewritten.rules).map_err(PlanError::from)?;
    let mut calls = vec![0; groups.kernels.len()];
    for launch in &groups.launches {
        calls[launch.kernel] += 1;
    }
    Ok(groups.kernels.into_iter().zip(calls).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(measured: usize, seconds: f64, cautious_s: f64) -> GraphTime {
        GraphTime {
            launches: 3,
            kernels: 2,
            measured,
            seconds,
            cautious_s,
        }
    }

    #[test]
    fn another_graph_must_be_surely_faster() {
        let first = graph(2, 1.0, 1.0);
        for (others, wanted) in [
            (vec![], 0),
            (vec![graph(2, 0.9, 0.9)], 1),
            (vec![graph(2, 0.99, 0.99)], 0),
            (vec![graph(1, 0.5, 1.2)], 0),
            (vec![graph(1, 0.9, 0.95), graph(2, 0.8, 0.8)], 2),
        ] {
            let graphs = [vec![first], others].concat();
            assert_eq!(best(&graphs), wanted, "{graphs:?}");
        }
        assert_eq!(best(&[graph(0, 1.0, 1.0), graph(0, 0.5, 0.5)]), 0);
    }
}
