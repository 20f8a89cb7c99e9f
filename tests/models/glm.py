"""ChatGLM2 and GLM-130B, of which `transformers` has no class, as references: written from their papers and from what their
configurations mean, in plain PyTorch, one token after the other where that is clearest."""

import json
import math

import torch
from safetensors.torch import load_file, save_file


class Reference(torch.nn.Module):
    """Parameters by name, saved beside a configuration as `save_pretrained` does."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.table = torch.nn.ParameterDict({
            name.replace(".", "/"): torch.nn.Parameter(torch.zeros(*shape))
            for name, shape in self.shapes()
        })

    def named_parameters(self, *_, **__):
        return ((name.replace("/", "."), p) for name, p in self.table.items())

    def get(self, name):
        return self.table[name.replace(".", "/")]

    def save_pretrained(self, folder, **_):
        folder.mkdir()
        dtype = str(next(iter(self.table.values())).dtype).removeprefix("torch.")
        config = self.config | dict(torch_dtype=dtype)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        save_file({n: p.data.contiguous() for n, p in self.named_parameters()}, folder / "model.safetensors")

    @classmethod
    def from_pretrained(cls, folder):
        model = cls(json.loads((folder / "config.json").read_text()))
        for name, tensor in load_file(folder / "model.safetensors").items():
            model.table[name.replace(".", "/")] = torch.nn.Parameter(tensor)
        return model

    def linear(self, name, x):
        y = x @ self.get(f"{name}.weight").T
        bias = f"{name}.bias".replace(".", "/")
        return y + self.table[bias] if bias in self.table else y

    def attend(self, q, k, v, seen):
        """`[batch, seq, heads, size]`; `seen[b, i, j]` says whether query `i` sees key `j`."""
        group = q.shape[2] // k.shape[2]
        k, v = k.repeat_interleave(group, 2), v.repeat_interleave(group, 2)
        scores = torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(~seen[:, None], torch.finfo(torch.float32).min)
        y = torch.einsum("bhij,bjhd->bihd", scores.softmax(-1), v)
        return y.flatten(2)


def angles(positions, turned, base):
    """Su et al. 2021, equation 15, `[batch, seq, 1, turned / 2]`; in f32, as both models compute them."""
    speeds = 1.0 / base ** (torch.arange(0, turned, 2, dtype=torch.float32) / turned)
    found = positions[..., None].float() * speeds
    return found[:, :, None, :].double()


def seen_by(mask):
    """Keys up to the query's own position that are tokens; a query that is padding sees itself."""
    n = mask.shape[1]
    return torch.ones(n, n).tril().bool() & mask[:, None, :].bool() | torch.eye(n).bool()


def defaults(input_ids, attention_mask, position_ids):
    if attention_mask is None:
        attention_mask = torch.ones_like(input_ids)
    if position_ids is None:
        position_ids = torch.arange(input_ids.shape[1]).expand(input_ids.shape)
    return attention_mask, position_ids


