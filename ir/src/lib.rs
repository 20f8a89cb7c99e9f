//! What is computed and how: ops, graphs, tile programs, and their meanings.
//!
//! This crate never sees a file, a device, a code generator or a clock. An op is defined once, under
//! [`ops`]; its evaluation, cost, text form and rewriting are derived from that definition.

mod attr;
mod cost;
mod device_model;
mod differentiate;
mod dim;
mod dtype;
mod expr;
mod graph;
mod kernel;
mod layout;
mod meaning;
mod number;
mod primitive;
mod scalar;
mod schedule;
mod target;
mod tensor;
mod tensor_type;
mod verify;
mod weights;

pub mod eval;
pub mod lane;
pub mod ops;
pub mod text;
pub mod tile;

pub use attr::{Attr, AttrError, AttrField, Attrs};
pub use cost::{AtRoofline, KernelCost, Work};
pub use device_model::{Bound, DeviceModel, Floor, KernelWork, Source};
pub use differentiate::{DifferentiateError, adjoints};
pub use dim::{Bounds, Dim, Sizes, Symbol};
pub use dtype::{DType, UnknownDType};
pub use expr::Expr;
pub use graph::{Graph, GraphError, Node, Output, ValueId};
pub use kernel::Kernel;
pub use layout::Layout;
pub use meaning::{Build, Compute, Exchange, Meaning, OpDef, Template};
pub use number::F64;
pub use ops::{Leaf, Op, OpError};
pub use primitive::{Primitive, Scan, Scatter, TopK};
pub use scalar::{BinaryFn, Domain, Monoid, UnaryDef, UnaryFn};
pub use schedule::{
    AttentionRows, AttentionSchedule, ContractSchedule, Left, MapSchedule, RowsSchedule, Schedule,
    Scores, SimtAttentionSchedule, SimtContractSchedule, SimtGemvSchedule, SimtMapSchedule,
    SimtRowsSchedule, SimtStreamSchedule, Skew, WarpgroupAttentionSchedule,
    WarpgroupContractSchedule,
};
pub use target::{Bytes, Flops, Form, OnChip, Roofline, Simd, Simt, Target, TensorCore};
pub use tensor::{Tensor, TensorError, round_to};
pub use tensor_type::{ShapeError, TensorType, broadcast_shapes};
pub use verify::{VerifyError, verify};
pub use weights::{WeightMap, WeightSource, WeightView};
