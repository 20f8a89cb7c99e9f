//! What a lane holds of a tile: registers, each a value of its own or a part of a vector.

use ir::DType;

use crate::mlir::text::{Elem, Text, Type, Value};

/// One register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    value: Value,
    /// Which element, of a vector.
    at: Option<u32>,
}

/// The registers of a variable.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub dtype: DType,
    pub parts: Vec<Part>,
}

impl From<Value> for Part {
    fn from(value: Value) -> Self {
        debug_assert_eq!(value.ty.width, None, "a vector is several registers");
        Self { value, at: None }
    }
}

/// The type of a register; half precision stays as it is.
pub(crate) const fn register(dtype: DType) -> Elem {
    match dtype {
        DType::F32 => Elem::F32,
        DType::F16 => Elem::F16,
        DType::Bf16 => Elem::Bf16,
        DType::I8 | DType::U8 => Elem::I8,
        DType::I32 => Elem::I32,
        DType::I64 => Elem::I64,
        DType::Bool => Elem::I1,
    }
}

/// A vector of so many; a scalar if it is one.
pub(crate) fn several(elem: Elem, count: usize) -> Type {
    Type {
        elem,
        width: (count > 1).then_some(count as u32),
    }
}

/// The registers of a value.
pub(crate) fn parts(value: Value) -> impl Iterator<Item = Part> {
    let count = value.ty.width.unwrap_or(1);
    (0..count).map(move |i| Part {
        value,
        at: value.ty.width.map(|_| i),
    })
}

impl Held {
    pub fn new(dtype: DType, parts: impl IntoIterator<Item = Part>) -> Self {
        Self {
            dtype,
            parts: parts.into_iter().collect(),
        }
    }

    /// The same value in so many registers.
    pub fn splat(dtype: DType, value: Value, width: u32) -> Self {
        Self::new(dtype, (0..width).map(|_| Part::from(value)))
    }

    /// All registers as one vector; as a scalar if there is one.
    pub fn joined(&self, text: &mut Text) -> Value {
        text.joined(&self.parts)
    }

    /// All registers, in vectors of `size`.
    pub fn chunks(&self, text: &mut Text, size: usize) -> Vec<Value> {
        self.parts.chunks(size).map(|c| text.joined(c)).collect()
    }
}

impl Text {
    /// A register by itself.
    pub(crate) fn single(&mut self, part: Part) -> Value {
        match part.at {
            None => part.value,
            Some(at) => self.extract(part.value, at),
        }
    }

    /// Registers as one vector; as a scalar if there is one.
    pub(crate) fn joined(&mut self, list: &[Part]) -> Value {
        let [first, .., last] = list else {
            return self.single(list[0]);
        };
        let in_order = |from: u32| {
            let mut pairs = (from..).zip(list);
            pairs.all(|(i, p)| p.value == first.value && p.at == Some(i))
        };
        match first.at {
            Some(0) if in_order(0) && first.value.ty.width == last.at.map(|at| at + 1) => {
                first.value
            }
            Some(from) if in_order(from) => {
                let picked: Vec<u32> = (from..).take(list.len()).collect();
                self.shuffle(first.value, first.value, &picked)
            }
            _ => {
                let singles: Vec<Value> = list.iter().map(|p| self.single(*p)).collect();
                self.gather(&singles)
            }
        }
    }
}
