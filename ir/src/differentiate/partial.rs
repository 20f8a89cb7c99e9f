//! Derivatives of scalar expressions.

use crate::{BinaryFn, Expr, UnaryFn};

/// The derivative of `e` by the load `by`; none where it is zero. Derived functions have been expanded.
pub(super) fn partial(e: &Expr, by: &Expr) -> Option<Expr> {
    if e == by {
        return Some(Expr::num(1.0));
    }
    match e {
        // Indices are integers: nothing flows through them.
        Expr::Num(_) | Expr::Size(_) | Expr::Axis(_) | Expr::Load { .. } => None,
        Expr::Cast(dtype, x) => partial(x, by).filter(|_| dtype.is_float()),
        Expr::Unary(f, x) => {
            let inner = partial(x, by)?;
            Some(of_unary(*f, x)? * inner)
        }
        Expr::Binary(f, a, b) => {
            let (da, db) = of_binary(*f, a, b)?;
            let of_a = partial(a, by).map(|d| da * d);
            let of_b = partial(b, by).map(|d| db * d);
            match (of_a, of_b) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            }
        }
        Expr::Select(c, a, b) => {
            let (a, b) = (partial(a, by), partial(b, by));
            if a.is_none() && b.is_none() {
                return None;
            }
            let zero = || Expr::num(0.0);
            Some(
                (**c)
                    .clone()
                    .select(a.unwrap_or_else(zero), b.unwrap_or_else(zero)),
            )
        }
    }
}

/// `f'(x)`; none where it is zero.
fn of_unary(f: UnaryFn, x: &Expr) -> Option<Expr> {
    let (x, n) = (x.clone(), Expr::num);
    let value = x.clone().apply(f);
    Some(match f {
        UnaryFn::Neg => n(-1.0),
        UnaryFn::Abs => x.with(BinaryFn::Lt, n(0.0)).select(n(-1.0), n(1.0)),
        UnaryFn::Exp => value,
        UnaryFn::Log => x.apply(UnaryFn::Recip),
        UnaryFn::Sqrt => n(0.5) * x.apply(UnaryFn::Rsqrt),
        UnaryFn::Rsqrt => n(-0.5) * value / x,
        UnaryFn::Recip => -(value.clone() * value),
        UnaryFn::Tanh => n(1.0) - value.clone() * value,
        UnaryFn::Erf => {
            n(std::f64::consts::FRAC_2_SQRT_PI) * (-(x.clone() * x)).apply(UnaryFn::Exp)
        }
        UnaryFn::Sin => x.apply(UnaryFn::Cos),
        UnaryFn::Cos => -x.apply(UnaryFn::Sin),
        UnaryFn::Floor | UnaryFn::Ceil | UnaryFn::Round | UnaryFn::Not => return None,
        UnaryFn::Relu
        | UnaryFn::Sigmoid
        | UnaryFn::Silu
        | UnaryFn::Gelu
        | UnaryFn::GeluTanh
        | UnaryFn::QuickGelu
        | UnaryFn::Square => unreachable!("derived functions have been expanded"),
    })
}

/// The derivatives by both arguments; none where both are zero.
fn of_binary(f: BinaryFn, a: &Expr, b: &Expr) -> Option<(Expr, Expr)> {
    let (a, b, n) = (a.clone(), b.clone(), Expr::num);
    let either = |first: Expr| (first.clone(), n(1.0) - first);
    Some(match f {
        BinaryFn::Add => (n(1.0), n(1.0)),
        BinaryFn::Sub => (n(1.0), n(-1.0)),
        BinaryFn::Mul => (b, a),
        BinaryFn::Div => {
            let by_a = b.clone().apply(UnaryFn::Recip);
            (by_a, -(a / (b.clone() * b)))
        }
        BinaryFn::Max => either(a.with(BinaryFn::Gt, b)),
        BinaryFn::Min => either(a.with(BinaryFn::Lt, b)),
        BinaryFn::Pow => {
            let less = a.clone().with(BinaryFn::Pow, b.clone() - n(1.0));
            let value = a.clone().with(BinaryFn::Pow, b.clone());
            (b * less, value * a.apply(UnaryFn::Log))
        }
        BinaryFn::Mod => (n(1.0), -a.with(BinaryFn::FloorDiv, b)),
        BinaryFn::FloorDiv
        | BinaryFn::Eq
        | BinaryFn::Ne
        | BinaryFn::Lt
        | BinaryFn::Le
        | BinaryFn::Gt
        | BinaryFn::Ge
        | BinaryFn::And
        | BinaryFn::Or => return None,
    })
}

/// At which points a part of an expression is evaluated.
pub(super) enum Reach {
    Never,
    When(Expr),
    Always,
}

impl Reach {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, x) | (x, Self::Never) => x,
            (Self::When(a), Self::When(b)) => Self::When(a.with(BinaryFn::Or, b)),
        }
    }

    /// Where also `condition` holds; it is evaluated first.
    fn and(self, condition: Expr) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::Always => Self::When(condition),
            Self::When(inner) => Self::When(condition.select(inner, Expr::num(0.0))),
        }
    }
}

/// Where `e` evaluates its part `part`.
pub(super) fn reach(e: &Expr, part: &Expr) -> Reach {
    match e {
        _ if e == part => Reach::Always,
        Expr::Select(c, a, b) => {
            let not = (**c).clone().apply(UnaryFn::Not);
            let sides = reach(a, part)
                .and((**c).clone())
                .or(reach(b, part).and(not));
            reach(c, part).or(sides)
        }
        other => {
            let parts = other.parts().into_iter();
            parts.map(|p| reach(p, part)).fold(Reach::Never, Reach::or)
        }
    }
}
