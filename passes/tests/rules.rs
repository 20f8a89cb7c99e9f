//! Each rule of the table is typed, equal, in range and alive; false rules are rejected.

mod support;

use std::sync::Arc;

use passes::rules::{Rule, Sense, rule, table};
use support::{
    field::PRIME,
    sample::Samples,
    verdict::{How, TRIALS, check},
};

#[test]
fn every_rule_holds_and_fires() {
    let samples = Samples::new();
    let rules = table();
    let mut wrong = Vec::new();
    let mut count = [0; 3];
    let mut places = 0;
    for rule in &rules {
        match check(rule, &samples) {
            Ok(verdict) => {
                count[verdict.how as usize] += 1;
                places += verdict.samples;
                if !verdict.alive {
                    wrong.push(format!("rule {}: it fires in no case file", rule.name));
                }
            }
            Err(error) => wrong.push(error),
        }
    }
    let [field, bits, close] = [How::Field, How::Bits, How::Close].map(|h| count[h as usize]);
    assert!(
        wrong.is_empty(),
        "{} of {} rules:\n{}",
        wrong.len(),
        rules.len(),
        wrong.join("\n")
    );
    println!(
        "rules: {} checked at {places} places: {field} equal over the field of {PRIME} elements, {bits} bit for bit, \
         {close} within their bound in f64 ({TRIALS} trials each); all typed, in range, and alive in a case file",
        rules.len(),
    );
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = table().iter().map(|r| r.name.clone()).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn false_rules_are_rejected_with_a_counterexample() {
    let samples = Samples::new();
    let rejected = |rule: Rule, wanted: &str| {
        let name = rule.name.clone();
        let found = check(&Arc::new(rule), &samples).err();
        let found = found.unwrap_or_else(|| panic!("{name} was found to hold"));
        assert!(found.contains(wanted), "{name}: {found}");
    };
    rejected(
        rule("sum-is-product", "(add ?a ?b)", "(mul ?a ?b)"),
        "does not hold",
    );
    rejected(
        rule("sub-commutes", "(sub ?a ?b)", "(sub ?b ?a)"),
        "does not hold",
    );
    rejected(
        rule(
            "matmul-commutes",
            "(matmul false false ?a ?b)",
            "(matmul true true ?b ?a)",
        ),
        "does not hold",
    );
    rejected(
        rule("softmax-is-exp", "(softmax ?axis ?x)", "(exp ?x)"),
        "does not hold",
    );
    rejected(
        rule(
            "no-mean",
            "(layer_norm ?eps ?x ?g ?b)",
            "(add (rms_norm ?eps ?x ?g) ?b)",
        ),
        "does not hold",
    );
    // True in the reals, but not in the sense that it claims.
    rejected(
        rule("gelu-is-its-fit", "(gelu ?x)", "(gelu_tanh ?x)").equal(Sense::Within(1e-6)),
        "does not hold",
    );
    rejected(
        rule("div-by-recip", "(div ?a ?b)", "(mul ?a (recip ?b))").equal(Sense::Bits),
        "does not hold",
    );
    // True in the reals, but large numbers overflow on the way.
    rejected(
        rule(
            "through-product",
            "(div ?a ?b)",
            "(div (mul ?a ?b) (mul ?b ?b))",
        ),
        "is not",
    );
}
