//! Convolution and pooling: products with, and folds of, windows that slide along the axes behind the channels.

use ir::{BinaryFn, DType, Dim, Monoid, TensorType, UnaryFn, ValueId, ops};

use super::{
    call::{Call, One, unsupported},
    error::NodeProblem,
};

/// Most elements that a border may add on one side.
const BORDER_LIMIT: i64 = 1 << 31;

/// Windows along the axes from 2 on.
struct Slide {
    sizes: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    before: Vec<i64>,
    after: Vec<i64>,
    /// Beyond `after`, so that the last window, which begins within the border, is whole.
    rest: Vec<i64>,
}

impl Slide {
    /// The windows of the node's attributes, of these sizes, over `x`.
    fn of(c: &Call<'_>, x: ValueId, sizes: Vec<i64>) -> Result<Self, NodeProblem> {
        let shape = c.shape(x);
        let n = sizes.len();
        if n == 0 || shape.len() != n + 2 || sizes.iter().any(|s| !(1..BORDER_LIMIT).contains(s)) {
            let wanted = format!("a batch, channels and {n} axes, for windows of {sizes:?}");
            return c.misfit(0, wanted, c.ty(x));
        }
        let list = |name: &str, len: usize, default: i64, least: i64| match c.list(name)? {
            None => Ok(vec![default; len]),
            Some(list)
                if list.len() == len && list.iter().all(|n| (least..BORDER_LIMIT).contains(n)) =>
            {
                Ok(list)
            }
            Some(list) => c.wrong(
                name,
                format!("{len} numbers of {least} or more"),
                format!("{list:?}"),
            ),
        };
        let pads = list("pads", 2 * n, 0, 0)?;
        let mut slide = Self {
            sizes,
            strides: list("strides", n, 1, 1)?,
            dilations: list("dilations", n, 1, 1)?,
            before: pads[..n].to_vec(),
            after: pads[n..].to_vec(),
            rest: vec![0; n],
        };
        let ceil = c.flag("ceil_mode", false)?;
        let auto = c.text("auto_pad")?.unwrap_or_else(|| "NOTSET".into());
        match auto.as_str() {
            "NOTSET" => {}
            "VALID" => (slide.before, slide.after) = (vec![0; n], vec![0; n]),
            "SAME_UPPER" | "SAME_LOWER" => {
                for i in 0..n {
                    slide.keep_size(c, i, &shape[i + 2], auto == "SAME_LOWER")?;
                }
            }
            other => {
                return c.wrong("auto_pad", "NOTSET, VALID, SAME_UPPER or SAME_LOWER", other);
            }
        }
        if ceil && auto == "NOTSET" {
            for i in 0..n {
                slide.round_up(c, i, &shape[i + 2])?;
            }
        }
        Ok(slide)
    }

    /// Elements that a window spans along axis `i`.
    fn span(&self, i: usize) -> i64 {
        (self.sizes[i] - 1).saturating_mul(self.dilations[i]) + 1
    }

    /// A border with which there are as many windows as steps in the axis.
    fn keep_size(
        &mut self,
        c: &Call<'_>,
        i: usize,
        size: &Dim,
        lower: bool,
    ) -> Result<(), NodeProblem> {
        let (span, stride) = (self.span(i), self.strides[i]);
        let all = match size.known() {
            _ if stride == 1 => span - 1,
            Some(n) => ((n + stride - 1) / stride - 1) * stride + span - n,
            None => {
                return unsupported(format!(
                    "a border by the size {size}, in {}",
                    c.node.op_type
                ));
            }
        };
        let all = all.max(0);
        let (less, more) = (all / 2, all - all / 2);
        (self.before[i], self.after[i]) = if lower { (more, less) } else { (less, more) };
        Ok(())
    }

    /// One window more where elements are left, if it begins before the border behind.
    fn round_up(&mut self, c: &Call<'_>, i: usize, size: &Dim) -> Result<(), NodeProblem> {
        let stride = self.strides[i];
        if stride == 1 {
            return Ok(());
        }
        let Some(n) = size.known() else {
            return unsupported(format!(
                "ceil_mode over the size {size}, in {}",
                c.node.op_type
            ));
        };
        let room = n + self.before[i] + self.after[i] - self.span(i);
        let left = room.rem_euclid(stride);
        let next = (room - left) + stride;
        if left > 0 && next < n + self.before[i] {
            self.rest[i] = stride - left;
        }
        Ok(())
    }

