//! Values of tiles from tiles.

use ir::{
    BinaryFn, DType, Monoid, UnaryFn,
    tile::{Axis, Index, Shape, Value, Var},
};

use super::{
    Emitter, Tile,
    text::{elem, sizes, tile_type},
};

impl Emitter<'_> {
    /// What a variable is assigned; the error says what has no text.
    pub(super) fn value(
        &mut self,
        value: &Value,
        dtype: DType,
        shape: Shape,
    ) -> Result<Tile, String> {
        let of = |name| Tile { name, dtype, shape };
        Ok(match value {
            Value::Splat(x, ..) => of(self.splat(x.get(), dtype, shape)),
            Value::Coordinate(index, _) => of(self.coordinate(index, shape)),
            Value::Load { from, other, .. } => self.load(from, shape, other.get())?,
            Value::Unary(f, x) => {
                let x = self.tiles[x].clone();
                of(self.unary(*f, &x)?)
            }
            Value::Binary(f, a, b) => {
                let elem = self.types[a].0;
                let [a, b] = [a, b].map(|x| self.repeated(*x, shape));
                let ty = tile_type(elem, shape);
                of(self.binary(*f, [&a, &b], elem, &ty)?)
            }
            Value::Select(test, a, b) => {
                let [test, a, b] = [test, a, b].map(|x| self.repeated(*x, shape));
                let (mut tests, ty) = (String::new(), tile_type(dtype, shape));
                if shape != Shape::ONE {
                    tests = tile_type(DType::Bool, shape) + ", ";
                }
                of(self
                    .text
                    .set(format_args!("arith.select {test}, {a}, {b} : {tests}{ty}")))
            }
            Value::Cast(to, x) => {
                let x = self.tiles[x].clone();
                self.cast(*to, &x)
            }
            Value::Broadcast(x, _) => of(self.repeated(*x, shape)),
            Value::Reduce(monoid, axis, x) => {
                let x = self.tiles[x].clone();
                of(self.reduce(*monoid, *axis, &x, shape)?)
            }
            Value::Dot { a, b, acc } => {
                let [a, b, acc] = [a, b, acc].map(|x| self.tiles[x].clone());
                of(self.dot([a, b], &acc)?)
            }
        })
    }

    fn repeated(&mut self, x: Var, shape: Shape) -> String {
        let x = self.tiles[&x].clone();
        self.repeat(&x, shape)
    }

    fn coordinate(&mut self, index: &Index, shape: Shape) -> String {
        let zero = self.text.index(0);
        self.element = [zero.clone(), zero];
        let to_i32 = |at: String| format!("arith.index_cast {at} : index to i32");
        if shape == Shape::ONE {
            let at = self.index(index);
            return self.text.set(format_args!("{}", to_i32(at)));
        }
        let ty = tile_type(DType::I32, shape);
        let empty = self.text.set(format_args!("tensor.empty() : {ty}"));
        let axes = sizes(shape).len();
        let dims = ["d0", "d0, d1"][axes - 1];
        let kinds = ["\"parallel\"", "\"parallel\", \"parallel\""][axes - 1];
        let result = self.text.name();
        self.text.open(format_args!(
            "{result} = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({dims})>], \
             iterator_types = [{kinds}]}} outs({empty} : {ty}) {{"
        ));
        let block = self.text.name();
        self.text.line(format_args!("^bb0({block}: i32):"));
        let mut axis = 0;
        for (i, side) in [shape.rows, shape.lanes].into_iter().enumerate() {
            if side > 1 {
                self.element[i] = self.text.set(format_args!("linalg.index {axis} : index"));
                axis += 1;
            }
        }
        let at = self.index(index);
        let at = self.text.set(format_args!("{}", to_i32(at)));
        self.text.line(format_args!("linalg.yield {at} : i32"));
        self.text.close_with(format_args!("}} -> {ty}"));
        result
    }

    fn unary(&mut self, f: UnaryFn, x: &Tile) -> Result<String, String> {
        let (name, ty, shape) = (&x.name, x.ty(), x.shape);
        let float = x.dtype.is_float();
        let simple = match f {
            UnaryFn::Abs if !float => "math.absi",
            UnaryFn::Neg if float => "arith.negf",
            UnaryFn::Abs => "math.absf",
            UnaryFn::Exp => "math.exp",
            UnaryFn::Log => "math.log",
            UnaryFn::Sqrt => "math.sqrt",
            UnaryFn::Rsqrt => "math.rsqrt",
            UnaryFn::Tanh => "math.tanh",
            UnaryFn::Erf => "math.erf",
            UnaryFn::Sin => "math.sin",
            UnaryFn::Cos => "math.cos",
            UnaryFn::Floor => "math.floor",
            UnaryFn::Ceil => "math.ceil",
            UnaryFn::Round => "math.roundeven",
            UnaryFn::Recip => {
                let one = self.splat(1.0, x.dtype, shape);
                return Ok(self
                    .text
                    .set(format_args!("arith.divf {one}, {name} : {ty}")));
            }
            UnaryFn::Neg => {
                let zero = self.splat(0.0, x.dtype, shape);
                return Ok(self
                    .text
                    .set(format_args!("arith.subi {zero}, {name} : {ty}")));
            }
            UnaryFn::Not => {
                let test = self.cast(DType::Bool, x);
                let one = self.splat(1.0, DType::Bool, shape);
                let (test, ty) = (test.name, tile_type(DType::Bool, shape));
                let name = self
                    .text
                    .set(format_args!("arith.xori {test}, {one} : {ty}"));
                let not = Tile {
                    name,
                    dtype: DType::Bool,
                    shape,
                };
                return Ok(self.cast(x.dtype, &not).name);
            }
            _ => return Err(format!("`{}`", f.name())),
        };
        Ok(self.text.set(format_args!("{simple} {name} : {ty}")))
    }

    /// A function of two tiles, or numbers, of one type.
    fn binary(
        &mut self,
        f: BinaryFn,
        [a, b]: [&str; 2],
        dtype: DType,
        ty: &str,
    ) -> Result<String, String> {
        let unsigned = matches!(dtype, DType::U8 | DType::Bool);
        let kind = match (dtype.is_float(), unsigned) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        let op = match f {
            BinaryFn::Add => ["addf", "addi", "addi"][kind],
            BinaryFn::Sub => ["subf", "subi", "subi"][kind],
            BinaryFn::Mul => ["mulf", "muli", "muli"][kind],
            BinaryFn::Div if kind == 0 => "divf",
            BinaryFn::Max => ["maximumf", "maxsi", "maxui"][kind],
            BinaryFn::Min => ["minimumf", "minsi", "minui"][kind],
            BinaryFn::Eq => ["cmpf oeq,", "cmpi eq,", "cmpi eq,"][kind],
            BinaryFn::Ne => ["cmpf une,", "cmpi ne,", "cmpi ne,"][kind],
            BinaryFn::Lt => ["cmpf olt,", "cmpi slt,", "cmpi ult,"][kind],
            BinaryFn::Le => ["cmpf ole,", "cmpi sle,", "cmpi ule,"][kind],
            BinaryFn::Gt => ["cmpf ogt,", "cmpi sgt,", "cmpi ugt,"][kind],
            BinaryFn::Ge => ["cmpf oge,", "cmpi sge,", "cmpi uge,"][kind],
            BinaryFn::And if dtype == DType::Bool => "andi",
            BinaryFn::Or if dtype == DType::Bool => "ori",
            BinaryFn::FloorDiv if kind > 0 => ["", "floordivsi", "divui"][kind],
            BinaryFn::Pow if kind == 0 => {
                return Ok(self.text.set(format_args!("math.powf {a}, {b} : {ty}")));
            }
            BinaryFn::FloorDiv => {
                let quotient = self.text.set(format_args!("arith.divf {a}, {b} : {ty}"));
                return Ok(self.text.set(format_args!("math.floor {quotient} : {ty}")));
            }
            BinaryFn::Mod if kind > 0 => {
                let whole = self.binary(BinaryFn::FloorDiv, [a, b], dtype, ty)?;
                let whole = self
                    .text
                    .set(format_args!("arith.muli {whole}, {b} : {ty}"));
                return Ok(self
                    .text
                    .set(format_args!("arith.subi {a}, {whole} : {ty}")));
            }
            _ => return Err(format!("`{}` of {}", f.name(), dtype.name())),
        };
        Ok(self.text.set(format_args!("arith.{op} {a}, {b} : {ty}")))
    }

    fn reduce(
        &mut self,
        monoid: Monoid,
        axis: Axis,
        x: &Tile,
        shape: Shape,
    ) -> Result<String, String> {
        if x.shape == shape {
            return Ok(x.name.clone());
        }
        let (elem, from) = (elem(x.dtype), x.ty());
        let identity = match (x.dtype, monoid) {
            (d, _) if d.is_float() => monoid.identity(),
            (_, Monoid::Sum | Monoid::Prod) => monoid.identity(),
            (d, Monoid::Max | Monoid::Min) => {
                return Err(format!("`{}` of a tile of {}", monoid.name(), d.name()));
            }
        };
        let number = self.text.number(identity, x.dtype);
        let (start, to) = if shape == Shape::ONE {
            let to = format!("tensor<{elem}>");
            let start = self
                .text
                .set(format_args!("tensor.from_elements {number} : {to}"));
            (start, to)
        } else {
            let start = self.fill(&number, x.dtype, shape);
            (start, tile_type(x.dtype, shape))
        };
        // The only axis, or that which is folded.
        let folded = match axis {
            Axis::Lanes if x.shape.rows > 1 => 1,
            _ => 0,
        };
        let [result, a, b] = [0; 3].map(|_| self.text.name());
        let name = &x.name;
        self.text.open(format_args!(
            "{result} = linalg.reduce ins({name} : {from}) outs({start} : {to}) \
             dimensions = [{folded}] ({a}: {elem}, {b}: {elem}) {{"
        ));
        // The element, then what was folded before.
        let next = self.binary(monoid.function(), [&b, &a], x.dtype, elem)?;
        self.text.line(format_args!("linalg.yield {next} : {elem}"));
        self.text.close();
        if shape == Shape::ONE {
            return Ok(self
                .text
                .set(format_args!("tensor.extract {result}[] : {to}")));
        }
        Ok(result)
    }

    fn dot(&mut self, [a, b]: [Tile; 2], acc: &Tile) -> Result<String, String> {
        if a.dtype != b.dtype || a.dtype == DType::U8 {
            let (a, b) = (a.dtype.name(), b.dtype.name());
            return Err(format!("a product of {a} and {b}"));
        }
        let precision = match a.dtype {
            DType::F32 => " {input_precision = \"ieee\"}",
            _ => "",
        };
        let (left, left_type) = self.matrix(&a);
        let (right, right_type) = self.matrix(&b);
        let (sum, ty) = self.matrix(acc);
        let sum = self.text.set(format_args!(
            "linalg.matmul{precision} ins({left}, {right} : {left_type}, {right_type}) \
             outs({sum} : {ty}) -> {ty}"
        ));
        Ok(self.tile(sum, &ty, acc.dtype, acc.shape))
    }
}
