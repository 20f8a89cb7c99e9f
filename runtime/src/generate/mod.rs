//! Text, token by token: runs of programs whose states remember the tokens before.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use runtime::{Artifact, Model, Options, WeightChecks, generate::{Sampler, Sampling, Session}};
//! # use tilewright_runtime as runtime;
//!
//! let model = Model::load(Arc::new(Artifact::open(Path::new("gen.tw"), WeightChecks::BeforeUse)?))?;
//! let mut session = Session::new(&model, &Options::default())?;
//! let mut sampler = Sampler::new(Sampling::default());
//! session.feed(&[1, 15, 7])?;
//! for _ in 0..10 {
//!     let token = sampler.next(session.logits())?;
//!     println!("{token}");
//!     session.feed(&[token])?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod pages;
mod sampling;

use std::sync::Arc;

use ir::DType;

use crate::{DeviceError, Executor, Model, Options, RunError, TensorView};

use pages::Table;

pub use sampling::{Sampler, Sampling, Wrong};

/// Why a text cannot be continued.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's type has its own")]
pub enum GenerateError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Sampling(#[from] Wrong),
    /// Programs that forget.
    #[error(
        "{model}: wanted programs that remember tokens, for one sequence; found {found}; \
         help: `tilewright compile MODEL --task generate`"
    )]
    NotGenerative {
        /// The model.
        model: String,
        /// What was found instead.
        found: String,
    },
    /// More tokens than there is room for.
    #[error(
        "{tokens} tokens: wanted at most {context}; help: compile with a longer `context`, \
         `tilewright compile MODEL --task generate --shape context=N`"
    )]
    Context {
        /// How many there would be.
        tokens: usize,
        /// How many there is room for.
        context: usize,
    },
    /// More pages than other texts left.
    #[error(
        "{wanted} more pages of {page} tokens: wanted, found {free} that no text has; \
         help: end another text, or compile with more, `--shape pages=N`"
    )]
    Pages {
        /// How many it would need.
        wanted: usize,
        /// How many there are.
        free: usize,
        /// Tokens of a page.
        page: usize,
    },
    /// A text without a token.
    #[error("the prompt has no token; wanted one at least")]
    Empty,
}

/// One text: the tokens so far, and the states that remember them.
pub struct Session {
    /// For runs of so many tokens, ascending; all with the same states.
    programs: Vec<(usize, Executor)>,
    context: usize,
    /// The text's pages, if states have any.
    table: Option<Table>,
    tokens: Vec<i64>,
    /// Which program ran last.
    last: usize,
    logits: Vec<f32>,
}

impl Session {
    /// A text without tokens, by the programs of a model with the most room.
    ///
    /// # Errors
    /// The programs remember nothing, or have no room for what their runs need.
    pub fn new(model: &Model, options: &Options) -> Result<Self, GenerateError> {
        Self::with(model, options, None)
    }

    /// Another text without tokens, with pages of the same states: `model` is that of this one.
    ///
    /// # Errors
    /// As [`Session::new`], or the programs have no pages.
    pub fn beside(&self, model: &Model, options: &Options) -> Result<Self, GenerateError> {
        Self::with(model, options, Some(self))
    }

    fn with(model: &Model, options: &Options, other: Option<&Self>) -> Result<Self, GenerateError> {
        let manifest = model.artifact().manifest();
        let wrong = |found: &str| GenerateError::NotGenerative {
            model: manifest.model.clone(),
            found: found.into(),
        };
        let has = |name: &str| manifest.inputs.iter().any(|i| i.name == name);
        let remembers = manifest.inputs.iter().any(|i| i.is_state());
        let scores = manifest
            .outputs
            .iter()
            .any(|o| o.name == "logits" && o.dtype == DType::F32);
        if !remembers || !scores || !["input_ids", "past", "last"].into_iter().all(has) {
            return Err(wrong("programs that do not"));
        }
        let paged = has("pages");
        let size = |p: &crate::manifest::Program, name: &str| p.sizes.get(name).copied();
        let state = manifest
            .inputs
            .iter()
            .position(crate::manifest::Input::is_state);
        let state = state.expect("looked for above");
        // Tokens of a page, and of one text.
        let room = |p: &crate::manifest::Program| match paged {
            false => Some((0, size(p, "context")?)),
            true => {
                let page = p.input_shapes[state]
                    .first()?
                    .checked_div(size(p, "pages")?)?;
                Some((page, page.checked_mul(size(p, "table")?)?))
            }
        };
        let mut all: Vec<(u64, u64, usize)> = vec![];
        let mut page = 0;
        for (at, p) in model.programs().iter().enumerate() {
            if let (Some(1), Some(seq), Some((own, context))) =
                (size(p, "batch"), size(p, "seq"), room(p))
                && (1..=context).contains(&seq)
            {
                page = own as usize;
                all.push((context, seq, at));
            }
        }
        let context = all.iter().map(|(context, ..)| *context).max();
        let context = context.ok_or_else(|| wrong("programs for batches only"))?;
        all.retain(|(own, ..)| *own == context);
        all.sort_unstable();
        let mut programs: Vec<(usize, Executor)> = vec![];
        for (_, seq, at) in all {
            let beside = programs.first().or(other.and_then(|o| o.programs.first()));
            let executor = match beside {
                None => model.executor(at, options)?,
                Some((_, first)) => model.executor_beside(at, options, first)?,
            };
            programs.push((seq as usize, executor));
        }
        let context = context as usize;
        let table = match (page, other.map(|o| &o.table)) {
            (0, None) => None,
            (0, Some(_)) | (_, Some(None)) => {
                return Err(wrong("programs without pages, whose states hold one text"));
            }
            (page, None) => {
                let rows = programs[0].1.inputs().find(|p| p.is_state());
                let rows = rows.map_or(0, |p| p.shape[0]);
                Some(Table::new(
                    Table::all_free(rows / page),
                    page,
                    context / page,
                ))
            }
            (page, Some(Some(other))) => {
                Some(Table::new(Arc::clone(other.free()), page, context / page))
            }
        };
        Ok(Self {
            programs,
            context,
            table,
            tokens: vec![],
            last: 0,
            logits: vec![],
        })
    }

