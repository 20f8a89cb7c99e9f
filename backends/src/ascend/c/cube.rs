//! The cube's part: tiles of both operands through L1 and L0, sums in L0C, and from there to the workspace.
//!
//! Layouts are those of devices whose cube and vector units stand apart: L1 in columns of 32 bytes (Nz), left operands in
//! rows of fractals (Zz), right ones turned (Zn). Buffers come in pairs, so that one is filled while the other is used.

use std::collections::BTreeMap;

use ir::{
    Bytes, TensorCore,
    tile::{Index, Place, Program, Ranges, Shape},
};

use super::{
    ctype,
    split::{Operand, Product},
    text::{Text, integer},
};
use crate::ascend::{
    Memory,
    emit::window::{Side, Window, varies, window},
};

/// Longest distance of rows that a copy to fractals takes, in elements: its field has 16 bits.
const MOST_PITCH: i64 = 65535;

/// How an operand lies in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lies {
    /// Along the tile's lanes.
    Plain,
    /// Along the tile's rows.
    Turned,
}

/// One operand's copy.
struct Copied {
    /// As it is read; repeated to the shape.
    read: Shape,
    window: Window,
    lies: Lies,
    /// The tile's sides as it is multiplied.
    shape: Shape,
    array: u32,
}

/// What a product takes of each memory of the cube, and what there is; operands of loops come in pairs.
pub(super) fn needs(product: &Product, core: &TensorCore) -> [(Memory, u64, Bytes); 4] {
    let Shape { rows, lanes } = product.shape;
    let [rows, lanes, depth] = [rows, lanes, product.depth].map(u64::from);
    let each = product.left.dtype.size() as u64 * pairs(product);
    let [left, right] = [rows * depth * each, lanes * depth * each];
    [
        (Memory::L1, left + right, core.staging.size),
        (Memory::L0A, left, core.left.size),
        (Memory::L0B, right, core.right.size),
        (Memory::L0C, 4 * rows * lanes, core.sums.size),
    ]
}

/// Buffers of each operand.
fn pairs(product: &Product) -> u64 {
    if product.loops.is_empty() { 1 } else { 2 }
}

/// The text of a product.
pub(super) fn print(
    program: &Program,
    product: &Product,
    core: &TensorCore,
) -> Result<String, (Place, String)> {
    let fault = |what: &str| (Place::default(), what.to_owned());
    let mut ranges = Ranges::of(program);
    for l in &product.loops {
        ranges = ranges.in_loop(l);
    }
    let Shape { rows, lanes } = product.shape;
    let depth = product.depth;
    let left = copied(&ranges, &product.left, Shape::new(rows, depth)).map_err(|w| fault(&w))?;
    let right = copied(&ranges, &product.right, Shape::new(depth, lanes)).map_err(|w| fault(&w))?;
    let dtype = product.left.dtype;
    if dtype != product.right.dtype || !dtype.is_float() {
        return Err(fault("a product of two types, or of integers"));
    }
    let deep = |c: &Copied, side: usize| c.window.sides[side].clone();
    let (across, down) = (deep(&left, 1), deep(&right, 0));
    let short = |side: &Side| !side.bounds.is_empty() || side.size < i64::from(depth);
    let ragged = short(&across) || short(&down);
    // Rows are not filled up with zeros by the copy, columns are.
    let in_rows = [left.lies == Lies::Turned, right.lies == Lies::Plain];
    if in_rows[0] && in_rows[1] && ragged {
        return Err(fault("a ragged sum along rows of both operands"));
    }
    if dtype.size() != 2 && (in_rows[0] || in_rows[1]) {
        return Err(fault(
            "an operand of f32 whose terms do not lie side by side",
        ));
    }
    let c0 = 32 / dtype.size() as u64;
    let fractal = u64::from(core.fractal);
    if !(u64::from(rows).is_multiple_of(fractal)
        && u64::from(lanes).is_multiple_of(fractal)
        && u64::from(depth).is_multiple_of(fractal))
    {
        return Err(fault("a product whose sides are no multiples of 16"));
    }
    let mut cube = Cube {
        text: Text::default(),
        c0,
        ty: ctype(dtype),
        pairs: pairs(product),
    };
    cube.buffers(product, rows, lanes);
    for l in &product.loops {
        let counter = format!("c{}", l.counter.0);
        let [start, end] = [&l.start, &l.end].map(index);
        let step = l.step;
        cube.text.open(format_args!(
            "for (int64_t {counter} = {start}; {counter} < {end}; {counter} += {step})"
        ));
    }
    cube.round(&left, &right, &[across, down]);
    product.loops.iter().for_each(|_| cube.text.close());
    cube.end(program, product);
    Ok(cube.text.finish())
}

