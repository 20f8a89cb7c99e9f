//! From a decoder's directory to a text, against what `transformers` generates.

use std::{fs, process::Stdio};

use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::{
    folder::Folder,
    program::{bytes, command, done, folder, json, texts},
    support::models,
};

/// Stored by `tests/models/make.py`.
#[derive(Deserialize)]
struct Chat {
    prompt: String,
    ids: Vec<i64>,
    tokens: Vec<i64>,
    /// Where the text ends.
    end: usize,
    text: String,
}

impl Chat {
    fn read() -> Self {
        let text = fs::read_to_string(models().join("chat/generate.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn ids(&self) -> String {
        spell(&self.ids)
    }
}

fn spell(ids: &[i64]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

const COMPILE: &str =
    "compile chat --target cpu --task generate --shape prompt=8,context=96 -o gen.tw";

/// What a run with the prompt prints; a prompt has spaces, so it is no word of a line.
fn told(folder: &Folder, line: &str, prompt: &str) -> String {
    let mut command = command(&folder.0, line);
    let output = command.args(["--prompt", prompt]).output().unwrap();
    let [stdout, stderr] = texts(&output);
    assert_eq!(
        (output.status.code(), stderr.as_str()),
        (Some(0), ""),
        "{line}\n{stdout}"
    );
    stdout
}

#[test]
fn a_text_goes_on_as_by_transformers() {
    let (folder, chat) = (folder("generate"), Chat::read());
    done(&folder, COMPILE);
    let wanted = format!("{}\n", chat.text);
    assert_eq!(told(&folder, "run gen.tw", &chat.prompt), wanted);
    // From the model's directory, by another tokenizer file, and in tokens.
    assert_eq!(
        told(
            &folder,
            "run chat --shape prompt=8,context=96",
            &chat.prompt
        ),
        wanted
    );
    fs::copy(
        folder.0.join("chat/tokenizer.json"),
        folder.0.join("t.json"),
    )
    .unwrap();
    assert_eq!(
        told(&folder, "run gen.tw --tokenizer t.json", &chat.prompt),
        wanted
    );
    let ids = format!("run gen.tw --prompt-ids {}", chat.ids());
    assert_eq!(done(&folder, &ids), spell(&chat.tokens[..chat.end]) + "\n");

    let found = json(&folder, &ids);
    assert_eq!(found["stop"], "end");
    assert_eq!(found["tokens"], serde_json::json!(chat.tokens[..chat.end]));
    let found = json(&folder, &format!("{ids} --max-tokens 5"));
    assert_eq!(found["stop"], "max_tokens");
    assert_eq!(found["tokens"], serde_json::json!(chat.tokens[..5]));
    assert_eq!(done(&folder, &format!("{ids} --max-tokens 0")), "\n");
}

/// Characters come whole, and a text may end within one.
#[test]
fn text_is_that_of_all_tokens() {
    let (folder, chat) = (folder("generate-text"), Chat::read());
    done(&folder, COMPILE);
    let tokenizer = Tokenizer::from_file(models().join("chat/tokenizer.json")).unwrap();
    let ids: Vec<u32> = chat.tokens.iter().map(|t| *t as u32).collect();
    let mut within = 0;
    for count in [2, 3, 8, 9, 11, 13, 14, 20] {
        let wanted = tokenizer.decode(&ids[..count], true).unwrap();
        within += usize::from(wanted.ends_with('\u{fffd}'));
        let line = format!("run gen.tw --max-tokens {count}");
        assert_eq!(told(&folder, &line, &chat.prompt), wanted + "\n");
    }
    assert!(within > 0, "no text ends within a character");
}

#[test]
fn a_seed_gives_the_same_text_again() {
    let (folder, chat) = (folder("generate-seeds"), Chat::read());
    done(&folder, COMPILE);
    let tokens = |how: &str| {
        let line = format!(
            "run gen.tw --prompt-ids {} --max-tokens 20 {how}",
            chat.ids()
        );
        json(&folder, &line)["tokens"].clone()
    };
    let warm = "--temperature 1.5 --top-k 50 --top-p 0.95";
    let first = tokens(&format!("{warm} --seed 1"));
    assert_eq!(tokens(&format!("{warm} --seed 1")), first);
    assert_ne!(tokens(&format!("{warm} --seed 2")), first);
    // Among one there is no choice.
    let likeliest = tokens("--seed 2");
    assert_eq!(tokens("--temperature 1.5 --top-p 0 --seed 3"), likeliest);
}

#[test]
fn a_text_ends_where_the_room_ends() {
    let (folder, chat) = (folder("generate-room"), Chat::read());
    let room = chat.ids.len() + 4;
    done(
        &folder,
        &COMPILE.replace("context=96", &format!("context={room}")),
    );
    let found = json(&folder, &format!("run gen.tw --prompt-ids {}", chat.ids()));
    assert_eq!(found["stop"], "context");
    assert_eq!(found["tokens"], serde_json::json!(chat.tokens[..5]));
    let long = spell(&vec![7; room + 1]);
    let output = command(&folder.0, &format!("run gen.tw --prompt-ids {long}"))
        .output()
        .unwrap();
    let [stdout, stderr] = texts(&output);
    let words = format!("error: {} tokens: wanted at most {room}", room + 1);
    assert!(
        stdout.is_empty() && stderr.starts_with(&words),
        "{stdout}\n{stderr}"
    );
}

/// The same model gives the same artifact, and one for runs that forget is none that remembers.
#[test]
fn artifacts_are_the_same_again() {
    let folder = folder("generate-again");
    done(&folder, COMPILE);
    done(&folder, &COMPILE.replace("gen.tw", "again.tw"));
    assert_eq!(bytes(&folder, "gen.tw"), bytes(&folder, "again.tw"));
    done(
        &folder,
        "compile chat --target cpu --shape seq=8 -o plain.tw",
    );
    assert!(bytes(&folder, "plain.tw").len() < bytes(&folder, "gen.tw").len());
}

/// A reader that leaves is no error.
#[test]
fn a_reader_may_leave() {
    let (folder, chat) = (folder("generate-reader"), Chat::read());
    done(&folder, COMPILE);
    let line = format!("run gen.tw --prompt-ids {}", chat.ids());
    let mut child = command(&folder.0, &line)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
