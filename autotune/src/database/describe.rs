//! Kernels and targets as records name them.

use std::collections::BTreeMap;

use ir::{Bytes, Kernel, Sizes, Target, Work};
use passes::{KernelFamily, LowerError};

use super::record::{Place, Workload, meaning};

impl Workload {
    /// A kernel as a record.
    ///
    /// # Errors
    /// No template computes the kernel.
    pub fn of(kernel: &Kernel) -> Result<Self, LowerError> {
        let family = passes::family(kernel)?;
        let work = Work::of(&kernel.graph, &Sizes::new()).expect("kernels are bound");
        Ok(Self {
            meaning: meaning(&kernel.graph, &kernel.constant),
            family: family.name().into(),
            sizes: sizes(family),
            graph: serde_json::to_value(&kernel.graph).expect("plain data becomes JSON"),
            constant: match kernel.constant.iter().any(|c| *c) {
                true => kernel.constant.clone(),
                false => vec![],
            },
            flops: work.flops,
            bytes: Bytes(work.read.0.saturating_add(work.written.0)),
            more: BTreeMap::new(),
        })
    }

    /// The kernel; none if the record holds none: records may come from anywhere.
    pub fn kernel(&self) -> Option<Kernel> {
        let graph: ir::Graph = serde_json::from_value(self.graph.clone()).ok()?;
        let elements = |v| graph.ty(v).elements().known();
        let is_bound = graph.values().all(|v| elements(v).is_some_and(|n| n > 0));
        if !is_bound || graph.outputs().len() != 1 {
            return None;
        }
        let is_input = |n: &&ir::Node| matches!(n.op, ir::Op::Input(_));
        let operands = graph.nodes().iter().filter(is_input).count();
        let constant = match self.constant.len() {
            0 => vec![false; operands],
            n if n == operands => self.constant.clone(),
            _ => return None,
        };
        Some(Kernel {
            name: "kernel".into(),
            graph,
            constant,
            rules: vec![],
        })
    }
}

impl Place {
    /// A target, by this compiler and the tools that it has.
    pub fn of(target: &Target) -> Self {
        let description = serde_json::to_vec(target).expect("plain data becomes JSON");
        Self {
            target: target.name.clone(),
            fingerprint: blake3::hash(&description).to_hex().to_string(),
            toolchain: format!(
                "tilewright {}, {}",
                env!("CARGO_PKG_VERSION"),
                backends::toolchain(target)
            ),
        }
    }
}

/// The sizes that a family names.
fn sizes(family: KernelFamily) -> BTreeMap<String, i64> {
    let all: Vec<(&str, i64)> = match family {
        KernelFamily::Map { rows, columns }
        | KernelFamily::Scatter { rows, columns }
        | KernelFamily::Fold { rows, columns }
        | KernelFamily::Rows { rows, columns } => vec![("rows", rows), ("columns", columns)],
        KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            ..
        } => vec![
            ("batch", batch),
            ("rows", rows),
            ("columns", columns),
            ("depth", depth),
        ],
        KernelFamily::Attention {
            heads,
            group,
            queries,
            keys,
            depth,
            columns,
            ..
        } => vec![
            ("heads", heads),
            ("group", group),
            ("queries", queries),
            ("keys", keys),
            ("depth", depth),
            ("columns", columns),
        ],
    };
    all.into_iter().map(|(name, n)| (name.into(), n)).collect()
}