class ChatGlm2(Reference):
    """ChatGLM2-6B: root-mean-square norms, SwiGLU, keys shared among queries, half of each head turned in neighbouring pairs."""

    def shapes(self):
        c = self.config
        d, h, size = c["hidden_size"], c["num_attention_heads"], c["kv_channels"]
        keys = c["multi_query_group_num"] if c["multi_query_attention"] else h
        wide = (h + 2 * keys) * size
        yield "transformer.embedding.word_embeddings.weight", (c["padded_vocab_size"], d)
        for i in range(c["num_layers"]):
            p = f"transformer.encoder.layers.{i}."
            yield p + "input_layernorm.weight", (d,)
            yield p + "self_attention.query_key_value.weight", (wide, d)
            if c["add_qkv_bias"]:
                yield p + "self_attention.query_key_value.bias", (wide,)
            yield p + "self_attention.dense.weight", (d, h * size)
            yield p + "post_attention_layernorm.weight", (d,)
            yield p + "mlp.dense_h_to_4h.weight", (2 * c["ffn_hidden_size"], d)
            yield p + "mlp.dense_4h_to_h.weight", (d, c["ffn_hidden_size"])
        yield "transformer.encoder.final_layernorm.weight", (d,)
        yield "transformer.output_layer.weight", (c["padded_vocab_size"], d)

    def norm(self, name, x):
        scale = (x.pow(2).mean(-1, keepdim=True) + self.config["layernorm_epsilon"]).rsqrt()
        return x * scale * self.get(f"{name}.weight")

    def heads(self, x):
        c = self.config
        h, size = c["num_attention_heads"], c["kv_channels"]
        if c["multi_query_attention"]:
            keys = c["multi_query_group_num"]
            parts = x.split([h * size, keys * size, keys * size], -1)
            return [p.unflatten(-1, (-1, size)) for p in parts]
        return x.unflatten(-1, (h, 3 * size)).split(size, -1)

    def turn(self, x, turns):
        first, rest = x.split([turns.shape[-1] * 2, x.shape[-1] - turns.shape[-1] * 2], -1)
        a, b = first.unflatten(-1, (-1, 2)).unbind(-1)
        cos, sin = turns.cos(), turns.sin()
        pairs = torch.stack([a * cos - b * sin, b * cos + a * sin], -1)
        return torch.cat([pairs.flatten(-2), rest], -1)

    def forward(self, input_ids, attention_mask=None, position_ids=None):
        mask, positions = defaults(input_ids, attention_mask, position_ids)
        seen = seen_by(mask)
        turns = angles(positions, self.config["kv_channels"] // 2, 10000.0)
        x = self.get("transformer.embedding.word_embeddings.weight")[input_ids]
        for i in range(self.config["num_layers"]):
            p = f"transformer.encoder.layers.{i}."
            y = self.norm(p + "input_layernorm", x)
            q, k, v = self.heads(self.linear(p + "self_attention.query_key_value", y))
            y = self.attend(self.turn(q, turns), self.turn(k, turns), v, seen)
            x = x + self.linear(p + "self_attention.dense", y)
            y = self.linear(p + "mlp.dense_h_to_4h", self.norm(p + "post_attention_layernorm", x))
            gate, up = y.chunk(2, -1)
            x = x + self.linear(p + "mlp.dense_4h_to_h", torch.nn.functional.silu(gate) * up)
        x = self.norm("transformer.encoder.final_layernorm", x)
        return dict(logits=self.linear("transformer.output_layer", x))


class Glm130b(Reference):
    """GLM-130B: DeepNorm, `LayerNorm(alpha x + Sublayer(x))` with `alpha = sqrt(2 layers)`, gelu gates, whole heads turned by
    halves, context that every token sees."""

    def shapes(self):
        c = self.config
        d, inner = c["hidden_size"], c["inner_hidden_size"]
        yield "transformer.word_embeddings.weight", (c["vocab_size"], d)
        for i in range(c["num_layers"]):
            p = f"transformer.layers.{i}."
            for name, to, of in [
                ("attention.query_key_value", 3 * d, d), ("attention.dense", d, d),
                ("mlp.dense_h_to_4h", 2 * inner, d), ("mlp.dense_4h_to_h", d, inner),
            ]:
                yield f"{p}{name}.weight", (to, of)
                yield f"{p}{name}.bias", (to,)
            for name in ["input_layernorm", "post_attention_layernorm"]:
                yield f"{p}{name}.weight", (d,)
                yield f"{p}{name}.bias", (d,)
        yield "transformer.final_layernorm.weight", (d,)
        yield "transformer.final_layernorm.bias", (d,)

    def norm(self, name, x):
        g, b = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        return torch.nn.functional.layer_norm(x, g.shape, g, b, self.config["layernorm_epsilon"])

    def turn(self, x, turns):
        a, b = x.chunk(2, -1)
        cos, sin = turns.cos(), turns.sin()
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def forward(self, input_ids, attention_mask=None, position_ids=None, context_mask=None):
        mask, positions = defaults(input_ids, attention_mask, position_ids)
        seen = seen_by(mask)
        if context_mask is not None:
            seen = seen | (context_mask * mask)[:, None, :].bool()
        heads = self.config["num_attention_heads"]
        size = self.config["hidden_size"] // heads
        turns = angles(positions, size, 10000.0)
        alpha = math.sqrt(2 * self.config["num_layers"])
        words = self.get("transformer.word_embeddings.weight")
        x = words[input_ids]
        for i in range(self.config["num_layers"]):
            p = f"transformer.layers.{i}."
            x = self.norm(p + "input_layernorm", x)
            y = self.linear(p + "attention.query_key_value", x).unflatten(-1, (heads, 3 * size))
            q, k, v = y.split(size, -1)
            y = self.attend(self.turn(q, turns), self.turn(k, turns), v, seen)
            x = self.norm(p + "post_attention_layernorm", alpha * x + self.linear(p + "attention.dense", y))
            up, gate = self.linear(p + "mlp.dense_h_to_4h", x).chunk(2, -1)
            y = self.linear(p + "mlp.dense_4h_to_h", up * torch.nn.functional.gelu(gate))
            x = alpha * x + y
        x = self.norm("transformer.final_layernorm", x)
        return dict(logits=x @ words.T)
