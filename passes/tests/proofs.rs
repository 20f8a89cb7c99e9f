//! Proofs hold, stay short, and are rejected when anything in them is changed.

mod support;

use ir::{Attr, BinaryFn, Build, DType, F64, Graph, TensorType, ops};
use passes::{
    prove::{Proof, ProofError, ProofTerm, check},
    rewrite,
};
use support::{Encoder, encoder, options};

/// The proof about the layers of a small encoder.
fn proof() -> Proof {
    let graph = encoder(&Encoder {
        layers: 3,
        width: 32,
        heads: 4,
        inner: 64,
    });
    let mut proofs = rewrite(&graph, &options()).unwrap().proofs;
    proofs.pop().unwrap()
}

fn step_by(proof: &Proof, rule: &str) -> usize {
    proof.steps.iter().position(|s| s.rule == rule).unwrap()
}

#[test]
fn proofs_of_minilm_hold_and_are_short() {
    let graph = encoder(&Encoder {
        layers: 6,
        width: 384,
        heads: 12,
        inner: 1536,
    });
    let out = rewrite(&graph, &options()).unwrap();
    for proof in &out.proofs {
        check(proof).unwrap();
        let text = serde_json::to_string(proof).unwrap();
        assert_eq!(serde_json::from_str::<Proof>(&text).unwrap(), *proof);
    }
    assert!(serde_json::to_string(&out.proofs).unwrap().len() < 200_000);
}

#[test]
fn fused_ops_name_their_rules() {
    let graph = encoder(&Encoder {
        layers: 2,
        width: 32,
        heads: 4,
        inner: 64,
    });
    let out = rewrite(&graph, &options()).unwrap();
    for (node, rules) in out.graph.nodes().iter().zip(&out.rules) {
        let made = ["linear", "attention"].contains(&node.op.name());
        assert_eq!(
            made,
            !rules.is_empty() && node.op.name() != "slice",
            "{node:?}: {rules:?}"
        );
    }
}

#[test]
fn a_changed_step_is_rejected() {
    let whole = proof();
    for i in 0..whole.steps.len() {
        let mut proof = whole.clone();
        proof.steps[i].right = proof.before;
        let found = check(&proof);
        assert!(
            matches!(found, Err(ProofError::Mismatch { step, .. }) if step == i),
            "{found:?}"
        );
    }
}

#[test]
fn a_left_out_step_leaves_a_gap() {
    let mut proof = proof();
    proof.steps.remove(step_by(&proof, "define-attention-mask"));
    assert!(matches!(check(&proof), Err(ProofError::Gap { .. })));
}

#[test]
fn a_renamed_rule_is_rejected() {
    let mut proof = proof();
    proof.steps[0].rule = "trust-me".into();
    assert!(matches!(
        check(&proof),
        Err(ProofError::UnknownRule { step: 0, .. })
    ));
    let whole = self::proof();
    let mut proof = whole.clone();
    proof.steps[step_by(&whole, "div-by-constant")].rule = "div-one".into();
    assert!(matches!(check(&proof), Err(ProofError::Mismatch { .. })));
}

#[test]
fn a_violated_condition_is_rejected() {
    let mut proof = proof();
    // The number that takes the place of the divisor is no longer its reciprocal.
    let step = &proof.steps[step_by(&proof, "div-by-constant")];
    let ProofTerm::Op(_, product) = proof.terms[step.right].clone() else {
        panic!("a product")
    };
    let ProofTerm::Op(_, constant) = proof.terms[product[1]].clone() else {
        panic!("a constant")
    };
    proof.terms[constant[1]] = ProofTerm::Attr(Attr::Num(F64::new(0.5)));
    assert!(matches!(
        check(&proof),
        Err(ProofError::Mismatch { side: "right", .. })
    ));

    // `pow(x, 2)` is a square; with another exponent the rule's condition fails.
    let mut graph = Graph::new("square");
    let mut b = Build::new(&mut graph);
    let (name, ty) = ("x".into(), TensorType::fixed(DType::F32, &[2, 3]));
    let x = b.op(
        ops::Input {
            name,
            ty,
            absent: ops::Absent::Required,
            below: 0,
        },
        &[],
    );
    let two = b.scalar(x, F64::new(2.0));
    let y = b.binary(BinaryFn::Pow, x, two);
    graph.output("y", y);
    let mut proof = rewrite(&graph, &options()).unwrap().proofs.remove(0);
    check(&proof).unwrap();
    let number = ProofTerm::Attr(Attr::Num(F64::new(2.0)));
    let at = proof.terms.iter().position(|t| *t == number).unwrap();
    proof.terms[at] = ProofTerm::Attr(Attr::Num(F64::new(3.0)));
    let found = check(&proof);
    assert!(
        matches!(found, Err(ProofError::Condition { .. })),
        "{found:?}"
    );
}

#[test]
fn a_later_or_unknown_term_is_rejected() {
    let mut proof = proof();
    let last = proof.terms.len();
    proof.terms[0] = ProofTerm::Outputs(vec![last]);
    assert!(matches!(check(&proof), Err(ProofError::Term { .. })));
    let mut proof = self::proof();
    proof.terms.push(ProofTerm::Op("divine".into(), Vec::new()));
    assert!(matches!(check(&proof), Err(ProofError::Term { .. })));
}
