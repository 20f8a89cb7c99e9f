//! Text as values.

use super::parse::Parser;
use crate::{
    BinaryFn, F64, UnaryFn,
    lane::{Type, Value},
    text::{Problem, Token, wanted},
    tile::Var,
};

impl Parser<'_> {
    /// What follows `%3 = `, other than a loop.
    pub(super) fn value(&mut self) -> Result<Value, Problem> {
        match self.cursor.take() {
            Token::Word("const") => {
                let x = self.number()?;
                self.cursor.sign(":")?;
                Ok(Value::Const(x, self.ty()?))
            }
            Token::Word("index") => {
                self.cursor.sign("[")?;
                self.list("]", Self::index).map(Value::Index)
            }
            Token::Word("load") => {
                let from = self.access()?;
                let other = if self.cursor.accept_word("else") {
                    self.number()?
                } else {
                    0.0.into()
                };
                self.cursor.sign(":")?;
                let width = self.count()?;
                Ok(Value::Load { from, width, other })
            }
            Token::Word("fma") => {
                let [a, b, c] = self.vars()?;
                Ok(Value::Fma(a, b, c))
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
            Token::Word("concat") => {
                self.cursor.sign("[")?;
                self.list("]", Self::var).map(Value::Concat)
            }
            Token::Word("pick") => {
                let var = self.var()?;
                self.cursor.sign("[")?;
                Ok(Value::Pick(var, self.list("]", Self::count)?))
            }
            Token::Word("shuffle_xor") => {
                let var = self.var()?;
                self.cursor.sign(",")?;
                Ok(Value::ShuffleXor(var, self.count()?))
            }
            Token::Word("matrix") => {
                let instr = self.instr_name()?;
                let [a, b, c] = self.vars()?;
                Ok(Value::Matrix { instr, a, b, c })
            }
            Token::Word("product") => self.product_value(),
            Token::Word("load_matrix") => {
                let transposed = self.cursor.accept_word("transposed");
                let from = self.access()?;
                self.cursor.sign(":")?;
                Ok(Value::LoadMatrix {
                    from,
                    count: self.count()?,
                    transposed,
                })
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

    /// `f32x4`
    fn ty(&mut self) -> Result<Type, Problem> {
        let token = self.cursor.take();
        let ty = match token {
            Token::Word(word) => word.split_once('x').and_then(|(dtype, width)| {
                let (dtype, width) = (dtype.parse().ok()?, width.parse().ok()?);
                Some(Type { dtype, width })
            }),
            _ => None,
        };
        ty.map_or_else(|| wanted("a type, such as `f32x4`", &token), Ok)
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
    fn vars<const N: usize>(&mut self) -> Result<[Var; N], Problem> {
        let mut vars = [Var(0); N];
        for (i, var) in vars.iter_mut().enumerate() {
            if i > 0 {
                self.cursor.sign(",")?;
            }
            *var = self.var()?;
        }
        Ok(vars)
    }
}