/// The rectangle of an operand, and how it lies.
fn copied(ranges: &Ranges, operand: &Operand, shape: Shape) -> Result<Copied, String> {
    let own = |part, size| if varies(&operand.from, part) { size } else { 1 };
    let read = Shape::new(
        own(&Index::Row, operand.shape.rows),
        own(&Index::Lane, operand.shape.lanes),
    );
    let window = window(ranges, &operand.from, read);
    let window = window.ok_or("an operand of a product that is no rectangle of memory")?;
    if !window.conditions.is_empty() {
        return Err("an operand of a product that is not always there".into());
    }
    let ir::tile::Memory::Param(array) = operand.from.memory else {
        unreachable!("programs with locals are refused")
    };
    let [rows, columns] = &window.sides;
    let side_by_side = |along: &Side, other: &Side| {
        along.stride == 1 && other.stride <= MOST_PITCH && (other.size == 1 || other.stride > 0)
    };
    let lies = if side_by_side(columns, rows) {
        Lies::Plain
    } else if side_by_side(rows, columns) {
        Lies::Turned
    } else {
        return Err("an operand of a product whose elements do not lie side by side".into());
    };
    Ok(Copied {
        read,
        window,
        lies,
        shape,
        array,
    })
}

fn index(x: &Index) -> String {
    integer(x, &BTreeMap::new(), ["0", "0"])
}

/// How many elements of a side are inside.
fn inside(side: &Side) -> String {
    let most = side.size.to_string();
    side.bounds.iter().fold(most, |most, (limit, by)| {
        format!("Inside({}, {by}, {most})", index(limit))
    })
}

struct Cube {
    text: Text,
    /// Elements of 32 bytes.
    c0: u64,
    ty: &'static str,
    /// Buffers of each operand.
    pairs: u64,
}

impl Cube {
    fn buffers(&mut self, product: &Product, rows: u32, lanes: u32) {
        let (ty, pairs) = (self.ty, self.pairs);
        let depth = u64::from(product.depth);
        let sizes = [u64::from(rows) * depth, u64::from(lanes) * depth];
        for memory in ["L1", "L0A", "L0B", "L0C"] {
            let name = memory.to_lowercase();
            self.text.line(format_args!(
                "LocalMemAllocator<Hardware::{memory}> {name};"
            ));
        }
        for (name, memory, size) in [
            ("a1", "l1", sizes[0]),
            ("b1", "l1", sizes[1]),
            ("a2", "l0a", sizes[0]),
            ("b2", "l0b", sizes[1]),
        ] {
            let each = format!("{memory}.Alloc<{ty}>({size})");
            let all = vec![each; pairs as usize].join(", ");
            self.text.line(format_args!(
                "LocalTensor<{ty}> {name}[{pairs}] = {{{all}}};"
            ));
        }
        let sums = u64::from(rows) * u64::from(lanes);
        self.text.line(format_args!(
            "LocalTensor<float> sums = l0c.Alloc<float>({sums});"
        ));
        self.text.line(format_args!("int64_t round = 0;"));
        // Buffers are free at first.
        for turn in 0..pairs {
            for event in ["MTE1_MTE2", "M_MTE1"] {
                self.text
                    .line(format_args!("SetFlag<HardEvent::{event}>({turn});"));
            }
        }
    }

    /// One tile of each operand, multiplied.
    fn round(&mut self, left: &Copied, right: &Copied, deep: &[Side; 2]) {
        let pairs = self.pairs;
        self.text.line(format_args!(
            "const int32_t turn = int32_t(round % {pairs});"
        ));
        let [a, b] = [inside(&deep[0]), inside(&deep[1])];
        self.text
            .line(format_args!("const int64_t k = Least({a}, {b});"));
        let c0 = self.c0;
        self.text
            .line(format_args!("const int64_t kc = (k + {}) / {c0};", c0 - 1));
        self.wait("MTE1_MTE2");
        self.stage("a1", left, true);
        self.stage("b1", right, false);
        self.flag("MTE2_MTE1");
        self.wait("M_MTE1");
        self.load("a1", "a2", left, true);
        self.load("b1", "b2", right, false);
        self.set("MTE1_MTE2");
        self.flag("MTE1_M");
        let (rows, lanes) = (left.shape.rows, right.shape.lanes);
        // Sums are added to one after the other.
        self.text.line(format_args!("PipeBarrier<PIPE_M>();"));
        self.text.line(format_args!(
            "Mmad(sums, a2[turn], b2[turn], MmadParams{{{rows}, {lanes}, uint16_t(kc * {c0}), 0, false, round == 0}});"
        ));
        self.set("M_MTE1");
        self.text.line(format_args!("++round;"));
    }

    fn set(&mut self, event: &str) {
        self.text
            .line(format_args!("SetFlag<HardEvent::{event}>(turn);"));
    }

    fn wait(&mut self, event: &str) {
        self.text
            .line(format_args!("WaitFlag<HardEvent::{event}>(turn);"));
    }

    fn flag(&mut self, event: &str) {
        self.set(event);
        self.wait(event);
    }

