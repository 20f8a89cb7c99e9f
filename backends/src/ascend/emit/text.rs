//! MLIR text, line by line.

use std::{
    collections::BTreeMap,
    fmt::{Arguments, Write},
};

use ir::{DType, tile::Shape};

/// A function's text in the making.
#[derive(Default)]
pub(super) struct Text {
    body: String,
    constants: String,
    known: BTreeMap<(String, &'static str), String>,
    next: u32,
    depth: usize,
}

impl Text {
    /// A name that nothing has.
    pub fn name(&mut self) -> String {
        self.next += 1;
        format!("%v{}", self.next - 1)
    }

    /// An operation with one result.
    pub fn set(&mut self, operation: Arguments<'_>) -> String {
        let name = self.name();
        self.line(format_args!("{name} = {operation}"));
        name
    }

    /// A line.
    pub fn line(&mut self, line: Arguments<'_>) {
        let indent = 2 * self.depth + 4;
        writeln!(self.body, "{:indent$}{line}", "").expect("strings grow");
    }

    /// A line that opens a region.
    pub fn open(&mut self, line: Arguments<'_>) {
        self.line(line);
        self.depth += 1;
    }

    /// Closes a region.
    pub fn close(&mut self) {
        self.close_with(format_args!("}}"));
    }

    /// Closes a region with this line.
    pub fn close_with(&mut self, line: Arguments<'_>) {
        self.depth -= 1;
        self.line(line);
    }

    /// A constant, defined at the head of the function.
    pub fn constant(&mut self, literal: &str, ty: &'static str) -> String {
        let key = (literal.to_owned(), ty);
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = format!("%c{}", self.known.len());
        writeln!(
            self.constants,
            "    {name} = arith.constant {literal} : {ty}"
        )
        .expect("strings grow");
        self.known.insert(key, name.clone());
        name
    }

    /// An integer for sizes and offsets.
    pub fn index(&mut self, n: i64) -> String {
        self.constant(&n.to_string(), "index")
    }

    /// A number of this element type.
    pub fn number(&mut self, x: f64, dtype: DType) -> String {
        self.constant(&literal(x, dtype), elem(dtype))
    }

    /// All lines, constants first.
    pub fn finish(self) -> String {
        self.constants + &self.body
    }
}

/// An element type in a tile.
pub(super) const fn elem(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F16 => "f16",
        DType::Bf16 => "bf16",
        DType::I8 | DType::U8 => "i8",
        DType::I32 => "i32",
        DType::I64 => "i64",
        DType::Bool => "i1",
    }
}

/// An element type in memory.
pub(super) const fn stored(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "i8",
        other => elem(other),
    }
}

fn literal(x: f64, dtype: DType) -> String {
    if !dtype.is_float() {
        return match dtype {
            DType::Bool => (x != 0.0).to_string(),
            // As bits of 8.
            DType::U8 => (x as u8 as i8).to_string(),
            _ => (x as i64).to_string(),
        };
    }
    if x.is_finite() {
        let text = format!("{x:e}");
        return match text.split_once('e') {
            Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
            _ => text,
        };
    }
    let x = ir::round_to(dtype, x);
    let bits = (x as f32).to_bits();
    match dtype {
        DType::F16 => format!("{:#06X}", half::f16::from_f64(x).to_bits()),
        DType::Bf16 => format!("{:#06X}", bits >> 16),
        _ => format!("{bits:#010X}"),
    }
    .replace("0X", "0x")
}

/// The axes that a tile's tensor has: sides of 1 have none.
pub(super) fn sizes(shape: Shape) -> Vec<i64> {
    let sides = [shape.rows, shape.lanes].into_iter();
    sides.filter(|n| *n > 1).map(i64::from).collect()
}

/// `tensor<4x8xf32>`, `memref<4x?xf32>`; `f32` for a tensor of one number.
pub(super) fn shaped(kind: &str, sizes: &[i64], elem: &str) -> String {
    let side = |n: &i64| match *n {
        DYNAMIC => "?x".to_owned(),
        n => format!("{n}x"),
    };
    let sides: String = sizes.iter().map(side).collect();
    format!("{kind}<{sides}{elem}>")
}

/// A size that is known when the kernel runs.
pub(super) const DYNAMIC: i64 = -1;

/// The type of a tile.
pub(super) fn tile_type(dtype: DType, shape: Shape) -> String {
    match sizes(shape).as_slice() {
        [] => elem(dtype).into(),
        sizes => shaped("tensor", sizes, elem(dtype)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_mlir_reads_them() {
        let f32 = |x| literal(x, DType::F32);
        assert_eq!(f32(1.0), "1.0e0");
        assert_eq!(f32(-0.125), "-1.25e-1");
        assert_eq!(f32(f64::NEG_INFINITY), "0xFF800000");
        assert_eq!(literal(f64::INFINITY, DType::F16), "0x7C00");
        assert_eq!(literal(f64::NEG_INFINITY, DType::Bf16), "0xFF80");
        assert_eq!(literal(255.0, DType::U8), "-1");
        assert_eq!(literal(1.0, DType::Bool), "true");
    }
}
