//! Text as tile programs.

use std::collections::BTreeMap;

use crate::{
    DType,
    text::{Cursor, Problem, TextError, Token, wanted},
    tile::{Access, Array, Carried, Counter, For, Memory, Program, Shape, Stmt, Var},
};

/// Most loops around one statement.
const MOST_LOOPS: usize = 64;

/// The program that `text` spells; whether it is without faults is not looked at.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn parse(text: &str) -> Result<Program, TextError> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        arrays: BTreeMap::new(),
        depth: 0,
    };
    let program = parser.program();
    program.map_err(|problem| parser.cursor.error(problem))
}

pub(super) struct Parser<'a> {
    pub cursor: Cursor<'a>,
    arrays: BTreeMap<&'a str, Memory>,
    /// Loops around.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn program(&mut self) -> Result<Program, Problem> {
        self.cursor.keyword("tile")?;
        let name = self.cursor.word("a name")?.into();
        self.cursor.keyword("grid")?;
        self.cursor.sign("[")?;
        let grid = self.list("]", |p| p.cursor.int())?;
        self.cursor.sign("{")?;
        let (mut params, mut locals) = (vec![], vec![]);
        loop {
            if self.cursor.accept_word("param") {
                let memory = Memory::Param(params.len() as u32);
                params.push(self.array(memory)?);
            } else if self.cursor.accept_word("local") {
                let memory = Memory::Local(locals.len() as u32);
                locals.push(self.array(memory)?);
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
            locals,
            grid,
            body,
        })
    }

    /// `%x : f32[384] written`
    fn array(&mut self, memory: Memory) -> Result<Array, Problem> {
        let name = match self.cursor.take() {
            Token::Value(name) if !starts_with_digit(name) => name,
            other => return wanted("the name of an array, such as `%x`", &other),
        };
        if self.arrays.insert(name, memory).is_some() {
            return Err(Problem::Duplicate(format!("%{name}")));
        }
        self.cursor.sign(":")?;
        let dtype = self.dtype()?;
        self.cursor.sign("[")?;
        let len = self.cursor.int()?;
        self.cursor.sign("]")?;
        let local = matches!(memory, Memory::Local(_));
        Ok(Array {
            name: name.into(),
            dtype,
            len,
            written: local || self.cursor.accept_word("written"),
        })
    }

    fn body(&mut self) -> Result<Vec<Stmt>, Problem> {
        let mut body = vec![];
        loop {
            match self.cursor.peek() {
                Token::Value(_) => body.push(self.assignment()?),
                Token::Word("store") => body.push(self.store()?),
                Token::Word("for") => body.push(Stmt::For(self.round(vec![])?)),
                _ => return Ok(body),
            }
        }
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

    fn store(&mut self) -> Result<Stmt, Problem> {
        self.cursor.keyword("store")?;
        let to = self.access()?;
        self.cursor.sign("=")?;
        let value = self.var()?;
        Ok(Stmt::Store { to, value })
    }

    fn round(&mut self, results: Vec<Var>) -> Result<For, Problem> {
        self.cursor.keyword("for")?;
        self.depth += 1;
        if self.depth > MOST_LOOPS {
            return Err(Problem::Limit {
                wanted: format!("at most {MOST_LOOPS} loops around a statement"),
                found: "more".into(),
            });
        }
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
            self.require_count(results.len(), carried.len())?;
        }
        self.cursor.sign("{")?;
        let body = self.body()?;
        let mut next = vec![];
        if !results.is_empty() {
            self.cursor.keyword("yield")?;
            next.push(self.var()?);
            while self.cursor.accept(",") {
                next.push(self.var()?);
            }
            self.require_count(results.len(), next.len())?;
        }
        self.cursor.sign("}")?;
        self.depth -= 1;
        let slots = results.into_iter().zip(carried).zip(next);
        Ok(For {
            counter,
            start,
            end,
            step,
            unroll,
            carried: slots
                .map(|((result, (current, init)), next)| Carried {
                    init,
                    current,
                    next,
                    result,
                })
                .collect(),
            body,
        })
    }

    fn require_count(&self, wanted: usize, found: usize) -> Result<(), Problem> {
        if found == wanted {
            return Ok(());
        }
        Err(Problem::Syntax {
            wanted: format!("{wanted} tiles, one for each result of the loop"),
            found: found.to_string(),
        })
    }

    /// `%x[offset] where (a < b, c < d)`
    pub fn access(&mut self) -> Result<Access, Problem> {
        let memory = self.memory()?;
        self.cursor.sign("[")?;
        let at = self.index()?;
        self.cursor.sign("]")?;
        let mut guard = vec![];
        if self.cursor.accept_word("where") {
            self.cursor.sign("(")?;
            guard = self.list(")", |p| {
                let a = p.index()?;
                p.cursor.sign("<")?;
                Ok((a, p.index()?))
            })?;
        }
        Ok(Access { memory, at, guard })
    }

    pub fn memory(&mut self) -> Result<Memory, Problem> {
        match self.cursor.take() {
            Token::Value(name) => {
                let known = self.arrays.get(name).copied();
                known.ok_or_else(|| Problem::UnknownValue(name.into()))
            }
            other => wanted("an array, such as `%x`", &other),
        }
    }

    pub fn counter(&mut self) -> Result<Counter, Problem> {
        self.cursor.sign("#")?;
        self.count().map(Counter)
    }

    pub fn var(&mut self) -> Result<Var, Problem> {
        match self.cursor.take() {
            Token::Value(name) if starts_with_digit(name) => match name.parse() {
                Ok(n) => Ok(Var(n)),
                Err(_) => wanted("a tile below `%4294967296`", &Token::Value(name)),
            },
            other => wanted("a tile, such as `%3`", &other),
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

    /// `8x16`, which the lexer takes for a number and a word.
    pub fn shape(&mut self) -> Result<Shape, Problem> {
        let rows = self.count()?;
        let token = self.cursor.take();
        let lanes = match token {
            Token::Word(word) => word.strip_prefix('x').and_then(|n| n.parse().ok()),
            _ => None,
        };
        let lanes = lanes.map_or_else(|| wanted("a shape, such as `8x16`", &token), Ok)?;
        Ok(Shape { rows, lanes })
    }

    /// Items between commas, up to `close`, which is taken.
    fn list<T>(
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

fn starts_with_digit(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
}
