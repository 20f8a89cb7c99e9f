"""Writes small random-weight models by `transformers`, and what they compute, beside this file.

    .toolchain/venv/bin/python tests/models/make.py [NAME]...

Each folder holds a model as `save_pretrained` writes it, and `cases.json`: inputs, and outputs that the same
weights give in float64. Where a mask is 0, outputs mean nothing.
"""

import json
import math
import shutil
import sys
import zlib
from pathlib import Path
from unittest import mock

import torch
import transformers as hf

import families

HERE = Path(__file__).parent
MINILM = HERE.parents[1] / ".toolchain/models/all-MiniLM-L6-v2"

BERT = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20,
    max_position_embeddings=24, type_vocab_size=3,
)
GPT2 = dict(vocab_size=24, n_positions=24, n_embd=16, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0)
DECODER = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=20, max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
THETA = dict(rope_type="default", rope_theta=500.0)
LLAMA3 = dict(
    rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
YARN = dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=8)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=3.0)

# Name: class, configuration, element type of the files.
MODELS = {
    "bert": (hf.BertModel, hf.BertConfig(**BERT), torch.float32),
    "bert_masked": (
        hf.BertForMaskedLM, hf.BertConfig(**BERT | dict(hidden_act="gelu_new")), torch.bfloat16,
    ),
    "bert_classes": (
        hf.BertForSequenceClassification, hf.BertConfig(**BERT | dict(num_hidden_layers=1), num_labels=3),
        torch.float16,
    ),
    "bert_tokens": (
        hf.BertForTokenClassification, hf.BertConfig(**BERT | dict(num_hidden_layers=1), num_labels=5),
        torch.bfloat16,
    ),
    "bert_answers": (
        hf.BertForQuestionAnswering,
        hf.BertConfig(**BERT | dict(num_hidden_layers=1, hidden_act="relu")), torch.bfloat16,
    ),
    "bert_pretraining": (
        hf.BertForPreTraining,
        hf.BertConfig(**BERT | dict(num_hidden_layers=1, tie_word_embeddings=False)), torch.bfloat16,
    ),
    "sentence": (hf.BertModel, hf.BertConfig(**BERT | dict(num_hidden_layers=1)), torch.bfloat16),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config(**GPT2), torch.float32),
    "gpt2_base": (
        hf.GPT2Model,
        hf.GPT2Config(**GPT2, n_inner=24, scale_attn_by_inverse_layer_idx=True, activation_function="relu"),
        torch.bfloat16,
    ),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**DECODER, rope_parameters=THETA), torch.bfloat16),
    "llama_base": (
        hf.LlamaModel,
        hf.LlamaConfig(
            **DECODER, rope_parameters=LLAMA3, attention_bias=True, mlp_bias=True, head_dim=12,
            hidden_act="gelu",
        ),
        torch.float32,
    ),
    "llama_yarn": (
        hf.LlamaModel, hf.LlamaConfig(**DECODER | dict(num_hidden_layers=1), rope_parameters=YARN),
        torch.bfloat16,
    ),
    "llama_linear": (
        hf.LlamaForCausalLM,
        hf.LlamaConfig(
            **DECODER | dict(num_hidden_layers=1, num_key_value_heads=1), rope_parameters=LINEAR,
            tie_word_embeddings=True,
        ),
        torch.float16,
    ),
    "mistral": (
        hf.MistralForCausalLM, hf.MistralConfig(**DECODER, sliding_window=3, rope_parameters=THETA),
        torch.bfloat16,
    ),
    "qwen2": (
        hf.Qwen2ForCausalLM,
        hf.Qwen2Config(
            **DECODER, rope_parameters=THETA, tie_word_embeddings=True, use_sliding_window=True,
            sliding_window=2, max_window_layers=1,
        ),
        torch.bfloat16,
    ),
    "glm": (hf.GlmForCausalLM, hf.GlmConfig(**DECODER, head_dim=8), torch.bfloat16),
    "glm4": (hf.Glm4Model, hf.Glm4Config(**DECODER, head_dim=8, attention_bias=False), torch.bfloat16),
    "glm4_lm": (
        hf.Glm4ForCausalLM, hf.Glm4Config(**DECODER | dict(max_position_embeddings=40), head_dim=8), torch.bfloat16,
    ),
    "gpt2_long": (hf.GPT2LMHeadModel, hf.GPT2Config(**GPT2 | dict(n_positions=40)), torch.float16),
}
# Mixtures of experts; the implementation that computes in any element type.
MOE = DECODER | dict(intermediate_size=12, experts_implementation="eager")
MODELS |= {
    "mixtral": (
        hf.MixtralForCausalLM,
        hf.MixtralConfig(**MOE, num_local_experts=8, num_experts_per_tok=2, rope_parameters=THETA), torch.bfloat16,
    ),
    "qwen2_moe": (
        hf.Qwen2MoeForCausalLM,
        hf.Qwen2MoeConfig(
            **MOE, num_experts=6, num_experts_per_tok=3, moe_intermediate_size=8, shared_expert_intermediate_size=20,
            rope_parameters=THETA, norm_topk_prob=False,
        ),
        torch.bfloat16,
    ),
    "qwen3_moe": (
        hf.Qwen3MoeModel,
        hf.Qwen3MoeConfig(
            **MOE, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=8, head_dim=8, rope_parameters=THETA,
            norm_topk_prob=True, mlp_only_layers=[0],
        ),
        torch.bfloat16,
    ),
}
SEEDS = {name: seed for seed, name in enumerate(MODELS)}
MODELS |= families.MODELS
SHARDED = {"llama": "8KB"}


