//! Types of values.

use super::{Checker, Fault};
use crate::{
    DType, UnaryDef,
    lane::{Type, Value},
    tile::Var,
};

impl Checker<'_> {
    /// The type of a value.
    pub(super) fn value(&self, value: &Value) -> Result<Type, Fault> {
        match value {
            Value::Const(value, ty) => {
                let (value, dtype) = (*value, ty.dtype);
                if !dtype.is_float() && crate::round_to(dtype, value.get()) != value.get() {
                    return Err(Fault::Const { value, dtype });
                }
                Ok(*ty)
            }
            Value::Index(each) => {
                each.iter().try_for_each(|index| self.index(index))?;
                Ok(Type::new(DType::I32, registers(each.len() as u64)?))
            }
            Value::Load { from, width, .. } => self.load(from, *width),
            Value::Unary(f, x) => {
                if let UnaryDef::Derived(_) = f.def() {
                    return Err(Fault::Derived(*f));
                }
                self.of_dtype(*x, f.domain().name(), |d| f.domain().contains(d))
            }
            Value::Binary(f, a, b) => {
                let ty = self.of_dtype(*a, f.domain().name(), |d| f.domain().contains(d))?;
                self.require(*b, ty)?;
                let dtype = if f.is_predicate() {
                    DType::Bool
                } else {
                    ty.dtype
                };
                Ok(Type { dtype, ..ty })
            }
            Value::Fma(a, b, c) => {
                let ty = self.of_dtype(*a, "a float or an integer", |d| d != DType::Bool)?;
                self.require(*b, ty)?;
                self.require(*c, ty)?;
                Ok(ty)
            }
            Value::Select(test, a, b) => {
                let ty = self.read(*a)?;
                self.require(*test, Type::new(DType::Bool, ty.width))?;
                self.require(*b, ty)?;
                Ok(ty)
            }
            Value::Cast(dtype, x) => Ok(Type::new(*dtype, self.read(*x)?.width)),
            Value::Concat(parts) => {
                let (mut width, mut dtype) = (0, DType::F32);
                for (i, part) in parts.iter().enumerate() {
                    let ty = self.read(*part)?;
                    if i == 0 {
                        dtype = ty.dtype;
                    }
                    self.of_dtype(*part, dtype.name(), |d| d == dtype)?;
                    width += u64::from(ty.width);
                }
                Ok(Type::new(dtype, registers(width)?))
            }
            Value::Pick(var, positions) => {
                let ty = self.read(*var)?;
                if let Some(found) = positions.iter().find(|p| **p >= ty.width) {
                    return Err(Fault::NoRegister {
                        var: *var,
                        width: ty.width,
                        found: *found,
                    });
                }
                Ok(Type::new(ty.dtype, registers(positions.len() as u64)?))
            }
            Value::ShuffleXor(var, bits) => {
                let lanes = self.program.lanes;
                if *bits >= lanes {
                    return Err(Fault::Lanes {
                        lanes,
                        found: *bits,
                    });
                }
                self.read(*var)
            }
            Value::Matrix { instr, a, b, c } => {
                let known = self.program.matrix.get(*instr as usize);
                let types = known.ok_or(Fault::NoInstr(*instr))?.types();
                for (var, wanted) in [a, b, c].into_iter().zip(types) {
                    self.require(*var, wanted)?;
                }
                Ok(types[2])
            }
            Value::Product { instr, a, b, c } => self.product(*instr, a, b, *c),
            Value::LoadMatrix { from, count, .. } => self.matrices(from, *count),
        }
    }

    /// The type of a variable whose element type fits.
    fn of_dtype(
        &self,
        var: Var,
        wanted: &str,
        fits: impl Fn(DType) -> bool,
    ) -> Result<Type, Fault> {
        let ty = self.read(var)?;
        if fits(ty.dtype) {
            return Ok(ty);
        }
        Err(Fault::DType {
            what: var.to_string(),
            wanted: wanted.into(),
            found: ty.dtype,
        })
    }
}

fn registers(n: u64) -> Result<u32, Fault> {
    u32::try_from(n).map_err(|_| Fault::Registers(n))
}
