//! Finds the faults of tile programs, and the types of their variables.

mod fault;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use fault::{Fault, VerifyError};
use fault::{MOST_BLOCKS, MOST_ELEMENTS};

use super::{Access, Array, Counter, For, Index, Memory, Place, Program, Ranges, Shape, Stmt, Var};
use crate::DType;

/// Element type and shape of every variable of a program.
pub type Types = BTreeMap<Var, (DType, Shape)>;

/// Fails unless the program is whole: names, scopes, types, and bounds as far as they can be known.
///
/// # Errors
/// The first fault, with its place.
pub fn verify(program: &Program) -> Result<(), VerifyError> {
    types(program).map(drop)
}

/// The type of every variable of a program without faults.
///
/// # Errors
/// The first fault, with its place.
pub fn types(program: &Program) -> Result<Types, VerifyError> {
    Checker::run(program).map(|c| c.types)
}

/// The statements with an access of which no proof was found that it lies within its array, in order.
///
/// # Errors
/// The first fault, with its place.
pub fn unproven(program: &Program) -> Result<Vec<Place>, VerifyError> {
    Checker::run(program).map(|c| c.unproven)
}

struct Checker<'a> {
    program: &'a Program,
    place: Place,
    types: Types,
    /// Variables that have a value here.
    assigned: BTreeSet<Var>,
    /// Counters of loops seen, here and elsewhere.
    counters: BTreeSet<Counter>,
    /// Counters that have a value here.
    counting: BTreeSet<Counter>,
    ranges: Ranges,
    /// No block comes here.
    dead: bool,
    unproven: Vec<Place>,
}

impl<'a> Checker<'a> {
    fn run(program: &'a Program) -> Result<Self, VerifyError> {
        let axes = || (0..).map(Counter).take(program.grid.len());
        let mut checker = Self {
            program,
            place: Place::default(),
            types: Types::new(),
            assigned: BTreeSet::new(),
            counters: axes().collect(),
            counting: axes().collect(),
            ranges: Ranges::of(program),
            dead: false,
            unproven: vec![],
        };
        let result = checker.head().and_then(|()| checker.body(&program.body));
        match result {
            Ok(()) => Ok(checker),
            Err(fault) => Err(VerifyError {
                program: program.name.clone(),
                place: checker.place,
                fault,
            }),
        }
    }