    /// The windows of `x`, with `value` around it: `[batch, channels, positions.., sizes..]`.
    fn apply(&self, c: &mut Call<'_>, value: f64, x: ValueId) -> One {
        let ends = self.after.iter().zip(&self.rest).map(|(a, r)| a + r);
        let windows = ops::Windows {
            axes: (2..2 + self.sizes.len() as i64).collect(),
            sizes: self.sizes.clone(),
            strides: self.strides.clone(),
            dilations: self.dilations.clone(),
            before: self.before.clone(),
            after: ends.collect(),
            value: value.into(),
        };
        c.op(windows, &[x])
    }

    /// The axes of a window, of what [`Self::apply`] gives.
    fn window(&self) -> Vec<usize> {
        let n = self.sizes.len();
        (2 + n..2 + 2 * n).collect()
    }
}

/// `y[b, m, p..] = sum over c, w.. of x[b, c, p stride + w dilation - before..] weight[m, c, w..] + bias[m]`, for each group of
/// channels by itself.
pub(super) fn conv(c: &mut Call<'_>) -> One {
    let (x, weight) = (c.x(0)?, c.x(1)?);
    c.require_float(x, 0)?;
    let kernel = c.shape(weight);
    let sizes = kernel.iter().skip(2).map(Dim::known);
    let Some(sizes) = sizes.collect::<Option<Vec<_>>>() else {
        return c.misfit(1, "a kernel of known sizes", c.ty(weight));
    };
    if let Some(stated) = c.list("kernel_shape")?.filter(|s| *s != sizes) {
        return c.wrong("kernel_shape", format!("{sizes:?}"), format!("{stated:?}"));
    }
    let slide = Slide::of(c, x, sizes)?;
    let groups = c.int("group")?.unwrap_or(1);
    let shape = c.shape(x);
    let own = Dim::from(groups) * kernel[1].clone();
    let outputs = kernel[0].exact_div(&groups.into()).filter(|_| groups > 0);
    let Some(outputs) = outputs.filter(|_| own == shape[1]) else {
        let wanted = format!("channels of {} in {groups} groups", c.ty(x));
        return c.misfit(1, wanted, c.ty(weight));
    };
    let windows = slide.apply(c, 0.0, x)?;
    let n = slide.sizes.len();
    let positions = c.shape(windows)[2..2 + n].to_vec();
    let depth: Dim = kernel[1..].iter().product();
    let places: Dim = positions.iter().product();
    // Groups, positions, then what is summed.
    let mut split = vec![shape[0].clone(), groups.into(), kernel[1].clone()];
    split.extend_from_slice(&c.shape(windows)[2..]);
    let windows = c.reshape(split, windows)?;
    let axes: Vec<_> = [0, 1]
        .into_iter()
        .chain(3..3 + n)
        .chain([2])
        .chain(3 + n..3 + 2 * n)
        .collect();
    let windows = c.permute(&axes, windows)?;
    let one_group = groups == 1;
    let lead = |more: [Dim; 2]| {
        let group = (!one_group).then(|| groups.into());
        [shape[0].clone()]
            .into_iter()
            .chain(group)
            .chain(more)
            .collect::<Vec<_>>()
    };
    let windows = c.reshape(lead([places, depth.clone()]), windows)?;
    let matrix = if one_group {
        vec![outputs, depth]
    } else {
        vec![groups.into(), outputs, depth]
    };
    let matrix = c.reshape(matrix, weight)?;
    let (ta, tb) = (false, true);
    let mut y = c.op(ops::MatMul { ta, tb }, &[windows, matrix])?;
    if let Some(bias) = c.maybe(2)?.filter(|_| one_group) {
        y = c.add(y, bias)?;
    }
    let last = c.rank(y) - 1;
    let axes: Vec<_> = (0..last - 1).chain([last, last - 1]).collect();
    let y = c.permute(&axes, y)?;
    let mut out = vec![shape[0].clone(), kernel[0].clone()];
    out.extend(positions);
    let y = c.reshape(out, y)?;
    match c.maybe(2)?.filter(|_| !one_group) {
        None => Ok(y),
        Some(bias) => {
            let line = [kernel[0].clone()].into_iter().chain(vec![1.into(); n]);
            let bias = c.reshape(line.collect(), bias)?;
            c.add(y, bias)
        }
    }
}

