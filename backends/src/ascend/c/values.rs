//! What tiles are made from tiles: functions of the vector unit over whole tiles, padding and all.

use ir::{
    BinaryFn, DType, Monoid, UnaryFn,
    tile::{Affine, Axis, Index, Shape, Value, Var},
};

use super::{
    count, ctype, pitch,
    vector::{Held, Tile, Vector, held_type},
};

/// Integers are computed as f32, which holds all below this.
const EXACT: i64 = 1 << 24;

impl Vector<'_> {
    /// What a variable is assigned; the error says what has no text.
    pub fn value(&mut self, value: &Value, dtype: DType, shape: Shape) -> Result<Tile, String> {
        match value {
            Value::Splat(x, dtype, shape) => Ok(Tile {
                name: number(x.get()),
                dtype: held_type(*dtype),
                shape: *shape,
                held: Held::Number,
            }),
            Value::Coordinate(index, shape) => self.coordinate(index, *shape),
            Value::Load { from, shape, other } => self.load(from, *shape, other.get()),
            Value::Unary(f, x) => self.unary(*f, *x, shape),
            Value::Binary(f, a, b) => self.binary(*f, [*a, *b], shape),
            Value::Select(test, a, b) => self.select([*test, *a, *b], shape),
            Value::Cast(to, x) => self.cast(*to, *x, dtype, shape),
            Value::Broadcast(x, shape) => {
                let x = self.tiles[x].clone();
                if x.held == Held::Number {
                    return Ok(Tile { shape: *shape, ..x });
                }
                let tile = self.made(x.dtype, *shape);
                self.copy(&tile.name, &x, *shape);
                Ok(tile)
            }
            Value::Reduce(monoid, axis, x) => self.reduce(*monoid, *axis, *x, shape),
            Value::Dot { a, b, acc } => self.dot([*a, *b, *acc], shape),
        }
    }

    pub(super) fn made(&mut self, dtype: DType, shape: Shape) -> Tile {
        let (name, at) = self.tile(dtype, count(shape));
        Tile {
            name,
            dtype,
            shape,
            held: Held::Buffer(at),
        }
    }

    /// Fills `to` with a tile, repeated to the shape.
    pub fn copy(&mut self, to: &str, x: &Tile, shape: Shape) {
        let (n, ty, name) = (count(shape), ctype(x.dtype), &x.name);
        if x.held == Held::Number {
            return self.op(format_args!("Duplicate({to}, {ty}({name}), {n});"));
        }
        if x.shape == shape {
            return self.op(format_args!("Muls({to}, {name}, {ty}(1.0f), {n});"));
        }
        let (rows, pitch) = (shape.rows, pitch(shape));
        match x.shape {
            Shape { lanes: 1, .. } => {
                self.flag("V_S");
                let row = if x.shape.rows == 1 { "0" } else { "r" };
                if pitch == 1 {
                    // One number down a column.
                    self.op(format_args!("Duplicate({to}, {name}.GetValue(0), {n});"));
                    return self.flag("S_V");
                }
                self.text
                    .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
                self.text.line(format_args!(
                    "Duplicate({to}[r * {pitch}], {name}.GetValue({row}), {pitch});"
                ));
                self.text.close();
                // What the scalar unit read may be written again.
                self.flag("S_V");
            }
            _ => {
                self.text
                    .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
                self.text.line(format_args!(
                    "Muls({to}[r * {pitch}], {name}, {ty}(1.0f), {pitch});"
                ));
                self.text.close();
            }
        }
        self.text.line(format_args!("PipeBarrier<PIPE_V>();"));
    }

    /// A tile of the full shape: the one that is there, or one in `spare`.
    pub(super) fn whole(&mut self, x: &Tile, shape: Shape, spare: &str) -> String {
        if x.held != Held::Number && x.shape == shape {
            return x.name.clone();
        }
        self.copy(spare, x, shape);
        spare.into()
    }

    fn coordinate(&mut self, index: &Index, shape: Shape) -> Result<Tile, String> {
        let range = self.ranges.in_tile(shape).range(index);
        if range.min <= -EXACT || range.max >= EXACT {
            return Err(format!("an integer beyond {EXACT}"));
        }
        if shape == Shape::ONE {
            let name = format!("float({})", self.integer(index, ["0", "0"]));
            return Ok(Tile {
                name,
                dtype: DType::F32,
                shape,
                held: Held::Number,
            });
        }
        let affine = self.ranges.in_tile(shape).affine(index);
        let strides = [Index::Row, Index::Lane].map(|part| affine.stride(&part));
        let [Some(by_row), Some(by_lane)] = strides else {
            return Ok(self.each_coordinate(index, shape));
        };
        let zero = Affine::constant(0);
        let first = [Index::Row, Index::Lane]
            .iter()
            .try_fold(affine, |a, p| a.replace(p, &zero));
        let first: Index = first.ok_or("an integer that passes 64 bits")?.into();
        let first = self.integer(&first, ["0", "0"]);
        let tile = self.made(DType::F32, shape);
        let (name, pitch) = (tile.name.clone(), pitch(shape));
        if shape.lanes == 1 {
            let n = count(shape);
            self.op(format_args!("CreateVecIndex({name}, 0.0f, {n});"));
            self.op(format_args!("Muls({name}, {name}, float({by_row}), {n});"));
            self.op(format_args!("Adds({name}, {name}, float({first}), {n});"));
            return Ok(tile);
        }
        let rows = shape.rows;
        self.text
            .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
        let row = format!("{name}[r * {pitch}]");
        self.op(format_args!("CreateVecIndex({row}, 0.0f, {pitch});"));
        self.op(format_args!(
            "Muls({row}, {row}, float({by_lane}), {pitch});"
        ));
        self.op(format_args!(
            "Adds({row}, {row}, float({first} + r * {by_row}), {pitch});"
        ));
        self.text.close();
        Ok(tile)
    }

    /// Right, and slow: the scalar unit computes each element.
    fn each_coordinate(&mut self, index: &Index, shape: Shape) -> Tile {
        let tile = self.made(DType::F32, shape);
        let (name, Shape { rows, lanes }) = (&tile.name, shape);
        let pitch = pitch(shape);
        let at = self.integer(index, ["r", "l"]);
        self.flag("V_S");
        self.text
            .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
        self.text
            .open(format_args!("for (int64_t l = 0; l < {lanes}; ++l)"));
        self.text.line(format_args!(
            "{name}.SetValue(r * {pitch} + l, float({at}));"
        ));
        self.text.close();
        self.text.close();
        self.flag("S_V");
        tile
    }

    fn unary(&mut self, f: UnaryFn, x: Var, shape: Shape) -> Result<Tile, String> {
        let x = self.tiles[&x].clone();
        if x.dtype != DType::F32 {
            return Err(format!("`{}` of {}", f.name(), x.dtype.name()));
        }
        let tile = self.made(DType::F32, shape);
        let to = tile.name.clone();
        let x = self.whole(&x, shape, &to);
        let n = count(shape);
        let simple = match f {
            UnaryFn::Exp => "Exp",
            UnaryFn::Log => "Ln",
            UnaryFn::Sqrt => "Sqrt",
            UnaryFn::Abs => "Abs",
            UnaryFn::Neg => {
                self.op(format_args!("Muls({to}, {x}, -1.0f, {n});"));
                return Ok(tile);
            }
            UnaryFn::Not => {
                self.op(format_args!("Muls({to}, {x}, -1.0f, {n});"));
                self.op(format_args!("Adds({to}, {to}, 1.0f, {n});"));
                return Ok(tile);
            }
            // The precision of the instructions for both is not stated: a division is exact.
            UnaryFn::Rsqrt => {
                self.op(format_args!("Sqrt({to}, {x}, {n});"));
                self.over(&to, 1.0, n);
                return Ok(tile);
            }
            UnaryFn::Recip => {
                if x != to {
                    self.op(format_args!("Muls({to}, {x}, 1.0f, {n});"));
                }
                self.over(&to, 1.0, n);
                return Ok(tile);
            }
            // 1 - 2 / (exp(2 x) + 1)
            UnaryFn::Tanh => {
                self.op(format_args!("Muls({to}, {x}, 2.0f, {n});"));
                self.op(format_args!("Exp({to}, {to}, {n});"));
                self.op(format_args!("Adds({to}, {to}, 1.0f, {n});"));
                self.over(&to, -2.0, n);
                self.op(format_args!("Adds({to}, {to}, 1.0f, {n});"));
                return Ok(tile);
            }
            UnaryFn::Erf => {
                self.erf(&to, &x, n);
                return Ok(tile);
            }
            UnaryFn::Sin | UnaryFn::Cos => {
                self.wave(&to, &x, n, f == UnaryFn::Cos);
                return Ok(tile);
            }
            _ => return Err(format!("`{}`", f.name())),
        };
        self.op(format_args!("{simple}({to}, {x}, {n});"));
        Ok(tile)
    }

    fn binary(&mut self, f: BinaryFn, [a, b]: [Var; 2], shape: Shape) -> Result<Tile, String> {
        let [a, b] = [a, b].map(|x| self.tiles[&x].clone());
        if a.dtype != DType::F32 || b.dtype != DType::F32 {
            return Err(format!("`{}` of {}", f.name(), a.dtype.name()));
        }
        let mode = match f {
            BinaryFn::Eq => Some("EQ"),
            BinaryFn::Ne => Some("NE"),
            BinaryFn::Lt => Some("LT"),
            BinaryFn::Le => Some("LE"),
            BinaryFn::Gt => Some("GT"),
            BinaryFn::Ge => Some("GE"),
            _ => None,
        };
        let n = count(shape);
        let tile = self.made(DType::F32, shape);
        let to = tile.name.clone();
        if let Some(mode) = mode {
            let bits = self.scratch(DType::U8, n / 8);
            let spare = self.scratch(DType::F32, n);
            let a = self.whole(&a, shape, &spare);
            if b.held == Held::Number {
                let b = &b.name;
                self.op(format_args!(
                    "CompareScalar({bits}, {a}, {b}, CMPMODE::{mode}, {n});"
                ));
            } else {
                let b = self.whole(&b, shape, &to);
                self.op(format_args!(
                    "Compare({bits}, {a}, {b}, CMPMODE::{mode}, {n});"
                ));
            }
            self.op(format_args!("Duplicate({to}, 1.0f, {n});"));
            self.op(format_args!(
                "Select({to}, {bits}, {to}, 0.0f, SELMODE::VSEL_TENSOR_SCALAR_MODE, {n});"
            ));
            return Ok(tile);
        }
        // What a number can be added to, without a tile of it.
        let by_number = match f {
            BinaryFn::Add | BinaryFn::Sub => Some("Adds"),
            BinaryFn::Mul | BinaryFn::And => Some("Muls"),
            BinaryFn::Max | BinaryFn::Or => Some("Maxs"),
            BinaryFn::Min => Some("Mins"),
            _ => None,
        };
        let sign = if f == BinaryFn::Sub { "-" } else { "" };
        if let (Some(name), true) = (by_number, a.held != Held::Number && a.shape == shape) {
            let (x, y) = (&a.name, &b.name);
            if b.held == Held::Number {
                self.op(format_args!("{name}({to}, {x}, {sign}({y}), {n});"));
                return Ok(tile);
            }
            if b.shape.lanes == 1 && shape.lanes > 1 {
                let (rows, pitch) = (shape.rows, pitch(shape));
                let row = if b.shape.rows == 1 { "0" } else { "r" };
                self.flag("V_S");
                self.text
                    .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
                self.text.line(format_args!(
                    "{name}({to}[r * {pitch}], {x}[r * {pitch}], {sign}{y}.GetValue({row}), {pitch});"
                ));
                self.text.close();
                self.flag("S_V");
                self.text.line(format_args!("PipeBarrier<PIPE_V>();"));
                return Ok(tile);
            }
        }
        let name = match f {
            BinaryFn::Add => "Add",
            BinaryFn::Sub => "Sub",
            BinaryFn::Mul | BinaryFn::And => "Mul",
            BinaryFn::Div => "Div",
            BinaryFn::Max | BinaryFn::Or => "Max",
            BinaryFn::Min => "Min",
            _ => return Err(format!("`{}`", f.name())),
        };
        let x = self.whole(&a, shape, &to);
        let y = if b.held != Held::Number && b.shape == shape {
            b.name.clone()
        } else if x == to {
            let spare = self.scratch(DType::F32, n);
            self.whole(&b, shape, &spare)
        } else {
            self.whole(&b, shape, &to)
        };
        self.op(format_args!("{name}({to}, {x}, {y}, {n});"));
        Ok(tile)
    }

    fn select(&mut self, vars: [Var; 3], shape: Shape) -> Result<Tile, String> {
        let [test, a, b] = vars.map(|x| self.tiles[&x].clone());
        let dtype = a.dtype;
        match dtype {
            DType::F32 if b.dtype == DType::F32 => self.selected([test, a, b], shape),
            // Selected as f32, which changes no number.
            DType::F16 | DType::Bf16 => {
                let [a, b] = [a, b].map(|x| self.as_f32(x));
                let wide = self.selected([test, a, b], shape)?;
                let tile = self.made(dtype, shape);
                self.convert(&tile.name, &wide, dtype, shape);
                Ok(tile)
            }
            _ => Err(format!("a selection of {}", dtype.name())),
        }
    }

    /// The same numbers as f32.
    fn as_f32(&mut self, x: Tile) -> Tile {
        if x.held == Held::Number || x.dtype == DType::F32 {
            return Tile {
                dtype: DType::F32,
                ..x
            };
        }
        let wide = self.made(DType::F32, x.shape);
        self.convert(&wide.name, &x, DType::F32, x.shape);
        wide
    }

    fn selected(&mut self, [test, a, b]: [Tile; 3], shape: Shape) -> Result<Tile, String> {
        let n = count(shape);
        let tile = self.made(DType::F32, shape);
        let to = tile.name.clone();
        let bits = self.scratch(DType::U8, n / 8);
        let test = self.whole(&test, shape, &to);
        self.op(format_args!(
            "CompareScalar({bits}, {test}, 0.0f, CMPMODE::NE, {n});"
        ));
        let a = self.whole(&a, shape, &to);
        if b.held == Held::Number {
            let b = &b.name;
            self.op(format_args!(
                "Select({to}, {bits}, {a}, {b}, SELMODE::VSEL_TENSOR_SCALAR_MODE, {n});"
            ));
            return Ok(tile);
        }
        let spare = if b.shape == shape {
            String::new()
        } else {
            self.scratch(DType::F32, n)
        };
        let b = self.whole(&b, shape, &spare);
        self.op(format_args!(
            "Select({to}, {bits}, {a}, {b}, SELMODE::VSEL_TENSOR_TENSOR_MODE, {n});"
        ));
        Ok(tile)
    }

    fn cast(&mut self, to: DType, x: Var, dtype: DType, shape: Shape) -> Result<Tile, String> {
        let x = self.tiles[&x].clone();
        let to = held_type(to);
        if x.held == Held::Number {
            return Ok(Tile { dtype: to, ..x });
        }
        if x.dtype == to && dtype != DType::Bool && dtype != DType::I32 {
            // A truth or a small integer is the f32 that it becomes.
            let tile = self.made(to, shape);
            self.copy(&tile.name, &x, shape);
            return Ok(tile);
        }
        if x.dtype == to || dtype == DType::Bool || dtype == DType::I32 {
            return Err(format!("a cast to {}", dtype.name()));
        }
        let tile = self.made(to, shape);
        self.convert(&tile.name, &x, to, shape);
        Ok(tile)
    }

    /// Casts a tile into `to`.
    pub fn convert(&mut self, to: &str, x: &Tile, dtype: DType, shape: Shape) {
        let widens = dtype.size() > x.dtype.size() && x.dtype.is_float();
        let mode = if widens { "CAST_NONE" } else { "CAST_RINT" };
        let (n, name) = (count(shape), &x.name);
        self.op(format_args!("Cast({to}, {name}, RoundMode::{mode}, {n});"));
    }

    fn reduce(&mut self, monoid: Monoid, axis: Axis, x: Var, shape: Shape) -> Result<Tile, String> {
        let x = self.tiles[&x].clone();
        if x.dtype != DType::F32 {
            return Err(format!("a fold of {}", x.dtype.name()));
        }
        let (fold, pair) = match monoid {
            Monoid::Sum => ("ReduceSum", "Add"),
            Monoid::Max => ("ReduceMax", "Max"),
            Monoid::Min => ("ReduceMin", "Min"),
            Monoid::Prod => return Err("a fold by products".into()),
        };
        let full = x.shape;
        let tile = self.made(DType::F32, shape);
        let to = tile.name.clone();
        if full == shape {
            self.copy(&to, &x, shape);
            return Ok(tile);
        }
        let spare = self.scratch(DType::F32, count(full));
        let x = self.whole(&x, full, &spare);
        let (rows, lanes, pitch) = (full.rows, full.lanes, pitch(full));
        if axis == Axis::Rows {
            let n = if full.lanes == 1 { 1 } else { pitch };
            if n == 1 {
                return Err("a fold of one column across rows".into());
            }
            self.op(format_args!("Muls({to}, {x}, 1.0f, {n});"));
            self.text
                .open(format_args!("for (int64_t r = 1; r < {rows}; ++r)"));
            self.op(format_args!("{pair}({to}, {to}, {x}[r * {pitch}], {n});"));
            self.text.close();
            return Ok(tile);
        }
        // Each row's result at a start of its own; then side by side.
        let parts = self.scratch(DType::F32, 8 * u64::from(rows));
        let work = self.scratch(DType::F32, pitch);
        self.text
            .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
        self.op(format_args!(
            "{fold}({parts}[r * 8], {x}[r * {pitch}], {work}, {lanes});"
        ));
        self.text.close();
        self.flag("V_S");
        self.text
            .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
        self.text
            .line(format_args!("{to}.SetValue(r, {parts}.GetValue(r * 8));"));
        self.text.close();
        self.flag("S_V");
        Ok(tile)
    }
}

/// A number as C++ reads it.
pub(super) fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "__builtin_nanf(\"\")".into(),
        x if x == f64::INFINITY => "__builtin_inff()".into(),
        x if x == f64::NEG_INFINITY => "(-__builtin_inff())".into(),
        x => {
            let text = format!("{:e}", x as f32);
            match text.split_once('e') {
                Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}f"),
                _ => format!("{text}f"),
            }
        }
    }
}
