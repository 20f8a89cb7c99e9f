//! Finds the faults of lane programs, and the types of their variables.

mod bulk;
mod fault;
mod memory;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use fault::{Fault, MapFault, VerifyError};
use fault::{MOST_BITS, MOST_BLOCKS, MOST_LANES, MOST_REGISTERS, MOST_WARPS};

use super::{Alike, For, Index, Layout, Program, Spelling, Step, Stmt, Type};
use crate::tile::{Array, Counter, Place, Var};

/// The type of every variable of a program.
pub type Types = BTreeMap<Var, Type>;

/// Fails unless the program is whole: names, scopes, types, sizes of accesses, and barriers where all lanes come.
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
    let axes = || (0..).map(Counter).take(program.grid.len());
    let mut checker = Checker {
        program,
        place: Place::default(),
        types: Types::new(),
        assigned: BTreeSet::new(),
        same: Alike::default(),
        counters: axes().collect(),
        counting: axes().collect(),
        apart: None,
        split: None,
        boxed: BTreeSet::new(),
    };
    bulk::boxed(&program.body, &mut checker.boxed);
    let result = checker.head().and_then(|()| checker.body(&program.body));
    match result {
        Ok(()) => Ok(checker.types),
        Err(fault) => Err(VerifyError {
            program: program.name.clone(),
            place: checker.place,
            fault,
        }),
    }
}

struct Checker<'a> {
    program: &'a Program,
    place: Place,
    types: Types,
    /// Variables that have a value here.
    assigned: BTreeSet<Var>,
    /// Variables that all lanes of the block have the same number in.
    same: Alike,
    /// Counters of loops seen, here and elsewhere.
    counters: BTreeSet<Counter>,
    /// Counters that have a value here.
    counting: BTreeSet<Counter>,
    /// The statement around because of which some lanes of the block may not come here.
    apart: Option<&'static str>,
    /// The statement around because of which some lanes of a warpgroup do not come here.
    split: Option<&'static str>,
    /// Shared arrays that boxes are copied to, or that products read.
    boxed: BTreeSet<u32>,
}

