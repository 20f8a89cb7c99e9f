//! Text as graphs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Problem, TextError,
    cursor::{Cursor, wanted},
    lex::Token,
    limits,
};
use crate::{
    Attr, Bounds, DType, Dim, F64, Graph, Op, Symbol, TensorType, ValueId, verify::verify,
};

/// Most factors in one term of a size.
const MOST_FACTORS: usize = 16;
/// Most terms in one size.
const MOST_TERMS: usize = 64;

/// The graph that `text` spells; it verifies.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn parse(text: &str) -> Result<Graph, TextError> {
    let mut parser = Parser::new(text);
    let graph = parser.graph();
    graph.map_err(|problem| parser.cursor.error(problem))
}

/// The type that `text` spells, such as `f32[batch,384]`; any symbol may occur.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn parse_type(text: &str) -> Result<TensorType, TextError> {
    let mut parser = Parser::new(text);
    let ty = parser.ty().and_then(|ty| parser.cursor.end().map(|()| ty));
    ty.map_err(|problem| parser.cursor.error(problem))
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    values: BTreeMap<&'a str, ValueId>,
    /// Where each node's line starts.
    lines: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            values: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    fn int(&mut self) -> Result<i64, Problem> {
        limits::number(self.cursor.int()?)
    }

    /// Items between signs, separated by commas.
    fn list<T>(
        &mut self,
        [open, close]: [&str; 2],
        mut item: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        self.cursor.sign(open)?;
        let mut items = Vec::new();
        if self.cursor.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            match self.cursor.take() {
                Token::Sign(s) if s == close => return Ok(items),
                Token::Sign(",") => {}
                other => return wanted(&format!("`,` or `{close}`"), &other),
            }
        }
    }

    fn graph(&mut self) -> Result<Graph, Problem> {
        self.cursor.keyword("graph")?;
        let mut graph = match self.cursor.take() {
            Token::Text(name) => Graph::new(&name),
            other => return wanted("the graph's name in quotes", &other),
        };
        if self.cursor.sees("(") {
            self.list(["(", ")"], |p| p.symbol(&mut graph))?;
        }
        self.cursor.sign("{")?;
        while matches!(self.cursor.peek(), Token::Value(_)) {
            self.node(&mut graph)?;
        }
        if matches!(self.cursor.peek(), Token::Word("return")) {
            self.cursor.take();
            self.outputs(&mut graph)?;
        }
        match self.cursor.take() {
            Token::Sign("}") => {}
            other => return wanted("a value such as `%x`, `return` or `}`", &other),
        }
        self.cursor.end()?;
        if let Err(e) = verify(&graph) {
            self.cursor.blame = e.value().map_or(0, |v| self.lines[v.index()]);
            return Err(e.into());
        }
        Ok(graph)
    }

    fn symbol(&mut self, graph: &mut Graph) -> Result<(), Problem> {
        let name = self.cursor.word("the name of a size")?;
        if graph.symbols().contains_key(&Symbol::new(name)) {
            return Err(Problem::Duplicate(name.into()));
        }
        self.cursor.keyword("in")?;
        let min = self.int()?;
        self.cursor.sign("..")?;
        let max = self.int()?;
        if min < 0 || max < min {
            return Err(Problem::Syntax {
                wanted: "bounds from 0 on, the smaller first".into(),
                found: format!("`{min}..{max}`"),
            });
        }
        graph.declare(name, Bounds { min, max });
        Ok(())
    }

    /// `%name = op(%a, %b) {attribute = value} : type`
    fn node(&mut self, graph: &mut Graph) -> Result<(), Problem> {
        let Token::Value(name) = self.cursor.take() else {
            unreachable!("the caller saw a value")
        };
        let line = self.cursor.blame;
        if self.values.contains_key(name) {
            return Err(Problem::Duplicate(format!("%{name}")));
        }
        self.cursor.sign("=")?;
        let op = self.cursor.word("the name of an op")?;
        let op_at = self.cursor.blame;
        let inputs = if self.cursor.sees("(") {
            self.list(["(", ")"], Self::value)?
        } else {
            Vec::new()
        };
        let attrs = if self.cursor.sees("{") {
            self.attrs(graph)?
        } else {
            BTreeMap::new()
        };
        self.cursor.sign(":")?;
        let type_at = self.cursor.at();
        let written = self.ty()?;
        self.cursor.blame = type_at;
        limits::ty(graph, &written)?;

        self.cursor.blame = op_at;
        let value = graph.push(Op::parse(op, &attrs)?, &inputs)?;
        let inferred = graph.ty(value);
        limits::ty(graph, inferred)?;
        if *inferred != written {
            self.cursor.blame = type_at;
            let (inferred, written) = (Box::new(inferred.clone()), Box::new(written));
            return Err(Problem::Type { inferred, written });
        }
        self.values.insert(name, value);
        self.lines.push(line);
        Ok(())
    }

    fn value(&mut self) -> Result<ValueId, Problem> {
        match self.cursor.take() {
            Token::Value(name) => match self.values.get(name) {
                Some(v) => Ok(*v),
                None => Err(Problem::UnknownValue(name.into())),
            },
            other => wanted("a value such as `%x`", &other),
        }
    }

    fn attrs(&mut self, graph: &Graph) -> Result<BTreeMap<String, Attr>, Problem> {
        let mut attrs = BTreeMap::new();
        self.list(["{", "}"], |p| {
            let name = p.cursor.word("the name of an attribute")?;
            if attrs.contains_key(name) {
                return Err(Problem::Duplicate(name.into()));
            }
            p.cursor.sign("=")?;
            let at = p.cursor.at();
            let attr = p.attr()?;
            p.cursor.blame = at;
            limits::attr(graph, &attr)?;
            attrs.insert(name.to_owned(), attr);
            Ok(())
        })?;
        Ok(attrs)
    }

    fn attr(&mut self) -> Result<Attr, Problem> {
        match self.cursor.peek().clone() {
            Token::Sign("(") => Ok(Attr::Ints(self.list(["(", ")"], Self::int)?)),
            Token::Sign("[") => Ok(Attr::Dims(self.list(["[", "]"], Self::dim)?)),
            Token::Word(word) => {
                self.cursor.take();
                Ok(match word {
                    "true" => Attr::Bool(true),
                    "false" => Attr::Bool(false),
                    "inf" => Attr::Num(F64::new(f64::INFINITY)),
                    "nan" | "NaN" => Attr::Num(F64::new(f64::NAN)),
                    _ if self.cursor.sees("[") => Attr::Type(self.ty_of(word)?),
                    word => Attr::Word(word.into()),
                })
            }
            Token::Int(_) => self.int().map(Attr::Int),
            Token::Num(x) => {
                self.cursor.take();
                Ok(Attr::Num(x.into()))
            }
            Token::Text(text) => {
                self.cursor.take();
                Ok(Attr::Text(text.into_owned()))
            }
            other => {
                self.cursor.take();
                wanted("the value of an attribute", &other)
            }
        }
    }

    fn ty(&mut self) -> Result<TensorType, Problem> {
        let word = self.cursor.word("a type such as f32[batch,128]")?;
        self.ty_of(word)
    }

    /// The type whose element type was just taken.
    fn ty_of(&mut self, word: &str) -> Result<TensorType, Problem> {
        let Some(dtype) = DType::ALL.into_iter().find(|d| d.name() == word) else {
            let names = DType::ALL.map(DType::name).join(", ");
            return wanted(&format!("an element type ({names})"), &Token::Word(word));
        };
        Ok(TensorType::new(dtype, self.list(["[", "]"], Self::dim)?))
    }

    /// `2*batch*seq+1`
    fn dim(&mut self) -> Result<Dim, Problem> {
        let mut sum = Dim::default();
        for _ in 0..MOST_TERMS {
            sum = sum + self.term()?;
            if !self.cursor.accept("+") {
                return Ok(sum);
            }
        }
        wanted(
            &format!("at most {MOST_TERMS} terms in a size"),
            &Token::Sign("+"),
        )
    }

    fn term(&mut self) -> Result<Dim, Problem> {
        let negative = self.cursor.accept("-");
        let (mut c, mut term) = (if negative { -1i64 } else { 1 }, Dim::from(1));
        for _ in 0..MOST_FACTORS {
            match self.cursor.take() {
                Token::Int(n) => c = limits::number(c.saturating_mul(n))?,
                Token::Word(symbol) => term = term * Dim::symbol(symbol),
                other => return wanted("a size such as `128` or `seq`", &other),
            }
            if !self.cursor.accept("*") {
                return Ok(term * c.into());
            }
        }
        wanted(
            &format!("at most {MOST_FACTORS} factors in a size"),
            &Token::Sign("*"),
        )
    }

    /// `name = %value, ..`
    fn outputs(&mut self, graph: &mut Graph) -> Result<(), Problem> {
        let mut names = BTreeSet::new();
        loop {
            let name = match self.cursor.take() {
                Token::Word(w) => w.to_owned(),
                Token::Text(t) => t.into_owned(),
                other => return wanted("the name of an output", &other),
            };
            if !names.insert(name.clone()) {
                return Err(Problem::Duplicate(name));
            }
            self.cursor.sign("=")?;
            let value = self.value()?;
            graph.output(&name, value);
            if !self.cursor.accept(",") {
                return Ok(());
            }
        }
    }
}
