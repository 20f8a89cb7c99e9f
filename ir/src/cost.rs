//! What graphs cost at least: arithmetic and memory traffic, from the meanings of their ops.

use std::time::Duration;

use crate::{
    BinaryFn, Bytes, Compute, Dim, Exchange, Expr, Flops, Graph, Kernel, Op, Primitive, Sizes,
    Target, TensorType, UnaryFn,
    eval::plan::{Action, Step, plan},
    ops::{Absent, Input},
};

/// What a graph does, however it is cut into kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Floating-point operations; those of indices are not counted.
    pub flops: Flops,
    /// Inputs and weights, each read once; of a gathered one, no more than is gathered.
    pub read: Bytes,
    /// Outputs.
    pub written: Bytes,
}

/// Time that kernels take: measured, where it was, and estimated elsewhere.
pub trait KernelCost {
    /// Time from the kernel's start to the next one's.
    fn time(&self, kernel: &Kernel, target: &Target) -> Duration;
}

/// The least time that the target's roofline allows, and its dispatch: what holds for any kernel that was not measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtRoofline;

impl KernelCost for AtRoofline {
    fn time(&self, kernel: &Kernel, target: &Target) -> Duration {
        let work = Work::of(&kernel.graph, &Sizes::new()).expect("kernels are bound");
        let bytes = Bytes(work.read.0.saturating_add(work.written.0));
        let floor = target.roofline.floor_seconds(work.flops, bytes);
        Duration::from_secs_f64(floor + target.roofline.dispatch_seconds)
    }
}

impl Work {
    /// The work of a graph at these sizes; none if a size is missing.
    pub fn of(graph: &Graph, sizes: &Sizes) -> Option<Self> {
        let plan = plan(graph);
        let mut work = Self::default();
        let mut read = vec![0u64; plan.steps.len()];
        for step in &plan.steps {
            work.flops.0 = work
                .flops
                .0
                .saturating_add(flops(step, &plan.steps, sizes)?);
            let taken = reads(step, &plan.steps, sizes)?;
            for (input, bytes) in step.inputs.iter().zip(taken) {
                read[*input] = read[*input].max(bytes);
            }
        }
        for step in graph
            .outputs()
            .iter()
            .filter_map(|o| plan.of_values[o.value.index()])
        {
            let bytes = bytes(&plan.steps[step].ty, sizes)?;
            read[step] = bytes;
            work.written.0 = work.written.0.saturating_add(bytes);
        }
        for (step, bytes) in plan.steps.iter().zip(read) {
            if matches!(step.action, Action::Leaf) {
                work.read.0 = work.read.0.saturating_add(bytes);
            }
        }
        Some(work)
    }

    /// The work of one op on operands of these types, which fit it; none if a size is missing.
    pub fn of_op(op: &Op, operands: &[TensorType], sizes: &Sizes) -> Option<Self> {
        let mut graph = Graph::new("op");
        let operand = |graph: &mut Graph, (i, ty): (usize, &TensorType)| {
            let (name, ty) = (i.to_string(), ty.clone());
            let input = Input {
                name,
                ty,
                absent: Absent::Required,
                below: 0,
            };
            graph.push(input, &[]).expect("an input fits any type")
        };
        let operands: Vec<_> = operands
            .iter()
            .enumerate()
            .map(|x| operand(&mut graph, x))
            .collect();
        let result = graph
            .push(op.clone(), &operands)
            .expect("the caller's operands fit");
        graph.output("result", result);
        Self::of(&graph, sizes)
    }
}

/// Operations of a primitive function of one number; about those of a vectorised approximation.
fn weight(f: UnaryFn) -> u64 {
    match f {
        UnaryFn::Sqrt | UnaryFn::Rsqrt | UnaryFn::Recip => 4,
        UnaryFn::Exp | UnaryFn::Log => 12,
        UnaryFn::Tanh | UnaryFn::Erf | UnaryFn::Sin | UnaryFn::Cos => 20,
        _ => 1,
    }
}

/// Operations at one point, without those of indices.
fn operations(e: &Expr) -> u64 {
    let own = match e {
        Expr::Num(_) | Expr::Size(_) | Expr::Axis(_) | Expr::Load { .. } => return 0,
        Expr::Cast(..) | Expr::Select(..) => 1,
        Expr::Unary(f, _) => weight(*f),
        Expr::Binary(BinaryFn::Div, ..) => weight(UnaryFn::Recip),
        Expr::Binary(BinaryFn::Pow, ..) => weight(UnaryFn::Exp) + weight(UnaryFn::Log),
        Expr::Binary(..) => 1,
    };
    e.parts()
        .into_iter()
        .map(operations)
        .fold(own, u64::saturating_add)
}

fn product<'a>(dims: impl IntoIterator<Item = &'a Dim>, sizes: &Sizes) -> Option<u64> {
    let mut dims = dims.into_iter();
    dims.try_fold(1u64, |n, d| {
        Some(n.saturating_mul(u64::try_from(d.at(sizes)?).ok()?))
    })
}

fn bytes(ty: &TensorType, sizes: &Sizes) -> Option<u64> {
    Some(product(&ty.shape, sizes)?.saturating_mul(ty.dtype.size() as u64))
}

/// Points of the iteration space.
fn points(c: &Compute, sizes: &Sizes) -> Option<u64> {
    let folded = c.reduce.iter().flat_map(|(_, dims)| dims);
    product(c.axes.iter().chain(folded), sizes)
}

