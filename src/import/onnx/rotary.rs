//! Rotary position embedding.

use ir::{Dim, TensorType, ValueId, ops};

use super::{
    call::{Call, One, unsupported},
    error::NodeProblem,
    indexing::positions_of,
    value::Value,
};

/// `x` turned by tables of `[batch, seq, pairs]`; `x` is `[batch, heads, seq, size]` or `[batch, seq, heads, size]`.
pub(super) fn turn(
    c: &mut Call<'_>,
    x: ValueId,
    tables: [ValueId; 2],
    heads_first: bool,
    interleaved: bool,
) -> One {
    let mut placed = Vec::new();
    for table in tables {
        let mut shape = c.shape(table);
        if shape.len() != 3 {
            return c.misfit(1, "tables of three axes", c.ty(table));
        }
        shape.insert(if heads_first { 1 } else { 2 }, 1.into());
        placed.push(c.reshape(shape, table)?);
    }
    c.op(ops::Rope { interleaved }, &[x, placed[0], placed[1]])
}

/// `x: [batch, seq, width]` as `[batch, seq, heads, size]`.
pub(super) fn heads_of(c: &mut Call<'_>, x: ValueId, heads: i64, operand: usize) -> One {
    let shape = c.shape(x);
    let size = shape
        .last()
        .filter(|_| heads > 0 && shape.len() == 3)
        .and_then(|w| w.exact_div(&heads.into()));
    let Some(size) = size else {
        return c.misfit(
            operand,
            format!("three axes, of which the last holds {heads} heads"),
            c.ty(x),
        );
    };
    c.reshape(
        vec![shape[0].clone(), shape[1].clone(), heads.into(), size],
        x,
    )
}

/// Rows of the tables in operands `cos` and `sin` at positions `[batch, seq]`, a value of the graph.
pub(super) fn rows(
    c: &mut Call<'_>,
    [cos, sin]: [usize; 2],
    places: Value,
) -> Result<[ValueId; 2], NodeProblem> {
    let mut tables = Vec::new();
    for i in [cos, sin] {
        let table = c.x(i)?;
        if c.rank(table) != 2 {
            return c.misfit(i, "a table of two axes", c.ty(table));
        }
        let n = c.shape(table)[0].clone();
        c.inputs.push(places.clone());
        let at = positions_of(c, c.inputs.len() - 1, &n);
        c.inputs.pop();
        tables.push(c.op(ops::Embedding {}, &[table, at?])?);
    }
    Ok([tables[0], tables[1]])
}

/// What both domains' operators share: operand `places` has positions, `tables` the cosines and sines.
fn embed(c: &mut Call<'_>, places: Option<Value>, tables: [usize; 2]) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    let given = match places {
        Some(places) => rows(c, tables, places)?,
        None => [c.x(tables[0])?, c.x(tables[1])?],
    };
    let heads = c.int("num_heads")?.unwrap_or(0);
    let half = c.shape(given[0]).last().cloned().unwrap_or_default();
    let turned = c.int("rotary_embedding_dim")?.unwrap_or(0);
    if turned != 0 && half != Dim::from(turned / 2) {
        return c.misfit(tables[0], format!("rows of {}", turned / 2), c.ty(given[0]));
    }
    let interleaved = c.flag("interleaved", false)?;
    if shape.len() == 4 {
        return turn(c, x, given, true, interleaved);
    }
    let split = if heads > 0 {
        heads_of(c, x, heads, 0)?
    } else {
        // Without a number of heads, each head is as wide as what is turned.
        let size = half * 2.into();
        let heads = shape
            .last()
            .and_then(|w| w.exact_div(&size))
            .and_then(|h| h.known());
        heads_of(c, x, heads.unwrap_or(0), 0)?
    };
    let y = turn(c, split, given, false, interleaved)?;
    c.reshape(shape, y)
}

pub(super) fn rotary_embedding(c: &mut Call<'_>) -> One {
    let places = c.has(3).then(|| c.value(3));
    embed(c, places, [1, 2])
}

/// onnxruntime's: positions come before the tables, and may be one offset.
pub(super) fn rotary_embedding_microsoft(c: &mut Call<'_>) -> One {
    if c.flag("is_packed_batching", false)? || c.float("scale")?.is_some_and(|s| s != 1.0) {
        return unsupported("packed batches and scaled positions");
    }
    let x = c.x(0)?;
    let shape = c.shape(x);
    let seq = if shape.len() == 4 {
        shape.get(2)
    } else {
        shape.get(1)
    };
    let Some(seq) = seq.cloned() else {
        return c.misfit(0, "three or four axes", c.ty(x));
    };
    let places = c.x(1)?;
    if c.rank(places) == 2 {
        return embed(c, Some(c.value(1)), [2, 3]);
    }
    let dtype = c.dtype(places);
    let line = c.iota(1, TensorType::new(dtype, [shape[0].clone(), seq]))?;
    let offset = c.reshape(vec![], places)?;
    let places = c.add(line, offset)?;
    embed(c, Some(Value::Graph(places)), [2, 3])
}
