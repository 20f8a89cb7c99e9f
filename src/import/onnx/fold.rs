//! Shape arithmetic: nodes over small tensors of whole numbers that follow from shapes give such tensors again, and
//! never reach the graph. What cannot be decided here is computed there.

use std::{cmp::Ordering, rc::Rc};

use ir::{DType, Dim};

use super::{
    call::{Call, position},
    error::NodeProblem,
    tensor::{Constant, Elem},
    value::{SIZES_LIMIT, Sizes, Value},
};

/// Most terms of a size.
const TERM_LIMIT: usize = 64;

/// What an operator makes of sizes; nothing where that is not known.
type Fold = fn(&Call<'_>, &[Rc<Sizes>]) -> Option<Sizes>;

const FOLDS: &[(&str, Fold)] = &[
    ("Identity", |_, x| Some(x[0].as_ref().clone())),
    ("Cast", cast),
    ("Add", |_, x| zip(x, |a, b| Some(a.clone() + b.clone()))),
    ("Sub", |_, x| zip(x, |a, b| Some(minus(a, b)))),
    ("Mul", |_, x| zip(x, |a, b| Some(a.clone() * b.clone()))),
    ("Div", |_, x| zip(x, divide)),
    ("Mod", |c, x| zip(x, |a, b| remainder(c, a, b))),
    ("Min", |_, x| {
        zip(x, |a, b| {
            Some(if order(a, b)?.is_lt() { a } else { b }.clone())
        })
    }),
    ("Max", |_, x| {
        zip(x, |a, b| {
            Some(if order(a, b)?.is_gt() { a } else { b }.clone())
        })
    }),
    ("Equal", |_, x| compare(x, equal)),
    ("Less", |_, x| compare(x, |a, b| Some(order(a, b)?.is_lt()))),
    ("LessOrEqual", |_, x| {
        compare(x, |a, b| Some(order(a, b)?.is_le()))
    }),
    ("Greater", |_, x| {
        compare(x, |a, b| Some(order(a, b)?.is_gt()))
    }),
    ("GreaterOrEqual", |_, x| {
        compare(x, |a, b| Some(order(a, b)?.is_ge()))
    }),
    ("Not", |_, x| {
        compare(&[x[0].clone(), x[0].clone()], |a, _| Some(a.known()? == 0))
    }),
    ("And", |_, x| {
        compare(x, |a, b| Some(a.known()? != 0 && b.known()? != 0))
    }),
    ("Or", |_, x| {
        compare(x, |a, b| Some(a.known()? != 0 || b.known()? != 0))
    }),
    ("Where", choose),
    ("Gather", gather),
    ("Concat", |_, x| {
        let lists = x.iter().all(|s| s.shape.len() == 1);
        let dims = x.iter().flat_map(|s| s.dims.clone()).collect();
        lists.then(|| Sizes::list(x[0].dtype, dims))
    }),
    ("Slice", slice),
    ("Squeeze", |_, x| {
        let shape = if x[0].dims.len() == 1 && x[0].shape.len() == 1 {
            vec![]
        } else {
            return None;
        };
        reshaped(&x[0], shape)
    }),
    ("Unsqueeze", |_, x| {
        let scalar = x[0].shape.is_empty() && x.get(1)?.dims.len() == 1;
        scalar.then(|| Sizes::list(x[0].dtype, x[0].dims.clone()))
    }),
    ("Reshape", |_, x| {
        let n = x[0].dims.len() as i64;
        match x.get(1)?.known()?.as_slice() {
            [] if n == 1 => reshaped(&x[0], vec![]),
            [k] if *k == n || *k == -1 => reshaped(&x[0], vec![n]),
            _ => None,
        }
    }),
    ("ReduceProd", |c, x| reduce(c, x, 1, |a, b| a * b)),
    ("ReduceSum", |c, x| reduce(c, x, 0, |a, b| a + b)),
    ("Range", |_, x| {
        let known = |i: usize| x.get(i)?.dims.first()?.known();
        let (start, end, step) = (known(0)?, known(1)?, known(2)?);
        let span = (i128::from(end) - i128::from(start)) * i128::from(step.signum());
        let span = u128::try_from(span).ok().filter(|_| step != 0)?;
        let count = i64::try_from(span.div_ceil(step.unsigned_abs().into()));
        let count = count
            .ok()
            .filter(|n| (1..=SIZES_LIMIT as i64).contains(n))?;
        Some(Sizes::list(
            x[0].dtype,
            (0..count).map(|i| Dim::from(start + i * step)).collect(),
        ))
    }),
    ("ConstantOfShape", constant_of_shape),
    ("Expand", |_, x| {
        let shape = x.get(1)?.known()?;
        let count = shape.iter().try_fold(1i64, |n, d| n.checked_mul(*d))?;
        let one = x[0].dims.len() == 1 && (1..=SIZES_LIMIT as i64).contains(&count);
        let fits = one && shape.len() >= x[0].shape.len();
        fits.then(|| Sizes {
            dtype: x[0].dtype,
            dims: vec![x[0].dims[0].clone(); count as usize],
            shape,
        })
    }),
];

/// The result of a node over sizes; nothing where it must be computed in the graph.
pub(super) fn fold(call: &Call<'_>) -> Result<Option<Value>, NodeProblem> {
    if !call.node.domain.is_empty() && call.node.domain != "ai.onnx" {
        return Ok(None);
    }
    let Some((_, fold)) = FOLDS.iter().find(|(name, _)| *name == call.node.op_type) else {
        return Ok(None);
    };
    let given = call.inputs.iter().filter(|v| !matches!(v, Value::Absent));
    let Some(sizes) = given.map(Value::sizes).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    if sizes.is_empty() || sizes.iter().any(|s| s.dims.is_empty()) {
        return Ok(None);
    }
    let found = fold(call, &sizes);
    let small = found.filter(|s| {
        let plain = |d: &Dim| d.is_small() && d.symbols().count() <= TERM_LIMIT;
        s.dims.len() <= SIZES_LIMIT && s.dims.iter().all(plain)
    });
    Ok(small.map(Sizes::value))
}

fn minus(a: &Dim, b: &Dim) -> Dim {
    a.clone() + Dim::from(-1) * b.clone()
}

/// How two sizes compare at every size of their symbols, which are 1 or more; nothing where that depends.
pub(super) fn order(a: &Dim, b: &Dim) -> Option<Ordering> {
    let difference = minus(a, b);
    let terms: Vec<(Vec<ir::Symbol>, i64)> = difference.into();
    let growing = terms.iter().filter(|(s, _)| !s.is_empty());
    let at_one: i64 = terms.iter().map(|(_, c)| *c).sum();
    if terms.is_empty() {
        Some(Ordering::Equal)
    } else if growing.clone().all(|(_, c)| *c > 0) && at_one > 0 {
        Some(Ordering::Greater)
    } else if growing.clone().all(|(_, c)| *c < 0) && at_one < 0 {
        Some(Ordering::Less)
    } else {
        None
    }
}

fn equal(a: &Dim, b: &Dim) -> Option<bool> {
    order(a, b).map(Ordering::is_eq)
}

/// `f` of each pair; one of the two may be a single number.
fn zip(x: &[Rc<Sizes>], f: impl Fn(&Dim, &Dim) -> Option<Dim>) -> Option<Sizes> {
    let [a, b] = x else { return None };
    let shape = match (a.dims.len(), b.dims.len()) {
        _ if a.shape == b.shape => &a.shape,
        (_, 1) if a.shape.len() >= b.shape.len() => &a.shape,
        (1, _) if b.shape.len() >= a.shape.len() => &b.shape,
        _ => return None,
    };
    let at = |s: &Sizes, i: usize| s.dims[if s.dims.len() == 1 { 0 } else { i }].clone();
    let count = a.dims.len().max(b.dims.len());
    let dims = (0..count)
        .map(|i| f(&at(a, i), &at(b, i)))
        .collect::<Option<_>>()?;
    let dtype = a.dtype;
    Some(Sizes {
        dtype,
        shape: shape.clone(),
        dims,
    })
}

fn compare(x: &[Rc<Sizes>], f: impl Fn(&Dim, &Dim) -> Option<bool>) -> Option<Sizes> {
    let truths = zip(x, |a, b| Some(Dim::from(i64::from(f(a, b)?))))?;
    Some(Sizes {
        dtype: DType::Bool,
        ..truths
    })
}

/// Division towards zero.
fn divide(a: &Dim, b: &Dim) -> Option<Dim> {
    match (a.known(), b.known()) {
        (Some(a), Some(b)) => a.checked_div(b).map(Dim::from),
        _ => a.exact_div(b),
    }
}

fn remainder(c: &Call<'_>, a: &Dim, b: &Dim) -> Option<Dim> {
    let (a, b) = (a.known()?, b.known()?);
    let towards_zero = a.checked_rem(b)?;
    let fmod = c.flag("fmod", false).ok()?;
    let odd = towards_zero != 0 && (towards_zero < 0) != (b < 0);
    Some(Dim::from(if odd && !fmod {
        towards_zero + b
    } else {
        towards_zero
    }))
}

fn cast(c: &Call<'_>, x: &[Rc<Sizes>]) -> Option<Sizes> {
    let to = Elem::of_code(c.int("to").ok()??.try_into().ok()?)?.dtype?;
    let narrow = x[0].known();
    match to {
        DType::I64 | DType::I32 if x[0].dtype != DType::Bool => {
            let fits = to == DType::I64
                || narrow.is_none_or(|n| n.iter().all(|n| i32::try_from(*n).is_ok()));
            fits.then(|| Sizes {
                dtype: to,
                ..x[0].as_ref().clone()
            })
        }
        DType::I64 | DType::I32 => Some(Sizes {
            dtype: to,
            ..x[0].as_ref().clone()
        }),
        DType::Bool => {
            let truths = narrow?.into_iter().map(|n| Dim::from(i64::from(n != 0)));
            Some(Sizes {
                dtype: to,
                shape: x[0].shape.clone(),
                dims: truths.collect(),
            })
        }
        _ => None,
    }
}

fn choose(_: &Call<'_>, x: &[Rc<Sizes>]) -> Option<Sizes> {
    let [c, a, b] = x else { return None };
    let same = c.shape == a.shape && a.shape == b.shape;
    let pick =
        |((c, a), b): ((&Dim, &Dim), &Dim)| Some(if c.known()? != 0 { a } else { b }.clone());
    let dims = c
        .dims
        .iter()
        .zip(&a.dims)
        .zip(&b.dims)
        .map(pick)
        .collect::<Option<_>>()?;
    same.then(|| Sizes {
        dtype: a.dtype,
        shape: a.shape.clone(),
        dims,
    })
}

fn gather(c: &Call<'_>, x: &[Rc<Sizes>]) -> Option<Sizes> {
    let [data, ids] = x else { return None };
    if data.shape.len() != 1 || c.axis(0, 1).is_err() {
        return None;
    }
    let n = data.dims.len();
    let pick = |id: i64| Some(data.dims[position(id, n, "indices").ok()?].clone());
    let dims = ids.known()?.into_iter().map(pick).collect::<Option<_>>()?;
    Some(Sizes {
        dtype: data.dtype,
        shape: ids.shape.clone(),
        dims,
    })
}

fn slice(c: &Call<'_>, x: &[Rc<Sizes>]) -> Option<Sizes> {
    if x[0].shape.len() != 1 || x.len() < 3 {
        return None;
    }
    let one = |i: usize, default: i64| {
        if c.has(i) {
            c.int_of(i).ok()
        } else {
            Some(default)
        }
    };
    let n = x[0].dims.len() as i64;
    let (start, end, step) = (one(1, 0)?, one(2, 0)?, one(4, 1)?);
    if !matches!(one(3, 0)?, 0 | -1) {
        return None;
    }
    let span = super::slicing::span(start, end, step, n)?;
    let dims: Vec<_> = span.map(|i| x[0].dims[i as usize].clone()).collect();
    (!dims.is_empty()).then(|| Sizes::list(x[0].dtype, dims))
}

fn reshaped(x: &Sizes, shape: Vec<i64>) -> Option<Sizes> {
    let (dtype, dims) = (x.dtype, x.dims.clone());
    Some(Sizes { dtype, shape, dims })
}

/// A fold of a whole list.
fn reduce(c: &Call<'_>, x: &[Rc<Sizes>], from: i64, f: fn(Dim, Dim) -> Dim) -> Option<Sizes> {
    let listed = x[0].shape.len() <= 1 && x[0].dims.len() <= 16 && x[0].dtype != DType::Bool;
    let no_axes = c.flag("noop_with_empty_axes", false).ok()? && !c.has(1);
    let folded = x[0].dims.iter().cloned().fold(Dim::from(from), f);
    let keep = c.flag("keepdims", true).ok()?;
    let shape = if keep {
        vec![1; x[0].shape.len()]
    } else {
        vec![]
    };
    let dtype = x[0].dtype;
    (listed && !no_axes).then(|| Sizes {
        dtype,
        shape,
        dims: vec![folded],
    })
}

fn constant_of_shape(c: &Call<'_>, x: &[Rc<Sizes>]) -> Option<Sizes> {
    let value: Constant = super::shapes::fill_of(c).ok()?;
    let dtype = value.elem.dtype.filter(|d| !d.is_float())?;
    let number = *value.integers()?.first()?;
    let shape = x[0].known()?;
    let count = shape.iter().try_fold(1i64, |n, d| n.checked_mul(*d))?;
    let dims = (1..=SIZES_LIMIT as i64)
        .contains(&count)
        .then(|| vec![Dim::from(number); count as usize])?;
    Some(Sizes { dtype, shape, dims })
}
