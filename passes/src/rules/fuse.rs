//! Fewer, larger ops: movement past contractions, and what follows a contraction into it.

use ir::Attr;

use super::{
    Condition, Rule, Stage,
    condition::{computed, fixed, same_type, var, wide},
    rule,
};

pub(super) fn rules() -> Vec<Rule> {
    let mut out = Vec::new();
    for (tb, axis) in [(false, 1), (true, 0)] {
        // Columns of a product are products with columns.
        out.push(
            rule(
                &format!("columns-of-matmul{}", if tb { "-tb" } else { "" }),
                &format!("(slice ?axis ?size ?start ?step (matmul false {tb} ?x ?w))"),
                &format!("(matmul false {tb} ?x (slice {axis} ?size ?start ?step ?w))"),
            )
            .when(last_axis("?axis", "?x"))
            .at(Stage::Fuse),
        );
        out.push(
            rule(
                &format!("columns-of-linear{}", if tb { "-tb" } else { "" }),
                &format!("(slice ?axis ?size ?start ?step (linear ?act true false {tb} ?x ?w ?b))"),
                &format!(
                    "(linear ?act true false {tb} ?x (slice {axis} ?size ?start ?step ?w) \
                     (slice 0 ?size ?start ?step ?b))"
                ),
            )
            .when(last_axis("?axis", "?x"))
            .at(Stage::Fuse),
        );
    }
    for tb in [false, true] {
        let name = |what: &str| format!("{what}{}", if tb { "-tb" } else { "" });
        // As adapters of low rank leave them: what both weights give is one weight.
        out.push(
            rule(
                &name("sum-of-weights"),
                &format!("(add (matmul false {tb} ?x ?a) (matmul false {tb} ?x ?b))"),
                &format!("(matmul false {tb} ?x (add ?a ?b))"),
            )
            .when(fixed("?a"))
            .when(fixed("?b"))
            .when(same_type("?a", "?b"))
            .when(wide("?x"))
            .at(Stage::Fuse),
        );
    }
    out.push(
        rule(
            "product-of-weights",
            "(matmul false false (matmul false false ?x ?a) ?b)",
            "(matmul false false ?x (matmul false false ?a ?b))",
        )
        .when(fixed("?a"))
        .when(fixed("?b"))
        .when(wide("?x"))
        .at(Stage::Fuse),
    );
    out
}

/// `axis` is the last axis of `x`.
fn last_axis(axis: &str, x: &str) -> Condition {
    let v = var(x);
    computed(axis, &format!("the last axis of {x}"), move |b| {
        Some(Attr::Int(i64::try_from(b.ty(v)?.rank()).ok()? - 1))
    })
}
