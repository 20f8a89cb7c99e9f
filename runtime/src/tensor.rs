//! Tensors at the border: what goes into a run and what comes out.

use ir::{DType, ops::Absent};

/// A borrowed tensor, row-major, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: &'a [usize],
    /// The elements.
    pub bytes: &'a [u8],
}

/// A tensor of its own, row-major, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Element type.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// The elements.
    pub bytes: Vec<u8>,
}

impl Array {
    /// The same, borrowed.
    pub fn view(&self) -> TensorView<'_> {
        TensorView {
            dtype: self.dtype,
            shape: &self.shape,
            bytes: &self.bytes,
        }
    }
}

impl TensorView<'_> {
    /// Its elements as numbers.
    pub(crate) fn values(&self) -> Vec<f64> {
        let shape: Vec<i64> = self.shape.iter().map(|n| *n as i64).collect();
        let tensor = ir::Tensor::from_bytes(self.dtype, &shape, self.bytes.to_vec());
        tensor
            .expect("a view has the bytes of its shape")
            .into_values()
    }

    /// A copy.
    pub fn to_array(&self) -> Array {
        Array {
            dtype: self.dtype,
            shape: self.shape.to_vec(),
            bytes: self.bytes.to_vec(),
        }
    }

    /// `f32[8,128]`
    pub fn type_text(&self) -> String {
        type_text(self.dtype, self.shape)
    }
}

/// `f32[8,128]`
pub(crate) fn type_text(dtype: DType, shape: &[usize]) -> String {
    let sizes: Vec<_> = shape.iter().map(ToString::to_string).collect();
    format!("{dtype}[{}]", sizes.join(","))
}

/// An input or output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name, unique among its kind.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// For inputs: what it is when left out. For outputs: [`Absent::Required`].
    pub absent: Absent,
    /// For integer inputs: values lie in `0..below`; 0 says nothing.
    pub below: i64,
}

/// Why a tensor cannot be an input, or a run cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// No input has this name.
    #[error("input `{name}`: the model has no such input; it has {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// An input that the model needs was not given.
    #[error("input `{name}`: not given; wanted {wanted}")]
    Missing {
        /// The name.
        name: String,
        /// Its type, such as `i64[1,128]`.
        wanted: String,
    },
    /// Another element type or shape.
    #[error("input `{name}`: wanted {wanted}, found {found}{}", if wanted.split('[').next() == found.split('[').next() { "; help: an artifact has the sizes it was compiled for, see `--shape` of `tilewright compile`" } else { "" })]
    Type {
        /// The name.
        name: String,
        /// Its type, such as `i64[1,128]`.
        wanted: String,
        /// What was given.
        found: String,
    },
    /// Too few or too many bytes for the type.
    #[error("input `{name}`: {wanted} bytes wanted, {found} given")]
    Length {
        /// The name.
        name: String,
        /// Bytes of the type.
        wanted: usize,
        /// Bytes given.
        found: usize,
    },
    /// A value that the model has no meaning for.
    #[error("input `{name}`: the value at {position:?} is {value}; wanted 0 to {}", below - 1)]
    Value {
        /// The name.
        name: String,
        /// Index along each axis.
        position: Vec<usize>,
        /// The value there.
        value: i64,
        /// One more than the largest value.
        below: i64,
    },
    /// A size of the run is not given by itself.
    #[error("input `{name}`: it is the size of other inputs; help: leave it out")]
    Size {
        /// The name.
        name: String,
    },
    /// A program has no room for a size.
    #[error("size `{symbol}`: wanted {min} to {max}, found {found}")]
    Room {
        /// The symbol.
        symbol: String,
        /// The smallest that the artifact is for.
        min: u64,
        /// The largest that the program holds.
        max: u64,
        /// What was asked for; 0 if the program has no such size.
        found: u64,
    },
    /// A state is not the caller's to give.
    #[error("input `{name}`: it is a state, which runs change; help: leave it out")]
    State {
        /// The name.
        name: String,
    },
    /// The emulator found a fault.
    #[error("kernel `{kernel}`: {fault}")]
    Emulator {
        /// The kernel's name.
        kernel: String,
        /// The fault, and where.
        fault: String,
    },
    /// An OpenCL device gave up.
    #[error(transparent)]
    Device(Box<crate::OpenClError>),
    /// A driver's device gave up.
    #[error(transparent)]
    Driver(#[from] Box<crate::DriverError>),
}

