//! Products in parts, and what collectives between ranks let through: for parallel plans.
//!
//! A product is cut by columns of the weight, whose results stand side by side, or by rows, whose results
//! are summed; Shoeybi et al. 2019 (arXiv:1909.08053), section 3.

use ir::{Attr, Dim};

use super::{
    Condition, Rule, Sense, Stage,
    condition::{finite, fixed, same_type, test, var, wide},
    recognise::is_scalar,
    rule,
};

pub(super) fn rules() -> Vec<Rule> {
    let mut out = Vec::new();
    for tb in [false, true] {
        let name = |what: &str| format!("{what}{}", if tb { "-tb" } else { "" });
        // Axes of a weight of rank 2: that of the columns of the product, and that of its sum.
        let (column, row) = if tb { (0, 1) } else { (1, 0) };
        out.extend([
            rule(
                &name("column-parallel"),
                &format!("(matmul false {tb} ?x (concat {column} ?a ?b))"),
                &format!("(concat ?last (matmul false {tb} ?x ?a) (matmul false {tb} ?x ?b))"),
            )
            .when(last_axis("?last", "?x"))
            .when(is_matrix("?a")),
            rule(
                &name("row-parallel"),
                &format!("(matmul false {tb} (concat ?last ?x ?y) (concat {row} ?a ?b))"),
                &format!("(add (matmul false {tb} ?x ?a) (matmul false {tb} ?y ?b))"),
            )
            .when(last_axis("?last", "?x"))
            .when(is_matrix("?a")),
            rule(
                &name("cut-columns"),
                &format!("(matmul false {tb} ?x ?w)"),
                &format!("(matmul false {tb} ?x (concat {column} (slice {column} ?h ?zero 1 ?w) (slice {column} ?h ?h 1 ?w)))"),
            )
            .equal(Sense::Bits)
            .when(fixed("?w"))
            .when(halves("?w", column)),
            rule(
                &name("cut-rows"),
                &format!("(matmul false {tb} ?x ?w)"),
                &format!(
                    "(add (matmul false {tb} (slice ?last ?h ?zero 1 ?x) (slice {row} ?h ?zero 1 ?w)) \
                     (matmul false {tb} (slice ?last ?h ?h 1 ?x) (slice {row} ?h ?h 1 ?w)))"
                ),
            )
            .when(fixed("?w"))
            .when(last_axis("?last", "?x"))
            .when(halves("?w", row)),
        ]);
    }
    out.extend([
        rule(
            "all-reduce-of-parts",
            "(all_gather ?axis ?ranks (reduce_scatter ?axis sum ?ranks ?x))",
            "(all_reduce sum ?ranks ?x)",
        ),
        rule(
            "all-reduce-once",
            "(add (all_reduce sum ?ranks ?a) (all_reduce sum ?ranks ?b))",
            "(all_reduce sum ?ranks (add ?a ?b))",
        )
        .when(same_type("?a", "?b")),
        rule(
            "scale-before-all-reduce",
            "(mul (all_reduce sum ?ranks ?x) (constant ?t ?c))",
            "(all_reduce sum ?ranks (mul ?x (constant ?t ?c)))",
        )
        .when(is_scalar("?t"))
        .when(wide("?x"))
        .when(finite("?c")),
    ]);
    out.into_iter().map(|r| r.at(Stage::Parallel)).collect()
}

/// `last` is the last axis of `x`.
fn last_axis(last: &str, x: &str) -> Condition {
    let text = format!("{last} is the last axis of {x}");
    let (last, x) = (var(last), var(x));
    Condition::new(text, move |b| {
        let axis = i64::try_from(b.ty(x)?.rank()).ok()? - 1;
        b.set(last, Attr::Int(axis))
    })
}

/// `a` has two axes.
fn is_matrix(a: &str) -> Condition {
    let v = var(a);
    test(format!("{a} has two axes"), move |b| {
        Some(b.ty(v)?.rank() == 2)
    })
}

/// Parts below this size are not cut again.
const SMALLEST: i64 = 32;

/// `h` is half of the size of the matrix `w` along `axis`; both halves are large enough to be parts.
fn halves(w: &str, axis: usize) -> Condition {
    let text = format!("?h is half of axis {axis} of {w}, at least {SMALLEST}");
    let [w, h, zero] = [w, "?h", "?zero"].map(var);
    Condition::new(text, move |b| {
        let ty = b.ty(w)?;
        let size = ty.shape.get(axis)?.known()?;
        if ty.rank() != 2 || size % 2 != 0 || size / 2 < SMALLEST {
            return None;
        }
        b.set(zero, Attr::Dims(vec![Dim::from(0)]))?;
        b.set(h, Attr::Dims(vec![Dim::from(size / 2)]))
    })
}
