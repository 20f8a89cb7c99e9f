//! Texts that share a state by pages.

use std::num::NonZeroU32;

use tilewright::{
    import::{self, Task},
    runtime::{
        self, Device, Options,
        generate::{GenerateError, Session},
    },
};

use super::{
    compiled::{BOUND, compile, compile_for, scores, whole},
    decoders, relative_error,
    support::models,
};

/// Tokens of a page, and pages of a text.
const PAGE: i64 = 4;
const TABLE: i64 = 5;

fn sizes(seq: i64, pages: i64) -> [(&'static str, i64); 4] {
    [
        ("batch", 1),
        ("seq", seq),
        ("table", TABLE),
        ("pages", pages),
    ]
}

fn imported(name: &str) -> import::Model {
    let task = Task::GenerateInPages(NonZeroU32::new(PAGE as u32).unwrap());
    import::load_for(&models().join(name), task).unwrap_or_else(|e| panic!("{e}"))
}

fn generator(name: &str, pages: i64) -> runtime::Model {
    compile(&imported(name), &[&sizes(6, pages), &sizes(1, pages)])
}

fn check(session: &Session, wanted: &[Vec<f64>], what: &str) {
    let error = relative_error(&scores(session), &wanted[session.tokens().len() - 1]);
    assert!(error <= BOUND, "{what}: {error}");
}

/// Two texts grow in turn, so that neither has its pages side by side; one goes back and on another way.
#[test]
fn texts_in_pages_are_as_runs_over_the_whole_text() {
    let options = Options::default();
    let names = ["bloom", "gpt2_long", "glm4_lm", "llama", "mistral"];
    for (folder, generated) in decoders() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        if !names.contains(&name) {
            continue;
        }
        let first = &generated.text()[..20];
        let second: Vec<i64> = first.iter().rev().copied().collect();
        let [a, b] = [first, &second].map(|text| whole(&folder, text));
        let model = generator(name, 2 * TABLE);
        let mut one = Session::new(&model, &options).unwrap();
        let mut two = one.beside(&model, &options).unwrap();
        assert_eq!((one.context(), two.context()), (20, 20));
        // Runs of several tokens, of which the last are none, and of one.
        for (from, to) in [(0, 3), (3, 4), (4, 5), (5, 9), (9, 20)] {
            one.feed(&first[from..to]).unwrap();
            check(&one, &a, name);
            two.feed(&second[from..to]).unwrap();
            check(&two, &b, name);
        }
        two.truncate(7);
        two.feed(&second[7..18]).unwrap();
        check(&two, &b, name);
        one.truncate(19);
        one.feed(&first[19..]).unwrap();
        check(&one, &a, name);
    }
}

#[test]
fn pages_are_taken_and_given_back() {
    let options = Options::default();
    let model = generator("llama", 6);
    let mut one = Session::new(&model, &options).unwrap();
    let mut two = one.beside(&model, &options).unwrap();
    one.feed(&[5; 13]).unwrap();
    let wrong = two.feed(&[5; 9]).unwrap_err();
    let words = "3 more pages of 4 tokens: wanted, found 2 that no text has";
    assert!(wrong.to_string().starts_with(words), "{wrong}");
    assert!(two.tokens().is_empty());
    drop(one);
    two.feed(&[5; 20]).unwrap();
    let wrong = two.feed(&[5]).unwrap_err();
    assert!(
        matches!(
            wrong,
            GenerateError::Context {
                tokens: 21,
                context: 20
            }
        ),
        "{wrong}"
    );

    let task = Task::GenerateInPages(NonZeroU32::new(33).unwrap());
    let wrong = import::load_for(&models().join("llama"), task)
        .err()
        .unwrap();
    assert!(
        wrong
            .to_string()
            .contains("more tokens than the model has positions"),
        "{wrong}"
    );
}

/// What is not in pages belongs to one text.
#[test]
fn texts_without_pages_share_nothing() {
    let model = import::load_for(&models().join("llama"), Task::Generate).unwrap();
    let model = compile(&model, &[&[("batch", 1), ("seq", 1), ("context", 8)]]);
    let one = Session::new(&model, &Options::default()).unwrap();
    let wrong = one.beside(&model, &Options::default()).err().unwrap();
    assert!(
        wrong.to_string().contains("programs without pages"),
        "{wrong}"
    );
}

/// Lane programs in the emulator.
#[test]
fn lane_programs_read_pages() {
    let text = [5, 9, 3, 17, 4, 11, 7];
    let wanted = whole(&models().join("llama_linear"), &text);
    for target in ["cuda:sm_80", "rocm:gfx942"] {
        let device = Device::Emulator(target.into());
        let all = [&sizes(4, 6)[..], &sizes(1, 6)];
        let model = compile_for(target, &device, &imported("llama_linear"), &all);
        let mut one = Session::new(&model, &Options::default()).unwrap();
        let mut two = one.beside(&model, &Options::default()).unwrap();
        for token in text {
            two.feed(&[20 - token]).unwrap();
            one.feed(&[token]).unwrap();
            check(&one, &wanted, target);
        }
    }
}
