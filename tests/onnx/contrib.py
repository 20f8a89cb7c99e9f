"""Writes contrib.zip: nodes of com.microsoft with inputs, and what onnxruntime gives, in the form of cases.py.

    .toolchain/venv/bin/python tests/onnx/contrib.py
"""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

DOMAIN = "com.microsoft"
RANDOM = np.random.default_rng(3)
DTYPES = {"float32": (TensorProto.FLOAT, "f32"), "int32": (TensorProto.INT32, "i32"), "int64": (TensorProto.INT64, "i64")}


def floats(*shape):
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def whole(*values):
    return np.array(values, np.int32)


def tables(rows, half):
    angles = np.outer(np.arange(rows), 10.0 ** -np.arange(half)).astype(np.float32)
    return np.cos(angles), np.sin(angles)


X, WIDER = floats(2, 5, 16), floats(2, 5, 32)
GAIN, BIAS = floats(16), floats(16)
KEPT = floats(2, 1, 3, 16)
COS, SIN = tables(12, 2)
COS16, SIN16 = tables(12, 8)
EMPTY = None
HEADS = dict(num_heads=2, kv_num_heads=1)

# Name: operator, number of outputs, inputs, attributes.
CASES = {
    "bias_gelu": ("BiasGelu", 1, [X, BIAS], {}),
    "fast_gelu": ("FastGelu", 1, [X, BIAS], {}),
    "fast_gelu_alone": ("FastGelu", 1, [X], {}),
    "gelu": ("Gelu", 1, [X], {}),
    "quick_gelu": ("QuickGelu", 1, [X], dict(alpha=1.702)),
    "quick_gelu_alpha": ("QuickGelu", 1, [X], dict(alpha=0.5)),
    "fused_matmul": ("FusedMatMul", 1, [floats(2, 3, 4), floats(2, 5, 4)], dict(alpha=0.25, transB=1)),
    "fused_matmul_a": ("FusedMatMul", 1, [floats(2, 4, 3), floats(2, 4, 5)], dict(transA=1)),
    "skip_norm": ("SkipLayerNormalization", 1, [X, floats(2, 5, 16), GAIN, BIAS, floats(16)], dict(epsilon=1e-5)),
    "skip_norm_sum": ("SkipLayerNormalization", 4, [X, floats(2, 5, 16), GAIN, BIAS], dict(epsilon=1e-5)),
    "skip_rms": ("SkipSimplifiedLayerNormalization", 1, [X, floats(2, 5, 16), GAIN], dict(epsilon=1e-5)),
    "embed_norm": (
        "EmbedLayerNormalization", 2,
        [whole([1, 2, 3], [4, 0, 1]), whole([0, 1, 1], [0, 0, 0]), floats(6, 16), floats(8, 16), floats(2, 16), GAIN, BIAS,
         whole([1, 1, 1], [1, 1, 0])],
        dict(epsilon=1e-5),
    ),
    "attention": ("Attention", 1, [X, floats(16, 48), floats(48)], dict(num_heads=4)),
    "attention_counts": ("Attention", 1, [X, floats(16, 48), floats(48), whole(5, 3)], dict(num_heads=4)),
    "attention_marks": (
        "Attention", 1, [X, floats(16, 48), floats(48), whole([1] * 5, [1, 1, 1, 0, 0])], dict(num_heads=4),
    ),
    "attention_causal": ("Attention", 1, [X, floats(16, 48), floats(48)], dict(num_heads=4, unidirectional=1)),
    "multi_head": ("MultiHeadAttention", 1, [X, floats(2, 7, 16), floats(2, 7, 16), floats(48)], dict(num_heads=4)),
    "multi_head_marks": (
        "MultiHeadAttention", 1,
        [X, floats(2, 7, 16), floats(2, 7, 16), EMPTY, whole([1] * 7, [1] * 4 + [0] * 3)], dict(num_heads=4, scale=0.3),
    ),
    "multi_head_bias": (
        "MultiHeadAttention", 1, [X, floats(2, 7, 16), floats(2, 7, 16), EMPTY, EMPTY, floats(1, 4, 5, 7)], dict(num_heads=4),
    ),
    "rotary": ("RotaryEmbedding", 1, [floats(2, 4, 5, 4), np.arange(10).reshape(2, 5), COS, SIN], {}),
    "rotary_flat": ("RotaryEmbedding", 1, [X, np.array([3]), COS, SIN], dict(num_heads=4, interleaved=1)),
    "group_prompt": (
        "GroupQueryAttention", 3, [WIDER, floats(2, 5, 16), floats(2, 5, 16), EMPTY, EMPTY, whole(4, 4), whole(5)[0]], HEADS,
    ),
    "group_rotary": (
        "GroupQueryAttention", 3,
        [WIDER, floats(2, 5, 16), floats(2, 5, 16), EMPTY, EMPTY, whole(4, 4), whole(5)[0], COS16, SIN16], HEADS | dict(do_rotary=1),
    ),
    "group_packed": (
        "GroupQueryAttention", 3, [floats(2, 5, 64), EMPTY, EMPTY, EMPTY, EMPTY, whole(4, 4), whole(5)[0]],
        HEADS | dict(scale=0.7, softcap=2.0),
    ),
    "group_step": (
        "GroupQueryAttention", 3,
        [floats(2, 1, 32), floats(2, 1, 16), floats(2, 1, 16), KEPT, floats(2, 1, 3, 16), whole(3, 3), whole(4)[0], COS16, SIN16],
        HEADS | dict(do_rotary=1),
    ),
    "group_window": (
        "GroupQueryAttention", 3, [WIDER, floats(2, 5, 16), floats(2, 5, 16), EMPTY, EMPTY, whole(4, 4), whole(5)[0]],
        HEADS | dict(local_window_size=2),
    ),
}  # fmt: skip


