//! Text as indices.

use super::parse::Parser;
use crate::{
    lane::Index,
    text::{Problem, Token, wanted},
};

/// Most parts of one index: what walks it may recurse.
const MOST_PARTS: usize = 1000;

impl Parser<'_> {
    pub(super) fn index(&mut self) -> Result<Index, Problem> {
        self.sum(&mut 0)
    }

    fn sum(&mut self, parts: &mut usize) -> Result<Index, Problem> {
        let mut sum = self.product(parts)?;
        loop {
            let term = if self.cursor.accept("+") {
                self.product(parts)?
            } else if self.cursor.accept("-") {
                match self.product(parts)? {
                    Index::Const(n) => Index::Const(n.wrapping_neg()),
                    term => Index::Mul(term.into(), Index::Const(-1).into()),
                }
            } else {
                return Ok(sum);
            };
            sum = Index::Add(sum.into(), term.into());
        }
    }

    fn product(&mut self, parts: &mut usize) -> Result<Index, Problem> {
        let mut product = self.atom(parts)?;
        while self.cursor.accept("*") {
            product = Index::Mul(product.into(), self.atom(parts)?.into());
        }
        Ok(product)
    }

    fn atom(&mut self, parts: &mut usize) -> Result<Index, Problem> {
        *parts += 1;
        if *parts > MOST_PARTS {
            return Err(Problem::Limit {
                wanted: format!("at most {MOST_PARTS} parts in an index"),
                found: "more".into(),
            });
        }
        if let Token::Sign("#") = self.cursor.peek() {
            return self.counter().map(Index::Counter);
        }
        if let Token::Value(_) = self.cursor.peek() {
            return self.var().map(Index::Var);
        }
        let call = match self.cursor.take() {
            Token::Int(n) => return Ok(Index::Const(n)),
            Token::Word("lane") => return Ok(Index::Lane),
            Token::Word("warp") => return Ok(Index::Warp),
            Token::Sign("(") => {
                let sum = self.sum(parts)?;
                self.cursor.sign(")")?;
                return Ok(sum);
            }
            Token::Word("div") => Index::Div,
            Token::Word("mod") => Index::Mod,
            Token::Word("min") => Index::Min,
            Token::Word("max") => Index::Max,
            Token::Word("xor") => Index::Xor,
            other => return wanted("an index", &other),
        };
        self.cursor.sign("(")?;
        let a = self.sum(parts)?;
        self.cursor.sign(",")?;
        let b = self.sum(parts)?;
        self.cursor.sign(")")?;
        Ok(call(a.into(), b.into()))
    }
}