/// The windows of a pooling.
fn pool(c: &mut Call<'_>) -> Result<(ValueId, Slide), NodeProblem> {
    let x = c.x(0)?;
    if c.node.output.get(1).is_some_and(|o| !o.is_empty()) {
        return unsupported("positions of the largest elements");
    }
    match c.list("kernel_shape")? {
        Some(sizes) => Ok((x, Slide::of(c, x, sizes)?)),
        None => c.wrong("kernel_shape", "sizes of a window", "none"),
    }
}

/// The smallest number of an element type.
const fn least(dtype: DType) -> f64 {
    match dtype {
        DType::U8 | DType::Bool => 0.0,
        DType::I8 => i8::MIN as f64,
        DType::I32 => i32::MIN as f64,
        DType::I64 => i64::MIN as f64,
        DType::F32 | DType::F16 | DType::Bf16 => f64::NEG_INFINITY,
    }
}

pub(super) fn max_pool(c: &mut Call<'_>) -> One {
    let (x, slide) = pool(c)?;
    let windows = slide.apply(c, least(c.dtype(x)), x)?;
    c.fold(Monoid::Max, &slide.window(), false, windows)
}

pub(super) fn average_pool(c: &mut Call<'_>) -> One {
    let (x, slide) = pool(c)?;
    c.require_float(x, 0)?;
    let windows = slide.apply(c, 0.0, x)?;
    let sum = c.fold(Monoid::Sum, &slide.window(), false, windows)?;
    let borders = slide.before.iter().chain(&slide.after);
    let included = c.flag("count_include_pad", false)?;
    let whole = slide.rest.iter().all(|n| *n == 0);
    if whole && (included || borders.clone().all(|n| *n == 0)) {
        let count: f64 = slide.sizes.iter().map(|n| *n as f64).product();
        return c.with(BinaryFn::Mul, sum, 1.0 / count);
    }
    // How many elements of each window count.
    let mut shape = c.shape(x);
    shape[..2].fill(1.into());
    let mut ones = c.b.constant(1.0, TensorType::new(c.dtype(x), shape))?;
    let mut counting = slide;
    if included {
        let dims = |sides: &[i64]| [0, 0].iter().chain(sides).map(|n| Dim::from(*n)).collect();
        let (lo, hi) = (dims(&counting.before), dims(&counting.after));
        let value = 1.0.into();
        ones = c.op(ops::Pad { lo, hi, value }, &[ones])?;
        counting.before.fill(0);
        counting.after.fill(0);
    }
    let windows = counting.apply(c, 0.0, ones)?;
    let count = c.fold(Monoid::Sum, &counting.window(), false, windows)?;
    c.div(sum, count)
}

/// The root of the sum of powers.
pub(super) fn lp_pool(c: &mut Call<'_>) -> One {
    let (x, slide) = pool(c)?;
    c.require_float(x, 0)?;
    let windows = slide.apply(c, 0.0, x)?;
    match c.int("p")?.unwrap_or(2) {
        1 => {
            let size = c.unary(UnaryFn::Abs, windows)?;
            c.fold(Monoid::Sum, &slide.window(), false, size)
        }
        2 => {
            let square = c.unary(UnaryFn::Square, windows)?;
            let sum = c.fold(Monoid::Sum, &slide.window(), false, square)?;
            c.unary(UnaryFn::Sqrt, sum)
        }
        p => {
            let size = c.unary(UnaryFn::Abs, windows)?;
            let power = c.with(BinaryFn::Pow, size, p as f64)?;
            let sum = c.fold(Monoid::Sum, &slide.window(), false, power)?;
            c.with(BinaryFn::Pow, sum, 1.0 / p as f64)
        }
    }
}

/// The axes behind the channels.
fn plane(c: &mut Call<'_>) -> Result<(ValueId, Vec<usize>), NodeProblem> {
    let x = c.x(0)?;
    let rank = c.rank(x);
    if rank < 3 {
        return c.misfit(0, "a batch, channels and more axes", c.ty(x));
    }
    Ok((x, (2..rank).collect()))
}

pub(super) fn global_average_pool(c: &mut Call<'_>) -> One {
    let (x, axes) = plane(c)?;
    c.require_float(x, 0)?;
    c.mean(&axes, true, x)
}

pub(super) fn global_max_pool(c: &mut Call<'_>) -> One {
    let (x, axes) = plane(c)?;
    c.fold(Monoid::Max, &axes, true, x)
}
