//! What families are written with: inputs, weights by name, and the layers that every family has.
//!
//! Sizes come from a configuration that was checked, so ops fit; one that does not is our mistake.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, Bounds, DType, Dim, Graph, Monoid, Op, TensorType, UnaryFn, ValueId,
    ops::{self, Absent},
};

use super::{
    ImportError,
    cache::{Cache, Task},
    weights::Weights,
};

/// Most sequences of one run.
const BATCH_LIMIT: i64 = 1024;
/// Most tokens of one sequence, so that no product of sizes leaves 64 bits.
const SEQUENCE_LIMIT: i64 = 1 << 20;
/// Added to the scores of masked keys: the least f32, as `torch.finfo(torch.float32).min`.
pub(super) const MASKED: f64 = f32::MIN as f64;

/// Where weights come from.
pub(super) enum Source {
    /// A model's files.
    Files(Weights),
    /// Nowhere: every weight that is asked for is there, with this element type.
    Assumed(DType),
}

/// A graph while a family writes it. Values are f32 unless said otherwise; `x` is `[batch, seq, n]`.
pub(super) struct Layers {
    graph: Graph,
    source: Source,
    /// Weights as stored, by name.
    used: BTreeMap<String, ValueId>,
    made: Vec<(String, Vec<f32>)>,
    mask: Option<ValueId>,
    task: Task,
    pub(super) cache: Option<Cache>,
}

/// Sizes of attention.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    /// Heads of queries.
    pub(super) queries: i64,
    /// Heads of keys and values.
    pub(super) keys: i64,
    /// Elements of each head.
    pub(super) size: i64,
}

impl Layers {
    /// An empty graph.
    pub(super) fn new(name: &str, source: Source, task: Task) -> Self {
        let mut graph = Graph::new(name);
        graph.declare(
            "batch",
            Bounds {
                min: 1,
                max: BATCH_LIMIT,
            },
        );
        Self {
            graph,
            source,
            used: BTreeMap::new(),
            made: Vec::new(),
            mask: None,
            task,
            cache: None,
        }
    }

    /// Says that a sequence has at most `positions` tokens.
    pub(super) fn limit_sequence(&mut self, positions: i64) {
        self.declare("seq", positions);
        if self.task.remembers() {
            self.begin_cache(positions.min(SEQUENCE_LIMIT), self.task.page());
        }
    }

    /// A size that runs choose, from 1 to `most`.
    pub(super) fn declare(&mut self, symbol: &str, most: i64) -> Dim {
        let max = most.min(SEQUENCE_LIMIT);
        self.graph.declare(symbol, Bounds { min: 1, max });
        Dim::symbol(symbol)
    }

    /// The graph and its weights, after every stored tensor was found to be used, or to match one of `ignored`.
    pub(super) fn finish(self, ignored: &[&str]) -> Result<(Graph, Weights), ImportError> {
        let mut weights = match self.source {
            Source::Assumed(_) => Weights::default(),
            Source::Files(weights) => {
                let unused = |name: &&str| !self.used.contains_key(*name);
                let meant = |name: &&str| !ignored.iter().any(|pattern| matches(pattern, name));
                let extra: Vec<_> = weights.names().filter(unused).filter(meant).collect();
                if !extra.is_empty() {
                    return Err(weights.extra(&extra));
                }
                weights
            }
        };
        for (name, values) in &self.made {
            weights.make(name, values);
        }
        if self.task.remembers() {
            // What says how a run without memory is masked is not asked for.
            let live = self.graph.live();
            return Ok((self.graph.keep(&live), weights));
        }
        Ok((self.graph, weights))
    }

    /// Names an output.
    pub(super) fn output(&mut self, name: &str, value: ValueId) {
        let value = self.asked(value);
        self.graph.output(name, value);
    }

    /// Names the next value of a state.
    pub(super) fn state(&mut self, name: &str, value: ValueId) {
        self.graph.output(name, value);
    }

