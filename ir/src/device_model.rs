//! Devices that one can buy, as data: what the code of a target is held against.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, DType, Flops, Target,
    tile::{self, Program, Stmt, Value},
};

/// A device by its data sheet. Several may run the code of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceModel {
    /// As spelled on the command line, such as `cuda:h200`.
    pub name: String,
    /// What it is, for people.
    pub words: String,
    /// The target whose code it runs.
    pub target: String,
    /// Operations per second of f32 functions.
    pub functions: f64,
    /// Operations per second of products, by the type of their operands; others go at the rate of functions.
    pub products: Vec<(DType, f64)>,
    /// Bytes of memory read or written per second.
    pub bytes_per_second: f64,
    /// Where the numbers are from.
    pub source: Source,
}

/// Where the rates of a device are from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A data sheet, and when it was read: no kernel is faster.
    DataSheet(String),
    /// What schedules are chosen by: kernels may be faster, as where memory is in a cache.
    Assumed,
}

/// What one call of a kernel must do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelWork {
    /// Operations of products.
    pub products: Flops,
    /// Types of their operands.
    pub operands: BTreeSet<DType>,
    /// Operations of functions and folds, one each.
    pub functions: Flops,
    /// What goes over the border of the chip at least.
    pub bytes: Bytes,
}

/// The least time of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// In seconds.
    pub seconds: f64,
    /// What takes as long.
    pub bound: Bound,
}

/// What keeps a kernel from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Reading and writing.
    Memory,
    /// Multiplying and adding up.
    Products,
    /// Functions of single numbers.
    Functions,
}

impl Bound {
    /// The word in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Products => "products",
            Self::Functions => "functions",
        }
    }
}

impl DeviceModel {
    /// A target by the rates that its schedules are chosen by, where no data sheet is known.
    pub fn assumed(target: &Target) -> Self {
        let unit = target.simd().map_or("", |_| "one core of ");
        Self {
            name: target.name.clone(),
            words: format!("{unit}{}", target.name),
            target: target.name.clone(),
            functions: target.roofline.flops_per_second,
            products: vec![],
            bytes_per_second: target.roofline.bytes_per_second,
            source: Source::Assumed,
        }
    }

    /// The least time that such work takes: memory, products and functions may go on side by side.
    pub fn floor(&self, work: &KernelWork) -> Floor {
        let rate = |dtype: &DType| {
            let found = self.products.iter().find(|(d, _)| d == dtype);
            found.map_or(self.functions, |(_, rate)| *rate)
        };
        // Of several types the fastest: it is unknown how much is of which.
        let rate = work.operands.iter().map(rate).fold(0.0, f64::max);
        let products = match work.products.0 {
            0 => 0.0,
            n => n as f64 / rate,
        };
        let sides = [
            (Bound::Memory, work.bytes.0 as f64 / self.bytes_per_second),
            (Bound::Products, products),
            (Bound::Functions, work.functions.0 as f64 / self.functions),
        ];
        let (bound, seconds) = sides
            .into_iter()
            .reduce(|a, b| if b.1 > a.1 { b } else { a })
            .expect("there are three");
        Floor { seconds, bound }
    }
}

impl KernelWork {
    /// The work of a tile program that takes no more than `flops`, which does not count what tiles hold past the end of
    /// arrays; none if the length of a loop depends on an array.
    pub fn of(program: &Program, flops: Flops) -> Option<Self> {
        let types = tile::types(program).ok()?;
        let counts = tile::count(program, &types)?;
        let mut operands = BTreeSet::new();
        each_dot(&program.body, &mut |a| {
            operands.insert(types[&a].0);
        });
        Some(Self {
            products: counts.dot.min(flops),
            operands,
            functions: counts.elementwise.min(flops),
            bytes: counts.compulsory(program),
        })
    }
}

fn each_dot(body: &[Stmt], f: &mut impl FnMut(tile::Var)) {
    for stmt in body {
        match stmt {
            Stmt::Let(_, Value::Dot { a, .. }) => f(*a),
            Stmt::For(l) => each_dot(&l.body, f),
            Stmt::Let(..) | Stmt::Store { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> DeviceModel {
        DeviceModel {
            name: "d".into(),
            words: "d".into(),
            target: "t".into(),
            functions: 10.0,
            products: vec![(DType::F16, 100.0)],
            bytes_per_second: 2.0,
            source: Source::Assumed,
        }
    }

    fn check(products: u64, dtype: DType, functions: u64, bytes: u64, bound: Bound, seconds: f64) {
        let work = KernelWork {
            products: Flops(products),
            operands: [dtype].into(),
            functions: Flops(functions),
            bytes: Bytes(bytes),
        };
        assert_eq!(device().floor(&work), Floor { seconds, bound });
    }

    #[test]
    fn the_slowest_side_decides() {
        check(1000, DType::F16, 0, 10, Bound::Products, 10.0);
        check(1000, DType::F32, 0, 10, Bound::Products, 100.0);
        check(1000, DType::F16, 110, 10, Bound::Functions, 11.0);
        check(1000, DType::F16, 110, 24, Bound::Memory, 12.0);
    }

    #[test]
    fn work_is_counted_by_kind_and_ragged_tiles_do_not_add_to_it() {
        let text = "tile t grid [1] {
          param %x : f16[48]
          param %y : f32[24] written
          %0 = splat 0.0 : f32 8x4
          %1 = load %x[row * 4 + lane] where (row < 6) : 8x4
          %2 = load %x[24 + row * 4 + lane] : 4x4
          %3 = dot %1, %2, %0
          %4 = exp %3
          store %y[row * 4 + lane] where (row < 6) = %4
        }";
        let program = tile::parse(text).unwrap();
        let work = KernelWork::of(&program, Flops(6 * 4 * 4 * 2 + 24)).unwrap();
        assert_eq!(work.operands, [DType::F16].into());
        assert_eq!(work.products, Flops(6 * 4 * 4 * 2 + 24));
        assert_eq!(work.functions, Flops(8 * 4));
        assert_eq!(work.bytes, Bytes(2 * 48 + 4 * 24));
        assert_eq!(
            KernelWork::of(&program, Flops(u64::MAX)).unwrap().products,
            Flops(8 * 4 * 4 * 2)
        );
    }
}
