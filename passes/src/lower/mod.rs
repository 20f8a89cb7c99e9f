//! From a kernel and a schedule to the tile program of one block.

mod attention;
mod builder;
mod contract;
mod emit;
mod fold;
mod map;
mod rows;
mod scan;
mod scatter;
mod simt;
mod top_k;

use ir::{
    DType, Kernel, Monoid, Schedule, Target,
    tile::{Array, Index, Memory, Program, Shape},
};

use crate::{
    Layout,
    family::{Family, NoFamily, Shaped, shape},
    nest::{Body, Nest, NestError, nest},
    spread::SpreadError,
};
use builder::{Builder, Range};
pub use simt::fits;

/// A kernel as a program, and how its operands must lie in memory.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The program. Parameters are the operands in order, then the result.
    pub program: Program,
    /// One for each operand.
    pub layouts: Vec<Layout>,
    /// What each lane runs, on a device of many lanes.
    pub lane: Option<ir::lane::Program>,
    /// Where several blocks share each result: what makes it of their parts. The program above then has the
    /// parts, an array of f32, in place of the result; this one has them after the result.
    pub combine: Option<Lowering>,
    /// The operand, a state, in whose place the result must lie: only what changes is written.
    pub in_place: Option<usize>,
}

/// A program, and what each lane runs of it.
#[derive(Clone, Debug)]
pub struct Lowering {
    /// The program.
    pub program: Program,
    /// What each lane runs, on a device of many lanes.
    pub lane: Option<ir::lane::Program>,
}

/// Why a kernel has no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// The kernel is not one nest.
    #[error("kernel `{kernel}`: {reason}")]
    Nest {
        /// Its name.
        kernel: String,
        /// Which part, and why.
        reason: String,
    },
    /// The schedule is for kernels of another family.
    #[error("kernel `{kernel}` is of family {family}; its schedule is not: {schedule:?}")]
    Schedule {
        /// Its name.
        kernel: String,
        /// Its family.
        family: &'static str,
        /// What was given.
        schedule: Schedule,
    },
    /// The tiles of the schedule are not those of the kernel or the target.
    #[error("kernel `{kernel}`: {reason}")]
    Spread {
        /// Its name.
        kernel: String,
        /// Why its tiles cannot be dealt to lanes.
        reason: SpreadError,
    },
    /// The schedule asks for more than the target has.
    #[error("kernel `{kernel}`: its schedule takes {found} {what}, the target has {limit}")]
    DoesNotFit {
        /// Its name.
        kernel: String,
        /// Of what.
        what: &'static str,
        /// How much the schedule takes.
        found: u64,
        /// How much there is.
        limit: u64,
    },
}

/// Which neighbours of a matrix lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Those along the sums.
    Depth,
    /// Others.
    Columns,
}

/// The family of a kernel, and the sizes that its schedule cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelFamily {
    /// Rows, and elements of each.
    Map {
        /// Product of the outer axes.
        rows: i64,
        /// Size of the innermost axis.
        columns: i64,
    },
    /// Numbers written at computed places, along axes that no two of them share.
    Scatter {
        /// Product of the outer ones of these axes.
        rows: i64,
        /// Size of the innermost.
        columns: i64,
    },
    /// Rows that are folded, and elements of each.
    Rows {
        /// How many.
        rows: i64,
        /// Size of the longest folded axis.
        columns: i64,
    },
    /// Folds across rows.
    Fold {
        /// Product of the outer axes.
        rows: i64,
        /// Size of the innermost axis of the result.
        columns: i64,
    },
    /// Sums of products.
    Contract {
        /// Independent products.
        batch: i64,
        /// Rows of each result.
        rows: i64,
        /// Columns of each result.
        columns: i64,
        /// Terms of each sum.
        depth: i64,
        /// The right operand can be packed when compiling.
        packed: bool,
        /// The type in which both factors are stored; f32 if they are not stored alike.
        operands: DType,
        /// How the factor that columns have of their own lies in memory.
        lines: Lines,
        /// The left operand's numbers lie side by side along the sums, so that its rows can be copied.
        rows_in_line: bool,
    },
    /// Attention.
    Attention {
        /// Batch times query heads.
        heads: i64,
        /// Query heads that share keys and values.
        group: i64,
        /// Queries of each.
        queries: i64,
        /// Keys of each.
        keys: i64,
        /// Size of a query.
        depth: i64,
        /// Size of a value.
        columns: i64,
        /// The type in which queries, keys and values are stored; f32 if they are not stored alike.
        operands: DType,
    },
}

impl KernelFamily {
    /// The word for it in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Map { .. } => "map",
            Self::Scatter { .. } => "scatter",
            Self::Rows { .. } => "rows",
            Self::Fold { .. } => "fold",
            Self::Contract { .. } => "contract",
            Self::Attention { .. } => "attention",
        }
    }
}

