//! ViT; Dosovitskiy et al. 2020 (arXiv:2010.11929), section 3.1: an image as a sequence of patches behind one more token.

use ir::{
    Dim, UnaryFn, ValueId,
    ops::{Broadcast, Concat, MatMul},
};

use super::{
    block::{Block, Names},
    labels, limit,
};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

/// The pooler, which classifiers leave unused.
pub(super) const IGNORED: &[&str] = &["pooler.*", "vit.pooler.*"];

const CLASSES: &str = "ViTModel, ViTForImageClassification";

const NAMES: Names = Names {
    attention: "attention",
    parts: ["attention.query", "attention.key", "attention.value"],
    output: "output.dense",
    norms: ["layernorm_before", "layernorm_after"],
    forward: ["intermediate.dense", "output.dense"],
};

/// Most rows and columns of an image.
const SIDE: i64 = 1 << 14;
/// Most patches, as for tokens of a sequence.
const PATCHES: i64 = 1 << 20;

/// How an image is cut; sizes are rows, then columns.
pub(super) struct Patches {
    channels: i64,
    image: [i64; 2],
    patch: [i64; 2],
}

/// Writes a ViT of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let class = class.unwrap_or("ViTModel");
    let p = l.stored_prefix("vit.", class != "ViTModel");
    let act = activation(config, "hidden_act", UnaryFn::Gelu)?;
    let keys = [
        ("hidden_size", 768),
        ("num_attention_heads", 12),
        ("intermediate_size", 3072),
    ];
    let eps = config.number("layer_norm_eps", 1e-12)?;
    let mut block = Block::read(config, keys, act, eps, NAMES)?;
    block.bias = [config.flag("qkv_bias", true)?; 3];
    let patches = Patches::read(config, 16)?;
    let d = block.hidden;
    let pixels = patches.pixels(l, "batch");
    let x = patches.embed(
        l,
        &format!("{p}embeddings.patch_embeddings.projection"),
        d,
        true,
        pixels,
    )?;
    let token = l.weight(&format!("{p}embeddings.cls_token"), &[1, 1, d])?;
    let x = behind_token(l, token, x);
    let table = [1, patches.count() + 1, d];
    let places = l.weight(&format!("{p}embeddings.position_embeddings"), &table)?;
    let mut x = l.add(x, places);
    let look = |l: &mut Layers, parts| l.attention(parts, block.scale(), None);
    for i in 0..config.size("num_hidden_layers", 12, limit::LAYERS)? {
        x = block.layer(l, &format!("{p}encoder.layer.{i}"), look, x)?;
    }
    let x = block.norm(l, &format!("{p}layernorm"), x)?;
    match class {
        "ViTModel" => {
            l.output("last_hidden_state", x);
            let pooler = format!("{p}pooler.dense");
            if l.has(&format!("{pooler}.weight")) {
                let size = config.size("pooler_output_size", d, limit::WIDTH)?;
                let act = activation(config, "pooler_act", UnaryFn::Tanh)?;
                let first = l.first_token(x);
                let pooled = l.linear(&pooler, [d, size], true, first)?;
                let pooled = l.unary(act, pooled);
                l.output("pooler_output", pooled);
            }
        }
        "ViTForImageClassification" => {
            let first = l.first_token(x);
            let logits = l.linear("classifier", [d, labels(config)?], true, first)?;
            l.output("logits", logits);
        }
        _ => return Err(config.unsupported("architectures", CLASSES)),
    }
    Ok(x)
}

/// `x: [batch, n, d]` behind the token that every sequence begins with, `[1, 1, d]`.
pub(super) fn behind_token(l: &mut Layers, token: ValueId, x: ValueId) -> ValueId {
    let [batch, _, d] = <[Dim; 3]>::try_from(l.shape(x)).expect("x has three axes");
    let shape = vec![batch, 1.into(), d];
    let tokens = l.op(Broadcast { shape }, &[token]);
    l.op(Concat { axis: 1 }, &[tokens, x])
}

/// A number for both sides, or a list of one for each.
fn sides(config: &Config, key: &str, absent: i64) -> Result<[i64; 2], ImportError> {
    match config.get(key).and_then(|v| v.as_array()) {
        None => Ok([config.size(key, absent, SIDE)?; 2]),
        Some(list) => {
            let sides = list
                .iter()
                .map(|v| v.as_i64().filter(|n| (1..=SIDE).contains(n)));
            let sides: Option<Vec<_>> = sides.collect();
            sides.and_then(|s| s.try_into().ok()).ok_or_else(|| {
                config.wrong(key, format!("an integer from 1 to {SIDE}, or two of them"))
            })
        }
    }
}

impl Patches {
    /// Sizes by `config`, with patches of `absent` rows where it is silent.
    pub(super) fn read(config: &Config, absent: i64) -> Result<Self, ImportError> {
        let all = Self {
            channels: config.size("num_channels", 3, limit::HEADS)?,
            image: sides(config, "image_size", 224)?,
            patch: sides(config, "patch_size", absent)?,
        };
        if !(1..PATCHES).contains(&all.count()) || all.numbers() > limit::WIDTH {
            let wanted = format!(
                "from 1 to {} patches in an image, each of at most {} numbers",
                PATCHES - 1,
                limit::WIDTH
            );
            return Err(config.wrong("patch_size", wanted));
        }
        Ok(all)
    }

    /// How many patches an image has; what is left at its right and lower edge is in none.
    pub(super) fn count(&self) -> i64 {
        let [rows, columns] = self.grid();
        rows * columns
    }

    fn grid(&self) -> [i64; 2] {
        [0, 1].map(|i| self.image[i] / self.patch[i])
    }

    fn numbers(&self) -> i64 {
        self.channels * self.patch[0] * self.patch[1]
    }

    /// The input `pixel_values`, as many images as `symbol` says.
    pub(super) fn pixels(&self, l: &mut Layers, symbol: &str) -> ValueId {
        let [rows, columns] = self.image;
        let sizes = [self.channels, rows, columns].map(Dim::from);
        let shape = [Dim::symbol(symbol)].into_iter().chain(sizes);
        l.numbers("pixel_values", shape.collect())
    }

    /// Each patch times the kernels `name`, which lie as far apart as they are wide: `[images, patches, hidden]`.
    pub(super) fn embed(
        &self,
        l: &mut Layers,
        name: &str,
        hidden: i64,
        bias: bool,
        pixels: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (channels, [rows, columns], [high, wide]) = (self.channels, self.grid(), self.patch);
        let images = l.shape(pixels)[0].clone();
        let sized = |sizes: &[i64]| -> Vec<Dim> {
            let sizes = sizes.iter().map(|n| Dim::from(*n));
            [images.clone()].into_iter().chain(sizes).collect()
        };
        let mut x = pixels;
        for (axis, side, used) in [
            (2, self.image[0], rows * high),
            (3, self.image[1], columns * wide),
        ] {
            if used < side {
                x = l.slice(axis, 0, used, x);
            }
        }
        let x = l.reshape(sized(&[channels, rows, high, columns, wide]), x);
        let x = l.permute(&[0, 2, 4, 1, 3, 5], x);
        let x = l.reshape(sized(&[rows * columns, self.numbers()]), x);
        let kernels = l.weight(&format!("{name}.weight"), &[hidden, channels, high, wide])?;
        let kernels = l.reshape([hidden.into(), self.numbers().into()], kernels);
        let y = l.op(
            MatMul {
                ta: false,
                tb: true,
            },
            &[x, kernels],
        );
        match bias {
            true => l.shift(name, hidden, y),
            false => Ok(y),
        }
    }
}