    /// A tile of memory to columns of 32 bytes in L1.
    fn stage(&mut self, name: &str, c: &Copied, left: bool) {
        let Copied {
            window,
            lies,
            shape,
            array,
            read,
        } = c;
        let [rows, columns] = &window.sides;
        // As it lies in memory: runs of `columns`, `rows` of them.
        let (rows, columns, tall, repeated) = match lies {
            Lies::Plain => (rows, columns, shape.rows, read.rows < shape.rows),
            Lies::Turned => (columns, rows, shape.lanes, read.lanes < shape.lanes),
        };
        let at = index(&window.offset);
        let (deep_rows, width) = (
            left == (*lies == Lies::Turned),
            if left == (*lies == Lies::Plain) {
                "k".to_owned()
            } else {
                inside(columns)
            },
        );
        let height = if deep_rows {
            "k".to_owned()
        } else {
            inside(rows)
        };
        let pitch = rows.stride;
        let number = self.text.number();
        let (n, d) = (format!("n{number}"), format!("d{number}"));
        self.text
            .line(format_args!("const int64_t {n} = {height}, {d} = {width};"));
        let params = |n: &str| {
            format!(
                "Nd2NzParams{{1, uint16_t({n}), uint16_t({d}), 0, uint16_t({pitch}), {tall}, 1, 0}}"
            )
        };
        self.text.open(format_args!("if ({n} > 0 && {d} > 0)"));
        if repeated {
            // One row stands for all.
            let one = params("1");
            self.text
                .open(format_args!("for (int64_t r = 0; r < {tall}; ++r)"));
            let c0 = self.c0;
            self.text.line(format_args!(
                "DataCopy({name}[turn][r * {c0}], g{array}[{at}], {one});"
            ));
            self.text.close();
        } else {
            let all = params(&n);
            self.text.line(format_args!(
                "DataCopy({name}[turn], g{array}[{at}], {all});"
            ));
            if deep_rows {
                // Past the end of the sum the other operand is 0; here stands what is a number.
                let (c0, one) = (self.c0, params("1"));
                self.text
                    .open(format_args!("for (int64_t r = k; r < kc * {c0}; ++r)"));
                self.text.line(format_args!(
                    "DataCopy({name}[turn][r * {c0}], g{array}[{at}], {one});"
                ));
                self.text.close();
            }
        }
        self.text.close();
    }

    /// Fractals of L1 to those of an operand.
    fn load(&mut self, from: &str, to: &str, c: &Copied, left: bool) {
        let fractal = 512 / (32 / self.c0);
        let rows = c.shape.rows / 16;
        let lanes = c.shape.lanes / 16;
        // Along the loop: fractals of a step from each other in L1, and of the loop's rounds.
        let (rounds, start, repeat, stride, offset, turned) = match (left, c.lies) {
            (true, Lies::Plain) => (
                rows.to_string(),
                "i".to_owned(),
                "kc".to_owned(),
                rows,
                "kc",
                false,
            ),
            (true, Lies::Turned) => {
                let tall = c.shape.lanes / 16;
                (
                    rows.to_string(),
                    format!("i * {tall}"),
                    "kc".into(),
                    1,
                    "kc",
                    true,
                )
            }
            (false, Lies::Plain) => ("kc".into(), "i".into(), lanes.to_string(), rows, "", true),
            (false, Lies::Turned) => (
                "kc".into(),
                format!("i * {lanes}"),
                lanes.to_string(),
                1,
                "",
                false,
            ),
        };
        let offset = if offset.is_empty() {
            lanes.to_string()
        } else {
            offset.into()
        };
        self.text
            .open(format_args!("for (int64_t i = 0; i < {rounds}; ++i)"));
        self.text.line(format_args!(
            "LoadData({to}[turn][i * {offset} * {fractal}], {from}[turn], LoadData2DParams{{uint16_t({start}), \
             uint8_t({repeat}), {stride}, 0, 0, {turned}, 0}});"
        ));
        self.text.close();
    }

    /// Sums to the workspace, and the word that they are there.
    fn end(&mut self, program: &Program, product: &Product) {
        for turn in 0..self.pairs {
            for event in ["MTE1_MTE2", "M_MTE1"] {
                self.text
                    .line(format_args!("WaitFlag<HardEvent::{event}>({turn});"));
            }
        }
        for word in ["SetFlag", "WaitFlag"] {
            self.text.line(format_args!("{word}<HardEvent::M_FIX>(0);"));
        }
        let Shape { rows, lanes } = product.shape;
        let (own, tile) = (program.params.len(), i64::from(rows) * i64::from(lanes));
        self.text.line(format_args!(
            "Fixpipe(g{own}[block * {tile}], sums, FixpipeParamsV220{{{lanes}, {rows}, {rows}, {lanes}, false, \
             QuantMode_t::NoQuant, 0, 1, 0, 0, 0}});"
        ));
        self.text
            .line(format_args!("CrossCoreSetFlag<2, PIPE_FIX>(0);"));
    }
}