/// The family of a kernel.
///
/// # Errors
/// No template computes the kernel's graph as one.
pub fn family(kernel: &Kernel) -> Result<KernelFamily, LowerError> {
    Ok(family_of(&shaped(kernel)?, kernel))
}

fn family_of(shaped: &Shaped, kernel: &Kernel) -> KernelFamily {
    let last = shaped.nest.stages.last().expect("a nest has stages");
    let split = |sizes: &[i64]| match sizes {
        [outer @ .., last] => (outer.iter().product(), *last),
        [] => (1, 1),
    };
    let (rows, columns) = split(&last.sizes[..last.outer]);
    match &shaped.family {
        Family::Map => KernelFamily::Map { rows, columns },
        Family::Scatter => {
            let (rows, columns) = split(&scatter::shared_sizes(&shaped.nest));
            KernelFamily::Scatter { rows, columns }
        }
        Family::Fold => KernelFamily::Fold { rows, columns },
        Family::Rows { rows } => KernelFamily::Rows {
            rows: last.sizes[..*rows].iter().product(),
            columns: shaped
                .nest
                .stages
                .iter()
                .filter_map(|s| s.sizes.get(*rows))
                .copied()
                .max()
                .unwrap_or(1),
        },
        Family::TopK => KernelFamily::Rows {
            rows: last.sizes[..last.outer - 1].iter().product(),
            columns: last.sizes[last.outer],
        },
        Family::Scan => {
            let (rows, columns) = split(&last.sizes[..last.outer - 1]);
            KernelFamily::Fold { rows, columns }
        }
        Family::Contract(c) => {
            let fold = &shaped.nest.stages[0];
            let rows = c.row.map_or(1, |r| fold.sizes[r]);
            let columns = fold.sizes[c.lane];
            KernelFamily::Contract {
                batch: fold.sizes[..fold.outer].iter().product::<i64>() / rows / columns,
                rows,
                columns,
                depth: fold.sizes[fold.outer..].iter().product(),
                packed: contract::packing(&shaped.nest, c, &kernel.constant, 1).is_some(),
                operands: stored(&shaped.nest, &[&c.left, &c.right]),
                lines: simt::lines(fold, &c.right),
                rows_in_line: contract::can_copy(&shaped.nest, c),
            }
        }
        Family::Attention => {
            let spec = attention::spec(&shaped.nest);
            let s = spec.sizes;
            KernelFamily::Attention {
                heads: s.batch * s.heads,
                group: s.heads / s.key_heads,
                queries: s.queries,
                keys: s.keys,
                depth: s.depth,
                columns: s.columns,
                operands: stored(&shaped.nest, &[&spec.q, &spec.k, &spec.v]),
            }
        }
    }
}

/// The element type in which all of these are stored, or f32.
fn stored(nest: &Nest, bodies: &[&Body]) -> DType {
    let operands = operand_types(nest);
    let mut types = bodies.iter().map(|b| emit::stored_type(&operands, b));
    let first = types.next().unwrap_or(DType::F32);
    if types.all(|t| t == first) {
        first
    } else {
        DType::F32
    }
}

fn shaped(kernel: &Kernel) -> Result<Shaped, LowerError> {
    let error = |reason: String| LowerError::Nest {
        kernel: kernel.name.clone(),
        reason,
    };
    let nest = nest(&kernel.graph).map_err(|e: NestError| error(e.to_string()))?;
    shape(nest).map_err(|e: NoFamily| error(e.to_string()))
}

/// The program that computes `kernel` as `schedule` says.
///
/// # Errors
/// No template computes the kernel's graph as one, or the schedule is for another template.
pub fn lower(kernel: &Kernel, schedule: &Schedule, target: &Target) -> Result<Lowered, LowerError> {
    lower_shaped(kernel, &shaped(kernel)?, schedule, target, None)
}

/// As [`lower`], where a result that starts as a state lies in the state's place.
///
/// # Errors
/// As [`lower`].
pub(crate) fn lower_in_place(
    kernel: &Kernel,
    schedule: &Schedule,
    target: &Target,
) -> Result<Lowered, LowerError> {
    let shaped = shaped(kernel)?;
    let state = match shaped.family {
        Family::Scatter => scatter::spec(&shaped.nest).state,
        _ => None,
    };
    lower_shaped(kernel, &shaped, schedule, target, state)
}

