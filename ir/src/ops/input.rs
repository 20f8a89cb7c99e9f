//! Tensors given at each run.

use crate::{
    Build, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::{op_struct, word_fields},
    ops::exactly,
};

use serde::{Deserialize, Serialize};

/// What an input is when the caller leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// It must be given.
    Required,
    /// All zeros.
    Zeros,
    /// All ones.
    Ones,
    /// `0, 1, 2, ..` along the last axis.
    Positions,
    /// It is a state: never given. It starts as zeros, and each run leaves in it the output of its name for the next.
    State,
    /// It is the size that the input is named for, `size.NAME`, in this run: whoever runs the program knows it.
    Size,
}

impl Absent {
    /// Every choice.
    pub const ALL: [Self; 6] = [
        Self::Required,
        Self::Zeros,
        Self::Ones,
        Self::Positions,
        Self::State,
        Self::Size,
    ];

    /// The word used in text forms.
    pub const fn name(self) -> &'static str {
        ["required", "zeros", "ones", "positions", "state", "size"][self as usize]
    }
}

word_fields! {
    Absent, "required, zeros, ones, positions, state or size";
}

op_struct! {
    /// A tensor that the caller gives at each run.
    ///
    /// Shapes: `ty`.
    pub struct Input = "input" {
        /// Name, unique among the graph's inputs.
        name: String,
        /// Its type.
        ty: TensorType,
        /// What it is when left out.
        absent: Absent,
        /// Integer values lie in `0..below`, which is checked at each run; 0 says nothing.
        below: i64,
    }
}

impl Input {
    /// Whether it keeps its value from run to run.
    pub const fn is_state(&self) -> bool {
        matches!(self.absent, Absent::State)
    }
}

impl OpDef for Input {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        Ok(self.ty.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Leaf
    }
}
