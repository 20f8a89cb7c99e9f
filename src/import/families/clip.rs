//! CLIP; Radford et al. 2021 (arXiv:2103.00020), section 2.4: a decoder of captions, of which the last token counts, and an
//! encoder of images, whose vectors are compared.

use ir::{
    Dim, UnaryFn, ValueId,
    ops::{Absent, L2Normalize, MatMul},
};

use super::{
    block::{self, Block, Names},
    limit,
    vit::{Patches, behind_token},
};
use crate::import::{
    ImportError, activation::activation, attention::Causal, config::Config, layers::Layers,
};

/// Buffers.
pub(super) const IGNORED: &[&str] = &["*embeddings.position_ids"];

const NAMES: Names = Names {
    norms: ["layer_norm1", "layer_norm2"],
    forward: ["mlp.fc1", "mlp.fc2"],
    ..block::USUAL
};

/// A tower's last hidden state, and the vector that stands for its input.
struct Seen {
    hidden: ValueId,
    pooled: ValueId,
    /// Elements of the vector.
    size: i64,
}

/// Writes the text tower alone.
pub(super) fn build_text(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let classes = ["CLIPTextModel", "CLIPTextModelWithProjection"];
    alone(
        config,
        class,
        classes,
        ["text_projection", "text_embeds"],
        l,
        text,
    )
}

/// Writes the vision tower alone.
pub(super) fn build_vision(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let classes = ["CLIPVisionModel", "CLIPVisionModelWithProjection"];
    let names = ["visual_projection", "image_embeds"];
    alone(config, class, classes, names, l, |config, l| {
        vision(config, "batch", l)
    })
}

/// Writes both towers, and how well each text fits each image.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    if !matches!(class, None | Some("CLIPModel")) {
        return Err(config.unsupported("architectures", "CLIPModel"));
    }
    for old in ["text_config_dict", "vision_config_dict"] {
        if config.get(old).is_some() {
            return Err(config.unsupported(old, "text_config and vision_config"));
        }
    }
    let section = |key| match config.section(key)? {
        Some(section) => Ok(section),
        None => Err(config.wrong(key, "an object")),
    };
    let size = config.size("projection_dim", 512, limit::WIDTH)?;
    let seen = text(&section("text_config")?, l)?;
    l.declare("images", limit::BATCH);
    let image = vision(&section("vision_config")?, "images", l)?;
    let texts = project(l, "text_projection", size, &seen)?;
    let images = project(l, "visual_projection", size, &image)?;
    let [texts, images] = [texts, images].map(|x| l.op(L2Normalize { eps: 1e-12.into() }, &[x]));
    let scale = l.weight("logit_scale", &[])?;
    let scale = l.unary(UnaryFn::Exp, scale);
    let fit = l.op(
        MatMul {
            ta: false,
            tb: true,
        },
        &[texts, images],
    );
    let by_text = l.mul(fit, scale);
    let by_image = l.permute(&[1, 0], by_text);
    l.output("logits_per_image", by_image);
    l.output("logits_per_text", by_text);
    l.output("text_embeds", texts);
    l.output("image_embeds", images);
    Ok(seen.hidden)
}

/// Writes one tower, or, for the second of `classes`, its vector by the first of `names` as the second.
fn alone(
    config: &Config,
    class: Option<&str>,
    classes: [&str; 2],
    [projection, output]: [&str; 2],
    l: &mut Layers,
    tower: impl Fn(&Config, &mut Layers) -> Result<Seen, ImportError>,
) -> Result<ValueId, ImportError> {
    let projected = match class.unwrap_or(classes[0]) {
        c if c == classes[0] => false,
        c if c == classes[1] => true,
        _ => return Err(config.unsupported("architectures", classes.join(", "))),
    };
    let seen = tower(config, l)?;
    l.output("last_hidden_state", seen.hidden);
    if projected {
        let size = config.size("projection_dim", 512, limit::WIDTH)?;
        let vector = project(l, projection, size, &seen)?;
        l.output(output, vector);
    } else {
        l.output("pooler_output", seen.pooled);
    }
    Ok(seen.hidden)
}