fn lower_shaped(
    kernel: &Kernel,
    shaped: &Shaped,
    schedule: &Schedule,
    target: &Target,
    in_place: Option<usize>,
) -> Result<Lowered, LowerError> {
    if let Some(simt) = target.simt() {
        return simt::lower_kernel(kernel, shaped, schedule, simt, in_place);
    }
    let plain = vec![Layout::Plain; shaped.nest.operands.len()];
    let name = &kernel.name;
    if target.tensor().is_some() {
        return Ok(Lowered {
            program: simt::lower(name, shaped, schedule, in_place.is_some())
                .ok_or_else(|| other_family(kernel, schedule))?,
            layouts: plain,
            lane: None,
            combine: simt::combine(name, shaped, schedule).map(|program| Lowering {
                program,
                lane: None,
            }),
            in_place,
        });
    }
    let program = match (&shaped.family, schedule) {
        (Family::Map, Schedule::Map(s)) => map::lower(name, &shaped.nest, s),
        (Family::Rows { rows }, Schedule::Rows(s)) => rows::lower(name, &shaped.nest, *rows, s),
        (Family::Fold, Schedule::Map(s)) => fold::lower(name, &shaped.nest, s),
        (Family::TopK, Schedule::Rows(s)) => top_k::lower(name, &shaped.nest, s),
        (Family::Scan, Schedule::Map(s)) => scan::lower(name, &shaped.nest, s),
        (Family::Contract(c), Schedule::Contract(s)) => {
            return Ok(contract::lower(name, &shaped.nest, c, &kernel.constant, s));
        }
        (Family::Attention, Schedule::Attention(s)) => attention::lower(name, &shaped.nest, s),
        (Family::Scatter, Schedule::Map(s)) => {
            scatter::lower(name, &shaped.nest, s, in_place.is_some())
        }
        (_, schedule) => return Err(other_family(kernel, schedule)),
    };
    Ok(Lowered {
        program,
        layouts: plain,
        lane: None,
        combine: None,
        in_place,
    })
}

/// The error where a schedule is for another template.
fn other_family(kernel: &Kernel, schedule: &Schedule) -> LowerError {
    match family(kernel) {
        Ok(family) => LowerError::Schedule {
            kernel: kernel.name.clone(),
            family: family.name(),
            schedule: schedule.clone(),
        },
        Err(error) => error,
    }
}

/// The parameters of a kernel's program: operands under their layouts, then the result.
fn params(nest: &Nest, layouts: &[Layout]) -> Vec<Array> {
    let operands =
        nest.operands
            .iter()
            .zip(layouts)
            .enumerate()
            .map(|(i, ((dtype, len), layout))| Array {
                name: format!("in{i}"),
                dtype: *dtype,
                len: layout.len(*len),
                written: false,
            });
    let (dtype, len) = nest.result;
    operands
        .chain([Array {
            name: "out".into(),
            dtype,
            len,
            written: true,
        }])
        .collect()
}

/// What leaves every number of `dtype`, a type in which numbers are held, as it is.
fn identity(monoid: Monoid, dtype: DType) -> f64 {
    let (low, high) = match dtype {
        DType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        // Above the largest, as which it is held.
        DType::I64 => (i64::MIN as f64, i64::MAX as f64),
        _ => return monoid.identity(),
    };
    monoid.identity().clamp(low, high)
}

/// Where the result goes.
fn result(nest: &Nest) -> Memory {
    Memory::Param(nest.operands.len() as u32)
}

fn operand_types(nest: &Nest) -> Vec<DType> {
    nest.operands.iter().map(|(dtype, _)| *dtype).collect()
}

/// The coordinates of row-major position `at` in a space of these sizes.
fn coordinates(at: &Index, sizes: &[i64]) -> Vec<Index> {
    let mut stride: i64 = sizes.iter().product();
    sizes
        .iter()
        .enumerate()
        .map(|(i, size)| {
            stride /= size;
            let above = at.clone().floor_div(stride);
            if i == 0 { above } else { above.modulo(*size) }
        })
        .collect()
}

/// Runs `body` over `0..size` in runs of `lanes`, then over the rest; it gets the start and the lanes of a run.
fn runs(b: &mut Builder, size: i64, lanes: u32, mut body: impl FnMut(&mut Builder, Index, u32)) {
    let full = size - size % i64::from(lanes);
    if full > 0 {
        let range = Range::below(full).by(lanes.into());
        b.for_each(range, &[], |b, start, _| {
            body(b, start, lanes);
            vec![]
        });
    }
    if size > full {
        body(b, full.into(), (size - full) as u32);
    }
}

/// Runs `body` over rows `start..end` of `size` in runs of `rows`, which divides `start`; the last run,
/// where `size` ends within one, is shorter.
fn row_runs(
    b: &mut Builder,
    (start, end): (Index, Index),
    size: i64,
    rows: u32,
    mut body: impl FnMut(&mut Builder, Index, u32),
) {
    let full = size - size % i64::from(rows);
    if full > 0 {
        let range = Range {
            start: start.clone(),
            end: end.clone().min(full),
            step: rows.into(),
            unroll: 1,
        };
        b.for_each(range, &[], |b, at, _| {
            body(b, at, rows);
            vec![]
        });
    }
    if size > full {
        // One round, in the block that holds the end.
        let range = Range {
            start: start.max(full),
            end: end.min(full + 1),
            step: 1,
            unroll: 1,
        };
        b.for_each(range, &[], |b, _, _| {
            body(b, full.into(), (size - full) as u32);
            vec![]
        });
    }
}

/// `lanes` numbers of one row.
const fn row_of(lanes: u32) -> Shape {
    Shape::new(1, lanes)
}