def randomise(model, seed):
    """Weights so large that attention is far from uniform, and norms that do something."""
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=g)
        norm = p.dim() == 1 and name.endswith("weight")
        p.data = 1 + 0.2 * noise if norm else (0.2 if p.dim() == 1 else 0.4) * noise


def cases(name, model, seed):
    """Inputs: one token, a batch, padding on the right, padding on the left with positions."""
    if name in families.MODELS:
        yield from families.cases(name, model.config, seed)
        return
    g = torch.Generator().manual_seed(seed)

    def ids(below, *shape):
        return torch.randint(0, below, shape, generator=g)

    vocabulary = model.config.vocab_size
    right = torch.tensor([[1] * 4, [1, 1, 1, 0], [1, 0, 0, 0]])
    left = torch.tensor([[0, 0, 1, 1, 1], [1] * 5])
    yield dict(input_ids=ids(vocabulary, 1, 1))
    yield dict(input_ids=ids(vocabulary, 2, 5))
    extra = {}
    if isinstance(model.config, hf.BertConfig):
        extra = dict(token_type_ids=ids(model.config.type_vocab_size, 3, 4))
    yield dict(input_ids=ids(vocabulary, 3, 4), attention_mask=right, **extra)
    positions = (left.cumsum(-1) - 1).clamp(min=0)
    yield dict(input_ids=ids(vocabulary, 2, 5), attention_mask=left, position_ids=positions)


def plain(x):
    values = x.flatten().tolist()
    if x.is_floating_point():
        assert all(map(math.isfinite, values))
        values = [float(f"{v:.7g}") for v in values]
    return dict(shape=list(x.shape), values=values)


def embedding(hidden, mask):
    """As sentence-transformers: mean over the mask, then unit length."""
    mask = mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, p=2, dim=1)


def has_cache(model):
    return getattr(model.config, "use_cache", None) is not None


FLOAT32 = torch.finfo(torch.float32)


def outputs(model, inputs, sentence):
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    # Keys are hidden by the lowest number, which must stay finite where a model takes the softmax in float32.
    with torch.no_grad(), mock.patch.object(torch, "finfo", lambda _: FLOAT32):
        found = model(**inputs, use_cache=False) if has_cache(model) else model(**inputs)
    out = {k: v for k, v in found.items() if torch.is_tensor(v)}
    if sentence:
        mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
        out["sentence_embedding"] = embedding(out["last_hidden_state"], mask)
    return out


def write_cases(folder, model, seed, sentence, keep=None):
    model = model.double().eval()
    if getattr(model, "_can_set_experts_implementation", bool)():
        model.set_experts_implementation("eager")
    written = []
    for inputs in cases(folder.name, model, seed):
        out = outputs(model, inputs, sentence)
        out = {k: v for k, v in out.items() if keep is None or k in keep}
        written.append(dict(
            inputs={k: plain(v) for k, v in inputs.items()},
            outputs={k: plain(v) for k, v in out.items()},
        ))
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in written)
    (folder / "cases.json").write_text(f"[\n{text}\n]\n")


