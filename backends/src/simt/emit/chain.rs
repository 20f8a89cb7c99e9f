//! Functions of many registers, one after the other: some registers go through all of them before the next do. Statement by
//! statement, a chain on all sums of a large tile would keep twice as many registers as there are.

use std::collections::BTreeMap;

use ir::{
    lane::{Stmt, Value as Term},
    tile::Var,
};

use super::{
    Emitter, Unsupported,
    held::{Held, Part, register},
    is_zero,
};
use crate::mlir::text::Type;

/// Registers that are many.
const MANY: u32 = 64;
/// Registers that go through a chain together: enough to hide what one function waits for.
const TOGETHER: u32 = 16;

/// Statements that follow each other.
struct Chain<'p> {
    terms: BTreeMap<Var, (&'p Term, u32)>,
    /// What is known of each register so far.
    parts: BTreeMap<(Var, u32), Part>,
    dtypes: BTreeMap<Var, ir::DType>,
}

/// Whether a term is made of registers of its own lane alone, each by itself.
fn is_link(term: &Term) -> bool {
    matches!(
        term,
        Term::Const(..)
            | Term::Unary(..)
            | Term::Binary(..)
            | Term::Fma(..)
            | Term::Select(..)
            | Term::Cast(..)
            | Term::Concat(_)
            | Term::Pick(..)
    )
}

impl Emitter<'_> {
    /// A chain that begins here, if there is one of many registers; gives how many statements it has.
    pub(super) fn chain(&mut self, body: &[Stmt]) -> Result<Option<usize>, Unsupported> {
        let mut chain = Chain {
            terms: BTreeMap::new(),
            parts: BTreeMap::new(),
            dtypes: BTreeMap::new(),
        };
        let mut order = Vec::new();
        for statement in body {
            let Stmt::Let(var, term) = statement else {
                break;
            };
            if !is_link(term) || chain.terms.contains_key(var) {
                break;
            }
            let width = self.width(&chain, term);
            chain.terms.insert(*var, (term, width));
            order.push((*var, width));
        }
        let most = order.iter().map(|(_, width)| *width).max().unwrap_or(0);
        if most < MANY || order.len() < 2 {
            return Ok(None);
        }
        for start in (0..most).step_by(TOGETHER as usize) {
            let together: Vec<u32> = (start..most.min(start + TOGETHER)).collect();
            for (var, width) in &order {
                if *width == most {
                    self.links(&mut chain, *var, &together)?;
                }
            }
        }
        for (var, width) in &order {
            let all: Vec<u32> = (0..*width).collect();
            let held = self.links(&mut chain, *var, &all)?;
            if is_zero(chain.terms[var].0) {
                self.zeros.insert(*var);
            }
            self.set(*var, held);
        }
        Ok(Some(order.len()))
    }

    fn width(&self, chain: &Chain<'_>, term: &Term) -> u32 {
        let of = |var: &Var| match chain.terms.get(var) {
            Some((_, width)) => *width,
            None => self.held(*var).parts.len() as u32,
        };
        match term {
            Term::Const(_, ty) => ty.width,
            Term::Pick(_, list) => list.len() as u32,
            Term::Concat(list) => list.iter().map(of).sum(),
            Term::Unary(_, a) | Term::Binary(_, a, _) | Term::Cast(_, a) => of(a),
            Term::Fma(a, ..) | Term::Select(_, a, _) => of(a),
            _ => unreachable!("`is_link` says which terms are of registers alone"),
        }
    }

    /// Some registers of a variable, of the chain or from before it.
    fn links(&mut self, chain: &mut Chain<'_>, var: Var, at: &[u32]) -> Result<Held, Unsupported> {
        let Some((term, _)) = chain.terms.get(&var).copied() else {
            let held = self.held(var);
            let parts = at.iter().map(|i| held.parts[*i as usize]);
            return Ok(Held::new(held.dtype, parts));
        };
        let mut missing: Vec<u32> = Vec::new();
        for i in at {
            if !chain.parts.contains_key(&(var, *i)) && !missing.contains(i) {
                missing.push(*i);
            }
        }
        if !missing.is_empty() {
            let held = self.link(chain, term, &missing)?;
            chain.dtypes.insert(var, held.dtype);
            for (i, part) in missing.iter().zip(held.parts) {
                chain.parts.insert((var, *i), part);
            }
        }
        let parts = at.iter().map(|i| chain.parts[&(var, *i)]);
        Ok(Held::new(chain.dtypes[&var], parts))
    }

    fn link(
        &mut self,
        chain: &mut Chain<'_>,
        term: &Term,
        at: &[u32],
    ) -> Result<Held, Unsupported> {
        Ok(match term {
            Term::Const(number, ty) => {
                let scalar = Type::scalar(register(ty.dtype));
                let value = self.text.number(ty.dtype, scalar, number.get());
                Held::splat(ty.dtype, value, at.len() as u32)
            }
            Term::Unary(f, a) => {
                let a = self.links(chain, *a, at)?;
                self.unary(*f, &a)?
            }
            Term::Binary(f, a, b) => {
                let (a, b) = (self.links(chain, *a, at)?, self.links(chain, *b, at)?);
                self.binary(*f, &a, &b)?
            }
            Term::Fma(a, b, c) => {
                let (a, b) = (self.links(chain, *a, at)?, self.links(chain, *b, at)?);
                let c = self.links(chain, *c, at)?;
                self.fma(&[a, b, c])?
            }
            Term::Select(c, a, b) => {
                let c = self.links(chain, *c, at)?;
                let (a, b) = (self.links(chain, *a, at)?, self.links(chain, *b, at)?);
                self.chosen(&c, &a, &b)
            }
            Term::Cast(to, a) => {
                let a = self.links(chain, *a, at)?;
                self.cast(*to, &a)
            }
            Term::Pick(a, picked) => {
                let from: Vec<u32> = at.iter().map(|i| picked[*i as usize]).collect();
                self.links(chain, *a, &from)?
            }
            Term::Concat(list) => {
                let mut parts = Vec::new();
                let mut dtype = None;
                for i in at {
                    let (var, i) = self.member(chain, list, *i);
                    let held = self.links(chain, var, &[i])?;
                    dtype = Some(held.dtype);
                    parts.extend(held.parts);
                }
                Held::new(dtype.expect("some registers are asked for"), parts)
            }
            _ => unreachable!("`is_link` says which terms are of registers alone"),
        })
    }

    /// Which of several variables, side by side, has a register, and where.
    fn member(&self, chain: &Chain<'_>, list: &[Var], mut at: u32) -> (Var, u32) {
        for var in list {
            let width = match chain.terms.get(var) {
                Some((_, width)) => *width,
                None => self.held(*var).parts.len() as u32,
            };
            if at < width {
                return (*var, at);
            }
            at -= width;
        }
        unreachable!("a register of one of them")
    }
}
