//! Text as matrix instructions.

use super::parse::Parser;
use crate::{
    lane::{Layout, MatrixInstr, Spelling, Step},
    text::{Problem, Token, wanted},
};

impl Parser<'_> {
    /// What follows `matrix` at the head of a program.
    pub(super) fn instr(&mut self) -> Result<MatrixInstr, Problem> {
        let name = self.quoted("the name of a matrix instruction")?;
        self.cursor.sign(":")?;
        let operands = self.dtype()?;
        self.cursor.keyword("to")?;
        let accumulator = self.dtype()?;
        let spelling = match self.cursor.take() {
            Token::Word("outer") => Spelling::Outer,
            Token::Word("word") => Spelling::Word(self.quoted("a word")?),
            other => return wanted("`outer` or `word`", &other),
        };
        self.cursor.sign("{")?;
        let mut fragment = |operand| {
            self.cursor.keyword(operand)?;
            self.layout()
        };
        let (a, b, c) = (fragment("a")?, fragment("b")?, fragment("c")?);
        self.cursor.sign("}")?;
        Ok(MatrixInstr {
            name,
            operands,
            accumulator,
            a,
            b,
            c,
            spelling,
        })
    }

    /// `[c1, r8] lanes [c2, c4, r1, r2, r4] warps [r16]`
    pub(super) fn layout(&mut self) -> Result<Layout, Problem> {
        let register = self.steps()?;
        self.cursor.keyword("lanes")?;
        let lane = self.steps()?;
        let warp = if self.cursor.accept_word("warps") {
            self.steps()?
        } else {
            vec![]
        };
        Ok(Layout {
            register,
            lane,
            warp,
        })
    }

    fn steps(&mut self) -> Result<Vec<Step>, Problem> {
        self.cursor.sign("[")?;
        self.list("]", Self::step)
    }

    /// `r8`, `c2`, `r8c2`, `0`
    fn step(&mut self) -> Result<Step, Problem> {
        let token = self.cursor.take();
        let step = match token {
            Token::Int(0) => Some(Step::NONE),
            Token::Word(word) => {
                let (rows, columns) = match word.split_once('c') {
                    Some((rows, columns)) => (rows, Some(columns)),
                    None => (word, None),
                };
                let number = |digits: &str| digits.parse::<u32>().ok();
                let row = if rows.is_empty() {
                    Some(0)
                } else {
                    rows.strip_prefix('r').and_then(number)
                };
                let column = columns.map_or(Some(0), number);
                row.zip(column).map(|(row, column)| Step { row, column })
            }
            _ => None,
        };
        step.map_or_else(
            || wanted("rows or columns, such as `r8` or `c2`", &token),
            Ok,
        )
    }

    /// A text in quotes.
    pub(super) fn quoted(&mut self, what: &str) -> Result<String, Problem> {
        match self.cursor.take() {
            Token::Text(text) => Ok(text.into_owned()),
            other => wanted(&format!("{what} in quotes"), &other),
        }
    }
}
