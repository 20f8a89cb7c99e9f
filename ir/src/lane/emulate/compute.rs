//! Registers from registers: what no lane can get wrong.

use super::super::Value;
use super::{code::Code, warp::Warp};
use crate::{DType, UnaryDef, tile::Var};

/// Rounds each number as its element type holds it.
pub(super) fn round(dtype: DType, values: &mut [f64]) {
    match dtype {
        // A loop of its own, so that it is compiled without a branch inside.
        DType::F32 => values.iter_mut().for_each(|x| *x = f64::from(*x as f32)),
        dtype => values
            .iter_mut()
            .for_each(|x| *x = crate::round_to(dtype, *x)),
    }
}

/// Makes `out` the value, in all lanes; false if it needs memory, indices or the whole warp.
pub(super) fn value(code: &Code, warp: &Warp, value: &Value, out: &mut Vec<f64>) -> bool {
    let of = |var: &Var| &warp.vars[code.vars.of(*var)];
    let dtype_of = |var: &Var| code.types[var].dtype;
    let lanes = code.lanes();
    let dtype = match value {
        Value::Const(x, ty) => {
            out.resize(ty.width as usize * lanes, x.get());
            ty.dtype
        }
        Value::Unary(f, x) => {
            let UnaryDef::Primitive(f) = f.def() else {
                unreachable!("verified: functions are primitive")
            };
            out.extend(of(x).iter().map(|x| f(*x)));
            dtype_of(x)
        }
        Value::Binary(f, a, b) => {
            out.extend(of(a).iter().zip(of(b)).map(|(a, b)| f.eval(*a, *b)));
            if f.is_predicate() {
                return true;
            }
            dtype_of(a)
        }
        Value::Fma(a, b, c) => {
            let each = of(a).iter().zip(of(b)).zip(of(c));
            out.extend(each.map(|((a, b), c)| a * b + c));
            dtype_of(a)
        }
        Value::Select(test, a, b) => {
            let each = of(test).iter().zip(of(a)).zip(of(b));
            out.extend(each.map(|((test, a), b)| if *test != 0.0 { *a } else { *b }));
            return true;
        }
        Value::Cast(dtype, x) => {
            out.extend(of(x));
            *dtype
        }
        Value::Concat(parts) => {
            parts.iter().for_each(|part| out.extend(of(part)));
            return true;
        }
        Value::Pick(var, positions) => {
            let registers = positions.iter().map(|p| *p as usize * lanes);
            registers.for_each(|start| out.extend(&of(var)[start..][..lanes]));
            return true;
        }
        Value::Index(_)
        | Value::Load { .. }
        | Value::ShuffleXor(..)
        | Value::Matrix { .. }
        | Value::LoadMatrix { .. }
        | Value::Product { .. } => return false,
    };
    round(dtype, out);
    true
}

/// Operations on floats of one lane.
pub(super) fn flops(code: &Code, value: &Value) -> u64 {
    let (var, each) = match value {
        Value::Unary(_, x) | Value::Binary(_, x, _) | Value::Select(_, x, _) => (x, 1),
        Value::Fma(x, ..) => (x, 2),
        _ => return 0,
    };
    let ty = code.types[var];
    if ty.dtype.is_float() {
        each * u64::from(ty.width)
    } else {
        0
    }
}
