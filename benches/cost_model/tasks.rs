//! Contractions of transformers, small enough that hundreds of schedules are measured in minutes.

use autotune::{Space, database::Workload, first_choice, space};
use tilewright::ir::{self, Kernel, Schedule, Target};

use crate::Result;

/// Rows, depth and columns. What the model is judged on: all other shapes, these among them, teach it.
pub const JUDGED: [[i64; 3]; 4] = [
    [128, 384, 1536],
    [128, 1536, 384],
    [128, 768, 768],
    [64, 1024, 512],
];

/// What only teaches.
pub const TAUGHT: [[i64; 3]; 6] = [
    [128, 384, 384],
    [64, 768, 1024],
    [256, 512, 512],
    [96, 1024, 640],
    [32, 768, 2304],
    [128, 256, 1024],
];

/// A kernel and its schedules.
pub struct Task {
    pub name: String,
    pub kernel: Kernel,
    pub workload: Workload,
    pub space: Space,
    pub default: Schedule,
}

impl Task {
    /// A linear layer whose weights are known when it is compiled.
    pub fn new([rows, depth, columns]: [i64; 3], target: &Target) -> Result<Self> {
        let inputs = [
            ("x", format!("f32[{rows},{depth}]")),
            ("w", format!("f32[{columns},{depth}]")),
            ("c", format!("f32[{columns}]")),
        ];
        let inputs = inputs.map(|(name, ty)| {
            format!("  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n")
        });
        let attributes = "{act = gelu, bias = true, residual = false, tb = true}";
        let text = format!(
            "graph \"linear\" {{\n{}  %y = linear(%x,%w,%c) {attributes} : f32[{rows},{columns}]\n  return y = %y\n}}\n",
            inputs.concat()
        );
        let graph = ir::text::parse(&text)?;
        let mut kernel = (passes::group(&graph, &[])?.kernels)
            .pop()
            .ok_or("a linear layer is a kernel")?;
        kernel.constant = vec![false, true, true];
        Ok(Self {
            name: format!("{rows} x {depth} x {columns}"),
            workload: Workload::of(&kernel)?,
            space: space(&kernel, target)?,
            default: first_choice(&kernel, target)?,
            kernel,
        })
    }
}
