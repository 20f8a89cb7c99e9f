//! Runs tile programs, block after block, and finds what verification cannot see: accesses outside arrays,
//! numbers read before they are written, blocks that disturb each other.

mod compute;
mod memory;
mod numbers;

use std::collections::BTreeMap;

use super::{
    Access, Counter, For, Index, Place, Program, Shape, Stmt, Types, Value, Var, VerifyError, types,
};
use compute::Tile;
use memory::Memories;
use numbers::{Numbers, Window};

/// How numbers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// In f64; only integers and `bool` are rounded to their type.
    Exact,
    /// Each result is rounded to its element type; a product and its sum in a dot are rounded once.
    Rounded,
}

/// Why a program did not run to its end.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// The program has a fault.
    #[error(transparent)]
    Verify(#[from] Box<VerifyError>),
    /// Too few or too many parameters.
    #[error("tile program `{program}`: wanted {wanted} parameters, found {found}")]
    Params {
        /// Name of the program.
        program: String,
        /// How many it has.
        wanted: usize,
        /// How many were given.
        found: usize,
    },
    /// A parameter of another length.
    #[error(
        "tile program `{program}`, parameter `{array}`: wanted {wanted} elements, found {found}"
    )]
    Length {
        /// Name of the program.
        program: String,
        /// Name of the parameter.
        array: String,
        /// Its length.
        wanted: i64,
        /// The length that was given.
        found: usize,
    },
    /// A step that no device may take.
    #[error("tile program `{program}`, {place}, at {}: {fault}", spell(.counters))]
    Run {
        /// Name of the program.
        program: String,
        /// The statement.
        place: Place,
        /// Place of the block, and of the round of each loop around.
        counters: Vec<(Counter, i64)>,
        /// What happened.
        fault: Box<RunFault>,
    },
}

/// A step that no device may take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunFault {
    /// An access outside its array.
    #[error(
        "array `{array}`, row {row}, lane {lane}: wanted an offset within 0..{len}, found {at}"
    )]
    Outside {
        /// Name of the array.
        array: String,
        /// Its length.
        len: i64,
        /// Row of the tile.
        row: usize,
        /// Lane of the tile.
        lane: usize,
        /// The offset.
        at: i64,
    },
    /// A read of what the block has not written.
    #[error("local `{array}`: element {at} is read before it is written")]
    Unset {
        /// Name of the array.
        array: String,
        /// The offset.
        at: i64,
    },
    /// A result that depends on the order of blocks.
    #[error(
        "parameter `{array}`: element {at} is changed by block {writer} and used by block {other}"
    )]
    Race {
        /// Name of the array.
        array: String,
        /// The offset.
        at: i64,
        /// One block, by its row-major number.
        writer: i64,
        /// The other, which reads it or writes another value.
        other: i64,
    },
    /// An index that passes 64 bits.
    #[error("an index passes 64 bits")]
    Overflow,
    /// A quotient or remainder that is not defined.
    #[error("index: wanted a dividend of at least 0 and a divisor above 0, found {0} and {1}")]
    Division(i64, i64),
}