    /// Any op.
    pub(super) fn op(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> ValueId {
        self.graph
            .push(op, inputs)
            .unwrap_or_else(|e| panic!("sizes of a checked configuration fit: {e}"))
    }

    /// The shape of `x`.
    pub(super) fn shape(&self, x: ValueId) -> Vec<Dim> {
        self.graph.ty(x).shape.clone()
    }

    // Inputs.

    /// An input of integers, `[batch, seq]`, below `below` if that is not 0.
    pub(super) fn input(&mut self, name: &str, absent: Absent, below: i64) -> ValueId {
        if let (Absent::Positions, Some(positions)) = (absent, self.cached_positions()) {
            return positions;
        }
        self.input_along("seq", name, absent, below)
    }

    /// An input of integers, `[batch, length]`, as [`Layers::input`].
    pub(super) fn input_along(
        &mut self,
        length: &str,
        name: &str,
        absent: Absent,
        below: i64,
    ) -> ValueId {
        let ty = TensorType::new(DType::I64, [Dim::symbol("batch"), Dim::symbol(length)]);
        let name = name.into();
        self.op(
            ops::Input {
                name,
                ty,
                absent,
                below,
            },
            &[],
        )
    }

    /// An input of numbers that must be given.
    pub(super) fn numbers(&mut self, name: &str, shape: Vec<Dim>) -> ValueId {
        let input = ops::Input {
            name: name.into(),
            ty: TensorType::new(DType::F32, shape),
            absent: Absent::Required,
            below: 0,
        };
        self.op(input, &[])
    }

    /// The input `attention_mask` (1 for a token, 0 for padding) as numbers.
    pub(super) fn attention_mask(&mut self) -> ValueId {
        if let Some(mask) = self.mask {
            return mask;
        }
        let mask = self.input("attention_mask", Absent::Ones, 2);
        let mask = self.op(ops::Cast { dtype: DType::F32 }, &[mask]);
        self.mask = Some(mask);
        mask
    }

    /// What to add to scores, `[batch, 1, 1, seq]`: 0 for a token, the least f32 for padding.
    pub(super) fn additive_mask(&mut self, mask: ValueId) -> ValueId {
        let one = self.scalar(1.0);
        let padding = self.binary(BinaryFn::Sub, one, mask);
        let low = self.scalar(MASKED);
        let low = self.binary(BinaryFn::Mul, padding, low);
        let [batch, seq] = <[Dim; 2]>::try_from(self.shape(mask)).expect("a mask has two axes");
        self.op(
            ops::Reshape {
                shape: vec![batch, 1.into(), 1.into(), seq],
            },
            &[low],
        )
    }

    // Weights.

    /// Whether the files hold a tensor; assumed weights are all there.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.source {
            Source::Files(weights) => weights.has(name),
            Source::Assumed(_) => true,
        }
    }

    /// `prefix` if names of the files begin so, else nothing: a base model is stored with its head's prefix or
    /// without. Assumed weights have it where there is a head.
    pub(super) fn stored_prefix(&self, prefix: &'static str, headed: bool) -> &'static str {
        let prefixed = match &self.source {
            Source::Files(weights) => weights.names().any(|n| n.starts_with(prefix)),
            Source::Assumed(_) => headed,
        };
        if prefixed { prefix } else { "" }
    }

    /// Whose `part` a head has: that of `tied`, if given, unless the files hold another for `head`. Such files were not
    /// written by `transformers`, but it reads them so.
    pub(super) fn head<'a>(&self, head: &'a str, tied: Option<&'a str>, part: &str) -> &'a str {
        let Some(tied) = tied else { return head };
        match &self.source {
            Source::Files(w) if w.differ(&format!("{head}.{part}"), &format!("{tied}.{part}")) => {
                head
            }
            _ => tied,
        }
    }

    /// A tensor of the files, as stored.
    fn stored(&mut self, name: &str, shape: &[i64]) -> Result<ValueId, ImportError> {
        let legacy = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        let legacy = legacy.replace("LayerNorm.bias", "LayerNorm.beta");
        let name = if self.has(name) || !self.has(&legacy) {
            name
        } else {
            &legacy
        };
        if let Some(value) = self.used.get(name) {
            return Ok(*value);
        }
        let dtype = match &self.source {
            Source::Files(weights) => weights.check(name, shape)?,
            Source::Assumed(dtype) => *dtype,
        };
        let ty = TensorType::fixed(dtype, shape);
        let value = self.op(
            ops::Weight {
                name: name.into(),
                ty,
            },
            &[],
        );
        self.used.insert(name.into(), value);
        Ok(value)
    }

    /// `x` as f32.
    fn widen(&mut self, x: ValueId) -> ValueId {
        if self.graph.ty(x).dtype == DType::F32 {
            return x;
        }
        self.op(ops::Cast { dtype: DType::F32 }, &[x])
    }

    /// A tensor of the files.
    pub(super) fn weight(&mut self, name: &str, shape: &[i64]) -> Result<ValueId, ImportError> {
        let stored = self.stored(name, shape)?;
        Ok(self.widen(stored))
    }

    /// A vector that follows from the configuration and is in no file.
    pub(super) fn made(&mut self, name: &str, values: Vec<f32>) -> ValueId {
        let ty = TensorType::fixed(DType::F32, &[values.len() as i64]);
        self.made.push((name.into(), values));
        self.op(
            ops::Weight {
                name: name.into(),
                ty,
            },
            &[],
        )
    }

    // Layers.

    /// Rows `ids` of the table `name`.
    pub(super) fn embed(
        &mut self,
        name: &str,
        table: [i64; 2],
        ids: ValueId,
    ) -> Result<ValueId, ImportError> {
        let table = self.stored(name, &table)?;
        let rows = self.op(ops::Embedding {}, &[table, ids]);
        Ok(self.widen(rows))
    }

    /// `x W^T`, with `W: [to, from]` named `name.weight`, plus `name.bias` if it has one.
    pub(super) fn linear(
        &mut self,
        name: &str,
        [from, to]: [i64; 2],
        bias: bool,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let w = self.weight(&format!("{name}.weight"), &[to, from])?;
        let y = self.op(
            ops::MatMul {
                ta: false,
                tb: true,
            },
            &[x, w],
        );
        if bias { self.shift(name, to, y) } else { Ok(y) }
    }

    /// `x W + b`, with `W: [from, to]`, as GPT-2 stores it.
    pub(super) fn conv1d(
        &mut self,
        name: &str,
        [from, to]: [i64; 2],
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let w = self.weight(&format!("{name}.weight"), &[from, to])?;
        let y = self.op(
            ops::MatMul {
                ta: false,
                tb: false,
            },
            &[x, w],
        );
        self.shift(name, to, y)
    }

    /// `x + b`, with `b: [n]` named `name.bias`.
    pub(super) fn shift(&mut self, name: &str, n: i64, x: ValueId) -> Result<ValueId, ImportError> {
        let b = self.weight(&format!("{name}.bias"), &[n])?;
        Ok(self.add(x, b))
    }

    /// Layer normalisation over the last axis, of size `n`.
    pub(super) fn layer_norm(
        &mut self,
        name: &str,
        n: i64,
        eps: f64,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let g = self.weight(&format!("{name}.weight"), &[n])?;
        let b = self.weight(&format!("{name}.bias"), &[n])?;
        Ok(self.op(ops::LayerNorm { eps: eps.into() }, &[x, g, b]))
    }

    /// Root-mean-square normalisation over the last axis, of size `n`.
    pub(super) fn rms_norm(
        &mut self,
        name: &str,
        n: i64,
        eps: f64,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let g = self.weight(&format!("{name}.weight"), &[n])?;
        Ok(self.op(ops::RmsNorm { eps: eps.into() }, &[x, g]))
    }

    /// The same elements under another shape.
    pub(super) fn reshape(&mut self, shape: impl IntoIterator<Item = Dim>, x: ValueId) -> ValueId {
        let shape = shape.into_iter().collect();
        self.op(ops::Reshape { shape }, &[x])
    }

    /// Axes in another order.
    pub(super) fn permute(&mut self, axes: &[i64], x: ValueId) -> ValueId {
        self.op(ops::Permute { axes: axes.into() }, &[x])
    }

    /// Elements `start..start + count` along the last axis.
    pub(super) fn columns(&mut self, start: i64, count: i64, x: ValueId) -> ValueId {
        let axis = self.shape(x).len() as i64 - 1;
        self.slice(axis, start, count, x)
    }

    /// Element `i` of the last axis, which goes.
    pub(super) fn column(&mut self, i: i64, x: ValueId) -> ValueId {
        let one = self.columns(i, 1, x);
        let mut shape = self.shape(x);
        shape.pop();
        self.op(ops::Reshape { shape }, &[one])
    }

    /// The first token, `[batch, n]`.
    pub(super) fn first_token(&mut self, x: ValueId) -> ValueId {
        let first = self.slice(1, 0, 1, x);
        let [batch, _, n] = <[Dim; 3]>::try_from(self.shape(x)).expect("x has three axes");
        self.op(
            ops::Reshape {
                shape: vec![batch, n],
            },
            &[first],
        )
    }

    /// Elements `start..start + count` along `axis`.
    pub(super) fn slice(&mut self, axis: i64, start: i64, count: i64, x: ValueId) -> ValueId {
        self.stride(axis, [start, count, 1], x)
    }

    /// `count` elements along `axis` from `start` on, each `step` behind the one before.
    pub(super) fn stride(
        &mut self,
        axis: i64,
        [start, count, step]: [i64; 3],
        x: ValueId,
    ) -> ValueId {
        let (start, size) = (start.into(), count.into());
        self.op(
            ops::Slice {
                axis,
                start,
                size,
                step,
            },
            &[x],
        )
    }

    // Arithmetic.

    /// A number.
    pub(super) fn scalar(&mut self, value: f64) -> ValueId {
        let ty = TensorType::new(DType::F32, []);
        self.op(
            ops::Constant {
                value: value.into(),
                ty,
            },
            &[],
        )
    }

    /// `f(x)`
    pub(super) fn unary(&mut self, f: UnaryFn, x: ValueId) -> ValueId {
        self.op(ops::Unary { f }, &[x])
    }

    /// `f(a, b)`
    pub(super) fn binary(&mut self, f: BinaryFn, a: ValueId, b: ValueId) -> ValueId {
        self.op(ops::Binary { f }, &[a, b])
    }

    /// `a + b`
    pub(super) fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Add, a, b)
    }

    /// `a b`
    pub(super) fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Mul, a, b)
    }

    /// A fold along `axis`.
    pub(super) fn fold(&mut self, monoid: Monoid, axis: i64, keep: bool, x: ValueId) -> ValueId {
        self.op(
            ops::Reduce {
                monoid,
                axes: vec![axis],
                keep,
            },
            &[x],
        )
    }
}

/// Whether `name` is `pattern`, in which a leading or trailing `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(start)) => name.starts_with(start),
        _ => name == pattern,
    }
}
