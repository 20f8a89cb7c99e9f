//! Index notation: which axes of operands go to which of the result.

use ir::{BinaryFn, Compute, Dim, Expr, Monoid, Node, ValueId, ops};

use super::{
    Axes, Factor, PadReason, Padder,
    axes::{of_leaf, regroup},
};

/// How an operand's axis is read.
enum Reach {
    /// At the coordinate of this axis of the result, or of those that are folded.
    Axis(usize),
    /// At positions that are given in any run.
    Given,
}

impl Padder<'_> {
    pub(super) fn compute(
        &mut self,
        node: &Node,
        compute: &Compute,
        inputs: &[ValueId],
    ) -> Result<ValueId, PadReason> {
        let body = compute.body.clone().expand();
        if let (Expr::Size(size), true) = (&body, self.is_later(&body)) {
            return self.size_value(node, size);
        }
        if let Some(axes) = self.reshaped(node, inputs) {
            return self.keep(&node.op, inputs, axes);
        }
        if let Some(size) = self.size_in(&body) {
            return Err(PadReason::Computes { size });
        }
        let folded = compute.reduce.iter().flat_map(|(_, sizes)| sizes);
        let sizes: Vec<Dim> = compute.axes.iter().chain(folded).cloned().collect();
        let mut axes: Vec<Option<Axes>> = vec![None; sizes.len()];
        let mut reads = Vec::new();
        for (operand, index) in loads(&body) {
            for (at, expr) in index.iter().enumerate() {
                let from = self.axes[inputs[operand].index()][at].clone();
                if !self.is_dynamic(&from) {
                    continue;
                }
                if let Reach::Axis(axis) = self.reach(expr, &from, &sizes)? {
                    match &axes[axis] {
                        Some(known) if *known != from => return Err(PadReason::Moves),
                        _ => axes[axis] = Some(from),
                    }
                    reads.push((operand, at, axis));
                }
            }
        }
        let rank = compute.axes.len();
        let inputs = self.fold(compute, &body, inputs, &reads, &axes[rank..])?;
        let given = axes.into_iter().zip(&sizes).take(rank);
        let axes = given.map(|(axes, size)| match axes {
            Some(axes) => Ok(axes),
            None => {
                let whole = ir::TensorType::new(node.ty.dtype, [size.clone()]);
                Ok(of_leaf(&whole, self.symbols)?.remove(0))
            }
        });
        let axes = axes.collect::<Result<Vec<_>, PadReason>>()?;
        self.keep(&node.op, &inputs, axes)
    }

    /// The operands, with what folds to nothing beyond the ends of the axes that are folded.
    fn fold(
        &mut self,
        compute: &Compute,
        body: &Expr,
        inputs: &[ValueId],
        reads: &[(usize, usize, usize)],
        folded: &[Option<Axes>],
    ) -> Result<Vec<ValueId>, PadReason> {
        let mut inputs = inputs.to_vec();
        let Some((monoid, sizes)) = &compute.reduce else {
            return Ok(inputs);
        };
        let later = |d: &Dim| d.symbols().any(|s| self.symbols.contains(s));
        if !sizes.iter().any(later) {
            return Ok(inputs);
        }
        // Elements themselves, or products of two.
        let operands: Vec<usize> = match (body, monoid) {
            (Expr::Load { operand, .. }, _) => vec![*operand],
            (Expr::Binary(BinaryFn::Mul, a, b), Monoid::Sum) => match (&**a, &**b) {
                (Expr::Load { operand: a, .. }, Expr::Load { operand: b, .. }) => vec![*a, *b],
                _ => return Err(PadReason::NotMaskable),
            },
            _ => return Err(PadReason::NotMaskable),
        };
        for (i, size) in sizes.iter().enumerate().filter(|(_, d)| later(d)) {
            if folded[i].is_none() {
                return Err(PadReason::Folds { size: size.clone() });
            }
            let axis = compute.axes.len() + i;
            // What lies beyond are numbers, of which zeros make zeros.
            let is_zero = |r: &&(usize, usize, usize)| {
                r.2 == axis && self.zeros.contains(&(inputs[r.0], r.1))
            };
            if operands.len() > 1 && reads.iter().any(|r| is_zero(&r)) {
                continue;
            }
            for operand in &operands {
                let read = reads.iter().find(|r| r.0 == *operand && r.2 == axis);
                let Some((_, at, _)) = read else {
                    return Err(PadReason::NotMaskable);
                };
                inputs[*operand] = self.masked(inputs[*operand], *at, *monoid)?;
            }
        }
        Ok(inputs)
    }

    fn is_later(&self, body: &Expr) -> bool {
        matches!(body, Expr::Size(d) if d.symbols().any(|s| self.symbols.contains(s)))
    }

    /// A size that is given at run time and that the number at a point depends on.
    fn size_in(&self, body: &Expr) -> Option<Dim> {
        match body {
            Expr::Binary(BinaryFn::Sub, a, b) if a == b => None,
            // What moves along an axis by the difference of two sizes that are the same stays where it is.
            Expr::Size(d) if self.is_later(body) => Some(d.clone()),
            _ => body.parts().into_iter().find_map(|p| self.size_in(p)),
        }
    }

    /// The axes of a result that holds its operand's elements in the same order.
    fn reshaped(&self, node: &Node, inputs: &[ValueId]) -> Option<Vec<Axes>> {
        let [x] = inputs else { return None };
        let axes = &self.axes[x.index()];
        node.op
            .keeps_order()
            .then(|| regroup(axes, &node.ty.shape))?
    }

    /// How an axis of an operand whose size is given at run time is read.
    fn reach(&self, at: &Expr, from: &Axes, sizes: &[Dim]) -> Result<Reach, PadReason> {
        match at {
            Expr::Axis(axis) if sizes[*axis] == from.size() => Ok(Reach::Axis(*axis)),
            // Numbers of a run count elements that are there.
            Expr::Load { .. } if matches!(from.factors(), [Factor::Symbol(_)]) => Ok(Reach::Given),
            _ => match (from.factors(), largest(at, sizes)) {
                ([Factor::Symbol(s)], Some(last)) if last < self.out.symbols()[s].min => {
                    Ok(Reach::Given)
                }
                _ => Err(PadReason::Moves),
            },
        }
    }

    /// A size as the number that it is in a run.
    fn size_value(&mut self, node: &Node, size: &Dim) -> Result<ValueId, PadReason> {
        let mut sum = None;
        let terms: Vec<(Vec<ir::Symbol>, i64)> = size.clone().into();
        for (symbols, c) in terms {
            let mut term = self.scalar(ir::DType::I64, (c as f64).into())?;
            for symbol in symbols {
                if !self.symbols.contains(&symbol) {
                    return Err(PadReason::Computes { size: size.clone() });
                }
                let size = self.size(&symbol)?;
                term = self.push(ops::Binary { f: BinaryFn::Mul }, &[term, size])?;
            }
            sum = Some(match sum {
                None => term,
                Some(sum) => self.push(ops::Binary { f: BinaryFn::Add }, &[sum, term])?,
            });
        }
        self.changed = true;
        let sum = sum.expect("a size that is known later has terms");
        match node.ty.dtype {
            ir::DType::I64 => Ok(sum),
            dtype => self.push(ops::Cast { dtype }, &[sum]),
        }
    }
}

/// Every load of an operand, with its index.
fn loads(body: &Expr) -> Vec<(usize, &[Expr])> {
    let mut found: Vec<_> = body.parts().into_iter().flat_map(loads).collect();
    if let Expr::Load { operand, index } = body {
        found.push((*operand, index));
    }
    found
}

/// The largest value of an index that counts along axes of known sizes from 0 or later.
fn largest(at: &Expr, sizes: &[Dim]) -> Option<i64> {
    match at {
        Expr::Axis(axis) => Some(sizes[*axis].known()? - 1),
        Expr::Size(d) => d.known().filter(|n| *n >= 0),
        Expr::Num(x) => Some(x.get() as i64).filter(|n| *n >= 0 && *n as f64 == x.get()),
        Expr::Binary(BinaryFn::Add, a, b) => largest(a, sizes)?.checked_add(largest(b, sizes)?),
        Expr::Binary(BinaryFn::Mul, a, b) => largest(a, sizes)?.checked_mul(largest(b, sizes)?),
        _ => None,
    }
}
