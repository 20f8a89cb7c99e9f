//! Tensor maps, mbarriers and warpgroups as text, and back.

use std::fmt::{self, Display, Formatter};

use super::{
    parse::Parser,
    spell::{list, quote},
};
use crate::{
    lane::{
        Bulk, LeftOperand, Mbarrier, Memory, Program, SharedTile, Signal, Swizzle, TensorMap,
        Value, WarpgroupInstr,
    },
    text::{Problem, Token, wanted},
};

impl Display for Swizzle {
    /// `none`, or bytes of a line: `128`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            other => write!(f, "{}", other.line()),
        }
    }
}

impl Display for Mbarrier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            len,
            arrivals,
        } = self;
        write!(f, "mbarrier %{name}[{len}] arrivals {arrivals}")
    }
}

impl Display for WarpgroupInstr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, operands, accumulator) = (quote(&self.name), self.operands, self.accumulator);
        let (word, a, c) = (quote(&self.word), &self.a, &self.c);
        write!(
            f,
            "warpgroup {name} : {operands} to {accumulator} word {word} {{\n    a {a}\n    c {c}\n  }}"
        )
    }
}

impl Program {
    /// `map 0 of %x [256, 64] strides [256] box [64, 64] swizzle 128`
    pub(super) fn spell_map(&self, position: usize, map: &TensorMap) -> String {
        let param = self.spell_name(Memory::Param(map.param));
        let (sizes, strides, extents) = (list(&map.sizes), list(&map.strides), list(&map.extents));
        let swizzle = map.swizzle;
        format!(
            "map {position} of {param} [{sizes}] strides [{strides}] box [{extents}] swizzle {swizzle}"
        )
    }

    /// `%full[#1]`
    fn spell_signal(&self, signal: &Signal) -> String {
        let known = self.mbarriers.get(signal.mbarrier as usize);
        let name = known.map_or_else(
            || format!("mbarrier{}", signal.mbarrier),
            |m| m.name.clone(),
        );
        format!("%{name}[{}]", signal.slot)
    }

    /// `%xs[#1 * 512] by depth swizzle 128 lines 512 chunks 64`
    fn spell_tile(&self, tile: &SharedTile) -> String {
        let name = self.spell_name(Memory::Shared(tile.array));
        let by = if tile.along_depth { "depth" } else { "side" };
        let (at, swizzle, lines, chunks) =
            (&tile.at, tile.swizzle, tile.next_lines, tile.next_chunk);
        format!("{name}[{at}] by {by} swizzle {swizzle} lines {lines} chunks {chunks}")
    }

    /// `product "m64n8k16" %3, %ws[0] by depth .., %4`
    pub(super) fn spell_product(
        &self,
        instr: u32,
        a: &LeftOperand,
        b: &SharedTile,
        c: impl Display,
    ) -> String {
        let known = self.warpgroup.get(instr as usize);
        let name = match known {
            Some(known) => quote(&known.name),
            None => quote(&format!("instruction {instr}")),
        };
        let a = match a {
            LeftOperand::Held(var) => var.to_string(),
            LeftOperand::Shared(tile) => self.spell_tile(tile),
        };
        format!("product {name} {a}, {}, {c}", self.spell_tile(b))
    }

    pub(super) fn spell_bulk(&self, bulk: &Bulk) -> String {
        match bulk {
            Bulk::Copy {
                map,
                from,
                array,
                at,
                signal,
            } => {
                let (array, from) = (self.spell_name(Memory::Shared(*array)), list(from));
                let signal = self.spell_signal(signal);
                format!("copy_box {array}[{at}] = map {map} [{from}] signal {signal}")
            }
            Bulk::Expect { signal, bytes } => {
                format!("expect {} bytes {bytes}", self.spell_signal(signal))
            }
            Bulk::Arrive(signal) => format!("arrive {}", self.spell_signal(signal)),
            Bulk::Await { signal, parity } => {
                format!("await {} parity {parity}", self.spell_signal(signal))
            }
            Bulk::Commit => "commit products".into(),
            Bulk::Wait { pending } => format!("wait products {pending}"),
            Bulk::Registers { count, more } => {
                let which = if *more { "more" } else { "fewer" };
                format!("registers {which} {count}")
            }
        }
    }
}

impl<'a> Parser<'a> {
    /// What follows `map` at the head of a program.
    pub(super) fn map(&mut self) -> Result<(), Problem> {
        let next = self.maps.len();
        match self.cursor.take() {
            Token::Int(n) if usize::try_from(n) == Ok(next) => {}
            other => return wanted(&format!("`{next}`, the number of this map"), &other),
        }
        self.cursor.keyword("of")?;
        let param = match self.array_name()? {
            (_, Memory::Param(param)) => param,
            (name, Memory::Shared(_)) => {
                return wanted("a parameter", &Token::Value(name));
            }
        };
        self.cursor.sign("[")?;
        let sizes = self.list("]", |p| p.cursor.int())?;
        self.cursor.keyword("strides")?;
        self.cursor.sign("[")?;
        let strides = self.list("]", |p| p.cursor.int())?;
        self.cursor.keyword("box")?;
        self.cursor.sign("[")?;
        let extents = self.list("]", Self::count)?;
        let swizzle = self.swizzle()?;
        self.maps.push(TensorMap {
            param,
            sizes,
            strides,
            extents,
            swizzle,
        });
        Ok(())
    }

