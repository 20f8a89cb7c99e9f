//! Tiles from global memory and to it: rectangles at once, rows one by one, or elements one by one.

use ir::{
    DType,
    tile::{Access, Counter, For, Index, Memory, Ranges, Shape, Var},
};

use super::{
    count, ctype, pitch,
    values::number,
    vector::{Held, Tile, Vector, held_type},
};
use crate::ascend::emit::window::{Side, Window, place, varies, window};

/// One end of a copy.
struct End {
    /// The tensor on the chip.
    name: String,
    /// Its whole shape.
    shape: Shape,
    dtype: DType,
    array: u32,
    /// From global memory.
    load: bool,
    /// What stands where nothing is read.
    other: String,
}

/// What is left of a copy within loops over rows.
struct Rest {
    access: Access,
    shape: Shape,
    ranges: Ranges,
    row: Option<String>,
}

/// Most rows of a copy: Ascend C documentation, `DataCopyPad`.
const MOST_ROWS: i64 = 4095;

impl Vector<'_> {
    fn array(&self, memory: Memory) -> (u32, DType) {
        let Memory::Param(i) = memory else {
            unreachable!("programs with locals are refused")
        };
        (i, self.program.array(memory).dtype)
    }

    /// A tile from memory, `other` outside the guard.
    pub fn load(&mut self, from: &Access, shape: Shape, other: f64) -> Result<Tile, String> {
        let own = |part, size| if varies(from, part) { size } else { 1 };
        let read = Shape::new(own(&Index::Row, shape.rows), own(&Index::Lane, shape.lanes));
        let (array, dtype) = self.array(from.memory);
        if !dtype.is_float() && dtype != DType::I64 {
            return Err(format!("a tile of {} from memory", dtype.name()));
        }
        let n = count(read);
        let q = self.queue("VECIN", dtype, n)?;
        let (name, ty) = (format!("t{}", self.text.number()), ctype(dtype));
        self.live += 1;
        self.text.line(format_args!(
            "LocalTensor<{ty}> {name} = q{q}.AllocTensor<{ty}>();"
        ));
        let whole = window(&self.ranges, from, read);
        let partial = whole.as_ref().is_none_or(|w| {
            !w.conditions.is_empty() || w.sides.iter().any(|s| !s.bounds.is_empty())
        });
        let smaller = whole.as_ref().is_some_and(|w| {
            w.sides[0].size < i64::from(read.rows) || w.sides[1].size < i64::from(read.lanes)
        });
        let zero = other == 0.0;
        let other = format!("{ty}({})", number(other));
        if partial || smaller {
            if dtype != DType::I64 {
                self.op(format_args!("Duplicate({name}, {other}, {n});"));
            } else if zero {
                // Its bits are those of twice as many zeros.
                let all = format!("{name}.ReinterpretCast<float>()");
                self.op(format_args!("Duplicate({all}, 0.0f, {});", 2 * n));
            } else {
                return Err("a ragged tile of i64 that is not 0 outside".into());
            }
            self.flag("V_MTE2");
        }
        let end = End {
            name: name.clone(),
            shape: read,
            dtype,
            array,
            load: true,
            other,
        };
        self.transfer(self.rest(from, read), &end)?;
        self.text.line(format_args!("q{q}.EnQue({name});"));
        self.text.line(format_args!("{name} = q{q}.DeQue<{ty}>();"));
        let tile = Tile {
            name,
            dtype: held_type(dtype),
            shape: read,
            held: Held::Queue(q),
        };
        if read == shape {
            return Ok(tile);
        }
        let (name, at) = self.tile(tile.dtype, count(shape));
        self.copy(&name, &tile, shape);
        let of = &tile.name;
        self.text.line(format_args!("q{q}.FreeTensor({of});"));
        self.live -= 1;
        Ok(Tile {
            name,
            shape,
            held: Held::Buffer(at),
            ..tile
        })
    }

    /// Writes a tile within the guard.
    pub fn store(&mut self, to: &Access, value: Var) -> Result<(), String> {
        let (array, dtype) = self.array(to.memory);
        let shape = self.types[&value].1;
        if !dtype.is_float() {
            return Err(format!("a store of {}", dtype.name()));
        }
        let q = self.queue("VECOUT", dtype, count(shape))?;
        let (name, ty) = (format!("t{}", self.text.number()), ctype(dtype));
        self.text.line(format_args!(
            "LocalTensor<{ty}> {name} = q{q}.AllocTensor<{ty}>();"
        ));
        match self.casts.get(&value).copied() {
            Some(x) => {
                let x = self.tiles[&x].clone();
                match x.held {
                    Held::Number => {
                        let x = Tile { dtype, ..x };
                        self.copy(&name, &x, shape);
                    }
                    _ if x.dtype == dtype => self.copy(&name, &x, shape),
                    _ => self.convert(&name, &x, dtype, shape),
                }
                self.casts.remove(&value);
            }
            None => {
                let x = self.tiles[&value].clone();
                if dtype == DType::Bf16 {
                    return Err("a store of bf16 that no cast makes".into());
                }
                self.copy(&name, &x, shape);
            }
        }
        self.text.line(format_args!("q{q}.EnQue({name});"));
        self.text.line(format_args!("{name} = q{q}.DeQue<{ty}>();"));
        let end = End {
            name: name.clone(),
            shape,
            dtype,
            array,
            load: false,
            other: String::new(),
        };
        self.transfer(self.rest(to, shape), &end)?;
        self.text.line(format_args!("q{q}.FreeTensor({name});"));
        Ok(())
    }

    fn rest(&self, access: &Access, shape: Shape) -> Rest {
        Rest {
            access: access.clone(),
            shape,
            ranges: self.ranges.clone(),
            row: None,
        }
    }

    /// Copies a rectangle at once, anything else row by row or element by element.
    fn transfer(&mut self, rest: Rest, end: &End) -> Result<(), String> {
        if let Some(window) = window(&rest.ranges, &rest.access, rest.shape)
            && lies_in_rows(&window, end)
        {
            self.rectangle(&window, rest.row.as_deref(), end);
            return Ok(());
        }
        if rest.shape.rows == 1 || end.shape.lanes == 1 {
            self.elements(&rest, end);
            return Ok(());
        }
        let counter = Counter((1 << 30) + self.text.number());
        let (row, rows) = (format!("r{}", counter.0), rest.shape.rows);
        self.text.open(format_args!(
            "for (int64_t {row} = 0; {row} < {rows}; ++{row})"
        ));
        self.counters.insert(counter, row.clone());
        let counted = For {
            counter,
            start: 0.into(),
            end: i64::from(rows).into(),
            step: 1,
            unroll: 1,
            carried: vec![],
            body: vec![],
        };
        let inner = Rest {
            access: place(&rest.access, &Index::Row, &counter.into()),
            shape: Shape::new(1, rest.shape.lanes),
            ranges: rest.ranges.in_loop(&counted),
            row: Some(row),
        };
        self.transfer(inner, end)?;
        self.text.close();
        Ok(())
    }

    fn rectangle(&mut self, window: &Window, row: Option<&str>, end: &End) {
        for condition in &window.conditions {
            let above = self.integer(condition, ["0", "0"]);
            self.text.open(format_args!("if ({above} > 0)"));
        }
        let size = end.dtype.size() as i64;
        let [rows, lanes] = [0, 1].map(|i| self.inside(&window.sides[i]));
        // A column that lies in memory as a row does.
        let column = end.shape.lanes == 1;
        let (count, run) = if column {
            ("1".into(), rows)
        } else {
            (rows, lanes)
        };
        let number = self.text.number();
        let (n, m) = (format!("n{number}"), format!("m{number}"));
        self.text
            .line(format_args!("const int64_t {n} = {count}, {m} = {run};"));
        self.text.open(format_args!("if ({n} > 0 && {m} > 0)"));
        let pitch = if column {
            super::count(end.shape) as i64
        } else {
            pitch(end.shape) as i64
        };
        let stride = if column { 0 } else { window.sides[0].stride };
        let at = self.integer(&window.offset, ["0", "0"]);
        let (array, name) = (end.array, &end.name);
        let on_chip = match row {
            Some(row) => format!("{name}[{row} * {pitch}]"),
            None => name.clone(),
        };
        // Strides run from the end of a row to the start of the next.
        let between = if stride == 0 {
            "0".into()
        } else {
            format!("({stride} - {m}) * {size}")
        };
        let rest = format!("({} - ({m} * {size} + 31) / 32 * 32) / 32", pitch * size);
        let params = |from: &str, to: &str| {
            format!(
                "DataCopyExtParams{{uint16_t({n}), uint32_t({m} * {size}), uint32_t({from}), uint32_t({to}), 0}}"
            )
        };
        let ty = ctype(end.dtype);
        if end.load {
            let params = params(&between, &rest);
            let other = &end.other;
            self.text.line(format_args!(
                "DataCopyPad({on_chip}, g{array}[{at}], {params}, DataCopyPadExtParams<{ty}>{{true, 0, \
                 uint8_t((({m} * {size} + 31) / 32 * 32 - {m} * {size}) / {size}), {other}}});"
            ));
        } else {
            let params = params(&rest, &between);
            self.text.line(format_args!(
                "DataCopyPad(g{array}[{at}], {on_chip}, {params});"
            ));
        }
        self.text.close();
        window.conditions.iter().for_each(|_| self.text.close());
    }

    /// How many elements of a side are inside.
    fn inside(&self, side: &Side) -> String {
        let most = side.size.to_string();
        side.bounds.iter().fold(most, |most, (limit, by)| {
            let limit = self.integer(limit, ["0", "0"]);
            format!("Inside({limit}, {by}, {most})")
        })
    }

    /// Right, and slow: the scalar unit reads or writes each element.
    fn elements(&mut self, rest: &Rest, end: &End) {
        let Shape { rows, lanes } = rest.shape;
        let pitch = pitch(end.shape);
        self.text.line(format_args!("PipeBarrier<PIPE_ALL>();"));
        let number = self.text.number();
        let (r, l) = (format!("r{number}"), format!("l{number}"));
        self.text
            .open(format_args!("for (int64_t {r} = 0; {r} < {rows}; ++{r})"));
        self.text
            .open(format_args!("for (int64_t {l} = 0; {l} < {lanes}; ++{l})"));
        let at = [r.as_str(), l.as_str()];
        let guards: Vec<String> = rest
            .access
            .guard
            .iter()
            .map(|(a, b)| format!("{} < {}", self.integer(a, at), self.integer(b, at)))
            .collect();
        let guarded = !guards.is_empty();
        if guarded {
            self.text.open(format_args!("if ({})", guards.join(" && ")));
        }
        let (array, name) = (end.array, &end.name);
        let from = self.integer(&rest.access.at, at);
        let row = rest.row.as_deref().unwrap_or(&r);
        let on_chip = format!("{row} * {pitch} + {l}");
        match end.load {
            true => self.text.line(format_args!(
                "{name}.SetValue({on_chip}, g{array}.GetValue({from}));"
            )),
            false => self.text.line(format_args!(
                "g{array}.SetValue({from}, {name}.GetValue({on_chip}));"
            )),
        }
        if guarded {
            self.text.close();
        }
        self.text.close();
        self.text.close();
        self.text.line(format_args!("PipeBarrier<PIPE_ALL>();"));
    }
}

/// Whether a copy takes a rectangle: runs of elements side by side, rows apart from one another.
fn lies_in_rows(window: &Window, end: &End) -> bool {
    let [rows, lanes] = &window.sides;
    if rows.size > MOST_ROWS {
        return false;
    }
    if end.shape.lanes == 1 {
        return rows.stride == 1 || rows.size == 1;
    }
    (lanes.stride == 1 || lanes.size == 1) && (rows.size == 1 || rows.stride >= lanes.size)
}
