//! The model's inputs: their types, and the sizes that are known only later.

use std::collections::BTreeMap;

use ir::{Bounds, Dim, Graph, TensorType};

use super::{
    error::OnnxError,
    proto,
    tensor::{Elem, checked_shape},
};

/// Largest size of a first axis that has no number, which is the batch in most models. With [`SIZE_LIMIT`], a batch of
/// square score matrices still has fewer elements than can be counted.
const BATCH_LIMIT: i64 = 1024;
/// Largest size of another axis that has no number.
const SIZE_LIMIT: i64 = 1 << 16;

/// Names of sizes as the file writes them, and as symbols.
#[derive(Default)]
pub(super) struct Symbols(BTreeMap<String, String>);

/// What an input is.
pub(super) enum Kind {
    /// A tensor that can be computed with.
    Tensor(TensorType),
    /// Something else, in words.
    Foreign(String),
}

/// The kind of an input; sizes without a number become symbols of `graph`.
pub(super) fn kind_of(
    info: &proto::ValueInfo,
    symbols: &mut Symbols,
    graph: &mut Graph,
) -> Result<Kind, OnnxError> {
    let Some(tensor) = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()) else {
        return Ok(Kind::Foreign(
            "a sequence, a map or an optional value".into(),
        ));
    };
    let wrong = |wanted: &str, found: String| OnnxError::Input {
        name: info.name.clone(),
        wanted: wanted.into(),
        found,
    };
    let elem = Elem::of_code(tensor.elem_type);
    let elem = elem.ok_or_else(|| wrong("an element type", tensor.elem_type.to_string()))?;
    let Some(dtype) = elem.dtype else {
        return Ok(Kind::Foreign(elem.name.into()));
    };
    let Some(shape) = &tensor.shape else {
        return Err(wrong("a shape, of numbers or names", "none".into()));
    };
    let known: Vec<_> = shape.dim.iter().map(|d| d.dim_value.unwrap_or(1)).collect();
    checked_shape(&known).map_err(|problem| OnnxError::Tensor {
        name: info.name.clone(),
        problem,
    })?;
    let dims =
        shape
            .dim
            .iter()
            .enumerate()
            .map(|(axis, dim)| match (dim.dim_value, &dim.dim_param) {
                (Some(n), _) => n.into(),
                (None, Some(text)) if !text.is_empty() => symbols.dim(text, axis, graph),
                (None, _) => symbols.dim(&format!("{}_{axis}", info.name), axis, graph),
            });
    Ok(Kind::Tensor(TensorType::new(
        dtype,
        dims.collect::<Vec<_>>(),
    )))
}

impl Symbols {
    /// The size that `text` spells: a sum of products of names and numbers, else a name of its own.
    fn dim(&mut self, text: &str, axis: usize, graph: &mut Graph) -> Dim {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+* ".contains(c);
        let factors: Vec<Vec<_>> = text
            .split('+')
            .map(|t| t.split('*').map(str::trim).collect())
            .collect();
        let count: usize = factors.iter().map(Vec::len).sum();
        let spelled = |f: &&str| !f.is_empty() && !f.contains(' ');
        if count > 8 || !text.chars().all(plain) || !factors.iter().flatten().all(spelled) {
            return self.symbol(text, axis, graph);
        }
        factors.iter().fold(Dim::from(0), |sum, term| {
            let term = term.iter().fold(Dim::from(1), |product, factor| {
                let number = factor.parse::<u32>().ok().map(|n| Dim::from(i64::from(n)));
                product * number.unwrap_or_else(|| self.symbol(factor, axis, graph))
            });
            sum + term
        })
    }

    fn symbol(&mut self, text: &str, axis: usize, graph: &mut Graph) -> Dim {
        if let Some(known) = self.0.get(text) {
            return Dim::symbol(known);
        }
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut name: String = text.chars().take(64).map(word).collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            name.insert(0, '_');
        }
        while self.0.values().any(|taken| *taken == name) {
            name.push('_');
        }
        let max = if axis == 0 { BATCH_LIMIT } else { SIZE_LIMIT };
        graph.declare(&name, Bounds { min: 1, max });
        self.0.insert(text.into(), name.clone());
        Dim::symbol(&name)
    }
}

/// For each input that is used as ids of rows of initializers and of nothing else: how many rows the smallest has. What
/// the caller gives is then checked at each run.
pub(super) fn id_bounds(graph: &proto::Graph) -> BTreeMap<&str, i64> {
    let tables: BTreeMap<_, _> = graph
        .initializer
        .iter()
        .map(|t| (t.name.as_str(), &t.dims))
        .collect();
    let mut bounds = BTreeMap::new();
    for node in &graph.node {
        for (i, name) in node.input.iter().enumerate() {
            let axis = node
                .attribute
                .iter()
                .find(|a| a.name == "axis")
                .map_or(0, |a| a.i);
            let table = node.input.first().and_then(|t| tables.get(t.as_str()));
            let rows = table.and_then(|dims| dims.get(usize::try_from(axis).ok()?));
            // 0: used for something else.
            let rows = match rows {
                Some(rows) if i == 1 && node.op_type == "Gather" => *rows,
                _ => 0,
            };
            let least = bounds.entry(name.as_str()).or_insert(rows);
            *least = rows.min(*least);
        }
    }
    bounds.retain(|_, rows| *rows > 0);
    bounds
}
