//! Text as values.

use super::parse::Parser;
use crate::{
    BinaryFn, F64, Monoid, UnaryFn,
    text::{Problem, Token, wanted},
    tile::{Axis, Value},
};

impl Parser<'_> {
    /// What follows `%3 = `, other than a loop.
    pub(super) fn value(&mut self) -> Result<Value, Problem> {
        match self.cursor.take() {
            Token::Word("splat") => {
                let x = self.number()?;
                self.cursor.sign(":")?;
                Ok(Value::Splat(x, self.dtype()?, self.shape()?))
            }
            Token::Word("coordinate") => {
                let index = self.index()?;
                self.cursor.sign(":")?;
                Ok(Value::Coordinate(index, self.shape()?))
            }
            Token::Word("load") => {
                let from = self.access()?;
                let other = if self.cursor.accept_word("else") {
                    self.number()?
                } else {
                    0.0.into()
                };
                self.cursor.sign(":")?;
                let shape = self.shape()?;
                Ok(Value::Load { from, shape, other })
            }
            Token::Word("select") => {
                let [test, a, b] = self.vars()?;
                Ok(Value::Select(test, a, b))
            }
            Token::Word("cast") => {
                let x = self.var()?;
                self.cursor.sign(":")?;
                Ok(Value::Cast(self.dtype()?, x))
            }
            Token::Word("broadcast") => {
                let x = self.var()?;
                self.cursor.sign(":")?;
                Ok(Value::Broadcast(x, self.shape()?))
            }
            Token::Word("reduce") => self.reduce(),
            Token::Word("dot") => {
                let [a, b, acc] = self.vars()?;
                Ok(Value::Dot { a, b, acc })
            }
            Token::Word(word) => {
                if let Some(f) = UnaryFn::ALL.iter().find(|f| f.name() == word) {
                    return Ok(Value::Unary(*f, self.var()?));
                }
                match BinaryFn::ALL.iter().find(|f| f.name() == word) {
                    Some(f) => {
                        let [a, b] = self.vars()?;
                        Ok(Value::Binary(*f, a, b))
                    }
                    None => wanted("a function, such as `add`", &Token::Word(word)),
                }
            }
            other => wanted("a value, such as `add %1, %2`", &other),
        }
    }

    /// What follows `reduce`.
    fn reduce(&mut self) -> Result<Value, Problem> {
        let word = self.cursor.word("sum, prod, max or min")?;
        let Some(monoid) = Monoid::ALL.into_iter().find(|m| m.name() == word) else {
            return wanted("sum, prod, max or min", &Token::Word(word));
        };
        let axis = match self.cursor.take() {
            Token::Word("rows") => Axis::Rows,
            Token::Word("lanes") => Axis::Lanes,
            other => return wanted("rows or lanes", &other),
        };
        Ok(Value::Reduce(monoid, axis, self.var()?))
    }

    fn number(&mut self) -> Result<F64, Problem> {
        let x = match self.cursor.take() {
            Token::Num(x) => x,
            Token::Int(n) => n as f64,
            Token::Word("inf") => f64::INFINITY,
            Token::Word("nan") => f64::NAN,
            other => return wanted("a number", &other),
        };
        Ok(x.into())
    }

    /// `%1, %2`
    fn vars<const N: usize>(&mut self) -> Result<[crate::tile::Var; N], Problem> {
        let mut vars = [crate::tile::Var(0); N];
        for (i, var) in vars.iter_mut().enumerate() {
            if i > 0 {
                self.cursor.sign(",")?;
            }
            *var = self.var()?;
        }
        Ok(vars)
    }
}