    /// The tokens so far.
    pub fn tokens(&self) -> &[i64] {
        &self.tokens
    }

    /// Tokens that there is room for, in all.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The executors, by tokens of a run, ascending.
    pub fn executors(&self) -> impl ExactSizeIterator<Item = &Executor> {
        self.programs.iter().map(|(_, e)| e)
    }

    /// Adds tokens to the text, in as few runs as the programs allow.
    ///
    /// # Errors
    /// There is no room for them, or a run failed; then the text ends before the tokens of that run.
    pub fn feed(&mut self, tokens: &[i64]) -> Result<(), GenerateError> {
        let wanted = self.tokens.len() + tokens.len();
        if tokens.is_empty() {
            return Err(GenerateError::Empty);
        }
        if wanted > self.context {
            return Err(GenerateError::Context {
                tokens: wanted,
                context: self.context,
            });
        }
        if let Some(table) = &mut self.table {
            table.grow(wanted)?;
        }
        let mut rest = tokens;
        while !rest.is_empty() {
            let fits = self.programs.iter().position(|(seq, _)| *seq >= rest.len());
            let program = fits.unwrap_or(self.programs.len() - 1);
            let (now, later) = rest.split_at(rest.len().min(self.programs[program].0));
            let before = self.tokens.len();
            self.tokens.extend(now);
            if let Err(error) = self.run(program, before) {
                self.tokens.truncate(before);
                return Err(error.into());
            }
            rest = later;
        }
        self.keep_logits();
        Ok(())
    }

    /// Runs a program on the tokens from `before` on.
    fn run(&mut self, program: usize, before: usize) -> Result<(), RunError> {
        let (seq, executor) = &mut self.programs[program];
        // A run that would pass the end sees some tokens again; one that is not full ends with tokens of no meaning, whose
        // places the next run takes.
        let start = before.min(self.context - *seq);
        let mut ids = self.tokens[start..].to_vec();
        let last = ids.len() - 1;
        ids.resize(*seq, 0);
        let (start, last) = ([start as i64], [last as i64]);
        let pages = self.table.as_ref().map_or(&[][..], Table::pages);
        let numbers: [(&str, &[usize], &[i64]); 4] = [
            ("input_ids", &[1, *seq], &ids),
            ("past", &[1], &start),
            ("last", &[1], &last),
            ("pages", &[1, pages.len()], pages),
        ];
        let given = numbers
            .into_iter()
            .filter(|(.., values)| !values.is_empty());
        for (name, shape, values) in given {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let view = TensorView {
                dtype: DType::I64,
                shape,
                bytes: &bytes,
            };
            executor.set_input(name, view)?;
        }
        executor.run()?;
        self.last = program;
        Ok(())
    }

    fn keep_logits(&mut self) {
        let view = self.programs[self.last].1.output("logits");
        let (numbers, _) = view.expect("looked for when made").bytes.as_chunks();
        self.logits.clear();
        self.logits
            .extend(numbers.iter().map(|n| f32::from_le_bytes(*n)));
    }

    /// A score for each token to come next; nothing before the first token.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Keeps the first `tokens` of the text and forgets the others. The next run gives new logits.
    pub fn truncate(&mut self, tokens: usize) {
        self.tokens.truncate(tokens);
        self.logits.clear();
        if let Some(table) = &mut self.table {
            table.shrink(self.tokens.len());
        }
    }
}
