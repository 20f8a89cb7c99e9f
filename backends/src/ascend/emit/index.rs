//! Integers of a block as numbers of type `index`.

use ir::tile::Index;

use super::{Emitter, text::stored};

impl Emitter<'_> {
    /// An integer; `Row` and `Lane` are those of the element that is being computed.
    pub(super) fn index(&mut self, index: &Index) -> String {
        match index {
            Index::Const(n) => self.text.index(*n),
            Index::Counter(c) => self.counters[c].clone(),
            Index::Row => self.element[0].clone(),
            Index::Lane => self.element[1].clone(),
            Index::Add(a, b) => self.integers("addi", a, b),
            Index::Mul(a, b) => self.integers("muli", a, b),
            // Neither side is negative.
            Index::Div(a, b) => self.integers("divsi", a, b),
            Index::Mod(a, b) => self.integers("remsi", a, b),
            Index::Min(a, b) => self.integers("minsi", a, b),
            Index::Max(a, b) => self.integers("maxsi", a, b),
            Index::Load(memory, at) => {
                let at = self.index(at);
                let (name, dtype) = self.array(*memory);
                let ty = stored(dtype);
                let x = self
                    .text
                    .set(format_args!("memref.load {name}[{at}] : memref<?x{ty}>"));
                let cast = match dtype {
                    ir::DType::U8 | ir::DType::Bool => "index_castui",
                    _ => "index_cast",
                };
                self.text
                    .set(format_args!("arith.{cast} {x} : {ty} to index"))
            }
        }
    }

    fn integers(&mut self, op: &str, a: &Index, b: &Index) -> String {
        let (a, b) = (self.index(a), self.index(b));
        self.text.set(format_args!("arith.{op} {a}, {b} : index"))
    }
}