impl From<crate::DriverError> for RunError {
    fn from(error: crate::DriverError) -> Self {
        Self::Driver(Box::new(error))
    }
}

impl Port {
    /// Whether it keeps its value from run to run; no caller gives it.
    pub fn is_state(&self) -> bool {
        self.absent == Absent::State
    }

    /// Whether a caller may give it: it is neither a state nor a size of the run.
    pub fn is_given(&self) -> bool {
        !matches!(self.absent, Absent::State | Absent::Size)
    }

    /// Bytes of all elements.
    pub fn byte_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.size()
    }

    /// `f32[8,128]`
    pub fn type_text(&self) -> String {
        type_text(self.dtype, &self.shape)
    }

    /// Fails unless this input has this type.
    pub(crate) fn check_type(&self, dtype: DType, shape: &[usize]) -> Result<(), RunError> {
        if dtype == self.dtype && shape == self.shape {
            return Ok(());
        }
        Err(RunError::Type {
            name: self.name.clone(),
            wanted: self.type_text(),
            found: type_text(dtype, shape),
        })
    }

    /// Fails unless `value` can be this input.
    pub(crate) fn check(&self, value: &TensorView<'_>) -> Result<(), RunError> {
        self.check_type(value.dtype, value.shape)?;
        if value.bytes.len() != self.byte_len() {
            return Err(RunError::Length {
                name: self.name.clone(),
                wanted: self.byte_len(),
                found: value.bytes.len(),
            });
        }
        let below = match self.dtype {
            DType::Bool => 2,
            d if d.is_int() && self.below > 0 => self.below,
            _ => return Ok(()),
        };
        let Some((index, value)) = first_outside(self.dtype, value.bytes, below) else {
            return Ok(());
        };
        let position = position(index, &self.shape);
        Err(RunError::Value {
            name: self.name.clone(),
            position,
            value,
            below,
        })
    }

    /// Writes what the input is when left out, in memory of the shape `room`; nothing if it is required.
    pub(crate) fn fill_absent(&self, room: &[usize], bytes: &mut [u8]) {
        let axis = room.last().copied().unwrap_or(1).max(1);
        for (i, element) in bytes.chunks_exact_mut(self.dtype.size()).enumerate() {
            match self.absent {
                Absent::Required | Absent::State | Absent::Size => return,
                Absent::Zeros => element.fill(0),
                Absent::Ones => write_int(self.dtype, 1, element),
                Absent::Positions => write_int(self.dtype, i % axis, element),
            }
        }
    }
}

/// The first integer outside `0..below`, with its position.
fn first_outside(dtype: DType, bytes: &[u8], below: i64) -> Option<(usize, i64)> {
    fn scan<const N: usize>(
        bytes: &[u8],
        below: i64,
        read: fn([u8; N]) -> i64,
    ) -> Option<(usize, i64)> {
        let (elements, _) = bytes.as_chunks::<N>();
        elements
            .iter()
            .map(|e| read(*e))
            .enumerate()
            .find(|(_, v)| !(0..below).contains(v))
    }
    match dtype {
        DType::I64 => scan(bytes, below, i64::from_le_bytes),
        DType::I32 => scan(bytes, below, |b| i32::from_le_bytes(b).into()),
        DType::I8 => scan(bytes, below, |b| i8::from_le_bytes(b).into()),
        DType::U8 | DType::Bool => scan(bytes, below, |[b]| b.into()),
        DType::F32 | DType::F16 | DType::Bf16 => None,
    }
}

/// Index along each axis of an element that is counted row-major.
fn position(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut out: Vec<usize> = shape
        .iter()
        .rev()
        .map(|n| {
            let i = index % n;
            index /= n;
            i
        })
        .collect();
    out.reverse();
    out
}

/// Writes a small number.
fn write_int(dtype: DType, value: usize, to: &mut [u8]) {
    match dtype {
        DType::F32 => to.copy_from_slice(&(value as f32).to_le_bytes()),
        DType::F16 => to.copy_from_slice(&half::f16::from_f64(value as f64).to_le_bytes()),
        DType::Bf16 => to.copy_from_slice(&half::bf16::from_f64(value as f64).to_le_bytes()),
        _ => to.copy_from_slice(&(value as u64).to_le_bytes()[..to.len()]),
    }
}