fn spell(counters: &[(Counter, i64)]) -> String {
    let each = counters.iter().map(|(c, n)| format!("{c} = {n}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Runs every block of `program` over the values of its parameters, one array each, in order.
///
/// # Errors
/// The program has a fault, the parameters do not fit it, or a block takes a step that no device may take.
pub fn evaluate(
    program: &Program,
    params: &mut [Vec<f64>],
    arithmetic: Arithmetic,
) -> Result<(), EvalError> {
    let types = types(program).map_err(Box::new)?;
    if params.len() != program.params.len() {
        return Err(EvalError::Params {
            program: program.name.clone(),
            wanted: program.params.len(),
            found: params.len(),
        });
    }
    for (array, values) in program.params.iter().zip(&*params) {
        if usize::try_from(array.len) != Ok(values.len()) {
            return Err(EvalError::Length {
                program: program.name.clone(),
                array: array.name.clone(),
                wanted: array.len,
                found: values.len(),
            });
        }
    }
    let mut machine = Machine {
        memory: Memories::new(program, params, arithmetic),
        arithmetic,
        types,
        counters: BTreeMap::new(),
        tiles: BTreeMap::new(),
        place: Place::default(),
    };
    for block in 0..program.blocks() {
        machine.memory.start(block);
        machine.counters.clear();
        machine.place.0.clear();
        let mut rest = block;
        for (axis, size) in program.grid.iter().enumerate().rev() {
            machine.counters.insert(Counter(axis as u32), rest % size);
            rest /= size;
        }
        machine
            .body(&program.body)
            .map_err(|fault| EvalError::Run {
                program: program.name.clone(),
                place: machine.place.clone(),
                counters: machine.counters.iter().map(|(c, n)| (*c, *n)).collect(),
                fault: fault.into(),
            })?;
    }
    Ok(())
}

/// A block at work.
struct Machine<'a> {
    memory: Memories<'a>,
    arithmetic: Arithmetic,
    types: Types,
    counters: BTreeMap<Counter, i64>,
    tiles: BTreeMap<Var, Tile>,
    place: Place,
}

impl Machine<'_> {
    fn body(&mut self, body: &[Stmt]) -> Result<(), RunFault> {
        for (i, stmt) in body.iter().enumerate() {
            self.place.0.push(i);
            match stmt {
                Stmt::Let(var, value) => {
                    // The space of the value from the last round, if there was one.
                    let mut tile = self.tiles.remove(var).unwrap_or_default();
                    self.value(value, &mut tile)?;
                    self.tiles.insert(*var, tile);
                }
                Stmt::Store { to, value } => self.store(to, *value)?,
                Stmt::For(l) => self.rounds(l)?,
            }
            self.place.0.pop();
        }
        Ok(())
    }

    fn rounds(&mut self, l: &For) -> Result<(), RunFault> {
        let mut at = self.index(&l.start, Window::whole(Shape::ONE))?.first();
        let end = self.index(&l.end, Window::whole(Shape::ONE))?.first();
        for c in &l.carried {
            self.tiles.insert(c.current, self.tiles[&c.init].clone());
        }
        while at < end {
            self.counters.insert(l.counter, at);
            self.body(&l.body)?;
            let next: Vec<_> = l
                .carried
                .iter()
                .map(|c| self.tiles[&c.next].clone())
                .collect();
            for (c, tile) in l.carried.iter().zip(next) {
                self.tiles.insert(c.current, tile);
            }
            at = at.checked_add(l.step).ok_or(RunFault::Overflow)?;
        }
        self.counters.remove(&l.counter);
        for c in &l.carried {
            self.tiles.insert(c.result, self.tiles[&c.current].clone());
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, out: &mut Tile) -> Result<(), RunFault> {
        match value {
            Value::Coordinate(index, shape) => {
                let numbers = self.index(index, Window::whole(*shape))?;
                out.fill(*shape, |row, lane| f64::from(numbers.at(row, lane) as i32));
            }
            Value::Load { from, shape, other } => {
                out.fill(*shape, |_, _| other.get());
                self.each(from, *shape, |memory, place, at| {
                    *out.at_mut(place) = memory.read(from.memory, place, at)?;
                    Ok(())
                })?;
            }
            value => compute::value(self.arithmetic, &self.tiles, &self.types, value, out),
        }
        Ok(())
    }

    fn store(&mut self, to: &Access, value: Var) -> Result<(), RunFault> {
        let tile = self
            .tiles
            .remove(&value)
            .expect("verified: assigned before");
        let done = self.each(to, tile.shape, |memory, place, at| {
            memory.write(to.memory, place, at, tile.at(place.0, place.1))
        });
        self.tiles.insert(value, tile);
        done
    }

    /// Calls `f` with row and lane, and the offset, of each element at which the access happens.
    fn each(
        &mut self,
        access: &Access,
        shape: Shape,
        mut f: impl FnMut(&mut Memories<'_>, (usize, usize), i64) -> Result<(), RunFault>,
    ) -> Result<(), RunFault> {
        let whole = Window::whole(shape);
        let guard = access.guard.iter();
        let guard = guard.map(|(a, b)| Ok((self.index(a, whole)?, self.index(b, whole)?)));
        let guard = guard.collect::<Result<Vec<_>, _>>()?;
        let places = || {
            (0..shape.rows as usize).flat_map(|r| (0..shape.lanes as usize).map(move |l| (r, l)))
        };
        let inside = |(r, l): (usize, usize)| guard.iter().all(|(a, b)| a.at(r, l) < b.at(r, l));
        if places().all(inside) {
            let at = self.index(&access.at, whole)?;
            return places().try_for_each(|p| f(&mut self.memory, p, at.at(p.0, p.1)));
        }
        // The offset needs a meaning only where the guard holds.
        for place in places().filter(|p| inside(*p)) {
            let at = self.index(&access.at, Window::element(place))?.first();
            f(&mut self.memory, place, at)?;
        }
        Ok(())
    }

    /// The value of an index at each element of a part of a tile.
    fn index(&mut self, index: &Index, window: Window) -> Result<Numbers, RunFault> {
        let mut pair = |a: &Index, b: &Index, f: fn(i64, i64) -> Result<i64, RunFault>| {
            let (a, b) = (self.index(a, window)?, self.index(b, window)?);
            a.with(&b, f)
        };
        match index {
            Index::Const(n) => Ok(Numbers::One(*n)),
            Index::Counter(c) => Ok(Numbers::One(self.counters[c])),
            Index::Row => Ok(Numbers::rows(window)),
            Index::Lane => Ok(Numbers::lanes(window)),
            Index::Add(a, b) => pair(a, b, |a, b| a.checked_add(b).ok_or(RunFault::Overflow)),
            Index::Mul(a, b) => pair(a, b, |a, b| a.checked_mul(b).ok_or(RunFault::Overflow)),
            Index::Div(a, b) => pair(a, b, |a, b| divisible(a, b).map(|()| a / b)),
            Index::Mod(a, b) => pair(a, b, |a, b| divisible(a, b).map(|()| a % b)),
            Index::Min(a, b) => pair(a, b, |a, b| Ok(a.min(b))),
            Index::Max(a, b) => pair(a, b, |a, b| Ok(a.max(b))),
            Index::Load(memory, at) => {
                let at = self.index(at, window)?;
                at.map(|place, at| Ok(self.memory.read(*memory, place, at)? as i64))
            }
        }
    }
}

fn divisible(a: i64, b: i64) -> Result<(), RunFault> {
    if a >= 0 && b > 0 {
        Ok(())
    } else {
        Err(RunFault::Division(a, b))
    }
}
