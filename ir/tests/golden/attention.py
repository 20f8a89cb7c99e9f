"""Golden vectors of attention and rotary embeddings.

Attention is written out here by positions, and held against PyTorch's where PyTorch has the option; rotary
embeddings are those of transformers.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.glm.modeling_glm import apply_rotary_pos_emb as rotate_glm
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb as rotate_llama

from vectors import Typed, Word


def by_positions(q, k, v, *, scale, causal=False, window=0, softcap=0.0, mask=None, slope=None):
    """Attention, one query and one key at a time."""
    (batch, heads, s, _), (_, groups, t, _) = q.shape, k.shape
    y = np.zeros((batch, heads, s, v.shape[3]))
    mask = np.zeros((1, 1, 1, 1)) if mask is None else mask
    mask = np.broadcast_to(mask, (batch, heads, s, t))
    for n in range(batch):
        for h in range(heads):
            g = h * groups // heads
            for i in range(s):
                position, scores = i + t - s, []
                for j in range(t):
                    x = math.fsum(q[n, h, i] * k[n, g, j]) * scale
                    x = softcap * math.tanh(x / softcap) if softcap else x
                    x += mask[n, h, i, j]
                    x -= slope[h] * (position - j) if slope is not None else 0.0
                    left_out = (causal and j > position) or (window and position - j >= window)
                    scores.append(-math.inf if left_out else x)
                top = max(scores)
                weights = [math.exp(x - top) for x in scores]
                y[n, h, i] = np.array(weights) @ v[n, g] / math.fsum(weights)
    return y


def attention(f):
    plain = {"scale": 0.5, "causal": False, "window": 0, "softcap": 0.0}
    cases = [
        ("plain", (2, 2, 3, 4), (2, 2, 5, 4), 4, {}),
        ("values of another size", (1, 2, 3, 4), (1, 2, 3, 4), 3, {"scale": 1.0}),
        ("one of each", (1, 1, 1, 1), (1, 1, 1, 1), 1, {}),
        ("grouped queries", (2, 6, 3, 4), (2, 2, 3, 4), 4, {}),
        ("one key head", (1, 4, 2, 4), (1, 1, 5, 4), 4, {}),
        ("causal", (1, 2, 5, 4), (1, 2, 5, 4), 4, {"causal": True}),
        ("causal, more keys than queries", (1, 2, 2, 4), (1, 2, 7, 4), 4, {"causal": True}),
        ("window", (1, 2, 7, 4), (1, 2, 7, 4), 4, {"causal": True, "window": 3}),
        ("window of one", (1, 1, 5, 4), (1, 1, 5, 4), 4, {"causal": True, "window": 1}),
        ("window, both sides", (1, 1, 5, 4), (1, 1, 5, 4), 4, {"window": 2}),
        ("soft-cap", (1, 2, 3, 4), (1, 2, 5, 4), 4, {"softcap": 2.5}),
        ("mask", (2, 2, 3, 4), (2, 2, 5, 4), 4, {"mask": (2, 1, 1, 5)}),
        ("full mask", (2, 2, 3, 4), (2, 2, 5, 4), 4, {"mask": (2, 2, 3, 5), "causal": True}),
        ("slopes", (1, 4, 5, 4), (1, 4, 5, 4), 4, {"alibi": True, "causal": True}),
        ("all", (2, 4, 3, 4), (2, 2, 5, 4), 6,
         {"alibi": True, "causal": True, "window": 4, "softcap": 3.0, "mask": (1, 1, 3, 5)}),
    ]
    for about, q, k, e, options in cases:
        options = plain | options
        shape, alibi = options.pop("mask", None), options.pop("alibi", False)
        q, k, v = f.random.floats(*q), f.random.floats(*k), f.random.floats(*k[:3], e)
        mask = f.random.floats(*shape) if shape else None
        if shape:
            # As models mask padding, once by a large number and once for good.
            mask.values[..., -1] = -math.inf
            mask.values[:1, ..., -2] = np.finfo(np.float32).min
        slope = Typed("f32", 2.0 ** -np.arange(1, q.values.shape[1] + 1)) if alibi else None
        extra = {"mask": mask and mask.values, "slope": slope and slope.values}
        y = by_positions(q.values, k.values, v.values, **options, **extra)
        if not (alibi or options["window"] or options["softcap"]) and (
            not options["causal"] or (q.values.shape[2] == k.values.shape[2] and not mask)
        ):
            theirs = F.scaled_dot_product_attention(
                q.torch(), k.torch(), v.torch(), mask and mask.torch(), is_causal=options["causal"],
                scale=options["scale"], enable_gqa=True,
            )
            assert np.abs(theirs.numpy() - y).max() < 1e-14, about
        inputs = [q, k, v] + [x for x in [mask, slope] if x]
        # Scores reach 64 * 4 * scale, and an error of theirs goes through exp as it is.
        f.case(about, "attention", inputs, Typed("f32", y), ulps=64, reach=256.0, mask=bool(mask), alibi=alibi, **options)


def cached_attention(f):
    plain = {"scale": 0.5, "window": 0, "softcap": 0.0}
    cases = [
        ("one query, one key before it", (2, 2, 1, 4), (2, 2, 7, 4), 1, {}),
        ("an empty cache", (1, 2, 3, 4), (1, 2, 8, 4), 0, {}),
        ("a full cache", (1, 2, 3, 4), (1, 2, 8, 4), 5, {}),
        ("no room", (1, 2, 3, 4), (1, 2, 3, 4), 0, {}),
        ("more than there is room for", (1, 1, 2, 4), (1, 1, 6, 4), 9, {}),
        ("fewer than none", (1, 1, 2, 4), (1, 1, 6, 4), -3, {}),
        ("grouped queries, a window", (1, 6, 2, 4), (1, 2, 19, 4), 9, {"window": 4}),
        ("a window of one", (1, 1, 2, 4), (1, 1, 9, 4), 3, {"window": 1}),
        ("all", (2, 4, 3, 4), (2, 2, 17, 4), 8, {"alibi": True, "window": 7, "softcap": 3.0, "mask": (2, 1, 1, 17)}),
    ]
    for about, q, k, past, options in cases:
        options = plain | options
        shape, alibi = options.pop("mask", None), options.pop("alibi", False)
        q, k, v = f.random.floats(*q), f.random.floats(*k), f.random.floats(*k)
        mask = f.random.floats(*shape) if shape else None
        if shape:
            mask.values[1, ..., :3] = np.finfo(np.float32).min
        slope = Typed("f32", 2.0 ** -np.arange(1, q.values.shape[1] + 1)) if alibi else None
        # What is in the cache and what is added, without the room behind it.
        queries, room = q.values.shape[2], k.values.shape[2]
        seen = min(max(past, 0), room - queries) + queries
        extra = {"mask": mask and mask.values[..., :seen], "slope": slope and slope.values}
        y = by_positions(q.values, k.values[:, :, :seen], v.values[:, :, :seen], causal=True, **options, **extra)
        inputs = [q, k, v] + [x for x in [mask, slope] if x] + [Typed("i64", np.array([past]))]
        f.case(about, "cached_attention", inputs, Typed("f32", y), ulps=64, reach=256.0, mask=bool(mask), alibi=alibi,
               **options)


def tables(f, half, *lead):
    angle = f.random.floats(*lead, half).values
    return [Typed("f32", np.float32(g(angle)).astype(np.float64)) for g in [np.cos, np.sin]]


def rope(f):
    twice = lambda x: torch.cat([x.torch()] * 2, -1)
    for batch, heads, s, d in [(2, 3, 5, 8), (1, 1, 1, 2), (2, 1, 3, 6)]:
        x, (cos, sin) = f.random.floats(batch, heads, s, d), tables(f, d // 2, batch, 1, s)
        y, _ = rotate_llama(x.torch(), x.torch(), twice(cos).squeeze(1), twice(sin).squeeze(1))
        f.case("whole heads, halves", "rope", [x, cos, sin], Typed("f32", y), ulps=4, reach=16.0, interleaved=False)
        y, _ = rotate_glm(x.torch(), x.torch(), twice(cos).squeeze(1), twice(sin).squeeze(1))
        f.case("whole heads, neighbours", "rope", [x, cos, sin], Typed("f32", y), ulps=4, reach=16.0, interleaved=True)
    x, (cos, sin) = f.random.floats(2, 3, 5, 8), tables(f, 2, 5)
    theirs = [twice(t).expand(2, 5, 4) for t in [cos, sin]]
    y, _ = rotate_glm(x.torch(), x.torch(), *theirs)
    f.case("part of a head, neighbours", "rope", [x, cos, sin], Typed("f32", y), ulps=4, reach=16.0, interleaved=True)
    y, _ = rotate_llama(x.torch()[..., :4], x.torch()[..., :4], *theirs)
    y = torch.cat([y, x.torch()[..., 4:]], -1)
    f.case("part of a head, halves", "rope", [x, cos, sin], Typed("f32", y), ulps=4, reach=16.0, interleaved=False)


def rope_frequencies(f):
    for kind, dims, theta, numbers in [
        ("none", 8, 10000.0, (1.0, 1.0, 4.0, 8192.0)),
        ("none", 64, 500000.0, (1.0, 1.0, 4.0, 8192.0)),
        ("linear", 8, 10000.0, (4.0, 1.0, 4.0, 8192.0)),
        ("llama3", 128, 500000.0, (8.0, 1.0, 4.0, 8192.0)),
        ("llama3", 64, 500000.0, (32.0, 1.0, 4.0, 8192.0)),
        ("llama3", 16, 10000.0, (4.0, 1.5, 3.0, 64.0)),
    ]:
        factor, low, high, context = numbers
        plain = 1.0 / theta ** (np.arange(0, dims, 2, dtype=np.float64) / dims)
        wavelength = 2 * np.pi / plain
        smooth = (context / wavelength - low) / (high - low)
        between = (1 - smooth) * plain / factor + smooth * plain
        y = {
            "none": plain,
            "linear": plain / factor,
            "llama3": np.where(wavelength < context / high, plain,
                               np.where(wavelength > context / low, plain / factor, between)),
        }[kind]
        parameters = {"rope_type": kind, "rope_theta": theta, "factor": factor, "low_freq_factor": low,
                      "high_freq_factor": high, "original_max_position_embeddings": int(context)}
        if kind != "none":
            config = LlamaConfig(hidden_size=dims, num_attention_heads=1, rope_parameters=parameters)
            theirs, _ = ROPE_INIT_FUNCTIONS[kind](config, "cpu")
            # These are computed in f32.
            assert np.abs(theirs.numpy() / y - 1).max() < 1e-5, (kind, dims)
        f.case(f"{kind}, {dims}", "rope_frequencies", [], Typed("f32", y), ulps=64, dims=dims, theta=theta,
               scaling=Word(kind), factor=factor, low=low, high=high, context=context, dtype=Word("f32"))


MAKERS = [attention, cached_attention, rope, rope_frequencies]
