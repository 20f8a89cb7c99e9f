//! What compiling does to a graph, without weights and without machine code.

use ir::{Graph, Sizes};
use passes::{Layers, prove::Proof};

use super::{CompileError, CompileOptions, Defaults, plan_rewritten, rewrite};

/// What one set of sizes is compiled to, for one target.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The target's name.
    pub target: String,
    /// The sizes.
    pub sizes: Sizes,
    /// The repeated layers that were found, in order.
    pub layers: Vec<Layers>,
    /// Kernels of one run, in order.
    pub launches: Vec<Launch>,
    /// Distinct kernels among them.
    pub kernels: usize,
    /// That the graph which is run equals the one that was given.
    pub proofs: Vec<Proof>,
}

/// A kernel of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The kernel's name.
    pub kernel: String,
    /// Its family: how it is lowered.
    pub family: &'static str,
    /// Blocks of its grid.
    pub blocks: u64,
    /// The rules that made it; none if it stands as the graph has it.
    pub rules: Vec<String>,
}

/// What [`compile_to`](super::compile_to) would run, for each target and set of sizes. Needs no weights.
///
/// # Errors
/// Sizes that the model does not have or allow, or ops without a kernel.
pub fn explain(graph: &Graph, options: &CompileOptions) -> Result<Vec<Explained>, CompileError> {
    let mut all = Vec::new();
    for sizes in &options.sizes {
        let (sizes, rewritten) = rewrite(graph, sizes, options)?;
        for target in &options.targets {
            let (plan, _) = plan_rewritten(&rewritten, target, &Defaults, None, "")?;
            let launches = plan.steps.iter().map(|step| {
                let k = &plan.kernels[step.kernel];
                Launch {
                    kernel: k.kernel.name.clone(),
                    family: passes::family(&k.kernel).map_or("map", |f| f.name()),
                    blocks: k.blocks(),
                    rules: k.kernel.rules.clone(),
                }
            });
            all.push(Explained {
                target: target.name.clone(),
                sizes: sizes.clone(),
                layers: rewritten.layers.clone(),
                launches: launches.collect(),
                kernels: plan.kernels.len(),
                proofs: rewritten.proofs.clone(),
            });
        }
    }
    Ok(all)
}
