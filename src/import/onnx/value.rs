//! What is known of a value while a model is imported.

use std::rc::Rc;

use ir::{DType, Dim, ValueId};

use super::tensor::Constant;

/// Most elements of a tensor that shape arithmetic looks into.
pub(super) const SIZES_LIMIT: usize = 4096;

/// A value of the file.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An operand that is left out.
    Absent,
    /// Computed in the graph.
    Graph(ValueId),
    /// Known; in the graph once something computes with it.
    Constant(Rc<Constant>),
    /// Whole numbers that follow from shapes; in the graph once something computes with them.
    Sizes(Rc<Sizes>),
    /// Of a type that nothing computes with.
    Foreign(Rc<str>),
    /// The result of a node that could not be imported.
    Failed,
}

/// A small tensor of whole numbers, each a size or known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sizes {
    /// `i64`, `i32` or `bool`, of which only numbers are known.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: Vec<i64>,
    /// Elements, row-major.
    pub dims: Vec<Dim>,
}

impl Sizes {
    /// A list.
    pub(super) fn list(dtype: DType, dims: Vec<Dim>) -> Self {
        Self {
            dtype,
            shape: vec![dims.len() as i64],
            dims,
        }
    }

    /// One number.
    pub(super) fn scalar(dtype: DType, dim: Dim) -> Self {
        Self {
            dtype,
            shape: vec![],
            dims: vec![dim],
        }
    }

    /// All numbers, if no size is among them that is known only later.
    pub(super) fn known(&self) -> Option<Vec<i64>> {
        self.dims.iter().map(Dim::known).collect()
    }

    /// As a value: a constant if all is known.
    pub(super) fn value(self) -> Value {
        match self.known() {
            None => Value::Sizes(self.into()),
            Some(known) => {
                let bytes: Vec<u8> = known.iter().flat_map(|n| n.to_le_bytes()).collect();
                let wide = Constant::new(
                    super::tensor::Elem::of(DType::I64),
                    self.shape,
                    bytes.into(),
                );
                Value::Constant(wide.cast(self.dtype).into())
            }
        }
    }
}

impl Value {
    /// The whole numbers that the value is known to be.
    pub(super) fn sizes(&self) -> Option<Rc<Sizes>> {
        match self {
            Self::Sizes(sizes) => Some(sizes.clone()),
            Self::Constant(c) if c.len() <= SIZES_LIMIT => {
                let dtype = c.elem.dtype.filter(|d| !d.is_float())?;
                let dims = c.integers()?.into_iter().map(Dim::from).collect();
                let shape = c.shape.clone();
                Some(Rc::new(Sizes { dtype, shape, dims }))
            }
            _ => None,
        }
    }
}