def info(name, array):
    return helper.make_tensor_value_info(name, DTYPES[array.dtype.name][0], array.shape)


def placed(name, array, values):
    array = np.asarray(array)
    at = values.tell()
    values.write(array.tobytes())
    return dict(name=name, dtype=DTYPES[array.dtype.name][1], shape=array.shape, at=at)


def model(operator, outputs, given, attributes):
    names = [f"x{i}" if x is not EMPTY else "" for i, x in enumerate(given)]
    wanted = [f"y{i}" for i in range(outputs)]
    # Of a sum beside the norm, the statistics between are not asked for.
    if operator == "SkipLayerNormalization" and outputs == 4:
        wanted[1:3] = ["", ""]
    node = helper.make_node(operator, names, wanted, domain=DOMAIN, **attributes)
    inputs = [info(n, np.asarray(x)) for n, x in zip(names, given) if n]
    graph = helper.make_graph([node], operator, inputs, [helper.make_empty_tensor_value_info(n) for n in wanted if n])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10), names, [n for n in wanted if n]


values, listed = io.BytesIO(), []
file = Path(__file__).with_name("contrib.zip")
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:

    def add(name, data):
        packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)

    for name, (operator, outputs, given, attributes) in CASES.items():
        made, names, wanted = model(operator, outputs, given, attributes)
        session = ort.InferenceSession(made.SerializeToString())
        fed = {n: np.asarray(x) for n, x in zip(names, given) if n}
        found = session.run(wanted, fed)
        # The types of the outputs, now that they are known.
        del made.graph.output[:]
        made.graph.output.extend(info(n, y) for n, y in zip(wanted, found))
        add(f"{name}.onnx", made.SerializeToString())
        row = dict(name=name, operator=operator, rtol=1e-4, atol=1e-5)
        row["inputs"] = [placed(n, x, values) for n, x in fed.items()]
        row["outputs"] = [placed(n, y, values) for n, y in zip(wanted, found)]
        listed.append(row)
    add("values", values.getvalue())
    add("cases.json", json.dumps(listed))
print(len(listed), "cases", file.stat().st_size, "bytes")
