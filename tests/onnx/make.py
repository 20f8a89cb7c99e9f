"""Writes small random-weight models as exporters write them, and what torch computes, beside this file.

    .toolchain/venv/bin/python tests/onnx/make.py [NAME]...

models/NAME.zip holds model.onnx and cases.json: inputs, and the outputs that the same weights give in float64. Names end as
their writer: `_script` is torch.onnx.export by TorchScript, `_dynamo` by dynamo (needs the package onnxscript), `_ort`
the first after onnxruntime's transformer optimiser. Weights are numbers of bfloat16, so that a zip holds them in half.
"""

import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import torch
import transformers as hf

HERE = Path(__file__).parent
WIDTH = dict(vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)
EAGER = dict(attn_implementation="eager")
DECODER = WIDTH | dict(num_key_value_heads=2, max_position_embeddings=32, pad_token_id=0, use_cache=False) | EAGER
TOKENS = ["input_ids", "attention_mask"]

# Name: class, configuration, inputs, outputs.
MODELS = {
    "bert": (
        hf.BertModel,
        hf.BertConfig(**WIDTH, **EAGER, max_position_embeddings=24),
        [*TOKENS, "token_type_ids"], ["last_hidden_state", "pooler_output"],
    ),
    "gpt2": (
        hf.GPT2LMHeadModel,
        hf.GPT2Config(vocab_size=24, n_positions=24, n_embd=16, n_layer=2, n_head=4, use_cache=False, **EAGER),
        TOKENS, ["logits"],
    ),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig(**DECODER), TOKENS, ["logits"]),
    "qwen2": (hf.Qwen2ForCausalLM, hf.Qwen2Config(**DECODER), TOKENS, ["logits"]),
    "t5": (
        hf.T5EncoderModel,
        hf.T5Config(vocab_size=24, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4, **EAGER),
        TOKENS, ["last_hidden_state"],
    ),
    "vit": (
        hf.ViTModel,
        hf.ViTConfig(**{k: v for k, v in WIDTH.items() if k != "vocab_size"}, **EAGER, image_size=8, patch_size=4),
        ["pixel_values"], ["last_hidden_state"],
    ),
}  # fmt: skip


class Outputs(torch.nn.Module):
    """A model of `transformers` as a function of positional inputs, with the named outputs only."""

    def __init__(self, model, inputs, outputs):
        super().__init__()
        self.model, self.inputs, self.outputs = model, inputs, outputs

    def forward(self, *given):
        found = self.model(**dict(zip(self.inputs, given)))
        return tuple(found[name] for name in self.outputs)


def given(inputs, batch, seq, seed):
    """Inputs of one run; the first text of several is padded."""
    random = np.random.default_rng(seed)
    values = {
        "input_ids": random.integers(1, 24, (batch, seq)),
        "attention_mask": np.ones((batch, seq), np.int64),
        "token_type_ids": random.integers(0, 2, (batch, seq)),
        "pixel_values": random.uniform(-1, 1, (batch, 3, 8, 8)).astype(np.float32),
    }
    if batch > 1:
        values["attention_mask"][0, seq - 2 :] = 0
    return {name: torch.from_numpy(values[name]) for name in inputs}


def listed(x):
    return dict(shape=list(x.shape), values=x.double().flatten().tolist())


def case(wide, inputs, outputs, batch, seq, seed):
    xs = given(inputs, batch, seq, seed)
    args = [x.double() if x.is_floating_point() else x for x in xs.values()]
    with torch.no_grad():
        ys = wide(*args)
    rounded = {n: dict(shape=list(y.shape), values=[float(f"{v:.9g}") for v in y.flatten().tolist()])
               for n, y in zip(outputs, ys)}  # fmt: skip
    return dict(inputs={n: listed(x) for n, x in xs.items()}, outputs=rounded)


def export(module, inputs, outputs, file, dynamo):
    xs = given(inputs, 2, 5, 0)
    axes = {n: {0: "batch"} if n == "pixel_values" else {0: "batch", 1: "seq"} for n in inputs}
    options = dict(input_names=inputs, output_names=outputs, dynamo=dynamo)
    if dynamo:
        options |= dict(dynamic_shapes=(tuple(axes.values()),), external_data=False, verbose=False)
    else:
        text = {n: {0: "batch", 1: "seq"} for n in outputs if n in ("logits", "last_hidden_state") and len(inputs) > 1}
        options |= dict(dynamic_axes=axes | text, opset_version=17)
    torch.onnx.export(module, tuple(xs.values()), file, **options)
    model = onnx.load(file)
    # Where a node came from in Python is most of the file.
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer, *model.functions]:
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
    return model


def optimised(model, kind):
    """What onnxruntime's transformer optimiser makes of it."""
    from onnxruntime.transformers import fusion_options, optimizer

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        onnx.save(model, file)
        options = fusion_options.FusionOptions(kind)
        made = optimizer.optimize_model(
            str(file), model_type=kind, num_heads=4, hidden_size=16, optimization_options=options, opt_level=0
        )
        made.save_model_to_file(str(file))
        return onnx.load(file)


def write(name, model, cases):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for inner, data in [("model.onnx", model.SerializeToString()), ("cases.json", json.dumps(cases).encode())]:
            packed.writestr(zipfile.ZipInfo(inner), data, zipfile.ZIP_DEFLATED, 9)
    (HERE / "models").mkdir(exist_ok=True)
    (HERE / f"models/{name}.zip").write_bytes(file.getvalue())
    operators = sorted({n.op_type for n in model.graph.node})
    print(f"{name}: {len(file.getvalue())} bytes, {len(model.graph.node)} nodes: {' '.join(operators)}")


def make(name):
    kind, config, inputs, outputs = MODELS[name]
    torch.manual_seed(7)
    model = kind(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.3)
            weight.copy_(weight.bfloat16())
    wide = Outputs(model, inputs, outputs).double().eval()
    cases = [case(wide, inputs, outputs, *sizes) for sizes in [(2, 5, 1), (1, 7, 2)]]
    module = wide.float()
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model.onnx")
        script = export(module, inputs, outputs, file, dynamo=False)
        write(f"{name}_script", script, cases)
        if name in ("bert", "gpt2"):
            write(f"{name}_ort", optimised(script, name), cases)
        write(f"{name}_dynamo", export(module, inputs, outputs, file, dynamo=True), cases)


for wanted in sys.argv[1:] or MODELS:
    make(wanted)
