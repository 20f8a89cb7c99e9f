//! Operators that move elements, or make tensors from sizes.

use bytes::Bytes;
use ir::{BinaryFn, DType, Dim, Op, TensorType, ValueId};

use super::{
    call::{Call, Many, One, position, positions, unsupported},
    error::NodeProblem,
    file::Folder,
    proto::kind,
    tensor::{Constant, Elem},
    value::{SIZES_LIMIT, Sizes, Value},
    walk::shared,
};

pub(super) fn identity(c: &mut Call<'_>) -> Many {
    Ok(vec![c.value(0)])
}

/// The tensor of attribute `name`.
fn tensor_of(c: &Call<'_>, name: &str) -> Result<Option<Constant>, NodeProblem> {
    let Some(tensor) = c
        .attributes
        .get(name)
        .filter(|a| a.r#type == kind::TENSOR)
        .and_then(|a| a.t.as_ref())
    else {
        return Ok(None);
    };
    if tensor.data_location == 1 {
        return unsupported("external data in an attribute");
    }
    // Without external data, the folder is not looked at.
    let read = Constant::read(tensor, &Folder::of(std::path::Path::new(""), false));
    read.map(Some).map_err(|problem| match problem {
        super::TensorProblem::Elem(name) => NodeProblem::Use(format!("a constant of {name}")),
        problem => NodeProblem::Attribute {
            name: name.into(),
            wanted: "a tensor".into(),
            found: problem.to_string(),
        },
    })
}

/// A constant of one of the attributes that can say it.
pub(super) fn constant(c: &mut Call<'_>) -> Many {
    if let Some(tensor) = tensor_of(c, "value")? {
        return Ok(vec![shared(tensor)]);
    }
    let found = c.attributes.values().next().copied();
    let Some(a) = found else {
        return c.wrong("value", "a tensor or numbers", "none");
    };
    let floats = |n: &[f32]| n.iter().flat_map(|x| x.to_le_bytes()).collect::<Bytes>();
    let ints = |n: &[i64]| n.iter().flat_map(|x| x.to_le_bytes()).collect::<Bytes>();
    let (elem, shape, bytes) = match (a.name.as_str(), a.r#type) {
        ("value_float", kind::FLOAT) => (DType::F32, vec![], floats(&[a.f])),
        ("value_int", kind::INT) => (DType::I64, vec![], ints(&[a.i])),
        ("value_floats", kind::FLOATS) => {
            (DType::F32, vec![a.floats.len() as i64], floats(&a.floats))
        }
        ("value_ints", kind::INTS) => (DType::I64, vec![a.ints.len() as i64], ints(&a.ints)),
        _ => return unsupported(format!("a constant by attribute `{}`", a.name)),
    };
    Ok(vec![shared(Constant::new(Elem::of(elem), shape, bytes))])
}

/// The one number of attribute `value`, 0 of f32 without.
pub(super) fn fill_of(c: &Call<'_>) -> Result<Constant, NodeProblem> {
    let found = tensor_of(c, "value")?;
    let fill = found.unwrap_or_else(|| Constant::of_numbers(DType::F32, vec![1], &[0.0]));
    if fill.len() != 1 {
        return c.wrong("value", "one number", format!("{} numbers", fill.len()));
    }
    Ok(fill)
}

pub(super) fn constant_of_shape(c: &mut Call<'_>) -> One {
    let (shape, fill) = (c.sizes(0)?, fill_of(c)?);
    let Some(dtype) = fill.elem.dtype else {
        return unsupported(format!("a constant of {}", fill.elem.name));
    };
    c.b.constant(fill.numbers()[0], TensorType::new(dtype, shape))
}

/// The sizes of operand 0.
fn sizes_of(c: &mut Call<'_>) -> Result<Vec<Dim>, NodeProblem> {
    if let Value::Constant(constant) = c.value(0) {
        return Ok(constant.shape.iter().map(|n| Dim::from(*n)).collect());
    }
    let x = c.x(0)?;
    Ok(c.shape(x))
}

pub(super) fn shape(c: &mut Call<'_>) -> Many {
    let all = sizes_of(c)?;
    let n = all.len() as i64;
    let at = |i: i64| (if i < 0 { i.saturating_add(n) } else { i }).clamp(0, n) as usize;
    let (start, end) = (
        at(c.int("start")?.unwrap_or(0)),
        at(c.int("end")?.unwrap_or(n)),
    );
    let part = all[start..end.max(start)].to_vec();
    Ok(vec![Sizes::list(DType::I64, part).value()])
}

pub(super) fn size(c: &mut Call<'_>) -> Many {
    let all = sizes_of(c)?.iter().product();
    Ok(vec![Sizes::scalar(DType::I64, all).value()])
}

pub(super) fn reshape(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (from, wanted) = (c.shape(x), c.sizes(1)?);
    let copy = !c.flag("allowzero", false)?;
    let mut shape: Vec<_> = wanted.clone();
    for (i, size) in shape
        .iter_mut()
        .enumerate()
        .filter(|(_, s)| copy && s.known() == Some(0))
    {
        match from.get(i) {
            Some(own) => *size = own.clone(),
            None => return c.misfit(1, format!("at most {} zeros in front", from.len()), "more"),
        }
    }
    let open: Vec<_> = (0..shape.len())
        .filter(|i| wanted[*i].known() == Some(-1))
        .collect();
    match open.as_slice() {
        [] => {}
        [i] => {
            let all: Dim = from.iter().product();
            let others = shape
                .iter()
                .enumerate()
                .filter(|(j, _)| j != i)
                .map(|(_, s)| s);
            let rest = quotient(all, others.cloned().collect());
            let Some(rest) = rest else {
                return unsupported(format!(
                    "a size of -1 that is no product of sizes, for {}",
                    c.ty(x)
                ));
            };
            shape[*i] = rest;
        }
        _ => return c.misfit(1, "at most one -1", format!("{} of them", open.len())),
    }
    c.reshape(shape, x)
}

/// `all` divided by each of `factors`, where that leaves no rest.
fn quotient(all: Dim, factors: Vec<Dim>) -> Option<Dim> {
    let product: Dim = factors.iter().product();
    let one_by_one = || {
        factors
            .iter()
            .try_fold(all.clone(), |rest, f| rest.exact_div(f))
    };
    all.exact_div(&product).or_else(one_by_one)
}

pub(super) fn transpose(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let rank = c.rank(x);
    let axes = match c.list("perm")? {
        None => (0..rank).rev().collect(),
        Some(perm) => {
            positions(&perm, rank, "perm")?;
            if perm.len() != rank {
                return c.wrong("perm", format!("{rank} axes"), perm.len());
            }
            perm.iter().map(|a| *a as usize).collect::<Vec<_>>()
        }
    };
    c.permute(&axes, x)
}

/// Axes by operand 1, or by attribute as earlier versions have it.
fn axes_given(c: &Call<'_>) -> Result<Option<Vec<i64>>, NodeProblem> {
    if c.has(1) {
        c.ints(1).map(Some)
    } else {
        c.list("axes")
    }
}

pub(super) fn squeeze(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    let gone = match axes_given(c)? {
        Some(axes) => positions(&axes, shape.len(), "axes")?,
        None => (0..shape.len())
            .filter(|a| shape[*a].known() == Some(1))
            .collect(),
    };
    if let Some(a) = gone.iter().find(|a| shape[**a].known() != Some(1)) {
        return c.misfit(0, format!("size 1 on axis {a}"), c.ty(x));
    }
    let kept = (0..shape.len()).filter(|a| !gone.contains(a));
    let shape = kept.map(|a| shape[a].clone()).collect();
    c.reshape(shape, x)
}

pub(super) fn unsqueeze(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let Some(axes) = axes_given(c)? else {
        return c.misfit(1, "axes", "none");
    };
    let mut shape = c.shape(x);
    for a in positions(&axes, shape.len() + axes.len(), "axes")? {
        shape.insert(a, 1.into());
    }
    c.reshape(shape, x)
}

pub(super) fn flatten(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    let axis = c.int("axis")?.unwrap_or(1);
    // The axis may lie behind the last one.
    let axis = if axis == shape.len() as i64 {
        shape.len()
    } else {
        position(axis, shape.len(), "axis")?
    };
    let (outer, inner) = shape.split_at(axis);
    c.reshape(vec![outer.iter().product(), inner.iter().product()], x)
}

pub(super) fn expand(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (own, wanted) = (c.ty(x), c.sizes(1)?);
    let target = TensorType::new(own.dtype, wanted);
    let shape = ir::broadcast_shapes(&own, &target);
    let shape = shape.map_err(|source| ir::GraphError::Op {
        op: "broadcast",
        source,
    })?;
    c.broadcast(shape, x)
}

pub(super) fn tile(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (shape, times) = (c.shape(x), c.sizes(1)?);
    if times.len() != shape.len() {
        return c.misfit(1, format!("{} numbers", shape.len()), times.len());
    }
    let one = Dim::from(1);
    let (mut split, mut wide, mut whole) = (vec![], vec![], vec![]);
    for (size, n) in shape.iter().zip(times) {
        if n != one {
            split.push(one.clone());
            wide.push(n.clone());
        }
        split.push(size.clone());
        wide.push(size.clone());
        whole.push(size.clone() * n);
    }
    let y = c.reshape(split, x)?;
    let y = c.broadcast(wide, y)?;
    c.reshape(whole, y)
}

pub(super) fn concat(c: &mut Call<'_>) -> One {
    let parts = c.all()?;
    let rank = c.rank(parts[0]);
    let axis = c.axis(0, rank)?;
    // A cache that starts empty adds nothing.
    let filled = |p: &ir::ValueId| c.shape(*p).get(axis).and_then(Dim::known) != Some(0);
    let kept: Vec<_> = parts.iter().copied().filter(filled).collect();
    let parts = if kept.is_empty() { parts } else { kept };
    match neighbours(c, axis, &parts) {
        Some((start, size, x)) => c.cut(axis, start, size, 1, x),
        None => c.concat(axis, &parts),
    }
}

/// Where the parts lie in the value that they are slices of, one beside the other, as a split leaves them.
fn neighbours(c: &Call<'_>, axis: usize, parts: &[ValueId]) -> Option<(Dim, Dim, ValueId)> {
    let mut found: Option<(Dim, Dim, ValueId)> = None;
    for part in parts {
        let node = c.b.graph.node(*part);
        let Op::Slice(slice) = &node.op else {
            return None;
        };
        let plain = slice.step == 1 && slice.axis == axis as i64;
        let (start, x) = (slice.start.clone(), node.inputs[0]);
        found = Some(match found {
            _ if !plain => return None,
            None => (start, slice.size.clone(), x),
            Some((first, size, of)) if of == x && first.clone() + size.clone() == start => {
                (first, size + slice.size.clone(), x)
            }
            Some(_) => return None,
        });
    }
    found
}

/// Numbers from a start by a step: of known ends, or from 0 to a size.
pub(super) fn range(c: &mut Call<'_>) -> Many {
    let given = (0..3).map(|i| c.known(i)).collect::<Result<Vec<_>, _>>();
    if let Ok(known) = given {
        let dtype = known[0].elem.dtype;
        let Some(dtype) = dtype else {
            return unsupported(format!("a range of {}", known[0].elem.name));
        };
        let [start, end, step] =
            [0, 1, 2].map(|i| known[i].numbers().first().copied().unwrap_or(f64::NAN));
        let count = ((end - start) / step).ceil().max(0.0);
        if count.is_nan() || count > SIZES_LIMIT as f64 * 256.0 {
            return unsupported("a range of more than a million numbers");
        }
        let numbers: Vec<_> = (0..count as i64).map(|i| start + i as f64 * step).collect();
        return Ok(vec![shared(Constant::of_numbers(
            dtype,
            vec![numbers.len() as i64],
            &numbers,
        ))]);
    }
    let (start, end, step) = (c.sizes(0)?, c.sizes(1)?, c.sizes(2)?);
    let ([start], [end], [step]) = (start.as_slice(), end.as_slice(), step.as_slice()) else {
        return c.misfit(0, "one number", "a list");
    };
    if step.known() != Some(1) {
        return unsupported("a range to a size that is known later, by a step other than 1");
    }
    let dtype = c.b.dtype(&c.value(0)).unwrap_or(DType::I64);
    let count = end.clone() + Dim::from(-1) * start.clone();
    let positions = c.iota(0, TensorType::new(dtype, [count]))?;
    if start.known() == Some(0) {
        return Ok(vec![Value::Graph(positions)]);
    }
    let sizes = Sizes::scalar(dtype, start.clone()).value();
    let start = c.b.place(&sizes, 0)?;
    Ok(vec![Value::Graph(c.add(positions, start)?)])
}

pub(super) fn trilu(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let k = if c.has(1) { c.int_of(1)? } else { 0 };
    let shape = c.shape(x);
    let [.., rows, columns] = shape.as_slice() else {
        return c.misfit(0, "at least two axes", c.ty(x));
    };
    let ty = TensorType::new(DType::I32, [rows.clone(), columns.clone()]);
    let (row, column) = (c.iota(0, ty.clone())?, c.iota(1, ty)?);
    let k = k.clamp(-(1 << 30), 1 << 30);
    let edge = c.with(BinaryFn::Add, row, k as f64)?;
    let f = if c.flag("upper", true)? {
        BinaryFn::Ge
    } else {
        BinaryFn::Le
    };
    let inside = c.binary(f, column, edge)?;
    let zero = c.scalar(x, 0.0)?;
    c.select(inside, x, zero)
}

pub(super) fn eye_like(c: &mut Call<'_>) -> One {
    let shape = sizes_of(c)?;
    let dtype = match c.int("dtype")? {
        Some(code) => i32::try_from(code)
            .ok()
            .and_then(Elem::of_code)
            .and_then(|e| e.dtype),
        None => c.b.dtype(&c.value(0)),
    };
    let Some(dtype) = dtype else {
        return unsupported("a matrix of this element type");
    };
    let [rows, columns] = shape.as_slice() else {
        return c.misfit(0, "two axes", shape.len());
    };
    let k = c.int("k")?.unwrap_or(0).clamp(-(1 << 30), 1 << 30);
    let ty = TensorType::new(DType::I32, [rows.clone(), columns.clone()]);
    let (row, column) = (c.iota(0, ty.clone())?, c.iota(1, ty)?);
    let edge = c.with(BinaryFn::Add, row, k as f64)?;
    let on = c.binary(BinaryFn::Eq, column, edge)?;
    if dtype == DType::Bool {
        Ok(on)
    } else {
        c.cast(dtype, on)
    }
}

/// Blocks of the channels as blocks of the plane.
pub(super) fn depth_to_space(c: &mut Call<'_>) -> One {
    let (x, block) = (c.x(0)?, block_of(c)?);
    let Ok([n, ch, h, w]) = <[Dim; 4]>::try_from(c.shape(x)) else {
        return c.misfit(0, "four axes", c.ty(x));
    };
    let b = Dim::from(block);
    let Some(part) = ch.exact_div(&(b.clone() * b.clone())) else {
        return c.misfit(
            0,
            format!("channels in multiples of {}", block * block),
            c.ty(x),
        );
    };
    let (split, axes) = if columns_first(c)? {
        (
            vec![
                n.clone(),
                part.clone(),
                b.clone(),
                b.clone(),
                h.clone(),
                w.clone(),
            ],
            [0, 1, 4, 2, 5, 3],
        )
    } else {
        (
            vec![
                n.clone(),
                b.clone(),
                b.clone(),
                part.clone(),
                h.clone(),
                w.clone(),
            ],
            [0, 3, 4, 1, 5, 2],
        )
    };
    let y = c.reshape(split, x)?;
    let y = c.permute(&axes, y)?;
    c.reshape(vec![n, part, h * b.clone(), w * b], y)
}

/// Blocks of the plane as blocks of the channels.
pub(super) fn space_to_depth(c: &mut Call<'_>) -> One {
    let (x, block) = (c.x(0)?, block_of(c)?);
    let Ok([n, ch, h, w]) = <[Dim; 4]>::try_from(c.shape(x)) else {
        return c.misfit(0, "four axes", c.ty(x));
    };
    let b = Dim::from(block);
    let (Some(rows), Some(columns)) = (h.exact_div(&b), w.exact_div(&b)) else {
        return c.misfit(
            0,
            format!("rows and columns in multiples of {block}"),
            c.ty(x),
        );
    };
    let split = vec![
        n.clone(),
        ch.clone(),
        rows.clone(),
        b.clone(),
        columns.clone(),
        b.clone(),
    ];
    let axes = if columns_first(c)? {
        [0, 1, 3, 5, 2, 4]
    } else {
        [0, 3, 5, 1, 2, 4]
    };
    let y = c.reshape(split, x)?;
    let y = c.permute(&axes, y)?;
    c.reshape(vec![n, ch * b.clone() * b, rows, columns], y)
}

/// Whether the channels of a block are its columns, rows and depth, in this order.
fn columns_first(c: &Call<'_>) -> Result<bool, NodeProblem> {
    match c.text("mode")?.as_deref().unwrap_or("DCR") {
        "CRD" => Ok(true),
        "DCR" => Ok(false),
        other => c.wrong("mode", "DCR or CRD", other),
    }
}

fn block_of(c: &Call<'_>) -> Result<i64, NodeProblem> {
    match c.int("blocksize")? {
        Some(n) if (1..=1 << 16).contains(&n) => Ok(n),
        found => c.wrong("blocksize", "1 to 65536", format!("{found:?}")),
    }
}