def write_sentence_modules(folder):
    kind = "sentence_transformers.models."
    steps = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"), ("2", "2_Normalize", "Normalize")]
    modules = [
        dict(idx=int(i), name=i, path=path, type=kind + name) for i, path, name in steps
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    (folder / "1_Pooling").mkdir()
    pooling = dict(
        word_embedding_dimension=16, pooling_mode_cls_token=False, pooling_mode_mean_tokens=True,
        pooling_mode_max_tokens=False, pooling_mode_mean_sqrt_len_tokens=False,
    )
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling, indent=2) + "\n")


# Decoders that continue texts: `generate.json`.
GENERATE = [
    "llama", "llama_linear", "mistral", "qwen2", "glm", "glm4_lm", "gpt2_long", "qwen3", "phi3", "gemma", "gemma2", "gpt_neox",
    "falcon", "falcon_new", "bloom", "mpt", "mixtral", "qwen2_moe",
]


def greedy(model, prompt, count):
    """The likeliest tokens, one after the other, as `transformers` generates them in float64; experts in float32."""
    how = hf.GenerationConfig(max_new_tokens=count, do_sample=False, pad_token_id=0)
    with torch.no_grad():
        model = model.float() if hasattr(model.config, "num_experts_per_tok") else model.double()
        out = model.eval().generate(torch.tensor([prompt]), generation_config=how)
    return out[0, len(prompt) :].tolist()


def write_generated(folder, model, seed):
    g = torch.Generator().manual_seed(1000 + seed)
    # BLOOM's positions have no end.
    limits = [getattr(model.config, name, None) for name in ["max_seq_len", "max_position_embeddings"]]
    positions = next(filter(None, limits), 38)
    count, tokens = min(32, positions - 6), []
    # Of a text that does not end.
    while len(tokens) < count:
        prompt = torch.randint(3, model.config.vocab_size, (6,), generator=g).tolist()
        tokens = greedy(model, prompt, count)
    (folder / "generate.json").write_text(json.dumps(dict(prompt=prompt, tokens=tokens)) + "\n")


def write_chat(folder):
    """A decoder with a byte-level tokenizer, trained on the text of the licence."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384, special_tokens=["<|end|>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train([str(HERE.parents[1] / "LICENSE")], trainer)
    config = hf.LlamaConfig(
        vocab_size=384, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=48, max_position_embeddings=128, tie_word_embeddings=True, rope_parameters=THETA,
        bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )
    model = hf.LlamaForCausalLM(config)
    randomise(model, 78)
    model = model.to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    prompt = "Subject to the terms and conditions of this License"
    ids = tokenizer.encode(prompt).ids
    tokens = greedy(hf.LlamaForCausalLM.from_pretrained(folder), ids, 40)
    # The text ends where a token comes for the first time after twenty others.
    end = next(i for i, t in enumerate(tokens) if i >= 20 and t not in tokens[:i])
    ends = dict(eos_token_id=[0, tokens[end]], pad_token_id=0)
    (folder / "generation_config.json").write_text(json.dumps(ends) + "\n")
    found = dict(prompt=prompt, ids=ids, tokens=tokens, end=end, text=tokenizer.decode(tokens[:end]))
    (folder / "generate.json").write_text(json.dumps(found) + "\n")


def main(wanted):
    for name, (cls, config, dtype) in MODELS.items():
        if wanted and name not in wanted:
            continue
        seed = SEEDS.get(name, zlib.crc32(name.encode()))
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        model = cls(config)
        randomise(model, seed)
        model = model.to(dtype)
        model.save_pretrained(folder, max_shard_size=SHARDED.get(name, "1GB"))
        (folder / "generation_config.json").unlink(missing_ok=True)
        sentence = name == "sentence"
        if sentence:
            write_sentence_modules(folder)
        write_cases(folder, cls.from_pretrained(folder), seed, sentence)
        if name in GENERATE:
            write_generated(folder, cls.from_pretrained(folder), seed)
    if not wanted or "chat" in wanted:
        write_chat(HERE / "chat")
    if not wanted or "minilm" in wanted:
        folder = HERE / "minilm"
        folder.mkdir(exist_ok=True)
        model = hf.BertModel.from_pretrained(MINILM)
        write_cases(folder, model, 99, True, keep={"sentence_embedding"})


main(sys.argv[1:])
