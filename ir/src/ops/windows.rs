//! Windows that slide along axes: what convolution and pooling read.

use crate::{
    BinaryFn, Build, Compute, Dim, Expr, F64, Meaning, OpDef, ShapeError, Sizes, TensorType,
    ValueId,
    attr::op_struct,
    ops::{axes_of, exactly},
};

op_struct! {
    /// `y[.., p, .., w..] = x[.., p stride + w dilation - before, ..]` on each of `axes`; outside of `x` it is `value`.
    ///
    /// Shapes: `x: [.., n, ..]` -> `[.., p, .., sizes..]` with `p = floor((n + before + after - (size - 1) dilation - 1) / stride) + 1`.
    /// A convolution is a product with these, a pooling a fold of these. Source: PyTorch, `torch.nn.Unfold`.
    pub struct Windows = "windows" {
        /// Axes along which windows slide, ascending.
        axes: Vec<i64>,
        /// Elements of a window, for each of them.
        sizes: Vec<i64>,
        /// From one window to the next.
        strides: Vec<i64>,
        /// From one element of a window to the next.
        dilations: Vec<i64>,
        /// Elements before the first one of `x`.
        before: Vec<i64>,
        /// Elements after the last one.
        after: Vec<i64>,
        /// What they are.
        value: F64,
    }
}

/// The most that one number of an attribute may be.
const MOST: i64 = 1 << 31;

impl Windows {
    fn require_numbers(&self) -> Result<(), ShapeError> {
        let lists = [
            ("sizes", &self.sizes, 1),
            ("strides", &self.strides, 1),
            ("dilations", &self.dilations, 1),
            ("before", &self.before, 0),
            ("after", &self.after, 0),
        ];
        for (attribute, list, least) in lists {
            let fits = list.iter().all(|n| (least..=MOST).contains(n));
            if !fits || list.len() != self.axes.len() {
                return Err(ShapeError::Attribute {
                    attribute,
                    wanted: format!("{} numbers of {least} to 2^31", self.axes.len()),
                    found: format!("{list:?}"),
                });
            }
        }
        Ok(())
    }

    /// The number of windows along axis `i` of `axes`, which has size `n`.
    fn positions(&self, i: usize, n: &Dim) -> Option<Dim> {
        let span = (self.sizes[i] - 1) * self.dilations[i] + 1;
        let room = n.clone() + (self.before[i] + self.after[i] - span).into();
        if room.is_below(0) {
            return None;
        }
        // Symbols are whole numbers: where they are multiples of the stride, only the rest is cut.
        let zeros: Sizes = room.symbols().map(|s| (s.clone(), 0)).collect();
        let rest = room.at(&zeros)?;
        let steps = (room + (-rest).into()).exact_div(&self.strides[i].into())?;
        Some(steps + (rest.div_euclid(self.strides[i]) + 1).into())
    }

    fn shape(&self, x: &TensorType) -> Result<Vec<Dim>, ShapeError> {
        self.require_numbers()?;
        let mut shape = x.shape.clone();
        for (i, axis) in axes_of(&self.axes, x.rank())?.into_iter().enumerate() {
            shape[axis] = self.positions(i, &x.shape[axis]).ok_or_else(|| {
                let (size, stride) = (self.sizes[i], self.strides[i]);
                let wanted =
                    format!("room for a window of {size}, a whole number of steps of {stride}");
                x.size_error(0, axis, &wanted)
            })?;
        }
        shape.extend(self.sizes.iter().map(|n| Dim::from(*n)));
        Ok(shape)
    }
}

impl OpDef for Windows {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        Ok(TensorType {
            dtype: x.dtype,
            shape: self.shape(x)?,
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let mut index: Vec<_> = (0..x.rank()).map(Expr::Axis).collect();
        let scaled = |e: Expr, n: i64| if n == 1 { e } else { e * Expr::int(n) };
        for (i, axis) in self.axes.iter().enumerate() {
            let start = scaled(Expr::Axis(*axis as usize), self.strides[i]);
            let element = scaled(Expr::Axis(x.rank() + i), self.dilations[i]);
            index[*axis as usize] = match self.before[i] {
                0 => start + element,
                before => start + element - Expr::int(before),
            };
        }
        let mut body = Expr::load(0, index.clone());
        for (i, axis) in self.axes.iter().enumerate() {
            let at = &index[*axis as usize];
            let mut guard = |f, bound| {
                let inside = at.clone().with(f, bound);
                body = inside.select(body.clone(), Expr::Num(self.value));
            };
            if self.after[i] > 0 {
                guard(BinaryFn::Lt, Expr::Size(x.shape[*axis as usize].clone()));
            }
            if self.before[i] > 0 {
                guard(BinaryFn::Ge, Expr::int(0));
            }
        }
        Meaning::Compute(Compute {
            axes: self.shape(&x).expect("types were inferred"),
            reduce: None,
            body,
        })
    }
}
