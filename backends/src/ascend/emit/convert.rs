//! Tiles repeated, filled, and of other element types.

use ir::{DType, tile::Shape};

use super::{
    Emitter, Tile,
    text::{elem, sizes, tile_type},
};

impl Emitter<'_> {
    /// A tile that has one number everywhere.
    pub(super) fn fill(&mut self, number: &str, dtype: DType, shape: Shape) -> String {
        if shape == Shape::ONE {
            return number.into();
        }
        let (elem, ty) = (elem(dtype), tile_type(dtype, shape));
        let empty = self.text.set(format_args!("tensor.empty() : {ty}"));
        self.text.set(format_args!(
            "linalg.fill ins({number} : {elem}) outs({empty} : {ty}) -> {ty}"
        ))
    }

    /// A constant everywhere.
    pub(super) fn splat(&mut self, x: f64, dtype: DType, shape: Shape) -> String {
        let number = self.text.number(x, dtype);
        self.fill(&number, dtype, shape)
    }

    /// A tile repeated to this shape.
    pub(super) fn repeat(&mut self, x: &Tile, shape: Shape) -> String {
        if x.shape == shape {
            return x.name.clone();
        }
        if x.shape == Shape::ONE {
            return self.fill(&x.name, x.dtype, shape);
        }
        let (from, to) = (x.ty(), tile_type(x.dtype, shape));
        let empty = self.text.set(format_args!("tensor.empty() : {to}"));
        let added = u32::from(x.shape.rows > 1);
        let name = &x.name;
        self.text.set(format_args!(
            "linalg.broadcast ins({name} : {from}) outs({empty} : {to}) dimensions = [{added}]"
        ))
    }

    /// A tile as matrix of rows and lanes, even if one of them is 1.
    pub(super) fn matrix(&mut self, x: &Tile) -> (String, String) {
        let Shape { rows, lanes } = x.shape;
        let ty = format!("tensor<{rows}x{lanes}x{}>", elem(x.dtype));
        let (name, from) = (&x.name, x.ty());
        let name = match sizes(x.shape).len() {
            2 => name.clone(),
            1 => self.text.set(format_args!(
                "tensor.expand_shape {name} [[0, 1]] output_shape [{rows}, {lanes}] : {from} into {ty}"
            )),
            _ => self
                .text
                .set(format_args!("tensor.from_elements {name} : {ty}")),
        };
        (name, ty)
    }

    /// A matrix of rows and lanes as a tile.
    pub(super) fn tile(&mut self, name: String, ty: &str, dtype: DType, shape: Shape) -> String {
        let to = tile_type(dtype, shape);
        match sizes(shape).len() {
            2 => name,
            1 => self.text.set(format_args!(
                "tensor.collapse_shape {name} [[0, 1]] : {ty} into {to}"
            )),
            _ => {
                let zero = self.text.index(0);
                self.text
                    .set(format_args!("tensor.extract {name}[{zero}, {zero}] : {ty}"))
            }
        }
    }

    /// A tile with another element type. A float that is no number of 64 bits has no defined integer.
    pub(super) fn cast(&mut self, to: DType, x: &Tile) -> Tile {
        let from = x.dtype;
        let bits = |d: DType| if d == DType::Bool { 1 } else { 8 * d.size() };
        let signed = !matches!(from, DType::U8 | DType::Bool);
        if to == from {
            return x.clone();
        }
        if to == DType::Bool {
            let zero = self.splat(0.0, from, x.shape);
            let op = if from.is_float() {
                "arith.cmpf une,"
            } else {
                "arith.cmpi ne,"
            };
            let (name, ty) = (&x.name, x.ty());
            let name = self.text.set(format_args!("{op} {name}, {zero} : {ty}"));
            return Tile {
                name,
                dtype: to,
                shape: x.shape,
            };
        }
        match (from.is_float(), to.is_float()) {
            (true, true) if bits(from) == bits(to) => {
                let wide = self.convert("extf", x, DType::F32);
                self.convert("truncf", &wide, to)
            }
            (true, true) if bits(from) < bits(to) => self.convert("extf", x, to),
            (true, true) => self.convert("truncf", x, to),
            (false, true) if signed => self.convert("sitofp", x, to),
            (false, true) => self.convert("uitofp", x, to),
            (true, false) => {
                let whole = self.convert("fptosi", x, DType::I64);
                self.cast(to, &whole)
            }
            (false, false) if bits(from) == bits(to) => Tile {
                dtype: to,
                ..x.clone()
            },
            (false, false) if bits(from) > bits(to) => self.convert("trunci", x, to),
            (false, false) if signed => self.convert("extsi", x, to),
            (false, false) => self.convert("extui", x, to),
        }
    }

    fn convert(&mut self, op: &str, x: &Tile, to: DType) -> Tile {
        let (name, from, ty) = (&x.name, x.ty(), tile_type(to, x.shape));
        let name = self
            .text
            .set(format_args!("arith.{op} {name} : {from} to {ty}"));
        Tile {
            name,
            dtype: to,
            shape: x.shape,
        }
    }
}
