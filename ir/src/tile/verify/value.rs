//! Types of values.

use super::{Checker, Fault, require_dtype, require_elements, require_shape};
use crate::{
    DType, UnaryDef,
    tile::{Axis, Shape, Value, Var},
};

impl Checker<'_> {
    /// The type of a value.
    pub(super) fn value(&mut self, value: &Value) -> Result<(DType, Shape), Fault> {
        match value {
            Value::Splat(value, dtype, shape) => {
                require_elements(*shape)?;
                let (value, dtype) = (*value, *dtype);
                if !dtype.is_float() && crate::round_to(dtype, value.get()) != value.get() {
                    return Err(Fault::Splat { value, dtype });
                }
                Ok((dtype, *shape))
            }
            Value::Coordinate(index, shape) => {
                require_elements(*shape)?;
                self.index(index, &self.ranges.in_tile(*shape))?;
                Ok((DType::I32, *shape))
            }
            Value::Load { from, shape, .. } => {
                let array = self.access(from, *shape)?;
                Ok((array.dtype, *shape))
            }
            Value::Unary(f, x) => {
                if let UnaryDef::Derived(_) = f.def() {
                    return Err(Fault::Derived(*f));
                }
                let (dtype, shape) = self.read(*x)?;
                require_dtype(*x, f.domain().name(), dtype, |d| f.domain().contains(d))?;
                Ok((dtype, shape))
            }
            Value::Binary(f, a, b) => {
                let (dtype, shape) = self.read(*a)?;
                require_dtype(*a, f.domain().name(), dtype, |d| f.domain().contains(d))?;
                let shape = self.join(shape, *b, dtype)?;
                Ok((if f.is_predicate() { DType::Bool } else { dtype }, shape))
            }
            Value::Select(test, a, b) => {
                let (dtype, shape) = self.read(*test)?;
                require_dtype(*test, "bool", dtype, |d| d == DType::Bool)?;
                let (dtype, _) = self.read(*a)?;
                let shape = self.join(shape, *a, dtype)?;
                Ok((dtype, self.join(shape, *b, dtype)?))
            }
            Value::Cast(dtype, x) => Ok((*dtype, self.read(*x)?.1)),
            Value::Broadcast(x, shape) => {
                let (dtype, found) = self.read(*x)?;
                require_elements(*shape)?;
                if found.join(*shape) != Some(*shape) {
                    let (var, wanted) = (*x, *shape);
                    return Err(Fault::Shape { var, wanted, found });
                }
                Ok((dtype, *shape))
            }
            Value::Reduce(_, axis, x) => {
                let (dtype, shape) = self.read(*x)?;
                require_dtype(*x, "a float or an integer", dtype, |d| d != DType::Bool)?;
                let shape = match axis {
                    Axis::Rows => Shape { rows: 1, ..shape },
                    Axis::Lanes => Shape { lanes: 1, ..shape },
                };
                Ok((dtype, shape))
            }
            Value::Dot { a, b, acc } => {
                let (dtype, shape) = self.read(*acc)?;
                let wanted = "f32 or i32";
                require_dtype(*acc, wanted, dtype, |d| {
                    matches!(d, DType::F32 | DType::I32)
                })?;
                let kind = if dtype.is_float() {
                    "a float"
                } else {
                    "an integer"
                };
                let depth = self.read(*a)?.1.lanes;
                let sides = [
                    (*a, Shape::new(shape.rows, depth)),
                    (*b, Shape::new(depth, shape.lanes)),
                ];
                for (var, wanted) in sides {
                    let (found, found_shape) = self.read(var)?;
                    require_dtype(var, kind, found, |d| {
                        if dtype.is_float() {
                            d.is_float()
                        } else {
                            d.is_int()
                        }
                    })?;
                    require_shape(var, wanted, found_shape)?;
                }
                Ok((dtype, shape))
            }
        }
    }

    /// The shape to which `shape` and that of `var`, of element type `wanted`, repeat.
    fn join(&self, shape: Shape, var: Var, wanted: DType) -> Result<Shape, Fault> {
        let (dtype, found) = self.read(var)?;
        require_dtype(var, wanted.name(), dtype, |d| d == wanted)?;
        let other = shape;
        shape.join(found).ok_or(Fault::Join { var, found, other })
    }
}