    /// What follows `mbarrier` at the head of a program.
    pub(super) fn mbarrier(&mut self) -> Result<(), Problem> {
        let name = self.new_name("the name of an mbarrier, such as `%full`")?;
        self.cursor.sign("[")?;
        let len = self.count()?;
        self.cursor.sign("]")?;
        self.cursor.keyword("arrivals")?;
        let arrivals = self.count()?;
        self.mbarriers.push(Mbarrier {
            name: name.into(),
            len,
            arrivals,
        });
        Ok(())
    }

    /// What follows `warpgroup` at the head of a program.
    pub(super) fn warpgroup(&mut self) -> Result<(), Problem> {
        let name = self.quoted("the name of a warpgroup instruction")?;
        self.cursor.sign(":")?;
        let operands = self.dtype()?;
        self.cursor.keyword("to")?;
        let accumulator = self.dtype()?;
        self.cursor.keyword("word")?;
        let word = self.quoted("a word")?;
        self.cursor.sign("{")?;
        self.cursor.keyword("a")?;
        let a = self.layout()?;
        self.cursor.keyword("c")?;
        let c = self.layout()?;
        self.cursor.sign("}")?;
        self.warpgroup.push(WarpgroupInstr {
            name,
            operands,
            accumulator,
            a,
            c,
            word,
        });
        Ok(())
    }

    /// What follows the word that such a statement starts with.
    pub(super) fn bulk(&mut self, word: &str) -> Result<Bulk, Problem> {
        match word {
            "copy_box" => self.copy_box(),
            "expect" => {
                let signal = self.signal()?;
                self.cursor.keyword("bytes")?;
                let bytes = self.count()?;
                Ok(Bulk::Expect { signal, bytes })
            }
            "arrive" => self.signal().map(Bulk::Arrive),
            "await" => {
                let signal = self.signal()?;
                self.cursor.keyword("parity")?;
                let parity = self.index()?;
                Ok(Bulk::Await { signal, parity })
            }
            _ => {
                let more = match self.cursor.take() {
                    Token::Word("more") => true,
                    Token::Word("fewer") => false,
                    other => return wanted("`more` or `fewer`", &other),
                };
                let count = self.count()?;
                Ok(Bulk::Registers { count, more })
            }
        }
    }

    /// `%xs[0] = map 0 [#1, #0] signal %full[0]`
    fn copy_box(&mut self) -> Result<Bulk, Problem> {
        let (array, at) = self.shared_place()?;
        self.cursor.sign("=")?;
        self.cursor.keyword("map")?;
        let map = self.count()?;
        self.cursor.sign("[")?;
        let from = self.list("]", Self::index)?;
        self.cursor.keyword("signal")?;
        let signal = self.signal()?;
        Ok(Bulk::Copy {
            map,
            from,
            array,
            at,
            signal,
        })
    }

    /// `%full[#1]`
    fn signal(&mut self) -> Result<Signal, Problem> {
        let token = self.cursor.take();
        let known = match token {
            Token::Value(name) => self.mbarriers.iter().position(|m| m.name == name),
            _ => None,
        };
        let Some(mbarrier) = known else {
            return wanted("an mbarrier of the program, such as `%full`", &token);
        };
        self.cursor.sign("[")?;
        let slot = self.index()?;
        self.cursor.sign("]")?;
        let mbarrier = mbarrier as u32;
        Ok(Signal { mbarrier, slot })
    }

    /// What follows `product`.
    pub(super) fn product_value(&mut self) -> Result<Value, Problem> {
        let name = self.quoted("the name of a warpgroup instruction")?;
        let known = self.warpgroup.iter().position(|i| i.name == name);
        let Some(instr) = known else {
            let found = Token::Text(name.into());
            return wanted("a warpgroup instruction of the program", &found);
        };
        let a = if self.sees_var() {
            LeftOperand::Held(self.var()?)
        } else {
            LeftOperand::Shared(self.tile()?)
        };
        self.cursor.sign(",")?;
        let b = self.tile()?;
        self.cursor.sign(",")?;
        let c = self.var()?;
        let instr = instr as u32;
        Ok(Value::Product { instr, a, b, c })
    }

    /// `%xs[#1 * 512] by depth swizzle 128 lines 512 chunks 64`
    fn tile(&mut self) -> Result<SharedTile, Problem> {
        let (array, at) = self.shared_place()?;
        self.cursor.keyword("by")?;
        let along_depth = match self.cursor.take() {
            Token::Word("depth") => true,
            Token::Word("side") => false,
            other => return wanted("`depth` or `side`", &other),
        };
        let swizzle = self.swizzle()?;
        self.cursor.keyword("lines")?;
        let next_lines = self.count()?;
        self.cursor.keyword("chunks")?;
        let next_chunk = self.count()?;
        Ok(SharedTile {
            array,
            at,
            along_depth,
            swizzle,
            next_lines,
            next_chunk,
        })
    }

    /// `%xs[offset]`
    fn shared_place(&mut self) -> Result<(u32, crate::lane::Index), Problem> {
        let array = match self.array_name()? {
            (_, Memory::Shared(array)) => array,
            (name, Memory::Param(_)) => return wanted("a shared array", &Token::Value(name)),
        };
        self.cursor.sign("[")?;
        let at = self.index()?;
        self.cursor.sign("]")?;
        Ok((array, at))
    }

    /// `swizzle 128`
    fn swizzle(&mut self) -> Result<Swizzle, Problem> {
        self.cursor.keyword("swizzle")?;
        match self.cursor.take() {
            Token::Word("none") => Ok(Swizzle::None),
            Token::Int(32) => Ok(Swizzle::B32),
            Token::Int(64) => Ok(Swizzle::B64),
            Token::Int(128) => Ok(Swizzle::B128),
            other => wanted("`none`, `32`, `64` or `128`", &other),
        }
    }
}
