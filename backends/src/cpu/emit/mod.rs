//! Tile programs as MLIR text: tiles are unrolled into scalars and vectors, in registers.

mod blocks;
mod elementwise;
mod guard;
mod index;
mod loops;
mod memory;
mod reduce;

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType,
    tile::{Counter, Index, Memory, Program, Shape, Stmt, Value as Term, Var},
};

use crate::{
    failure::Unsupported,
    linear::{Linear, Scope},
    mlir::text::{Elem, Text, Type, Value},
    span::Span,
};

/// A tile in registers: of each row, one scalar if it has one lane, else vectors from left to right.
#[derive(Clone, Debug)]
struct Tile {
    shape: Shape,
    dtype: DType,
    rows: Vec<Vec<Value>>,
}

/// A guard of an access, with the rows and lanes that it holds for.
type Condition = (Index, Index, (u32, u32));

struct Emitter<'a> {
    program: &'a Program,
    /// Elements of 4 bytes in a vector register.
    width: u32,
    text: Text,
    scope: Scope,
    arrays: BTreeMap<Memory, Value>,
    counters: BTreeMap<Counter, Value>,
    tiles: BTreeMap<Var, Tile>,
    /// Integers computed so far, for each open region.
    computed: Vec<BTreeMap<Linear, Value>>,
    /// Guards known to hold where code is being emitted.
    granted: BTreeSet<Condition>,
}

/// The MLIR module of one program, for registers with `width` elements of 4 bytes.
///
/// # Errors
/// If the program has an operation without code.
pub(super) fn module(program: &Program, width: u32) -> Result<String, Unsupported> {
    let nowhere = Span::point(0);
    let mut emitter = Emitter {
        program,
        width,
        text: Text::default(),
        scope: Scope {
            counters: BTreeMap::new(),
            spans: BTreeMap::new(),
            row: nowhere,
            lane: nowhere,
            warp: nowhere,
            vars: BTreeMap::new(),
        },
        arrays: BTreeMap::new(),
        counters: BTreeMap::new(),
        tiles: BTreeMap::new(),
        computed: vec![BTreeMap::new()],
        granted: BTreeSet::new(),
    };
    emitter.module()
}

impl Emitter<'_> {
    fn statements(&mut self, body: &[Stmt]) -> Result<(), Unsupported> {
        for statement in body {
            match statement {
                Stmt::Let(var, term) => {
                    let tile = self.term(term)?;
                    self.tiles.insert(*var, tile);
                }
                Stmt::Store { to, value } => {
                    let tile = self.tile(*value);
                    self.store(to, &tile);
                }
                Stmt::For(each) => self.each(each)?,
            }
        }
        Ok(())
    }

    fn term(&mut self, term: &Term) -> Result<Tile, Unsupported> {
        Ok(match term {
            Term::Splat(number, dtype, shape) => self.splat(number.get(), *dtype, *shape),
            Term::Coordinate(index, shape) => self.coordinate(index, *shape),
            Term::Load { from, shape, other } => self.load(from, *shape, other.get()),
            Term::Unary(f, a) => {
                let a = self.tile(*a);
                self.unary(*f, &a)?
            }
            Term::Binary(f, a, b) => {
                let (a, b) = (self.tile(*a), self.tile(*b));
                self.binary(*f, &a, &b)?
            }
            Term::Select(c, a, b) => {
                let (c, a, b) = (self.tile(*c), self.tile(*a), self.tile(*b));
                self.select(&c, &a, &b)
            }
            Term::Cast(to, a) => {
                let a = self.tile(*a);
                self.cast(*to, &a)
            }
            Term::Broadcast(a, shape) => {
                let a = self.tile(*a);
                self.broadcast(&a, *shape)
            }
            Term::Reduce(monoid, axis, a) => {
                let a = self.tile(*a);
                self.reduce(*monoid, *axis, &a)?
            }
            Term::Dot { a, b, acc } => {
                let (a, b, acc) = (self.tile(*a), self.tile(*b), self.tile(*acc));
                self.dot(&a, &b, &acc)?
            }
        })
    }

    fn tile(&self, var: Var) -> Tile {
        let tile = self.tiles.get(&var);
        tile.expect("a variable is assigned before it is used")
            .clone()
    }

    /// Widths of the registers that hold a row, none for a scalar, each with its first lane.
    fn pieces(&self, lanes: u32) -> Vec<(u32, Option<u32>)> {
        if lanes == 1 {
            return vec![(0, None)];
        }
        let starts = (0..lanes).step_by(self.width as usize);
        starts
            .map(|first| (first, Some(self.width.min(lanes - first))))
            .collect()
    }

    /// The operand of an elementwise operation at a row and piece of its result.
    fn part(&mut self, tile: &Tile, shape: Shape, row: u32, piece: usize) -> Value {
        let row = if tile.shape.rows == 1 { 0 } else { row };
        let registers = &tile.rows[row as usize];
        if tile.shape.lanes == shape.lanes {
            return registers[piece];
        }
        let (_, width) = self.pieces(shape.lanes)[piece];
        self.text.broadcast(registers[0], width)
    }

    /// Applies `f` to corresponding registers; repeated operands give one result.
    fn zip<const N: usize>(
        &mut self,
        tiles: [&Tile; N],
        shape: Shape,
        dtype: DType,
        mut f: impl FnMut(&mut Self, [Value; N]) -> Value,
    ) -> Tile {
        let mut known: BTreeMap<([Value; N], Option<u32>), Value> = BTreeMap::new();
        let mut rows = Vec::new();
        for row in 0..shape.rows {
            let mut registers = Vec::new();
            for (piece, (_, width)) in self.pieces(shape.lanes).into_iter().enumerate() {
                let source = |tile: &Tile| {
                    let row = if tile.shape.rows == 1 {
                        0
                    } else {
                        row as usize
                    };
                    let piece = if tile.shape.lanes == shape.lanes {
                        piece
                    } else {
                        0
                    };
                    tile.rows[row][piece]
                };
                let key = (tiles.map(source), width);
                let value = match known.get(&key) {
                    Some(value) => *value,
                    None => {
                        let operands = tiles.map(|tile| self.part(tile, shape, row, piece));
                        let value = f(self, operands);
                        known.insert(key, value);
                        value
                    }
                };
                registers.push(value);
            }
            rows.push(registers);
        }
        Tile { shape, dtype, rows }
    }

    fn at_row(&mut self, row: u32) {
        self.scope.row = Span::point(i64::from(row));
    }

    /// Emits `body` as a region with integers of its own.
    fn region<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        self.computed.push(BTreeMap::new());
        let result = body(self);
        self.computed.pop();
        result
    }
}

/// The type of a register of `elem`.
const fn typed(elem: Elem, width: Option<u32>) -> Type {
    Type { elem, width }
}