    fn head(&self) -> Result<(), Fault> {
        identifier(&self.program.name)?;
        for (axis, size) in self.program.grid.iter().enumerate() {
            if *size < 1 {
                return Err(Fault::Grid { axis, size: *size });
            }
        }
        let blocks = self
            .program
            .grid
            .iter()
            .try_fold(1i64, |n, size| n.checked_mul(*size));
        if blocks.is_none_or(|n| n > MOST_BLOCKS) {
            return Err(Fault::Blocks);
        }
        let mut names = BTreeSet::new();
        for Array { name, len, .. } in self.program.params.iter().chain(&self.program.locals) {
            identifier(name)?;
            if !names.insert(name) {
                return Err(Fault::Name(name.clone()));
            }
            if *len < 0 {
                let array = name.clone();
                return Err(Fault::Length { array, len: *len });
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &[Stmt]) -> Result<(), Fault> {
        for (i, stmt) in body.iter().enumerate() {
            self.place.0.push(i);
            match stmt {
                Stmt::Let(var, value) => {
                    let ty = self.value(value)?;
                    self.assign(*var, ty)?;
                }
                Stmt::Store { to, value } => self.store(to, *value)?,
                Stmt::For(l) => self.round(l)?,
            }
            self.place.0.pop();
        }
        Ok(())
    }

    fn round(&mut self, l: &For) -> Result<(), Fault> {
        for bound in [&l.start, &l.end] {
            if bound.mentions(&Index::Row) || bound.mentions(&Index::Lane) {
                return Err(Fault::ElementBound);
            }
            self.index(bound, &self.ranges)?;
        }
        if l.step < 1 {
            return Err(Fault::Step(l.step));
        }
        if l.unroll < 1 {
            return Err(Fault::Unroll);
        }
        if !self.counters.insert(l.counter) {
            return Err(Fault::Counted(l.counter));
        }
        let types = l.carried.iter().map(|c| self.read(c.init));
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let outside = (self.ranges.clone(), self.assigned.clone(), self.dead);
        self.dead |= self.ranges.below(&l.start, &l.end) == Some(false);
        self.ranges = self.ranges.in_loop(l);
        self.counting.insert(l.counter);
        for (c, ty) in l.carried.iter().zip(&types) {
            self.assign(c.current, *ty)?;
        }
        self.body(&l.body)?;
        for (c, (dtype, shape)) in l.carried.iter().zip(&types) {
            let (found, found_shape) = self.read(c.next)?;
            require_dtype(c.next, dtype.name(), found, |d| d == *dtype)?;
            require_shape(c.next, *shape, found_shape)?;
        }
        self.counting.remove(&l.counter);
        (self.ranges, self.assigned, self.dead) = outside;
        for (c, ty) in l.carried.iter().zip(types) {
            self.assign(c.result, ty)?;
        }
        Ok(())
    }

    fn store(&mut self, to: &Access, value: Var) -> Result<(), Fault> {
        let (dtype, shape) = self.read(value)?;
        let array = self.access(to, shape)?;
        if matches!(to.memory, Memory::Param(_)) && !array.written {
            return Err(Fault::ReadOnly(array.name.clone()));
        }
        require_dtype(value, array.dtype.name(), dtype, |d| d == array.dtype)
    }

    fn assign(&mut self, var: Var, ty: (DType, Shape)) -> Result<(), Fault> {
        if self.types.insert(var, ty).is_some() {
            return Err(Fault::Assigned(var));
        }
        self.assigned.insert(var);
        Ok(())
    }

    fn read(&self, var: Var) -> Result<(DType, Shape), Fault> {
        if self.assigned.contains(&var) {
            Ok(self.types[&var])
        } else {
            Err(Fault::Unassigned(var))
        }
    }

    fn array(&self, memory: Memory) -> Result<&'a Array, Fault> {
        let array = match memory {
            Memory::Param(i) => self.program.params.get(i as usize),
            Memory::Local(i) => self.program.locals.get(i as usize),
        };
        array.ok_or(Fault::NoArray(memory))
    }

    fn access(&mut self, access: &Access, shape: Shape) -> Result<&'a Array, Fault> {
        require_elements(shape)?;
        let array = self.array(access.memory)?;
        let tile = self.ranges.in_tile(shape);
        for (a, b) in &access.guard {
            self.index(a, &tile)?;
            self.index(b, &tile)?;
        }
        let inside = tile.where_below(&access.guard);
        self.index(&access.at, &inside)?;
        let never = |(a, b): &(Index, Index)| tile.below(a, b) == Some(false);
        if self.dead || access.guard.iter().any(never) {
            return Ok(array);
        }
        let found = inside.range(&access.at);
        if found.min >= array.len || found.max < 0 {
            return Err(Fault::Outside {
                array: array.name.clone(),
                len: array.len,
                found,
            });
        }
        if found.min < 0 || found.max >= array.len {
            self.unproven.push(self.place.clone());
        }
        Ok(array)
    }

    fn index(&self, index: &Index, ranges: &Ranges) -> Result<(), Fault> {
        match index {
            Index::Counter(c) if !self.counting.contains(c) => return Err(Fault::Uncounted(*c)),
            Index::Load(memory, _) => {
                let array = self.array(*memory)?;
                if !array.dtype.is_int() {
                    return Err(Fault::DType {
                        what: format!("array `{}` in an index", array.name),
                        wanted: "an integer".into(),
                        found: array.dtype,
                    });
                }
            }
            Index::Div(a, b) | Index::Mod(a, b) => {
                let found = ranges.range(b);
                if found.min < 1 {
                    return Err(Fault::Divisor { found });
                }
                let found = ranges.range(a);
                if found.max < 0 && !self.dead {
                    return Err(Fault::Dividend { found });
                }
            }
            _ => {}
        }
        let mut parts = index.parts().into_iter();
        parts.try_for_each(|part| self.index(part, ranges))
    }
}

fn identifier(name: &str) -> Result<(), Fault> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| letter(c) || c.is_ascii_digit();
    if name.starts_with(letter) && name.chars().all(rest) {
        Ok(())
    } else {
        Err(Fault::Name(name.into()))
    }
}

fn require_dtype(
    var: Var,
    wanted: &str,
    found: DType,
    fits: impl Fn(DType) -> bool,
) -> Result<(), Fault> {
    if fits(found) {
        return Ok(());
    }
    Err(Fault::DType {
        what: var.to_string(),
        wanted: wanted.into(),
        found,
    })
}

fn require_shape(var: Var, wanted: Shape, found: Shape) -> Result<(), Fault> {
    if found == wanted {
        Ok(())
    } else {
        Err(Fault::Shape { var, wanted, found })
    }
}

fn require_elements(shape: Shape) -> Result<(), Fault> {
    let elements = u64::from(shape.rows) * u64::from(shape.lanes);
    if (1..=MOST_ELEMENTS).contains(&elements) {
        Ok(())
    } else {
        Err(Fault::Elements(shape))
    }
}
