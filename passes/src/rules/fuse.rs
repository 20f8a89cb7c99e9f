//! Fewer, larger ops: movement past contractions, and what follows a contraction into it.

use ir::Attr;

use super::{
    Condition, Rule, Stage,
    condition::{computed, var},
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
    out
}

/// `axis` is the last axis of `x`.
fn last_axis(axis: &str, x: &str) -> Condition {
    let v = var(x);
    computed(axis, &format!("the last axis of {x}"), move |b| {
        Some(Attr::Int(i64::try_from(b.ty(v)?.rank()).ok()? - 1))
    })
}
