//! Text as tokens.

use std::borrow::Cow;

/// A piece of text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// `seq`, `f32`, `true`
    Word(&'a str),
    /// `%scores`, without the sign.
    Value(&'a str),
    /// `-?[0-9]+`
    Int(i64),
    /// A number with a point or an exponent.
    Num(f64),
    /// A text in quotes.
    Text(Cow<'a, str>),
    /// `{ } ( ) [ ] , : = + * - < #` or `..`
    Sign(&'static str),
    /// After the last token.
    End,
    /// What no token starts with, or a token that does not end as it must.
    Stray(&'a str),
}

const SIGNS: [&str; 15] = [
    "..", "{", "}", "(", ")", "[", "]", ",", ":", "=", "+", "*", "-", "<", "#",
];

/// Reads one token after another.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and where it starts, in bytes.
    pub(super) fn next(&mut self) -> (Token<'a>, usize) {
        self.skip_space();
        let (start, rest) = (self.at, &self.text[self.at..]);
        let (token, len) = match rest.bytes().next() {
            None => (Token::End, 0),
            Some(b'"') => quoted(rest),
            Some(b'%') => match word_len(&rest[1..], true) {
                0 => (Token::Stray("%"), 1),
                n => (Token::Value(&rest[1..=n]), n + 1),
            },
            Some(b'0'..=b'9') => number(rest),
            Some(b'-') if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest),
            Some(b'-') if rest[1..].starts_with("inf") => (Token::Num(f64::NEG_INFINITY), 4),
            Some(_) => other(rest),
        };
        self.at += len;
        (token, start)
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.text[self.at..].trim_start();
            self.at = self.text.len() - rest.len();
            if !rest.starts_with("//") {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }
}

/// Line and column of a position, both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// Whether a word may be written without quotes.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && word_len(text, false) == text.len()
}

/// Bytes of the word at the start; `digits` if it may start with one.
fn word_len(text: &str, digits: bool) -> usize {
    if !digits && text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

fn other(rest: &str) -> (Token<'_>, usize) {
    if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
        return (Token::Sign(sign), sign.len());
    }
    match word_len(rest, false) {
        0 => {
            let len = rest.chars().next().map_or(0, char::len_utf8);
            (Token::Stray(&rest[..len]), len)
        }
        n => (Token::Word(&rest[..n]), n),
    }
}

fn number(rest: &str) -> (Token<'_>, usize) {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut len = usize::from(bytes[0] == b'-');
    len += digits(len);
    let whole = len;
    if bytes.get(len) == Some(&b'.') && digits(len + 1) > 0 {
        len += 1 + digits(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = bytes
            .get(len + 1 + sign..)
            .map_or(0, |_| digits(len + 1 + sign));
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let text = &rest[..len];
    let token = if len == whole {
        text.parse().map(Token::Int).ok()
    } else {
        text.parse().map(Token::Num).ok()
    };
    (token.unwrap_or(Token::Stray(text)), len)
}

/// A text in quotes, with the escapes that [`quote`] writes.
fn quoted(rest: &str) -> (Token<'_>, usize) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        let plain = match c {
            '"' => return (Token::Text(text.into()), i + 1),
            '\n' => break,
            '\\' => chars.next().and_then(|(_, c)| match c {
                'n' => Some('\n'),
                't' => Some('\t'),
                '"' | '\\' => Some(c),
                'u' => {
                    let hex: String = chars.by_ref().take(6).map(|(_, c)| c).collect();
                    u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
                }
                _ => None,
            }),
            c => Some(c),
        };
        match plain {
            Some(c) => text.push(c),
            None => break,
        }
    }
    (Token::Stray("\""), 1)
}

/// `text` in quotes.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:06x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Token<'_> {
    /// As named in errors.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Word(w) => format!("`{w}`"),
            Self::Value(v) => format!("`%{v}`"),
            Self::Int(n) => format!("`{n}`"),
            Self::Num(x) => format!("`{x:?}`"),
            Self::Text(t) => quote(&t.chars().take(40).collect::<String>()),
            Self::Sign(s) => format!("`{s}`"),
            Self::End => "the end of the text".into(),
            Self::Stray("\"") => "a quote that does not end on its line".into(),
            Self::Stray(s) => format!("`{}`", s.chars().take(40).collect::<String>()),
        }
    }
}
