//! Imported models against what `transformers` computes: every folder of `tests/models` (see `make.py` there).

use tilewright::import;

use crate::support::{check_stored_models, evaluate, largest_error, minilm, models};

/// Largest relative error: references are stored with 7 digits, and their angles are f32.
const BOUND: f64 = 1e-5;

#[test]
fn stored_models_agree_with_transformers() {
    check_stored_models(BOUND, evaluate);
}

#[test]
fn minilm_agrees_with_transformers() {
    let model = minilm();
    let error = largest_error(&models().join("minilm"), |case| evaluate(&model, case));
    assert!(error <= BOUND, "{error}");
}

#[test]
fn a_graph_needs_no_weights_and_reads_back() {
    for name in ["bert", "glm4", "gpt2", "llama", "qwen2", "sentence"] {
        let folder = models().join(name);
        let bare = import::graph_only(&folder.join("config.json")).unwrap();
        assert!(bare == import::load(&folder).unwrap().graph, "{name}");
        assert!(
            ir::text::parse(&bare.to_string()).unwrap() == bare,
            "{name}"
        );
    }
}
