//! Loads and stores: copies of rectangles between global memory and the chip.

use ir::{
    DType,
    tile::{Access, Counter, For, Index, Memory, Ranges, Shape},
};

use super::{
    Dialect, Emitter, Tile,
    text::{DYNAMIC, elem, shaped, sizes, stored},
    window::{Side, Window, place, varies, window},
};

/// The end of a copy that is on the chip: rows and lanes, or lanes and rows, of a whole tile.
struct Chip {
    name: String,
    /// Its axes, of a tile's rows (0) and lanes (1).
    axes: Vec<usize>,
    /// Its size along each.
    extents: Vec<i64>,
    /// The end in global memory.
    array: String,
    dtype: DType,
    way: Way,
}

enum Way {
    /// From global memory to a buffer.
    In,
    /// From a tensor to global memory.
    Out,
}

/// What is left of a copy within loops over rows or lanes.
struct Rest {
    access: Access,
    shape: Shape,
    /// The round of the loop over rows, and over lanes.
    rounds: [Option<String>; 2],
    ranges: Ranges,
}

/// Some of each axis: known sizes, or where they are told.
struct Part {
    sizes: Vec<i64>,
    told: Vec<String>,
}

const PARTS: [Index; 2] = [Index::Row, Index::Lane];

impl Emitter<'_> {
    /// A tile from memory, `other` outside the guard.
    pub(super) fn load(&mut self, from: &Access, shape: Shape, other: f64) -> Result<Tile, String> {
        let own = |part, size| if varies(from, part) { size } else { 1 };
        let read = Shape::new(own(&Index::Row, shape.rows), own(&Index::Lane, shape.lanes));
        let (array, dtype) = self.array(from.memory);
        let whole = window(&self.ranges, from, read);
        let axes = axes(whole.as_ref(), read);
        let extents = extents(&axes, read);
        let ty = stored(dtype);
        let buffer_type = shaped("memref", &extents, ty);
        let name = self
            .text
            .set(format_args!("memref.alloc() : {buffer_type}"));
        let partial = whole.is_none_or(|w| {
            !w.conditions.is_empty() || w.sides.iter().any(|s| !s.bounds.is_empty())
        });
        if partial {
            let other = match dtype {
                DType::Bool => self
                    .text
                    .constant(if other == 0.0 { "0" } else { "1" }, "i8"),
                dtype => self.text.number(other, dtype),
            };
            self.text.line(format_args!(
                "linalg.fill ins({other} : {ty}) outs({name} : {buffer_type})"
            ));
        }
        let chip = Chip {
            name: name.clone(),
            axes: axes.clone(),
            extents: extents.clone(),
            array,
            dtype,
            way: Way::In,
        };
        self.transfer(self.rest(from, read), &chip)?;
        let tensor_type = shaped("tensor", &extents, ty);
        let to = match self.dialect {
            Dialect::Mlir19 => String::new(),
            Dialect::Mlir22 => format!(" to {tensor_type}"),
        };
        let mut name = self.text.set(format_args!(
            "bufferization.to_tensor {name} restrict writable : {buffer_type}{to}"
        ));
        if axes == [1, 0] {
            name = self.transpose(&name, &extents, ty);
        }
        if read == Shape::ONE {
            let zero = self.text.index(0);
            name = self.text.set(format_args!(
                "tensor.extract {name}[{zero}] : {tensor_type}"
            ));
        }
        let mut tile = Tile {
            name,
            dtype: if dtype == DType::Bool {
                DType::U8
            } else {
                dtype
            },
            shape: read,
        };
        if dtype == DType::Bool {
            tile = self.cast(DType::Bool, &tile);
        }
        let name = self.repeat(&tile, shape);
        Ok(Tile {
            name,
            shape,
            ..tile
        })
    }

    /// Writes a tile within the guard.
    pub(super) fn store(&mut self, to: &Access, value: &Tile) -> Result<(), String> {
        let whole = window(&self.ranges, to, value.shape);
        let axes = axes(whole.as_ref(), value.shape);
        let extents = extents(&axes, value.shape);
        let mut value = value.clone();
        let dtype = value.dtype;
        if dtype == DType::Bool {
            value = self.cast(DType::U8, &value);
        }
        if value.shape == Shape::ONE {
            let ty = shaped("tensor", &[1], elem(value.dtype));
            let name = &value.name;
            value.name = self
                .text
                .set(format_args!("tensor.from_elements {name} : {ty}"));
        }
        if axes == [1, 0] {
            let before = sizes(value.shape);
            value.name = self.transpose(&value.name, &before, elem(value.dtype));
        }
        let chip = Chip {
            name: value.name,
            axes,
            extents,
            array: self.array(to.memory).0,
            dtype,
            way: Way::Out,
        };
        self.transfer(self.rest(to, value.shape), &chip)
    }

    fn rest(&self, access: &Access, shape: Shape) -> Rest {
        Rest {
            access: access.clone(),
            shape,
            rounds: [None, None],
            ranges: self.ranges.clone(),
        }
    }

    fn transpose(&mut self, name: &str, extents: &[i64], elem: &str) -> String {
        let from = shaped("tensor", extents, elem);
        let to = shaped("tensor", &[extents[1], extents[0]], elem);
        let empty = self.text.set(format_args!("tensor.empty() : {to}"));
        self.text.set(format_args!(
            "linalg.transpose ins({name} : {from}) outs({empty} : {to}) permutation = [1, 0]"
        ))
    }

    /// Copies a rectangle at once, anything else row by row, or element by element.
    fn transfer(&mut self, rest: Rest, chip: &Chip) -> Result<(), String> {
        if let Some(window) = window(&rest.ranges, &rest.access, rest.shape) {
            if let (Way::Out, Some(_)) = (
                &chip.way,
                window.sides.iter().find(|s| s.size > 1 && s.stride == 0),
            ) {
                return Err("a store of many elements to one place".into());
            }
            for condition in &window.conditions {
                let above = self.index(condition);
                let zero = self.text.index(0);
                let holds = self
                    .text
                    .set(format_args!("arith.cmpi sgt, {above}, {zero} : index"));
                self.text.open(format_args!("scf.if {holds} {{"));
            }
            self.copy(&window, &rest.rounds, chip);
            window.conditions.iter().for_each(|_| self.text.close());
            return Ok(());
        }
        let sides = [rest.shape.rows, rest.shape.lanes];
        let along = (0..2).find(|i| sides[*i] > 1 && varies(&rest.access, &PARTS[*i]));
        let Some(along) = along else {
            return Err("an offset that passes 64 bits".into());
        };
        let counter = Counter(self.counter);
        self.counter += 1;
        let [zero, one, end] = [0, 1, sides[along].into()].map(|n| self.text.index(n));
        let round = self.text.name();
        self.text.open(format_args!(
            "scf.for {round} = {zero} to {end} step {one} {{"
        ));
        self.counters.insert(counter, round.clone());
        let counted = For {
            counter,
            start: 0.into(),
            end: i64::from(sides[along]).into(),
            step: 1,
            unroll: 1,
            carried: vec![],
            body: vec![],
        };
        let mut inner = Rest {
            access: place(&rest.access, &PARTS[along], &counter.into()),
            ranges: rest.ranges.in_loop(&counted),
            ..rest
        };
        inner.rounds[along] = Some(round);
        match along {
            0 => inner.shape.rows = 1,
            _ => inner.shape.lanes = 1,
        }
        self.transfer(inner, chip)?;
        self.text.close();
        Ok(())
    }

    fn copy(&mut self, window: &Window, rounds: &[Option<String>; 2], chip: &Chip) {
        let sides: Vec<&Side> = chip.axes.iter().map(|a| &window.sides[*a]).collect();
        let extents: Vec<i64> = sides.iter().map(|s| s.size).collect();
        // How far elements lie apart says nothing where there is one.
        let strides: Vec<i64> = sides
            .iter()
            .map(|s| if s.size == 1 { 1 } else { s.stride })
            .collect();
        let part = self.part(&sides);
        let ty = stored(chip.dtype);
        let offset = self.index(&window.offset);
        let strided = |sizes: &[i64], strides: &[i64], moved: bool| {
            let offset = if moved { ", offset: ?" } else { "" };
            let layout = format!("{ty}, strided<{strides:?}{offset}>");
            shaped("memref", sizes, &layout)
        };
        let view_type = strided(&extents, &strides, true);
        let array = &chip.array;
        let mut view = self.text.set(format_args!(
            "memref.reinterpret_cast {array} to offset: [{offset}], sizes: {extents:?}, \
             strides: {strides:?} : memref<?x{ty}> to {view_type}"
        ));
        let part_type = strided(&part.sizes, &strides, true);
        let whole = part.sizes == chip.extents;
        let (told, ones, zeros) = (
            part.told.join(", "),
            vec![1; extents.len()],
            vec![0; extents.len()],
        );
        if part.sizes != extents {
            view = self.text.set(format_args!(
                "memref.subview {view}{zeros:?} [{told}] {ones:?} : {view_type} to {part_type}"
            ));
        }
        let moved = chip.axes.iter().any(|a| rounds[*a].is_some());
        let starts: Vec<&str> = chip
            .axes
            .iter()
            .map(|a| rounds[*a].as_deref().unwrap_or("0"))
            .collect();
        let starts = starts.join(", ");
        let (name, full) = (&chip.name, &chip.extents);
        match chip.way {
            Way::In => {
                let mut to_type = shaped("memref", full, ty);
                let mut to = name.clone();
                if moved || !whole {
                    let rows: Vec<i64> = (0..full.len())
                        .map(|i| full[i + 1..].iter().product())
                        .collect();
                    let from_type = to_type;
                    to_type = strided(&part.sizes, &rows, moved);
                    to = self.text.set(format_args!(
                        "memref.subview {name}[{starts}] [{told}] {ones:?} : {from_type} to {to_type}"
                    ));
                }
                self.text.line(format_args!(
                    "memref.copy {view}, {to} : {part_type} to {to_type}"
                ));
            }
            Way::Out => {
                let from_type = shaped("tensor", full, ty);
                let to_type = shaped("tensor", &part.sizes, ty);
                let mut value = name.clone();
                if moved || !whole {
                    value = self.text.set(format_args!(
                        "tensor.extract_slice {name}[{starts}] [{told}] {ones:?} : {from_type} to {to_type}"
                    ));
                }
                self.text.line(format_args!(
                    "bufferization.materialize_in_destination {value} in writable {view} : \
                     ({to_type}, {part_type}) -> ()"
                ));
            }
        }
    }

    /// How many elements of each side are inside.
    fn part(&mut self, sides: &[&Side]) -> Part {
        let (mut sizes, mut told) = (vec![], vec![]);
        for side in sides {
            let up = |n: i64, by: i64| (n.max(0) as u64).div_ceil(by as u64) as i64;
            let known = side.bounds.iter().filter_map(|(limit, by)| match limit {
                Index::Const(n) => Some(up(*n, *by)),
                _ => None,
            });
            let known = known.fold(side.size, i64::min);
            let mut count: Option<String> = None;
            for (limit, by) in &side.bounds {
                if matches!(limit, Index::Const(_)) {
                    continue;
                }
                let n = self.index(limit);
                let zero = self.text.index(0);
                let mut n = self
                    .text
                    .set(format_args!("arith.maxsi {n}, {zero} : index"));
                if *by > 1 {
                    let (up, by) = (self.text.index(by - 1), self.text.index(*by));
                    n = self.text.set(format_args!("arith.addi {n}, {up} : index"));
                    n = self.text.set(format_args!("arith.divsi {n}, {by} : index"));
                }
                let most = match count {
                    Some(other) => other,
                    None => self.text.index(known),
                };
                count = Some(
                    self.text
                        .set(format_args!("arith.minsi {n}, {most} : index")),
                );
            }
            sizes.push(if count.is_some() { DYNAMIC } else { known });
            told.push(count.unwrap_or_else(|| known.to_string()));
        }
        Part { sizes, told }
    }
}

/// In which order a tile's rows and lanes lie on the chip: columns that lie in memory as rows do are read as such.
fn axes(whole: Option<&Window>, shape: Shape) -> Vec<usize> {
    match (shape.rows > 1, shape.lanes > 1) {
        (true, false) => vec![0],
        (false, _) => vec![1],
        (true, true) => {
            let turned = whole.is_some_and(|w| w.sides[0].stride == 1 && w.sides[1].stride != 1);
            if turned { vec![1, 0] } else { vec![0, 1] }
        }
    }
}

fn extents(axes: &[usize], shape: Shape) -> Vec<i64> {
    let sides = [shape.rows, shape.lanes];
    axes.iter().map(|a| sides[*a].into()).collect()
}

impl Emitter<'_> {
    pub(super) fn array(&self, memory: Memory) -> (String, DType) {
        let Memory::Param(i) = memory else {
            unreachable!("programs with locals are refused")
        };
        (format!("%p{i}"), self.program.array(memory).dtype)
    }
}