fn flops(step: &Step, steps: &[Step], sizes: &Sizes) -> Option<u64> {
    Some(match &step.action {
        Action::Leaf => 0,
        Action::Compute(c) => {
            let at_point = operations(&c.body.clone().expand()) + u64::from(c.reduce.is_some());
            points(c, sizes)?.saturating_mul(at_point)
        }
        Action::Exchange(Exchange::AllReduce(_) | Exchange::ReduceScatter(..)) => {
            product(&steps[step.inputs[0]].ty.shape, sizes)?
        }
        Action::Exchange(Exchange::AllGather(_) | Exchange::AllToAll { .. }) => 0,
        Action::Primitive(Primitive::Scatter(s)) => {
            let value = operations(&s.value.clone().expand());
            let combine = u64::from(s.combine.is_some());
            product(&s.points, sizes)?.saturating_mul(value + combine)
        }
        Action::Primitive(Primitive::TopK(top)) => {
            // A heap of the k largest: a comparison per level for each element.
            let k = product([&top.k], sizes)?;
            let levels = u64::from((k + 1).next_power_of_two().ilog2()).max(1);
            product(&steps[step.inputs[0]].ty.shape, sizes)?.saturating_mul(levels)
        }
        Action::Primitive(Primitive::Scan(_)) => product(&step.ty.shape, sizes)?,
    })
}

/// Bytes read of each operand: all of it, or what its loads can reach.
fn reads(step: &Step, steps: &[Step], sizes: &Sizes) -> Option<Vec<u64>> {
    let ty = |i: &usize| &steps[*i].ty;
    let whole = step.inputs.iter().map(|i| bytes(ty(i), sizes));
    let mut read = whole.collect::<Option<Vec<u64>>>()?;
    if let Action::Compute(c) = &step.action {
        let mut times = vec![0u64; read.len()];
        count_loads(&c.body, &mut times);
        let points = points(c, sizes)?;
        for ((read, times), i) in read.iter_mut().zip(times).zip(&step.inputs) {
            let size = ty(i).dtype.size() as u64;
            *read = (*read).min(points.saturating_mul(times).saturating_mul(size));
        }
    }
    Some(read)
}

/// How often each operand is loaded at one point.
fn count_loads(e: &Expr, times: &mut [u64]) {
    if let Expr::Load { operand, .. } = e {
        times[*operand] += 1;
    }
    e.parts().into_iter().for_each(|p| count_loads(p, times));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, Roofline, Simd, Symbol, text};

    fn check(body: &str, n: i64) -> [u64; 3] {
        let text = format!(
            "graph \"g\" (n in 1..99) {{
               %t = input {{name = \"t\", ty = f32[1000,16], absent = required, below = 0}} : f32[1000,16]
               %i = input {{name = \"i\", ty = i64[n], absent = required, below = 0}} : i64[n]
               %x = input {{name = \"x\", ty = f16[n,16], absent = required, below = 0}} : f16[n,16]
               %w = weight {{name = \"w\", ty = f16[16,8]}} : f16[16,8]
               {body} }}"
        );
        let graph = text::parse(&text).unwrap();
        assert_eq!(Work::of(&graph, &Sizes::new()), None);
        let work = Work::of(&graph, &Sizes::from([(Symbol::new("n"), n)])).unwrap();
        [work.flops.0, work.read.0, work.written.0]
    }

    #[test]
    fn a_product_takes_two_operations_per_term() {
        let body = "%y = matmul(%x, %w) {ta = false, tb = false} : f16[n,8] return y = %y";
        assert_eq!(
            check(body, 10),
            [2 * 10 * 8 * 16, 2 * (10 * 16 + 16 * 8), 2 * 10 * 8]
        );
    }

    #[test]
    fn a_gather_reads_what_it_gathers_and_no_more_than_all() {
        let body = "%y = embedding(%t, %i) : f32[n,16] return y = %y";
        // Each element of a row reads its id again; that is read once.
        assert_eq!(check(body, 10), [0, 4 * 10 * 16 + 8 * 10, 4 * 10 * 16]);
        assert_eq!(check(body, 1000 * 16)[1], 4 * 1000 * 16 + 8 * 16000);
    }

    #[test]
    fn derived_functions_count_as_what_they_are_made_of() {
        let square = check("%y = square(%x) : f16[n,16] return y = %y", 1);
        let exp = check("%y = exp(%x) : f16[n,16] return y = %y", 1);
        let silu = check("%y = silu(%x) : f16[n,16] return y = %y", 1);
        assert_eq!(square[0], 16);
        // x / (exp(-x) + 1)
        assert_eq!(silu[0], exp[0] + 16 * (1 + 1 + weight(UnaryFn::Recip)));
    }

    #[test]
    fn a_kernel_takes_what_its_slower_side_takes() {
        let text = "graph \"g\" {
            %x = input {name = \"x\", ty = f32[1000], absent = required, below = 0} : f32[1000]
            %y = add(%x, %x) : f32[1000]
            return y = %y }";
        let (graph, rules) = (text::parse(text).unwrap(), vec![]);
        let kernel = Kernel {
            graph,
            constant: vec![false],
            rules,
            name: "add".into(),
        };
        let mut target = Target {
            name: "t".into(),
            roofline: Roofline {
                flops_per_second: 1e6,
                bytes_per_second: 1e9,
                dispatch_seconds: 1e-3,
            },
            form: Form::Simd(Simd {
                triple: "t".into(),
                processor: "p".into(),
                requires: vec![],
                vector: Bytes(32),
                registers: 16,
                l1: Bytes(1 << 15),
                l2: Bytes(1 << 20),
            }),
        };
        assert_eq!(AtRoofline.time(&kernel, &target), Duration::from_millis(2));
        target.roofline.bytes_per_second = 4e6;
        assert_eq!(AtRoofline.time(&kernel, &target), Duration::from_millis(3));
    }
}
