//! Conditions of rules: named functions of what the variables are bound to, so that a checker can ask again.

use std::{collections::BTreeMap, fmt, sync::Arc};

use egg::Var;
use ir::{Attr, DType, TensorType};

use crate::egraph::Fact;

/// What is known of each variable of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings(BTreeMap<Var, Fact>);

/// The variable spelled `name`, such as `?x`.
pub(crate) fn var(name: &str) -> Var {
    name.parse()
        .expect("variables of the tables start with `?`")
}

impl Bindings {
    /// These variables.
    pub fn new(facts: impl IntoIterator<Item = (Var, Fact)>) -> Self {
        Self(facts.into_iter().collect())
    }

    /// What is known of `var`.
    pub fn get(&self, var: Var) -> Option<&Fact> {
        self.0.get(&var)
    }

    /// All variables.
    pub fn iter(&self) -> impl Iterator<Item = (&Var, &Fact)> {
        self.0.iter()
    }

    /// The type of the tensor `var`.
    pub fn ty(&self, var: Var) -> Option<&TensorType> {
        self.get(var)?.ty()
    }

    /// The attribute `var`.
    pub fn attr(&self, var: Var) -> Option<&Attr> {
        self.get(var)?.attr()
    }

    /// The number `var`.
    pub fn num(&self, var: Var) -> Option<f64> {
        if let Attr::Num(x) = self.attr(var)? {
            Some(x.get())
        } else {
            None
        }
    }

    /// The integer `var`.
    pub fn int(&self, var: Var) -> Option<i64> {
        if let Attr::Int(x) = self.attr(var)? {
            Some(*x)
        } else {
            None
        }
    }

    /// The integers `var`.
    pub fn ints(&self, var: Var) -> Option<&[i64]> {
        if let Attr::Ints(x) = self.attr(var)? {
            Some(x)
        } else {
            None
        }
    }

    /// Binds `var` to an attribute; if it is bound, it must be to the same one.
    pub fn set(&mut self, var: Var, attr: Attr) -> Option<()> {
        let fact = Fact::Attr(attr);
        (*self.0.entry(var).or_insert_with(|| fact.clone()) == fact).then_some(())
    }
}

type Holds = dyn Fn(&mut Bindings) -> Option<()> + Send + Sync;

/// A condition of a rule.
#[derive(Clone)]
pub struct Condition {
    text: String,
    holds: Arc<Holds>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// A condition that holds where `holds` gives something; it may bind attributes.
    pub fn new(
        text: impl Into<String>,
        holds: impl Fn(&mut Bindings) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            text: text.into(),
            holds: Arc::new(holds),
        }
    }

    /// Whether it holds; what it computes is added to `bound`.
    pub fn holds(&self, bound: &mut Bindings) -> bool {
        (self.holds)(bound).is_some()
    }
}

/// `to` is the attribute that `f` computes from the bindings.
pub(crate) fn computed(
    to: &str,
    text: &str,
    f: impl Fn(&Bindings) -> Option<Attr> + Send + Sync + 'static,
) -> Condition {
    let out = var(to);
    Condition::new(format!("{to} = {text}"), move |b| {
        let attr = f(b)?;
        b.set(out, attr)
    })
}

/// A condition that binds nothing.
pub(crate) fn test(
    text: impl Into<String>,
    f: impl Fn(&Bindings) -> Option<bool> + Send + Sync + 'static,
) -> Condition {
    Condition::new(text, move |b| f(b)?.then_some(()))
}

/// `to` is the number `f` of the numbers `of`; it must be finite.
pub(crate) fn number<const N: usize>(to: &str, of: [&str; N], f: fn([f64; N]) -> f64) -> Condition {
    let vars = of.map(var);
    computed(to, &format!("a number from {of:?}"), move |b| {
        let mut xs = [0.0; N];
        for (x, v) in xs.iter_mut().zip(vars) {
            *x = b.num(v)?;
        }
        let y = f(xs);
        y.is_finite().then_some(Attr::Num(y.into()))
    })
}

/// The number `x` is `value`, but for the rounding of f32.
pub(crate) fn near(x: &str, value: f64) -> Condition {
    let v = var(x);
    test(format!("{x} is near {value}"), move |b| {
        Some((b.num(v)? - value).abs() <= value.abs() * f64::from(f32::EPSILON))
    })
}

/// `to` is the type of one number of the element type of the type `of`.
pub(crate) fn scalar_type(to: &str, of: &str) -> Condition {
    let v = var(of);
    computed(to, &format!("{of} without axes"), move |b| {
        let Attr::Type(ty) = b.attr(v)? else {
            return None;
        };
        (ty.rank() > 0).then(|| Attr::Type(TensorType::new(ty.dtype, [])))
    })
}

/// `x` is known when the model is compiled.
pub(crate) fn fixed(x: &str) -> Condition {
    let v = var(x);
    test(format!("{x} does not depend on inputs"), move |b| {
        Some(b.get(v)?.is_fixed())
    })
}

/// The permutation `axes` of `x` swaps the last two axes and leaves the others.
pub(crate) fn swaps_last(axes: &str) -> Condition {
    let v = var(axes);
    test(format!("{axes} swaps the last two axes"), move |b| {
        let axes = b.ints(v)?;
        let n = i64::try_from(axes.len()).ok()?;
        let mut wanted: Vec<i64> = (0..n).collect();
        let last = wanted.len().checked_sub(2)?;
        wanted[last..].reverse();
        Some(axes == wanted)
    })
}

/// The element type of `x` has the exponents of f32, so that a product of activations is finite.
pub(crate) fn wide(x: &str) -> Condition {
    let v = var(x);
    test(format!("{x} is not of f16"), move |b| {
        Some(b.ty(v)?.dtype != DType::F16)
    })
}

/// The number `x` is finite.
pub(crate) fn finite(x: &str) -> Condition {
    let v = var(x);
    test(format!("{x} is finite"), move |b| {
        Some(b.num(v)?.is_finite())
    })
}

/// `a` and `b` have one type.
pub(crate) fn same_type(a: &str, b: &str) -> Condition {
    let text = format!("{a} and {b} have one type");
    let (x, y) = (var(a), var(b));
    test(text, move |b| Some(b.ty(x)? == b.ty(y)?))
}
