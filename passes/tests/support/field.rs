//! Graphs evaluated over a prime field.
//!
//! Two rational terms that agree at random points of a large field agree everywhere but with a chance of
//! about degree / prime for each point (Schwartz 1980, Zippel 1979). Functions that are not rational become
//! random functions: what is equal then is equal for every function, and what is not equal may still be.

use ir::{
    BinaryFn, Build, Compute, Expr, Graph, Meaning, Monoid, Op, TensorType, UnaryFn, ValueId,
    ops::{self, Absent},
};

/// The field has this many elements: the Mersenne prime 2^61 - 1.
pub const PRIME: u64 = (1 << 61) - 1;

/// A number of a tensor: of a float tensor, an element of the field; else an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Field(u64),
    Integer(i64),
}

fn mul(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut out = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = mul(out, base);
        }
        base = mul(base, base);
        exponent >>= 1;
    }
    out
}

fn inverse(a: u64) -> Option<u64> {
    (a != 0).then(|| power(a, PRIME - 2))
}

/// A finite f64 as the fraction that it is.
fn number(x: f64) -> Option<u64> {
    if !x.is_finite() {
        return None;
    }
    let bits = x.abs().to_bits();
    let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    let two = power(2, exponent.unsigned_abs());
    let scale = if exponent < 0 { inverse(two)? } else { two };
    let value = mul(mantissa % PRIME, scale);
    Some(if x < 0.0 {
        (PRIME - value) % PRIME
    } else {
        value
    })
}

/// A random function of the field.
fn function(f: UnaryFn, x: u64) -> u64 {
    let mut random = super::random::Random::of(f.name());
    random.0 ^= x.wrapping_mul(0x2545_f491_4f6c_dd1d);
    random.next() % PRIME
}

struct Point<'a> {
    operands: &'a [(TensorType, Vec<Number>)],
    at: &'a [i64],
}

impl Point<'_> {
    fn field(&self, e: &Expr) -> Option<u64> {
        Some(match self.eval(e)? {
            Number::Field(x) => x,
            Number::Integer(x) => x.rem_euclid(PRIME as i64) as u64,
        })
    }

    fn integer(&self, e: &Expr) -> Option<i64> {
        if let Number::Integer(x) = self.eval(e)? {
            Some(x)
        } else {
            None
        }
    }

    fn eval(&self, e: &Expr) -> Option<Number> {
        use Number::{Field, Integer};
        Some(match e {
            Expr::Num(x) => Field(number(x.get())?),
            Expr::Size(d) => Integer(d.known()?),
            Expr::Axis(i) => Integer(self.at[*i]),
            Expr::Load { operand, index } => {
                let (ty, values) = &self.operands[*operand];
                let mut place = 0;
                for (i, size) in index.iter().zip(ty.known_shape()?) {
                    let i = self.integer(i)?;
                    if !(0..size).contains(&i) {
                        return None;
                    }
                    place = place * size + i;
                }
                values[usize::try_from(place).ok()?]
            }
            Expr::Unary(UnaryFn::Neg, x) => Field((PRIME - self.field(x)?) % PRIME),
            Expr::Unary(UnaryFn::Recip, x) => Field(inverse(self.field(x)?)?),
            Expr::Unary(f, x) => Field(function(*f, self.field(x)?)),
            // Between floats a cast rounds, which real numbers do not show.
            Expr::Cast(d, x) if d.is_float() => Field(self.field(x)?),
            Expr::Cast(..) => return None,
            Expr::Binary(f, a, b) => match (f, self.eval(a)?, self.eval(b)?) {
                (f, Integer(a), Integer(b)) => {
                    let y = f.eval(a as f64, b as f64);
                    (y.fract() == 0.0).then_some(Integer(y as i64))?
                }
                (BinaryFn::Add, ..) => Field((self.field(a)? + self.field(b)?) % PRIME),
                (BinaryFn::Sub, ..) => Field((self.field(a)? + PRIME - self.field(b)?) % PRIME),
                (BinaryFn::Mul, ..) => Field(mul(self.field(a)?, self.field(b)?)),
                (BinaryFn::Div, ..) => Field(mul(self.field(a)?, inverse(self.field(b)?)?)),
                _ => return None,
            },
            Expr::Select(c, a, b) => self.eval(if self.integer(c)? != 0 { a } else { b })?,
        })
    }
}

