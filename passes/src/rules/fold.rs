//! What is known when the model is compiled, and movement that moves nothing.

use ir::{Attr, Dim};

use super::{
    Bindings, Condition, Rule, Sense, Stage,
    condition::{computed, fixed, number, test, var},
    rule,
};

/// Names of functions of `N` numbers, and the functions.
type Functions<const N: usize> = [(&'static str, fn([f64; N]) -> f64); 4];

pub(super) fn rules() -> Vec<Rule> {
    let mut out = Vec::new();
    let binary: Functions<2> = [
        ("add", |[a, b]| a + b),
        ("sub", |[a, b]| a - b),
        ("mul", |[a, b]| a * b),
        ("div", |[a, b]| a / b),
    ];
    for (f, value) in binary {
        out.push(
            rule(
                &format!("{f}-of-constants"),
                &format!("({f} (constant ?t ?a) (constant ?t ?b))"),
                "(constant ?t ?c)",
            )
            .when(number("?c", ["?a", "?b"], value))
            .when(is_float("?t")),
        );
    }
    let unary: Functions<1> = [
        ("neg", |[a]| -a),
        ("sqrt", |[a]| a.sqrt()),
        ("rsqrt", |[a]| 1.0 / a.sqrt()),
        ("recip", |[a]| 1.0 / a),
    ];
    for (f, value) in unary {
        out.push(
            rule(
                &format!("{f}-of-constant"),
                &format!("({f} (constant ?t ?a))"),
                "(constant ?t ?c)",
            )
            .when(number("?c", ["?a"], value))
            .when(is_float("?t")),
        );
    }
    out.extend([
        rule("add-zero", "(add ?x (constant ?t 0.0))", "?x"),
        rule("sub-zero", "(sub ?x (constant ?t 0.0))", "?x").equal(Sense::Bits),
        rule("mul-one", "(mul ?x (constant ?t 1.0))", "?x").equal(Sense::Bits),
        rule("div-one", "(div ?x (constant ?t 1.0))", "?x").equal(Sense::Bits),
        rule("neg-neg", "(neg (neg ?x))", "?x").equal(Sense::Bits),
        rule("cast-to-same", "(cast ?d ?x)", "?x").equal(Sense::Bits),
        rule("reshape-to-same", "(reshape ?s ?x)", "?x").equal(Sense::Bits),
        rule("broadcast-to-same", "(broadcast ?s ?x)", "?x").equal(Sense::Bits),
        rule(
            "reshape-of-reshape",
            "(reshape ?s (reshape ?r ?x))",
            "(reshape ?s ?x)",
        )
        .equal(Sense::Bits),
        rule(
            "broadcast-of-broadcast",
            "(broadcast ?s (broadcast ?r ?x))",
            "(broadcast ?s ?x)",
        )
        .equal(Sense::Bits),
        rule("permute-in-order", "(permute ?p ?x)", "?x")
            .equal(Sense::Bits)
            .when(in_order("?p")),
        rule(
            "permute-of-permute",
            "(permute ?p (permute ?q ?x))",
            "(permute ?r ?x)",
        )
        .equal(Sense::Bits)
        .when(composed("?r", "?p", "?q")),
        rule("slice-whole", "(slice ?axis ?size ?start 1 ?x)", "?x").equal(Sense::Bits),
        rule(
            "scale-into-weight",
            "(mul (matmul ?ta ?tb ?x ?w) (constant ?t ?c))",
            "(matmul ?ta ?tb ?x (mul ?w (constant ?t ?c)))",
        )
        .when(fixed("?w"))
        .when(super::recognise::is_scalar("?t")),
        rule(
            "gain-into-weight",
            "(matmul false false (mul ?x ?g) ?w)",
            "(matmul false false ?x (mul (reshape ?column ?g) ?w))",
        )
        .when(fixed("?w"))
        .when(fixed("?g"))
        .when(as_column("?column", "?g")),
    ]);
    for n in [2, 3] {
        for i in 0..n {
            out.push(part_of_concat(i, n));
        }
        out.push(neighbours(n));
    }
    out
}

/// Slices of one value that lie side by side are one slice.
fn neighbours(n: usize) -> Rule {
    let slices: Vec<String> = (0..n)
        .map(|k| format!("(slice ?axis ?size{k} ?start{k} 1 ?x)"))
        .collect();
    let left = format!("(concat ?axis {})", slices.join(" "));
    let dim = |b: &Bindings, name: String| match b.attr(var(&name))? {
        Attr::Dims(dims) => dims.first().cloned(),
        _ => None,
    };
    let text = "the sum of sizes that begin where the one before ends";
    let size = computed("?size", text, move |b| {
        let first = dim(b, "?start0".into())?;
        let mut end = first.clone();
        for k in 0..n {
            if dim(b, format!("?start{k}"))? != end {
                return None;
            }
            end = end + dim(b, format!("?size{k}"))?;
        }
        Some(Attr::Dims(vec![end + Dim::from(-1) * first]))
    });
    rule(
        &format!("{n}-neighbours"),
        &left,
        "(slice ?axis ?size ?start0 1 ?x)",
    )
    .equal(Sense::Bits)
    .when(size)
}

/// `slice(concat(x_0, .., x_n))`, cut where `x_i` lies, is `x_i`.
fn part_of_concat(i: usize, n: usize) -> Rule {
    let parts: Vec<String> = (0..n).map(|k| format!("?x{k}")).collect();
    let left = format!(
        "(slice ?axis ?size ?start 1 (concat ?axis {}))",
        parts.join(" ")
    );
    let vars: Vec<_> = parts.iter().map(|p| var(p)).collect();
    let (axis, start) = (var("?axis"), var("?start"));
    // The size is that of `x_i`, since both sides have one type.
    let at_start = test(format!("?start is where {} lies", parts[i]), move |b| {
        let axis = usize::try_from(b.int(axis)?).ok()?;
        let sizes: Option<Vec<Dim>> = vars[..i]
            .iter()
            .map(|v| b.ty(*v)?.shape.get(axis).cloned())
            .collect();
        let before = sizes?.into_iter().fold(Dim::from(0), |a, b| a + b);
        Some(*b.attr(start)? == Attr::Dims(vec![before]))
    });
    rule(&format!("part-{i}-of-{n}"), &left, &parts[i])
        .equal(Sense::Bits)
        .when(at_start)
        .at(Stage::Fuse)
}

/// The type `t` is one of floats.
fn is_float(t: &str) -> Condition {
    let v = var(t);
    test(format!("{t} is of floats"), move |b| match b.attr(v)? {
        Attr::Type(ty) => Some(ty.dtype.is_float()),
        _ => None,
    })
}

/// The permutation `p` leaves every axis.
fn in_order(p: &str) -> Condition {
    let v = var(p);
    test(format!("{p} leaves every axis"), move |b| {
        Some(b.ints(v)?.is_sorted())
    })
}

/// `r` is the permutation `p` of what the permutation `q` gives.
fn composed(r: &str, p: &str, q: &str) -> Condition {
    let text = format!("{p} after {q}");
    let (p, q) = (var(p), var(q));
    computed(r, &text, move |b| {
        let q = b.ints(q)?;
        Some(Attr::Ints(
            b.ints(p)?.iter().map(|a| q[*a as usize]).collect(),
        ))
    })
}

/// `column` is the shape of the vector `g` as one column.
fn as_column(column: &str, g: &str) -> Condition {
    let text = format!("{g} as one column");
    let g = var(g);
    computed(column, &text, move |b| {
        let [k] = b.ty(g)?.shape.as_slice() else {
            return None;
        };
        Some(Attr::Dims(vec![k.clone(), 1.into()]))
    })
}
