//! Rotary embeddings as exporters write them: whole heads times tables whose halves are equal.

use ir::Attr;

use super::{
    Condition, Rule, Sense,
    condition::{test, var},
    rule,
};

pub(super) fn rules() -> Vec<Rule> {
    let mut out = Vec::new();
    for f in ["cos", "sin"] {
        out.push(
            rule(
                &format!("{f}-of-halves"),
                &format!("({f} (concat ?axis ?a ?b))"),
                &format!("(concat ?axis ({f} ?a) ({f} ?b))"),
            )
            .equal(Sense::Bits),
        );
    }
    out.extend([
        rule(
            "reshape-of-halves",
            "(reshape ?shape (concat ?axis ?a ?a))",
            "(concat ?last (reshape ?half ?a) (reshape ?half ?a))",
        )
        .equal(Sense::Bits)
        .when(keeps_halves()),
        // `x cos + rotate_half(x) sin` of Hugging Face `transformers`, `apply_rotary_pos_emb`.
        rule(
            "rope-from-halves",
            "(add (mul ?x (concat ?last ?c ?c)) \
             (mul (concat ?last (neg (slice ?last ?h ?h 1 ?x)) (slice ?last ?h ?zero 1 ?x)) \
             (concat ?last ?s ?s)))",
            "(rope false ?x ?c ?s)",
        )
        .when(cuts_in_half()),
    ]);
    out
}

/// The reshape leaves the last axis, along which two equal halves are joined.
fn keeps_halves() -> Condition {
    let [shape, axis, a, last, half] = ["?shape", "?axis", "?a", "?last", "?half"].map(var);
    Condition::new(
        "the reshape leaves the last axis, which is that of the halves",
        move |b| {
            let from = b.ty(a)?.clone();
            let (Attr::Dims(to), axis) = (b.attr(shape)?.clone(), b.int(axis)?) else {
                return None;
            };
            let (own, rest) = from.shape.split_last()?;
            let (joined, leading) = to.split_last()?;
            let is_last = usize::try_from(axis).ok()? == rest.len();
            let kept = *joined == own.clone() + own.clone();
            if !(is_last && kept) {
                return None;
            }
            b.set(last, Attr::Int(i64::try_from(leading.len()).ok()?))?;
            let mut shape = leading.to_vec();
            shape.push(own.clone());
            b.set(half, Attr::Dims(shape))
        },
    )
}

/// `h` is half of the last axis of `x`, and `zero` its start.
fn cuts_in_half() -> Condition {
    let [x, last, h, zero] = ["?x", "?last", "?h", "?zero"].map(var);
    test(
        "?last is the last axis of ?x, ?h its half and ?zero its start",
        move |b| {
            let shape = &b.ty(x)?.shape;
            let (Attr::Dims(half), Attr::Dims(start)) = (b.attr(h)?, b.attr(zero)?) else {
                return None;
            };
            let whole = half.first()?.clone() + half.first()?.clone();
            Some(
                usize::try_from(b.int(last)?).ok()? + 1 == shape.len()
                    && *shape.last()? == whole
                    && *start == [0.into()],
            )
        },
    )
}
