//! One kernel as a program of its own, so that it can be checked and measured by itself.

use ir::{Graph, Kernel, Schedule, Target, TensorType, ops};

use crate::{
    Layout, LowerError, Place, Plan, Step, lower,
    plan::{LoweredKernel, Lowerings},
};

/// A kernel as a program.
#[derive(Clone, Debug)]
pub struct Alone {
    /// The program: operands are inputs, one after the other, each with its copies.
    pub plan: Plan,
    /// What the program computes; its outputs are those of the program.
    pub graph: Graph,
    /// How each operand lies in memory.
    pub layouts: Vec<Layout>,
}

/// Plans `kernel` under `schedule` as a program whose inputs are the operands, called `{operand}.{copy}`, and whose
/// output is called `0`.
///
/// An operand has as many copies as `copies` says for it, at least one. The kernel is launched once for each copy of the
/// operand that has most, with the others taking turns, so that a run reads more than caches hold. An operand with a
/// layout of its own is given as the elements that the layout has, in a row.
///
/// # Errors
/// No template computes the kernel as the schedule says.
pub fn plan_alone(
    kernel: &Kernel,
    schedule: &Schedule,
    target: &Target,
    copies: &[usize],
) -> Result<Alone, LowerError> {
    let lowered = lower(kernel, schedule, target)?;
    let mut all = Lowerings::default();
    all.push(kernel.clone(), schedule.clone(), lowered);
    let Lowerings { kernels, mut each } = all;
    let LoweredKernel {
        layouts,
        first,
        combine,
        parts,
        in_place: _,
    } = each.remove(0);
    let operands = kernel.graph.nodes().iter().filter_map(|n| match &n.op {
        ir::Op::Input(input) => Some(input),
        _ => None,
    });
    let of = |i: usize| copies.get(i).copied().unwrap_or(1).max(1);
    let (mut inputs, mut starts) = (Vec::new(), Vec::new());
    for (i, (operand, layout)) in operands.zip(&layouts).enumerate() {
        starts.push(inputs.len());
        inputs.extend((0..of(i)).map(|copy| ops::Input {
            name: format!("{i}.{copy}"),
            ty: laid_out(&operand.ty, *layout),
            absent: ops::Absent::Required,
            below: operand.below,
        }));
    }
    let launches = (0..starts.len()).map(of).max().unwrap_or(1);
    let mut steps = Vec::new();
    for launch in 0..launches {
        let place = |(i, start): (usize, &usize)| Place::Input(start + launch % of(i));
        let args: Vec<Place> = starts.iter().enumerate().map(place).collect();
        let mut step = |kernel, results: &[Place]| {
            let args = [&args, results].concat();
            steps.push(Step { kernel, args });
        };
        match combine {
            Some(combine) => {
                step(first, &[Place::Arena(0)]);
                step(combine, &[Place::Output(0), Place::Arena(0)]);
            }
            None => step(first, &[Place::Output(0)]),
        }
    }
    let mut graph = kernel.graph.clone();
    let result = graph.outputs()[0].value;
    graph.clear_outputs();
    graph.output("0", result);
    let plan = Plan {
        kernels,
        steps,
        constants: vec![],
        inputs,
        arena_bytes: if combine.is_some() { parts } else { 0 },
    };
    Ok(Alone {
        plan,
        graph,
        layouts,
    })
}

/// The type of an operand as the program takes it.
fn laid_out(ty: &TensorType, layout: Layout) -> TensorType {
    match layout {
        Layout::Plain => ty.clone(),
        Layout::Panels { .. } => {
            let plain = ty.elements().known().expect("kernels are bound");
            TensorType::new(ty.dtype, [layout.len(plain).into()])
        }
    }
}