fn project(l: &mut Layers, name: &str, size: i64, seen: &Seen) -> Result<ValueId, ImportError> {
    l.linear(name, [seen.size, size], false, seen.pooled)
}

fn block(config: &Config, [hidden, heads, inner]: [i64; 3]) -> Result<Block, ImportError> {
    let keys = [
        ("hidden_size", hidden),
        ("num_attention_heads", heads),
        ("intermediate_size", inner),
    ];
    let act = activation(config, "hidden_act", UnaryFn::QuickGelu)?;
    Block::read(
        config,
        keys,
        act,
        config.number("layer_norm_eps", 1e-5)?,
        NAMES,
    )
}

/// Captions: each token sees those before it; the first end of a text stands for it.
fn text(config: &Config, l: &mut Layers) -> Result<Seen, ImportError> {
    let block = block(config, [512, 8, 2048])?;
    let (d, p) = (block.hidden, l.stored_prefix("text_model.", true));
    let words = config.size("vocab_size", 49_408, limit::VOCABULARY)?;
    let positions = config.size("max_position_embeddings", 77, limit::POSITIONS)?;
    l.limit_sequence(positions);
    let ids = l.input("input_ids", Absent::Required, words);
    let mask = l.attention_mask();
    let mask = l.additive_mask(mask);
    let position_ids = l.input("position_ids", Absent::Positions, positions);
    let x = l.embed(
        &format!("{p}embeddings.token_embedding.weight"),
        [words, d],
        ids,
    )?;
    let table = format!("{p}embeddings.position_embedding.weight");
    let places = l.embed(&table, [positions, d], position_ids)?;
    let mut x = l.add(x, places);
    let how = Causal::of(block.size(), mask);
    let look = |l: &mut Layers, parts| l.causal_attention(parts, &how);
    for i in 0..config.size("num_hidden_layers", 12, limit::LAYERS)? {
        x = block.layer(l, &format!("{p}encoder.layers.{i}"), look, x)?;
    }
    let hidden = block.norm(l, &format!("{p}final_layer_norm"), x)?;
    // Old configurations say 2 where they mean the largest id; `transformers` reads it so.
    let end = config.count("eos_token_id", 49_407)?;
    let end = (end != 2).then_some(end.min(limit::VOCABULARY as u64) as i64);
    let pooled = l.token_of(end, ids, hidden);
    Ok(Seen {
        hidden,
        pooled,
        size: d,
    })
}

/// As many images as `symbol` says: the token before the patches stands for them.
fn vision(config: &Config, symbol: &str, l: &mut Layers) -> Result<Seen, ImportError> {
    let block = block(config, [768, 12, 3072])?;
    let (d, p) = (block.hidden, l.stored_prefix("vision_model.", true));
    let patches = Patches::read(config, 32)?;
    let pixels = patches.pixels(l, symbol);
    let x = patches.embed(
        l,
        &format!("{p}embeddings.patch_embedding"),
        d,
        false,
        pixels,
    )?;
    let token = l.weight(&format!("{p}embeddings.class_embedding"), &[d])?;
    let token = l.reshape([1, 1, d].map(Dim::from), token);
    let x = behind_token(l, token, x);
    let table = [patches.count() + 1, d];
    let places = l.weight(&format!("{p}embeddings.position_embedding.weight"), &table)?;
    let x = l.add(x, places);
    let mut x = block.norm(l, &format!("{p}pre_layrnorm"), x)?;
    let look = |l: &mut Layers, parts| l.attention(parts, block.scale(), None);
    for i in 0..config.size("num_hidden_layers", 12, limit::LAYERS)? {
        x = block.layer(l, &format!("{p}encoder.layers.{i}"), look, x)?;
    }
    let first = l.first_token(x);
    let pooled = block.norm(l, &format!("{p}post_layernorm"), first)?;
    Ok(Seen {
        hidden: x,
        pooled,
        size: d,
    })
}
