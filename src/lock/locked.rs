//! A lock file that decides a compile.

use std::path::Path;

use autotune::database::{Place, has_program, meaning};
use ir::{Kernel, Target};
use passes::{Rewritten, Storage};

use super::{
    Lock, LockError, LockedTarget, dtype,
    error::{LockFault, at},
    graph_hash,
};
use crate::compile::{CompileError, Decide, Decision, Equal, Source};

/// A lock file that decides a compile.
pub struct Locked<'a> {
    pub(super) lock: &'a Lock,
    pub(super) path: &'a Path,
}

impl Locked<'_> {
    /// Fails unless a compile is of the model and type that the file is for.
    ///
    /// # Errors
    /// What differs.
    pub fn require(&self, model: &str, storage: Storage) -> Result<(), LockError> {
        let wanted = [
            ("model", &self.lock.model, model),
            ("dtype", &self.lock.dtype, dtype(storage)),
        ];
        match wanted
            .into_iter()
            .find(|(_, locked, wanted)| locked != wanted)
        {
            None => Ok(()),
            Some((what, locked, wanted)) => Err(at(self.path)(LockFault::Differs {
                what,
                locked: locked.clone(),
                wanted: wanted.into(),
            })),
        }
    }

    /// The name of the target that `name` means here: `cpu` is the file's processor, not this machine's.
    ///
    /// # Errors
    /// It is for no processor.
    pub fn target<'n>(&'n self, name: &'n str) -> Result<&'n str, LockError> {
        if name != "cpu" {
            return Ok(name);
        }
        let mut all = self.lock.targets();
        let found = all.find(|t| t.starts_with("cpu:"));
        found.ok_or_else(|| self.no_target(name))
    }

    fn no_target(&self, target: &str) -> LockError {
        at(self.path)(LockFault::Target {
            target: target.into(),
            known: self.lock.targets().map(String::from).collect(),
        })
    }

    fn of(&self, target: &Target) -> Result<&LockedTarget, LockError> {
        let mut all = self.lock.targets.iter();
        let found = all.find(|t| t.place.target == target.name);
        found.ok_or_else(|| self.no_target(&target.name))
    }
}

impl Decide for Locked<'_> {
    fn graph<'e>(
        &self,
        equal: &'e Equal<'_>,
        target: &Target,
    ) -> Result<&'e Rewritten, CompileError> {
        let locked = self.of(target)?;
        let is_locked = |r: &&Rewritten| locked.graphs.contains(&graph_hash(&r.graph));
        let first = equal.first()?;
        if is_locked(&first) {
            return Ok(first);
        }
        if let Some(found) = equal.all()?.iter().find(is_locked) {
            return Ok(found);
        }
        // A kernel that is not known says more than a graph.
        let groups = passes::launches(&first.graph, &first.rules);
        for kernel in &groups.map_err(passes::PlanError::from)?.kernels {
            self.schedule(kernel, target)?;
        }
        Err(at(self.path)(LockFault::Graph {
            graph: first.graph.name().into(),
            target: target.name.clone(),
        })
        .into())
    }

    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
        let locked = self.of(target)?;
        let (fault, name, place) = (at(self.path), &kernel.name, Place::of(target));
        let of_place = [
            (
                "the fingerprint",
                &locked.place.fingerprint,
                &place.fingerprint,
            ),
            ("the toolchain", &locked.place.toolchain, &place.toolchain),
        ];
        for (what, locked, found) in of_place {
            if locked != found {
                return Err(fault(LockFault::Place {
                    kernel: name.clone(),
                    target: target.name.clone(),
                    what,
                    locked: locked.clone(),
                    found: found.clone(),
                })
                .into());
            }
        }
        let meaning = meaning(&kernel.graph, &kernel.constant);
        let Some(found) = locked.kernels.get(&meaning) else {
            return Err(fault(LockFault::Kernel {
                kernel: name.clone(),
                meaning,
                target: target.name.clone(),
            })
            .into());
        };
        if !has_program(kernel, &found.schedule, target) {
            return Err(fault(LockFault::Schedule {
                kernel: name.clone(),
                target: target.name.clone(),
            })
            .into());
        }
        Ok(Decision {
            schedule: found.schedule.clone(),
            source: Source::Locked,
        })
    }
}
