//! A place in a text, from which a parser takes tokens.

use super::{
    Problem, TextError,
    lex::{Lexer, Token, place},
};

/// Tokens of a text, and where the last one taken lies.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The next token.
    token: Token<'a>,
    /// Where it starts.
    at: usize,
    /// Where an error lies.
    pub blame: usize,
}

impl<'a> Cursor<'a> {
    /// The start of `text`.
    pub fn new(text: &'a str) -> Self {
        let mut lexer = Lexer::new(text);
        let (token, at) = lexer.next();
        Self {
            text,
            lexer,
            token,
            at,
            blame: at,
        }
    }

    /// The error that `problem` is at the token taken last.
    pub fn error(&self, problem: Problem) -> TextError {
        let (line, column) = place(self.text, self.blame);
        TextError {
            line,
            column,
            problem,
        }
    }

    /// The next token.
    pub fn peek(&self) -> &Token<'a> {
        &self.token
    }

    /// Takes the next token, which is where errors lie from now on.
    pub fn take(&mut self) -> Token<'a> {
        self.blame = self.at;
        let (next, at) = self.lexer.next();
        self.at = at;
        std::mem::replace(&mut self.token, next)
    }

    /// Where the next token starts.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether the sign is next.
    pub fn sees(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(s) if s == sign)
    }

    /// Takes the sign if it is next.
    pub fn accept(&mut self, sign: &str) -> bool {
        let seen = self.sees(sign);
        if seen {
            self.take();
        }
        seen
    }

    /// Takes the word if it is next.
    pub fn accept_word(&mut self, word: &str) -> bool {
        let seen = self.sees_word(word);
        if seen {
            self.take();
        }
        seen
    }

    /// Whether the word is next.
    pub fn sees_word(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(w) if w == word)
    }

    /// Takes the sign.
    pub fn sign(&mut self, sign: &str) -> Result<(), Problem> {
        match self.take() {
            Token::Sign(s) if s == sign => Ok(()),
            other => wanted(&format!("`{sign}`"), &other),
        }
    }

    /// Takes this word.
    pub fn keyword(&mut self, word: &str) -> Result<(), Problem> {
        match self.take() {
            Token::Word(w) if w == word => Ok(()),
            other => wanted(&format!("`{word}`"), &other),
        }
    }

    /// Takes any word.
    pub fn word(&mut self, what: &str) -> Result<&'a str, Problem> {
        match self.take() {
            Token::Word(w) => Ok(w),
            other => wanted(what, &other),
        }
    }

    /// Takes an integer.
    pub fn int(&mut self) -> Result<i64, Problem> {
        match self.take() {
            Token::Int(n) => Ok(n),
            other => wanted("an integer", &other),
        }
    }

    /// Takes the end.
    pub fn end(&mut self) -> Result<(), Problem> {
        match self.take() {
            Token::End => Ok(()),
            other => wanted("the end of the text", &other),
        }
    }
}

/// The problem that `found` stands where something else should.
pub(crate) fn wanted<T>(what: &str, found: &Token<'_>) -> Result<T, Problem> {
    Err(Problem::Syntax {
        wanted: what.into(),
        found: found.describe(),
    })
}