fn points(sizes: &[i64]) -> impl Iterator<Item = Vec<i64>> + '_ {
    let count: i64 = sizes.iter().product();
    (0..count).map(move |mut i| {
        let mut at = vec![0; sizes.len()];
        for (a, n) in at.iter_mut().zip(sizes).rev() {
            (*a, i) = (i % n, i / n);
        }
        at
    })
}

fn compute(c: &Compute, operands: &[(TensorType, Vec<Number>)]) -> Option<Vec<Number>> {
    let sizes =
        |dims: &[ir::Dim]| -> Option<Vec<i64>> { dims.iter().map(ir::Dim::known).collect() };
    let body = c.body.clone().expand();
    let axes = sizes(&c.axes)?;
    let (monoid, folded) = match &c.reduce {
        None => (None, Vec::new()),
        Some((monoid, dims)) => (Some(*monoid), sizes(dims)?),
    };
    let value = |at: Vec<i64>| {
        let mut all = points(&folded).map(|r| {
            let at = [at.clone(), r].concat();
            Point { operands, at: &at }.eval(&body)
        });
        match monoid {
            None => all.next()?,
            Some(monoid) => all.try_fold(
                Number::Field(u64::from(monoid == Monoid::Prod)),
                |a, b| match (monoid, a, b?) {
                    (Monoid::Sum, Number::Field(a), Number::Field(b)) => {
                        Some(Number::Field((a + b) % PRIME))
                    }
                    (Monoid::Prod, Number::Field(a), Number::Field(b)) => {
                        Some(Number::Field(mul(a, b)))
                    }
                    _ => None,
                },
            ),
        }
    };
    points(&axes).map(value).collect()
}

/// The value of `op` on these operands; none if it needs more than a field has, such as an order.
fn apply(op: &Op, operands: &[(TensorType, Vec<Number>)]) -> Option<Vec<Number>> {
    let mut graph = Graph::new("field");
    let inputs: Option<Vec<ValueId>> = operands
        .iter()
        .map(|(ty, _)| {
            let (name, ty) = (String::new(), ty.clone());
            graph
                .push(
                    ops::Input {
                        name,
                        ty,
                        absent: Absent::Required,
                        below: 0,
                    },
                    &[],
                )
                .ok()
        })
        .collect();
    match op.meaning(&inputs?, &mut Build::new(&mut graph)) {
        Meaning::Compute(c) => compute(&c, operands),
        Meaning::Term(root) => {
            let mut values: Vec<(TensorType, Vec<Number>)> = operands.to_vec();
            for v in graph.values().skip(operands.len()) {
                let node = graph.node(v);
                let inputs: Vec<_> = node
                    .inputs
                    .iter()
                    .map(|i| values[i.index()].clone())
                    .collect();
                values.push((node.ty.clone(), apply(&node.op, &inputs)?));
            }
            Some(values.swap_remove(root.index()).1)
        }
        _ => None,
    }
}

/// The first output of a bound graph; `leaf` gives the numbers of each input and weight.
pub fn evaluate(
    graph: &Graph,
    leaf: impl Fn(&str, &TensorType) -> Vec<Number>,
) -> Option<Vec<Number>> {
    let live = graph.live();
    let mut values: Vec<(TensorType, Vec<Number>)> = Vec::new();
    for v in graph.values() {
        let node = graph.node(v);
        let found = match node.op.leaf() {
            _ if !live[v.index()] => Vec::new(),
            Some(ops::Leaf::Input(i)) => leaf(&i.name, &node.ty),
            Some(ops::Leaf::Weight(w)) => leaf(&w.name, &node.ty),
            None => {
                let inputs: Vec<_> = node
                    .inputs
                    .iter()
                    .map(|i| values[i.index()].clone())
                    .collect();
                apply(&node.op, &inputs)?
            }
        };
        values.push((node.ty.clone(), found));
    }
    Some(values.swap_remove(graph.outputs().first()?.value.index()).1)
}
