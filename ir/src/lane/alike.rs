//! What all lanes of a block know alike.

use std::collections::BTreeSet;

use super::{Index, Memory, Program, Value};
use crate::tile::Var;

/// Variables that hold the same number in all lanes of a block.
#[derive(Clone, Debug, Default)]
pub struct Alike(BTreeSet<Var>);

impl Alike {
    /// Takes note of a variable and its value.
    pub fn assign(&mut self, program: &Program, var: Var, value: &Value) {
        if self.is_same(program, value) {
            self.0.insert(var);
        }
    }

    /// Whether the number may differ between lanes.
    pub fn differs(&self, index: &Index) -> bool {
        match index {
            Index::Lane | Index::Warp => true,
            Index::Var(var) => !self.0.contains(var),
            _ => index.parts().into_iter().any(|part| self.differs(part)),
        }
    }

    /// Whether all lanes compute the same number: of places that do not differ, or what nobody writes there.
    fn is_same(&self, program: &Program, value: &Value) -> bool {
        match value {
            Value::Index(numbers) => !numbers.iter().any(|n| self.differs(n)),
            Value::Load { from, width: 1, .. } => {
                let constant = match from.memory {
                    Memory::Param(i) => !program.params[i as usize].written,
                    Memory::Shared(_) => false,
                };
                constant && from.guard.is_empty() && !self.differs(&from.at)
            }
            _ => false,
        }
    }
}
