//! Texts and their tokens.

use std::{fs, path::Path};

use tilewright::runtime::{
    Artifact,
    cli::{self, Report, RunOptions},
};
use tokenizers::Tokenizer;

use crate::failure::Failure;

/// Continues `prompt`, and prints what comes as it comes, unless the report is for programs.
pub fn go_on(
    artifact: Artifact,
    options: &RunOptions,
    prompt: &str,
    file: Option<&Path>,
    json: bool,
) -> Result<Report, Failure> {
    let (from, tokenizer) = tokenizer(&artifact, file)?;
    let wrong = |e: tokenizers::Error| Failure::Tokenizer {
        from: from.clone(),
        reason: e.to_string(),
    };
    let encoded = tokenizer.encode(prompt, true).map_err(wrong)?;
    let tokens: Vec<i64> = encoded.get_ids().iter().map(|id| (*id).into()).collect();
    // Bytes of a character may come in several tokens: a piece is told when it is whole.
    let mut pieces = tokenizer.decode_stream(true);
    let (mut text, mut ids, mut failed) = (String::new(), vec![], None);
    let mut told = |token: i64| {
        let id = u32::try_from(token).expect("tokens are below the vocabulary's size");
        ids.push(id);
        match pieces.step(id) {
            Ok(Some(piece)) => {
                if !json {
                    cli::print(&piece);
                }
                text += &piece;
            }
            Ok(None) => {}
            Err(e) => failed = Some(e),
        }
    };
    let (device, how) = (&options.device, &options.generate);
    let mut report = cli::generate(artifact, device, how, &tokens, &mut told)?;
    if let Some(e) = failed {
        return Err(wrong(e));
    }
    // Where the text ends within a character, the stream waits for its rest.
    let whole = tokenizer.decode(&ids, true).map_err(wrong)?;
    if let Some(rest) = whole.strip_prefix(&text)
        && !json
    {
        cli::print(rest);
    }
    report.text = "\n".into();
    report.json["text"] = whole.into();
    Ok(report)
}

/// The tokenizer of `file`, or the artifact's, and where it is from.
fn tokenizer(artifact: &Artifact, file: Option<&Path>) -> Result<(String, Tokenizer), Failure> {
    let own = artifact.manifest().generate.as_ref();
    let (from, bytes) = match (file, own.and_then(|g| g.tokenizer)) {
        (Some(file), _) => {
            let bytes = fs::read(file).map_err(|error| Failure::File {
                path: file.into(),
                error,
            })?;
            (file.display().to_string(), bytes)
        }
        (None, Some(text)) => {
            let text = artifact.text(text).map_err(cli::CliError::from)?;
            let from = format!("of {}", artifact.path().display());
            (from, text.as_bytes().to_vec())
        }
        (None, None) => {
            return Err(Failure::NoTokenizer {
                path: artifact.path().into(),
            });
        }
    };
    let made = Tokenizer::from_bytes(&bytes).map_err(|e| Failure::Tokenizer {
        from: from.clone(),
        reason: e.to_string(),
    })?;
    Ok((from, made))
}
