//! Tensors that weights alone decide: computed once, written as sections.

use std::collections::BTreeMap;

use ir::{Graph, Op, Tensor, WeightSource};
use rayon::prelude::*;
use runtime::{
    Writer,
    manifest::{BufferRef, SectionKind},
};

use super::{CompileError, Planned};

/// The distinct constants of all programs.
pub(super) struct Constants {
    /// Each with its name and, unless it is a weight as it stands in the file, its value.
    values: Vec<(String, Option<Tensor>)>,
    /// The constant of each program and position.
    of: Vec<Vec<usize>>,
}

/// Where the constants of one program lie.
pub(super) type Places = BTreeMap<(usize, usize), BufferRef>;

impl Constants {
    pub fn compute(
        programs: &[&Planned],
        weights: &dyn WeightSource,
    ) -> Result<Self, CompileError> {
        let mut distinct: Vec<&Graph> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let of = programs
            .iter()
            .map(|p| {
                let index = |g| {
                    let key = format!("{g}");
                    *known.entry(key).or_insert_with(|| {
                        distinct.push(g);
                        distinct.len() - 1
                    })
                };
                p.plan.constants.iter().map(index).collect()
            })
            .collect();
        let values = distinct
            .par_iter()
            .map(|g| match plain_weight(g) {
                Some(name) => Ok((name.to_owned(), None)),
                None => Ok((first_weight(g), Some(ir::eval::fold(g, weights)?))),
            })
            .collect::<Result<Vec<_>, CompileError>>()?;
        Ok(Self { values, of })
    }

    /// Writes a section for each constant; gives where that of `(program, position)` lies.
    pub fn write(
        &self,
        writer: &mut Writer,
        weights: &dyn WeightSource,
    ) -> Result<Places, CompileError> {
        let mut written = Vec::new();
        for (name, value) in &self.values {
            let view = weights.weight(name);
            let stored = value.as_ref().map(Tensor::bytes);
            let bytes: &[u8] = match (&stored, &view) {
                (Some(bytes), _) => bytes,
                (None, Some(view)) => view.bytes,
                (None, None) => return Err(CompileError::NoWeight(name.clone())),
            };
            let section = writer.section(name, SectionKind::Weights, |w| w.write_all(bytes))?;
            written.push(BufferRef::Weight {
                section,
                offset: 0,
                len: bytes.len() as u64,
            });
        }
        let all = self.of.iter().enumerate();
        Ok(all
            .flat_map(|(p, list)| list.iter().enumerate().map(move |(i, c)| ((p, i), *c)))
            .map(|(key, c)| (key, written[c]))
            .collect())
    }
}

/// The weight that a graph gives as it is.
fn plain_weight(graph: &Graph) -> Option<&str> {
    match &graph.node(graph.outputs()[0].value).op {
        Op::Weight(w) => Some(&w.name),
        _ => None,
    }
}

fn first_weight(graph: &Graph) -> String {
    let names = graph.nodes().iter().filter_map(|n| match &n.op {
        Op::Weight(w) => Some(w.name.as_str()),
        _ => None,
    });
    names.collect::<Vec<_>>().join("+")
}
