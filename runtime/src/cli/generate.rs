//! `run` with a prompt: tokens in, tokens out, each as soon as it is known.

use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::{CliError, DeviceOptions, Report, load, on};
use crate::{
    Artifact, Options,
    generate::{GenerateError, Sampler, Sampling, Session},
};

/// How a text is continued.
#[derive(Args, Clone, Debug)]
pub struct GenerateOptions {
    /// Continue the text of these tokens, separated by commas.
    #[arg(
        long,
        value_name = "ID,...",
        value_delimiter = ',',
        conflicts_with = "inputs"
    )]
    pub prompt_ids: Option<Vec<i64>>,
    /// Tokens to generate at most; fewer if the text ends.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub max_tokens: usize,
    /// Divide scores by this before a token is drawn; 0 takes the likeliest token.
    #[arg(long, value_name = "T", default_value_t = 0.0, value_parser = not_negative)]
    pub temperature: f64,
    /// Draw among so many of the likeliest tokens; 0 for all.
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub top_k: usize,
    /// Draw among the likeliest tokens that have this probability together.
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = probability)]
    pub top_p: f64,
    /// Where random numbers start: the same seed gives the same text.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|x: &f64| *x >= 0.0 && x.is_finite());
    number.ok_or_else(|| "wanted a number from 0".into())
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| (0.0..=1.0).contains(x));
    number.ok_or_else(|| "wanted a number from 0 to 1".into())
}

impl GenerateOptions {
    fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            seed: self.seed,
        }
    }
}

/// Continues the text of the tokens `prompt` by an artifact; `told` gets each token as it comes.
///
/// # Errors
/// The artifact continues no texts, a token is none of the model's, or there is no room for the prompt.
pub fn generate(
    artifact: Artifact,
    device: &DeviceOptions,
    options: &GenerateOptions,
    prompt: &[i64],
    told: &mut dyn FnMut(i64),
) -> Result<Report, CliError> {
    let model = load(artifact, device)?;
    let settings = Options {
        threads: device.threads,
        profile: false,
    };
    let mut session = Session::new(&model, &settings)?;
    let ends = model.artifact().manifest().generate.as_ref();
    let ends = ends.map_or(&[][..], |g| g.ends.as_slice());
    let mut sampler = Sampler::new(options.sampling());
    let start = Instant::now();
    session.feed(prompt)?;
    let prompt_s = start.elapsed().as_secs_f64();
    let mut tokens: Vec<i64> = vec![];
    let stop = loop {
        if tokens.len() == options.max_tokens {
            break "max_tokens";
        }
        let token = sampler
            .next(session.logits())
            .map_err(GenerateError::from)?;
        if ends.contains(&token) {
            break "end";
        }
        tokens.push(token);
        told(token);
        if tokens.len() == options.max_tokens {
            break "max_tokens";
        }
        if session.tokens().len() == session.context() {
            break "context";
        }
        session.feed(&[token])?;
    };
    let seconds = start.elapsed().as_secs_f64();
    let first = session.executors().next();
    let on = first.map(|e| on(&model, e)).unwrap_or_default();
    Ok(Report {
        text: String::new(),
        json: json!({
            "model": model.artifact().manifest().model, "target": model.target().target,
            "device": model.device().to_string(), "on": on, "prompt_tokens": prompt, "tokens": tokens,
            "stop": stop, "prompt_s": prompt_s, "seconds": seconds,
        }),
        passed: true,
    })
}
