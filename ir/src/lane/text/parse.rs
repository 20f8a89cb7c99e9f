//! Text as lane programs.

use std::collections::BTreeMap;

use crate::{
    DType,
    lane::{
        Access, Bulk, For, Index, MatrixInstr, Mbarrier, Memory, Program, Stmt, TensorMap,
        WarpgroupInstr,
    },
    text::{Cursor, Problem, TextError, Token, wanted},
    tile::{Array, Carried, Counter, Var},
};

/// Most loops and guards around one statement.
const MOST_AROUND: usize = 64;

/// The program that `text` spells; whether it is without faults is not looked at.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn parse(text: &str) -> Result<Program, TextError> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        arrays: BTreeMap::new(),
        instrs: vec![],
        maps: vec![],
        mbarriers: vec![],
        warpgroup: vec![],
        depth: 0,
    };
    let program = parser.program();
    program.map_err(|problem| parser.cursor.error(problem))
}

pub(super) struct Parser<'a> {
    pub cursor: Cursor<'a>,
    arrays: BTreeMap<&'a str, Memory>,
    instrs: Vec<MatrixInstr>,
    pub maps: Vec<TensorMap>,
    pub mbarriers: Vec<Mbarrier>,
    pub warpgroup: Vec<WarpgroupInstr>,
    /// Loops and guards around.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn program(&mut self) -> Result<Program, Problem> {
        self.cursor.keyword("lane")?;
        let name = self.cursor.word("a name")?.into();
        self.cursor.keyword("grid")?;
        self.cursor.sign("[")?;
        let grid = self.list("]", |p| p.cursor.int())?;
        self.cursor.keyword("warps")?;
        let warps = self.count()?;
        self.cursor.keyword("lanes")?;
        let lanes = self.count()?;
        self.cursor.sign("{")?;
        let (mut params, mut shared) = (vec![], vec![]);
        loop {
            if self.cursor.accept_word("param") {
                let memory = Memory::Param(params.len() as u32);
                params.push(self.array(memory)?);
            } else if self.cursor.accept_word("shared") {
                let memory = Memory::Shared(shared.len() as u32);
                shared.push(self.array(memory)?);
            } else if self.cursor.accept_word("matrix") {
                let instr = self.instr()?;
                self.instrs.push(instr);
            } else if self.cursor.accept_word("map") {
                self.map()?;
            } else if self.cursor.accept_word("mbarrier") {
                self.mbarrier()?;
            } else if self.cursor.accept_word("warpgroup") {
                self.warpgroup()?;
            } else {
                break;
            }
        }
        let body = self.body()?;
        self.cursor.sign("}")?;
        self.cursor.end()?;
        Ok(Program {
            name,
            params,
            shared,
            grid,
            warps,
            lanes,
            matrix: std::mem::take(&mut self.instrs),
            maps: std::mem::take(&mut self.maps),
            mbarriers: std::mem::take(&mut self.mbarriers),
            warpgroup: std::mem::take(&mut self.warpgroup),
            body,
        })
    }

    /// `%x : f32[384] written`
    fn array(&mut self, memory: Memory) -> Result<Array, Problem> {
        let name = self.new_name("the name of an array, such as `%x`")?;
        self.arrays.insert(name, memory);
        self.cursor.sign(":")?;
        let dtype = self.dtype()?;
        self.cursor.sign("[")?;
        let len = self.cursor.int()?;
        self.cursor.sign("]")?;
        let shared = matches!(memory, Memory::Shared(_));
        Ok(Array {
            name: name.into(),
            dtype,
            len,
            written: shared || self.cursor.accept_word("written"),
        })
    }

    /// A name that no array and no mbarrier before has.
    pub fn new_name(&mut self, what: &str) -> Result<&'a str, Problem> {
        let name = match self.cursor.take() {
            Token::Value(name) if !starts_with_digit(name) => name,
            other => return wanted(what, &other),
        };
        let counted = self.mbarriers.iter().any(|m| m.name == name);
        if counted || self.arrays.contains_key(name) {
            return Err(Problem::Duplicate(format!("%{name}")));
        }
        Ok(name)
    }

    fn body(&mut self) -> Result<Vec<Stmt>, Problem> {
        let mut body = vec![];
        loop {
            let stmt = match self.cursor.peek() {
                Token::Value(_) => self.assignment()?,
                Token::Word("for") => Stmt::For(self.round(vec![])?),
                Token::Word("store") => {
                    self.cursor.take();
                    let to = self.access()?;
                    self.cursor.sign("=")?;
                    let value = self.var()?;
                    Stmt::Store { to, value }
                }
                Token::Word("when") => {
                    self.cursor.take();
                    let guard = self.guard()?;
                    let body = self.within()?;
                    self.leave()?;
                    Stmt::When { guard, body }
                }
                Token::Word("copy") => {
                    self.cursor.take();
                    let to = self.access()?;
                    self.cursor.sign("=")?;
                    let from = self.access()?;
                    self.cursor.sign(":")?;
                    let width = self.count()?;
                    Stmt::Copy { to, from, width }
                }
                Token::Word("wait") => {
                    self.cursor.take();
                    let products = self.cursor.accept_word("products");
                    let pending = self.count()?;
                    if products {
                        Stmt::Bulk(Bulk::Wait { pending })
                    } else {
                        Stmt::Wait { pending }
                    }
                }
                Token::Word("barrier") => {
                    self.cursor.take();
                    Stmt::Barrier
                }
                Token::Word("commit") => {
                    self.cursor.take();
                    if self.cursor.accept_word("products") {
                        Stmt::Bulk(Bulk::Commit)
                    } else {
                        Stmt::Commit
                    }
                }
                Token::Word(word @ ("copy_box" | "expect" | "arrive" | "await" | "registers")) => {
                    let word = *word;
                    self.cursor.take();
                    Stmt::Bulk(self.bulk(word)?)
                }
                _ => return Ok(body),
            };
            body.push(stmt);
        }
    }

    /// `{` and the statements behind it.
    fn within(&mut self) -> Result<Vec<Stmt>, Problem> {
        self.cursor.sign("{")?;
        self.depth += 1;
        if self.depth > MOST_AROUND {
            return Err(Problem::Limit {
                wanted: format!("at most {MOST_AROUND} loops and guards around a statement"),
                found: "more".into(),
            });
        }
        self.body()
    }

    /// `}`
    fn leave(&mut self) -> Result<(), Problem> {
        self.depth -= 1;
        self.cursor.sign("}")
    }

    fn assignment(&mut self) -> Result<Stmt, Problem> {
        let mut vars = vec![self.var()?];
        while self.cursor.accept(",") {
            vars.push(self.var()?);
        }
        self.cursor.sign("=")?;
        if vars.len() > 1 || self.cursor.sees_word("for") {
            return self.round(vars).map(Stmt::For);
        }
        Ok(Stmt::Let(vars[0], self.value()?))
    }

    fn round(&mut self, results: Vec<Var>) -> Result<For, Problem> {
        self.cursor.keyword("for")?;
        let counter = self.counter()?;
        self.cursor.keyword("in")?;
        let start = self.index()?;
        self.cursor.sign("..")?;
        let end = self.index()?;
        let step = if self.cursor.accept_word("step") {
            self.cursor.int()?
        } else {
            1
        };
        let unroll = if self.cursor.accept_word("unroll") {
            self.count()?
        } else {
            1
        };
        let mut carried = vec![];
        if !results.is_empty() {
            self.cursor.keyword("carry")?;
            self.cursor.sign("(")?;
            carried = self.list(")", |p| {
                let current = p.var()?;
                p.cursor.sign("=")?;
                Ok((current, p.var()?))
            })?;
            require_count(results.len(), carried.len())?;
        }
        let body = self.within()?;
        let mut next = vec![];
        if !results.is_empty() {
            self.cursor.keyword("yield")?;
            next.push(self.var()?);
            while self.cursor.accept(",") {
                next.push(self.var()?);
            }
            require_count(results.len(), next.len())?;
        }
        self.leave()?;
        let slots = results.into_iter().zip(carried).zip(next);
        let slot = |((result, (current, init)), next)| Carried {
            init,
            current,
            next,
            result,
        };
        Ok(For {
            counter,
            start,
            end,
            step,
            unroll,
            carried: slots.map(slot).collect(),
            body,
        })
    }

    /// `%x[offset] where (a < b, c < d)`
    pub fn access(&mut self) -> Result<Access, Problem> {
        let (_, memory) = self.array_name()?;
        self.cursor.sign("[")?;
        let at = self.index()?;
        self.cursor.sign("]")?;
        let guard = if self.cursor.accept_word("where") {
            self.guard()?
        } else {
            vec![]
        };
        Ok(Access { memory, at, guard })
    }

    /// `%x`, an array of the program.
    pub fn array_name(&mut self) -> Result<(&'a str, Memory), Problem> {
        match self.cursor.take() {
            Token::Value(name) => {
                let known = self.arrays.get(name).copied();
                let known = known.ok_or_else(|| Problem::UnknownValue(name.into()))?;
                Ok((name, known))
            }
            other => wanted("an array, such as `%x`", &other),
        }
    }

    /// `(a < b, c < d)`
    fn guard(&mut self) -> Result<Vec<(Index, Index)>, Problem> {
        self.cursor.sign("(")?;
        self.list(")", |p| {
            let a = p.index()?;
            p.cursor.sign("<")?;
            Ok((a, p.index()?))
        })
    }

    /// The position of a matrix instruction, by its name.
    pub fn instr_name(&mut self) -> Result<u32, Problem> {
        let name = self.quoted("the name of a matrix instruction")?;
        let known = self.instrs.iter().position(|i| i.name == name);
        known.map_or_else(
            || {
                wanted(
                    "a matrix instruction of the program",
                    &Token::Text(name.into()),
                )
            },
            |i| Ok(i as u32),
        )
    }

    pub fn counter(&mut self) -> Result<Counter, Problem> {
        self.cursor.sign("#")?;
        self.count().map(Counter)
    }

    /// Whether a variable is next, other than an array.
    pub fn sees_var(&self) -> bool {
        matches!(self.cursor.peek(), Token::Value(name) if starts_with_digit(name))
    }

    pub fn var(&mut self) -> Result<Var, Problem> {
        match self.cursor.take() {
            Token::Value(name) if starts_with_digit(name) => match name.parse() {
                Ok(n) => Ok(Var(n)),
                Err(_) => wanted("a variable below `%4294967296`", &Token::Value(name)),
            },
            other => wanted("a variable, such as `%3`", &other),
        }
    }

    pub fn count(&mut self) -> Result<u32, Problem> {
        let token = self.cursor.take();
        match token {
            Token::Int(n) if u32::try_from(n).is_ok() => Ok(n as u32),
            other => wanted("a number within 0..4294967296", &other),
        }
    }

    pub fn dtype(&mut self) -> Result<DType, Problem> {
        let token = self.cursor.take();
        let dtype = match token {
            Token::Word(word) => word.parse().ok(),
            _ => None,
        };
        dtype.map_or_else(|| wanted("an element type, such as `f32`", &token), Ok)
    }

    /// Items between commas, up to `close`, which is taken.
    pub fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        let mut items = vec![];
        if self.cursor.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if !self.cursor.accept(",") {
                self.cursor.sign(close)?;
                return Ok(items);
            }
        }
    }
}

fn require_count(wanted: usize, found: usize) -> Result<(), Problem> {
    if found == wanted {
        return Ok(());
    }
    Err(Problem::Syntax {
        wanted: format!("{wanted} variables, one for each result of the loop"),
        found: found.to_string(),
    })
}

fn starts_with_digit(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}
