//! By the definitions of ops, in f64.

use std::collections::BTreeMap;

use ir::{DType, Graph, Op, Sizes, Symbol, Tensor};
use tilewright::import::{self, Model, Task};

use super::{decoders, relative_error};

/// Roundings to f64, and 24 bits in angles that are f32.
const BOUND: f64 = 1e-9;

fn integers(shape: &[i64], values: &[i64]) -> Tensor {
    let values = values.iter().map(|v| *v as f64).collect();
    Tensor::from_f64(DType::I64, shape, values).unwrap()
}

fn bind(graph: &Graph, sizes: &[(&str, i64)]) -> Graph {
    let sizes: Sizes = sizes.iter().map(|(s, n)| (Symbol::new(s), *n)).collect();
    graph.bind(&sizes).unwrap()
}

/// Scores after each token of a text, `[token][word]`, by one run.
fn whole(model: &Model, text: &[i64]) -> Vec<Vec<f64>> {
    let n = text.len() as i64;
    let graph = bind(&model.graph, &[("batch", 1), ("seq", n)]);
    let inputs = BTreeMap::from([("input_ids".into(), integers(&[1, n], text))]);
    let out = ir::eval::evaluate(&graph, &inputs, &model.weights).unwrap();
    let logits = &out["logits"];
    let words = logits.shape()[2] as usize;
    logits.values().chunks(words).map(<[f64]>::to_vec).collect()
}

/// Runs that remember.
struct Memory<'a> {
    model: &'a Model,
    batch: i64,
    context: i64,
    states: BTreeMap<String, Tensor>,
    past: i64,
}

impl<'a> Memory<'a> {
    fn new(model: &'a Model, batch: i64, context: i64) -> Self {
        let states = BTreeMap::new();
        Self {
            model,
            batch,
            context,
            states,
            past: 0,
        }
    }

    /// The scores after the token `last` of a run on `ids`, of which `real` count.
    fn run(&mut self, ids: &[i64], real: i64, padding: &[i64]) -> Vec<f64> {
        let seq = ids.len() as i64 / self.batch;
        let sizes = [
            ("batch", self.batch),
            ("seq", seq),
            ("context", self.context),
        ];
        let graph = bind(&self.model.graph, &sizes);
        let mut inputs = self.states.clone();
        inputs.insert("input_ids".into(), integers(&[self.batch, seq], ids));
        inputs.insert("past".into(), integers(&[1], &[self.past]));
        inputs.insert("last".into(), integers(&[1], &[real - 1]));
        inputs.insert("padding".into(), integers(&[self.batch], padding));
        let mut out = ir::eval::evaluate(&graph, &inputs, &self.model.weights).unwrap();
        self.past += real;
        let logits = out.remove("logits").unwrap();
        assert_eq!(logits.shape()[..2], [self.batch, 1]);
        self.states = out;
        logits.into_values()
    }
}

#[test]
fn token_by_token_is_as_a_run_over_the_whole_text() {
    for (folder, generated) in decoders() {
        let text = generated.text();
        let wanted = whole(&import::load(&folder).unwrap(), &text);
        let model = import::load_for(&folder, Task::Generate).unwrap();
        let states = model.graph.nodes().iter();
        let states = states.filter(|n| matches!(&n.op, Op::Input(i) if i.is_state()));
        assert!(states.count() >= 2, "{}", folder.display());
        let mut memory = Memory::new(&model, 1, text.len() as i64);
        for (token, wanted) in text.iter().zip(&wanted) {
            let found = memory.run(&[*token], 1, &[0]);
            let error = relative_error(&found, wanted);
            assert!(error <= BOUND, "{}: {error}", folder.display());
        }
    }
}

/// In runs of four tokens, of which the last has two that mean nothing, beside a shorter text with padding before it.
#[test]
fn runs_of_several_tokens_and_sequences_are_as_one() {
    for (folder, generated) in decoders() {
        let text = &generated.text()[..10];
        let plain = import::load(&folder).unwrap();
        let wanted = [whole(&plain, text), whole(&plain, &text[..7])];
        let model = import::load_for(&folder, Task::Generate).unwrap();
        let mut memory = Memory::new(&model, 2, 13);
        let rows = [
            [text, &[1, 2]].concat(),
            [&[9, 9, 9][..], &text[..7], &[3, 4]].concat(),
        ];
        for (start, real) in [(0, 4), (4, 4), (8, 2)] {
            let ids: Vec<i64> = rows
                .iter()
                .flat_map(|r| r[start..start + 4].to_vec())
                .collect();
            let found = memory.run(&ids, real, &[0, 3]);
            let last = start + real as usize - 1;
            let wanted = [wanted[0][last].clone(), wanted[1][last - 3].clone()].concat();
            let error = relative_error(&found, &wanted);
            assert!(error <= BOUND, "{}: {error}", folder.display());
        }
    }
}