impl Checker<'_> {
    fn head(&self) -> Result<(), Fault> {
        let program = self.program;
        identifier(&program.name)?;
        for (axis, size) in program.grid.iter().enumerate() {
            if *size < 1 {
                return Err(Fault::Grid { axis, size: *size });
            }
        }
        let sizes = &mut program.grid.iter();
        let blocks = sizes.try_fold(1i64, |n, size| n.checked_mul(*size));
        if blocks.is_none_or(|n| n > MOST_BLOCKS) {
            return Err(Fault::Blocks);
        }
        let (what, found) = ("warps", program.warps);
        if !(1..=MOST_WARPS).contains(&found) {
            return Err(Fault::Count {
                what: what.into(),
                most: MOST_WARPS,
                found,
            });
        }
        let (what, most, found) = ("lanes", MOST_LANES, program.lanes);
        if !found.is_power_of_two() || found > most {
            return Err(Fault::Size { what, most, found });
        }
        let mut names = BTreeSet::new();
        for Array { name, len, .. } in program.params.iter().chain(&program.shared) {
            identifier(name)?;
            if !names.insert(name) {
                return Err(Fault::Name(name.clone()));
            }
            if *len < 0 {
                let array = name.clone();
                return Err(Fault::Length { array, len: *len });
            }
        }
        self.instructions()
    }

    fn instructions(&self) -> Result<(), Fault> {
        let lanes = self.program.lanes;
        let mut names = BTreeSet::new();
        for instr in &self.program.matrix {
            let name = instr.name.clone();
            if !names.insert(&instr.name) {
                return Err(Fault::Twice(name));
            }
            if !small([&instr.a, &instr.b, &instr.c]) || !instr.fits(lanes) {
                return Err(Fault::Fragments { name, lanes });
            }
            if instr.spelling == Spelling::Outer && instr.own_registers().is_none() {
                return Err(Fault::NotOwn(name));
            }
        }
        self.bulk_head()
    }

    fn body(&mut self, body: &[Stmt]) -> Result<(), Fault> {
        for (i, stmt) in body.iter().enumerate() {
            self.place.0.push(i);
            match stmt {
                Stmt::Let(var, value) => {
                    let ty = self.value(value)?;
                    self.assign(*var, ty)?;
                    self.same.assign(self.program, *var, value);
                }
                Stmt::Store { to, value } => self.store(to, *value)?,
                Stmt::For(l) => self.round(l)?,
                Stmt::When { guard, body } => self.when(guard, body)?,
                Stmt::Copy { to, from, width } => self.copy(to, from, *width)?,
                Stmt::Barrier => self.apart.map_or(Ok(()), |by| Err(Fault::Apart(by)))?,
                Stmt::Commit | Stmt::Wait { .. } => {}
                Stmt::Bulk(bulk) => self.bulk(bulk)?,
            }
            self.place.0.pop();
        }
        Ok(())
    }

    fn round(&mut self, l: &For) -> Result<(), Fault> {
        for bound in [&l.start, &l.end] {
            if bound.mentions(&Index::Lane) {
                return Err(Fault::LaneBound);
            }
            self.index(bound)?;
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
        let outside = (self.assigned.clone(), self.apart, self.split);
        if self.same.differs(&l.start) || self.same.differs(&l.end) {
            self.apart = self.apart.or(Some("for"));
        }
        let bounds =
            [&l.start, &l.end].map(|bound| bulk::parts_warpgroups(bound, self.program.warps));
        if bounds.contains(&true) {
            self.split = self.split.or(Some("for"));
        }
        self.counting.insert(l.counter);
        for (c, ty) in l.carried.iter().zip(&types) {
            self.assign(c.current, *ty)?;
        }
        self.body(&l.body)?;
        for (c, wanted) in l.carried.iter().zip(&types) {
            self.require(c.next, *wanted)?;
        }
        self.counting.remove(&l.counter);
        (self.assigned, self.apart, self.split) = outside;
        for (c, ty) in l.carried.iter().zip(types) {
            self.assign(c.result, ty)?;
        }
        Ok(())
    }

    fn when(&mut self, guard: &[(Index, Index)], body: &[Stmt]) -> Result<(), Fault> {
        self.guard(guard)?;
        let outside = (self.assigned.clone(), self.apart, self.split);
        if bulk::splits(guard, self.program.warps) {
            self.split = self.split.or(Some("when"));
        }
        if guard
            .iter()
            .any(|(a, b)| self.same.differs(a) || self.same.differs(b))
        {
            self.apart = self.apart.or(Some("when"));
        }
        self.body(body)?;
        (self.assigned, self.apart, self.split) = outside;
        Ok(())
    }

    fn assign(&mut self, var: Var, ty: Type) -> Result<(), Fault> {
        if !(1..=MOST_REGISTERS).contains(&ty.width) {
            return Err(Fault::Registers(ty.width.into()));
        }
        if self.types.insert(var, ty).is_some() {
            return Err(Fault::Assigned(var));
        }
        self.assigned.insert(var);
        Ok(())
    }

    fn read(&self, var: Var) -> Result<Type, Fault> {
        if self.assigned.contains(&var) {
            Ok(self.types[&var])
        } else {
            Err(Fault::Unassigned(var))
        }
    }

    /// Fails unless the variable has this type.
    fn require(&self, var: Var, wanted: Type) -> Result<(), Fault> {
        let found = self.read(var)?;
        if found == wanted {
            Ok(())
        } else {
            Err(Fault::Type { var, wanted, found })
        }
    }

    fn guard(&self, guard: &[(Index, Index)]) -> Result<(), Fault> {
        guard.iter().try_for_each(|(a, b)| {
            self.index(a)?;
            self.index(b)
        })
    }

    fn index(&self, index: &Index) -> Result<(), Fault> {
        match index {
            Index::Counter(c) if !self.counting.contains(c) => return Err(Fault::Uncounted(*c)),
            Index::Var(var) => {
                let found = self.read(*var)?;
                if !found.dtype.is_int() {
                    return Err(Fault::DType {
                        what: format!("{var} in an index"),
                        wanted: "an integer".into(),
                        found: found.dtype,
                    });
                }
                self.require(*var, Type::new(found.dtype, 1))?;
            }
            _ => {}
        }
        let mut parts = index.parts().into_iter();
        parts.try_for_each(|part| self.index(part))
    }
}

/// Whether the sides of the fragments can be counted.
fn small<const N: usize>(fragments: [&Layout; N]) -> bool {
    fragments.into_iter().all(|l| {
        let few = |steps: &Vec<Step>| steps.len() <= MOST_BITS;
        let short = |s: Step| s.row.max(s.column) < 1 << MOST_BITS;
        few(&l.register) && few(&l.lane) && few(&l.warp) && l.steps().all(short)
    })
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
