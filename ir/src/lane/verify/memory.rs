//! Accesses: which memory, how wide.

use super::{Checker, Fault};
use crate::{
    DType,
    lane::{Access, Memory, Type},
    tile::{Array, Var},
};

/// Most bytes that one access of a lane moves.
const MOST_BYTES: u64 = 16;

impl<'a> Checker<'a> {
    pub(super) fn array(&self, memory: Memory) -> Result<&'a Array, Fault> {
        let array = match memory {
            Memory::Param(i) => self.program.params.get(i as usize),
            Memory::Shared(i) => self.program.shared.get(i as usize),
        };
        array.ok_or(Fault::NoArray(memory))
    }

    /// The array of an access whose indices have a value.
    fn access(&self, access: &Access) -> Result<&'a Array, Fault> {
        self.guard(&access.guard)?;
        self.index(&access.at)?;
        self.array(access.memory)
    }

    /// The type of `width` registers read by an access.
    pub(super) fn load(&self, from: &Access, width: u32) -> Result<Type, Fault> {
        let array = self.access(from)?;
        require_width(
            array,
            width,
            "a power of two of elements, at most 16 bytes",
            |n| n <= MOST_BYTES,
        )?;
        Ok(Type::new(array.dtype, width))
    }

    pub(super) fn store(&self, to: &Access, value: Var) -> Result<(), Fault> {
        let found = self.read(value)?;
        let wanted = self.load(to, found.width)?;
        let array = self.array(to.memory)?;
        if matches!(to.memory, Memory::Param(_)) && !array.written {
            return Err(Fault::ReadOnly(array.name.clone()));
        }
        self.unboxed(to)?;
        self.require(value, wanted)
    }

    /// Fails for an array that boxes are copied to: those and stores are seen in no order without a fence.
    fn unboxed(&self, to: &Access) -> Result<(), Fault> {
        match to.memory {
            Memory::Shared(i) if self.boxed.contains(&i) => {
                Err(Fault::Boxed(self.program.array(to.memory).name.clone()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn copy(&self, to: &Access, from: &Access, width: u32) -> Result<(), Fault> {
        let target = self.access(to)?;
        require_shared(to, target)?;
        self.unboxed(to)?;
        let source = self.access(from)?;
        if !matches!(from.memory, Memory::Param(_)) {
            let array = source.name.clone();
            return Err(Fault::Kind {
                array,
                wanted: "global",
            });
        }
        if source.dtype != target.dtype {
            return Err(Fault::DType {
                what: format!("array `{}`", source.name),
                wanted: target.dtype.name().into(),
                found: source.dtype,
            });
        }
        require_width(target, width, "4, 8 or 16 bytes", |n| {
            matches!(n, 4 | 8 | 16)
        })
    }

    /// The type of what a load of 8 x 8 matrices gives.
    pub(super) fn matrices(&self, from: &Access, count: u32) -> Result<Type, Fault> {
        let array = self.access(from)?;
        require_shared(from, array)?;
        let lanes = self.program.lanes;
        if !matches!(count, 1 | 2 | 4) || lanes != 32 {
            return Err(Fault::Matrices { count, lanes });
        }
        if !matches!(array.dtype, DType::F16 | DType::Bf16) {
            return Err(Fault::DType {
                what: format!("array `{}`", array.name),
                wanted: "an element type of 16 bits".into(),
                found: array.dtype,
            });
        }
        Ok(Type::new(array.dtype, 2 * count))
    }
}

fn require_shared(access: &Access, array: &Array) -> Result<(), Fault> {
    let array = array.name.clone();
    if !matches!(access.memory, Memory::Shared(_)) {
        return Err(Fault::Kind {
            array,
            wanted: "shared",
        });
    }
    if !access.guard.is_empty() {
        return Err(Fault::Guarded(array));
    }
    Ok(())
}

fn require_width(
    array: &Array,
    width: u32,
    wanted: &'static str,
    fits: impl Fn(u64) -> bool,
) -> Result<(), Fault> {
    let bytes = u64::from(width) * array.dtype.size() as u64;
    if width.is_power_of_two() && fits(bytes) {
        return Ok(());
    }
    Err(Fault::Width {
        array: array.name.clone(),
        wanted,
        width,
        bytes,
    })
}
