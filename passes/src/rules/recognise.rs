//! What exporters write, brought to the forms of the definitions.

use ir::{Attr, Dim, UnaryDef, UnaryFn};

use super::{
    Condition, Rule, Sense,
    condition::{computed, finite, near, number, scalar_type, swaps_last, test, var, wide},
    define::define_function,
    rule,
};

/// Constants that exporters write are rounded to f32.
const ROUNDED: Sense = Sense::Within(1e-6);

pub(super) fn rules() -> Vec<Rule> {
    let functions = UnaryFn::ALL
        .iter()
        .filter(|f| matches!(f.def(), UnaryDef::Derived(_)));
    let mut out: Vec<Rule> = functions.map(|f| define_function(*f)).collect();
    for f in ["add", "sub", "mul", "div"] {
        out.extend([
            rule(
                &format!("{f}-of-full"),
                &format!("({f} ?x (constant ?t ?c))"),
                &format!("({f} ?x (constant ?s ?c))"),
            )
            .equal(Sense::Bits)
            .when(scalar_type("?s", "?t")),
            rule(
                &format!("{f}-broadcasts"),
                &format!("({f} ?x (broadcast ?s ?y))"),
                &format!("({f} ?x ?y)"),
            )
            .equal(Sense::Bits),
            rule(
                &format!("{f}-broadcasts-first"),
                &format!("({f} (broadcast ?s ?x) ?y)"),
                &format!("({f} ?x ?y)"),
            )
            .equal(Sense::Bits),
        ]);
    }
    out.extend([
        rule("add-commutes", "(add ?a ?b)", "(add ?b ?a)").equal(Sense::Bits),
        rule("mul-commutes", "(mul ?a ?b)", "(mul ?b ?a)").equal(Sense::Bits),
        rule("div-by-constant", "(div ?x (constant ?t ?c))", "(mul ?x (constant ?t ?r))")
            .when(number("?r", ["?c"], reciprocal)),
        rule("sub-constant", "(sub ?x (constant ?t ?c))", "(add ?x (constant ?t ?n))")
            .equal(Sense::Bits)
            .when(number("?n", ["?c"], |[c]| -c)),
        rule("scale-outwards", "(mul ?a (mul ?b (constant ?t ?c)))", "(mul (mul ?a ?b) (constant ?t ?c))"),
        rule("scale-of-scale", "(mul (mul ?x (constant ?t ?c)) (constant ?t ?d))", "(mul ?x (constant ?t ?e))")
            .when(number("?e", ["?c", "?d"], |[c, d]| c * d)),
        rule("square", "(pow ?x (constant ?t ?c))", "(mul ?x ?x)").when(near("?c", 2.0)),
        rule("cube", "(pow ?x (constant ?t ?c))", "(mul (mul ?x ?x) ?x)").when(near("?c", 3.0)),
        rule("root", "(pow ?x (constant ?t ?c))", "(sqrt ?x)").when(near("?c", 0.5)),
        rule("inverse-root", "(pow ?x (constant ?t ?c))", "(rsqrt ?x)").when(near("?c", -0.5)),
        rule("div-by-root", "(div ?a (sqrt ?b))", "(mul ?a (rsqrt ?b))"),
        rule("recip-of-root", "(recip (sqrt ?x))", "(rsqrt ?x)"),
        rule("mul-by-recip", "(mul ?a (recip ?b))", "(div ?a ?b)"),
        rule("recip-from-div", "(div (constant ?t 1.0) ?x)", "(recip ?x)").equal(Sense::Bits),
        rule("silu-from-sigmoid", "(mul ?x (sigmoid ?x))", "(silu ?x)"),
        rule(
            "gelu-rounded",
            "(mul (mul ?x (add (erf (mul ?x (constant ?t ?r))) (constant ?t ?one))) (constant ?t ?half))",
            "(gelu ?x)",
        )
        .equal(ROUNDED)
        .when(near("?r", std::f64::consts::FRAC_1_SQRT_2))
        .when(near("?one", 1.0))
        .when(near("?half", 0.5)),
        rule(
            "gelu-tanh-rounded",
            "(mul (mul ?x (add (tanh (mul (add ?x (mul (mul (mul ?x ?x) ?x) (constant ?t ?k))) \
             (constant ?t ?r))) (constant ?t ?one))) (constant ?t ?half))",
            "(gelu_tanh ?x)",
        )
        .equal(ROUNDED)
        .when(near("?k", 0.044715))
        .when(near("?r", 0.797_884_560_802_865_4))
        .when(near("?one", 1.0))
        .when(near("?half", 0.5)),
        // The sum of the exporter is divided by a number that it has counted.
        rule("mean-from-sum", "(div (sum ?axes ?keep ?x) (constant ?t ?n))", "(mean ?axes ?keep ?x)")
            .when(counts("?n", "?axes", "?x")),
        // As exporters write softmax; the fused form subtracts the maximum, so its range is wider.
        rule("softmax-from-exp", "(div (exp ?x) (sum ?axes true (exp ?x)))", "(softmax ?axis ?x)")
            .equal(Sense::Within(1e-12))
            .when(last_axis("?axis", "?axes", "?x")),
        rule(
            "softmax-from-shifted",
            "(div (exp (sub ?x ?m)) (sum ?axes true (exp (sub ?x ?m))))",
            "(softmax ?axis ?x)",
        )
        .equal(Sense::Within(1e-12))
        .when(last_axis("?axis", "?axes", "?x"))
        .when(is_one_along("?m", "?axes", "?x")),
        rule("transposed-right", "(matmul ?ta false ?a (permute ?axes ?b))", "(matmul ?ta true ?a ?b)")
            .equal(Sense::Bits)
            .when(swaps_last("?axes")),
        rule("untransposed-right", "(matmul ?ta true ?a (permute ?axes ?b))", "(matmul ?ta false ?a ?b)")
            .equal(Sense::Bits)
            .when(swaps_last("?axes")),
        rule("transposed-left", "(matmul false ?tb (permute ?axes ?a) ?b)", "(matmul true ?tb ?a ?b)")
            .equal(Sense::Bits)
            .when(swaps_last("?axes")),
        rule("untransposed-left", "(matmul true ?tb (permute ?axes ?a) ?b)", "(matmul false ?tb ?a ?b)")
            .equal(Sense::Bits)
            .when(swaps_last("?axes")),
        rule(
            "scale-of-left",
            "(matmul ?ta ?tb (mul ?a (constant ?t ?c)) ?b)",
            "(mul (matmul ?ta ?tb ?a ?b) (constant ?t ?c))",
        )
        .when(is_scalar("?t"))
        .when(wide("?a"))
        .when(finite("?c")),
        rule(
            "scale-of-right",
            "(matmul ?ta ?tb ?a (mul ?b (constant ?t ?c)))",
            "(mul (matmul ?ta ?tb ?a ?b) (constant ?t ?c))",
        )
        .when(is_scalar("?t"))
        .when(wide("?a"))
        .when(finite("?c")),
        rule(
            "attention-unscaled",
            "(matmul false false (softmax 3 (matmul false true ?q ?k)) ?v)",
            "(attention false false false 1.0 0.0 0 ?q ?k ?v)",
        ),
        rule(
            "attention-unscaled-masked",
            "(matmul false false (softmax 3 (add (matmul false true ?q ?k) ?m)) ?v)",
            "(attention false false true 1.0 0.0 0 ?q ?k ?v ?m)",
        ),
        // Where nothing is chosen, scores are minus infinity in both.
        rule(
            "mask-by-choice",
            "(select ?c ?x (constant ?t -inf))",
            "(add ?x (select ?c (constant ?t 0.0) (constant ?t -inf)))",
        ),
    ]);
    out
}

