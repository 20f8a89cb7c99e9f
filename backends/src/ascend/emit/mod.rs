//! Prints a program as one function on tensors.

mod compute;
mod convert;
mod index;
mod memory;
mod text;
pub(super) mod window;

use std::{collections::BTreeMap, fmt::Write};

use ir::{
    DType,
    tile::{Counter, For, Memory, Place, Program, Ranges, Shape, Stmt, Types, Value, Var},
};

use super::{AscendError, Mix};
use text::{Text, stored, tile_type};

/// Which spelling the text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Of MLIR 19, which the vendor's compiler reads.
    Mlir19,
    /// Of MLIR 22: what [`crate::cpu`] is built on.
    Mlir22,
}

/// A tile in a register.
#[derive(Clone, Debug)]
struct Tile {
    name: String,
    dtype: DType,
    shape: Shape,
}

impl Tile {
    fn ty(&self) -> String {
        tile_type(self.dtype, self.shape)
    }
}

struct Emitter<'a> {
    program: &'a Program,
    types: &'a Types,
    dialect: Dialect,
    text: Text,
    ranges: Ranges,
    counters: BTreeMap<Counter, String>,
    tiles: BTreeMap<Var, Tile>,
    /// Row and lane of the element that is being computed.
    element: [String; 2],
    /// The next counter of our own.
    counter: u32,
    place: Vec<usize>,
}

/// Axes that a grid may have.
const AXES: [&str; 3] = ["x", "y", "z"];

/// The text of a program.
pub(super) fn emit(
    program: &Program,
    types: &Types,
    mix: Mix,
    dialect: Dialect,
) -> Result<String, AscendError> {
    let mut emitter = Emitter {
        program,
        types,
        dialect,
        text: Text::default(),
        ranges: Ranges::of(program),
        counters: BTreeMap::new(),
        tiles: BTreeMap::new(),
        element: [String::new(), String::new()],
        // Above any counter that a program has.
        counter: 1 << 30,
        place: vec![],
    };
    if !program.locals.is_empty() {
        return Err(emitter.unsupported("an array of a block's own".into()));
    }
    if program.grid.len() > AXES.len() {
        return Err(emitter.unsupported(format!("a grid of {} axes", program.grid.len())));
    }
    for (counter, axis) in (0..).map(Counter).zip(AXES).take(program.grid.len()) {
        let at = emitter
            .text
            .set(format_args!("arith.index_cast %at_{axis} : i32 to index"));
        emitter.counters.insert(counter, at);
    }
    emitter.body(&program.body)?;
    let head = head(program, mix);
    let body = emitter.text.finish();
    Ok(format!("module {{\n{head}{body}    return\n  }}\n}}\n"))
}

/// The function's line: arguments and attributes in the order of the vendor's contract.
fn head(program: &Program, mix: Mix) -> String {
    let mut head = format!("  func.func @{}(\n", program.name);
    head += "    %lock: memref<?xi8>, %workspace: memref<?xi8>,\n";
    for (i, array) in program.params.iter().enumerate() {
        let read = reads(&program.body, Memory::Param(i as u32));
        let kind = match (array.written, read) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
        writeln!(
            head,
            "    %p{i}: memref<?x{}> {{tt.divisibility = 16 : i32, tt.tensor_kind = {kind} : i32}},",
            stored(array.dtype)
        )
        .expect("strings grow");
    }
    let i32s = |name: &str| AXES.map(|a| format!("%{name}_{a}: i32")).join(", ");
    head += &format!("    {}, {})\n", i32s("grid"), i32s("at"));
    head += &format!(
        "    attributes {{SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, \
         global_kernel = \"local\", mix_mode = \"{}\", parallel_mode = \"simd\"}} {{\n",
        mix.spelling()
    );
    head
}

fn reads(body: &[Stmt], memory: Memory) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Let(_, Value::Load { from, .. }) => from.memory == memory,
        Stmt::Let(..) | Stmt::Store { .. } => false,
        Stmt::For(l) => reads(&l.body, memory),
    })
}

impl Emitter<'_> {
    fn unsupported(&self, what: String) -> AscendError {
        AscendError::Unsupported {
            program: self.program.name.clone(),
            place: Place(self.place.clone()),
            what,
            form: "tensor form",
        }
    }

    fn body(&mut self, body: &[Stmt]) -> Result<(), AscendError> {
        for (i, stmt) in body.iter().enumerate() {
            self.place.push(i);
            match stmt {
                Stmt::Let(var, value) => {
                    let (dtype, shape) = self.types[var];
                    let tile = self.value(value, dtype, shape);
                    let tile = tile.map_err(|what| self.unsupported(what))?;
                    self.tiles.insert(*var, tile);
                }
                Stmt::Store { to, value } => {
                    let value = self.tiles[value].clone();
                    let stored = self.store(to, &value);
                    stored.map_err(|what| self.unsupported(what))?;
                }
                Stmt::For(l) => self.for_each(l)?,
            }
            self.place.pop();
        }
        Ok(())
    }

    fn for_each(&mut self, l: &For) -> Result<(), AscendError> {
        let (start, end) = (self.index(&l.start), self.index(&l.end));
        let (step, round) = (self.text.index(l.step), self.text.name());
        let mut inits = vec![];
        let mut types = vec![];
        for carried in &l.carried {
            let mut tile = self.tiles[&carried.init].clone();
            types.push(tile.ty());
            let init = std::mem::replace(&mut tile.name, self.text.name());
            inits.push(format!("{} = {init}", tile.name));
            self.tiles.insert(carried.current, tile);
        }
        let range = format!("scf.for {round} = {start} to {end} step {step}");
        let (types, result) = (types.join(", "), self.text.name());
        match inits.len() {
            0 => self.text.open(format_args!("{range} {{")),
            n => self.text.open(format_args!(
                "{result}:{n} = {range} iter_args({}) -> ({types}) {{",
                inits.join(", ")
            )),
        }
        self.counters.insert(l.counter, round);
        let inner = self.ranges.in_loop(l);
        let outer = std::mem::replace(&mut self.ranges, inner);
        self.body(&l.body)?;
        self.ranges = outer;
        if !l.carried.is_empty() {
            let next = l.carried.iter().map(|c| self.tiles[&c.next].name.clone());
            let next = next.collect::<Vec<_>>().join(", ");
            self.text.line(format_args!("scf.yield {next} : {types}"));
        }
        self.text.close();
        for (i, carried) in l.carried.iter().enumerate() {
            let mut tile = self.tiles[&carried.init].clone();
            tile.name = format!("{result}#{i}");
            self.tiles.insert(carried.result, tile);
        }
        Ok(())
    }
}