/// The attribute `axis` is the only one of `axes`, and the last of `x`: a row of a kernel.
fn last_axis(axis: &str, axes: &str, x: &str) -> Condition {
    let (v, of) = (var(axes), var(x));
    computed(
        axis,
        &format!("the one axis of {axes}, the last of {x}"),
        move |b| {
            let [axis] = *b.ints(v)? else { return None };
            (axis + 1 == b.ty(of)?.rank() as i64).then_some(Attr::Int(axis))
        },
    )
}

/// The type `t` has no axes.
pub(super) fn is_scalar(t: &str) -> Condition {
    let v = var(t);
    test(format!("{t} has no axes"), move |b| match b.attr(v)? {
        Attr::Type(ty) => Some(ty.rank() == 0),
        _ => None,
    })
}

/// `n` is the number of elements of `x` along `axes`.
fn counts(n: &str, axes: &str, x: &str) -> Condition {
    let text = format!("{n} is the number of elements of {x} along {axes}");
    let (n, axes, x) = (var(n), var(axes), var(x));
    test(text, move |b| {
        let shape = &b.ty(x)?.shape;
        let sizes = b.ints(axes)?.iter().map(|a| shape[*a as usize].clone());
        let count = sizes.fold(Dim::from(1), |a, b| a * b).known()?;
        Some(b.num(n)? == count as f64)
    })
}

/// `m` has as many axes as `x`, and size 1 along `axes`: one number for each row there.
fn is_one_along(m: &str, axes: &str, x: &str) -> Condition {
    let text = format!("{m} has the axes of {x}, and size 1 along {axes}");
    let (m, axes, x) = (var(m), var(axes), var(x));
    test(text, move |b| {
        let shape = &b.ty(m)?.shape;
        let mut axes = b.ints(axes)?.iter();
        Some(shape.len() == b.ty(x)?.rank() && axes.all(|a| shape[*a as usize].known() == Some(1)))
    })
}

/// `1 / c`, if f16 can hold it.
fn reciprocal([c]: [f64; 1]) -> f64 {
    if c.abs() < 1.0 / 65504.0 {
        f64::NAN
    } else {
        1.0 / c
    }
}
