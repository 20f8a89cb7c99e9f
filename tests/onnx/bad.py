"""Writes bad.zip: ONNX files that must be refused, one for each kind of bad input. errors.test has the messages.

    .toolchain/venv/bin/python tests/onnx/bad.py
"""

import zipfile
from pathlib import Path

from onnx import TensorProto, parser

HEAD = '<ir_version: 10, opset_import: ["" : 21]>'
FUNCTIONS = '<ir_version: 10, opset_import: ["" : 21, "own" : 1]>'

# Models in the text form of onnx.parser.
TEXTS = {
    "cycle": f"{HEAD} g (float[2] x) => (float[2] y) {{ a = Add(x, b)  b = Relu(a)  y = Neg(b) }}",
    "two-values": f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Relu(x)  y = Neg(x) }}",
    "value-over-input": f"{HEAD} g (float[2] x) => (float[2] y) {{ x = Neg(x)  y = Relu(x) }}",
    "two-inputs": f"{HEAD} g (float[2] x, float[2] x) => (float[2] y) {{ y = Relu(x) }}",
    "two-outputs": f"{HEAD} g (float[2] x) => (float[2] y, float[2] y) {{ y = Relu(x) }}",
    "two-initializers": f"{HEAD} g (float[2] x) => (float[2] y) <float[2] w = {{1, 2}}, float[2] w = {{3, 4}}> {{ y = Add(x, w) }}",
    "two-functions": f"""{FUNCTIONS} g (float[2] x) => (float[2] y) {{ y = own.f(x) }}
        <domain: "own", opset_import: ["" : 21]> f (x) => (y) {{ y = Neg(x) }}
        <domain: "own", opset_import: ["" : 21]> f (x) => (y) {{ y = Relu(x) }}""",
    "old-operators": '<ir_version: 3, opset_import: ["" : 12]> g (float[2] x) => (float[2] y) { y = Relu(x) }',
    "future-operators": '<ir_version: 10, opset_import: ["" : 99]> g (float[2] x) => (float[2] y) { y = Relu(x) }',
    "domain-without-version": f"{HEAD} g (float[2] x) => (float[2] y) {{ y = own.f(x) }}",
    "domain-unknown": f"{FUNCTIONS} g (float[2] x) => (float[2] y) {{ y = own.f(x) }}",
    "two-types": f"{HEAD} g (float[2] x, int64[2] i) => (float[2] y) {{ y = Add(x, i) }}",
    "other-type-out": f"{HEAD} g (float[2] x) => (int64[2] y) {{ y = Relu(x) }}",
    "two-sizes": f"{HEAD} g (float[2, 3] x, float[4, 5] w) => (float[2, 5] y) {{ y = MatMul(x, w) }}",
    "undefined-operand": f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Add(x, w) }}",
    "undefined-output": f"{HEAD} g (float[2] x) => (float[2] y) {{ z = Relu(x) }}",
    "missing-operand": f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Add(x) }}",
    "axis-out-of-range": f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Softmax <axis = 3> (x) }}",
    "attribute-of-another-kind": f'{HEAD} g (float[2] x) => (float[2] y) {{ y = Softmax <axis = "last"> (x) }}',
    "negative-size": f"{HEAD} g (float[-2] x) => (float[2] y) {{ y = Relu(x) }}",
    "sizes-overflow": f"{HEAD} g (float[4294967296, 4294967296, 4] x) => (float[2] y) {{ y = Relu(x) }}",
    "reshape-overflows": f"""{HEAD} g (float[2] x) => (float[2] y)
        <int64[3] s = {{4611686018427387904, 4611686018427387904, 4}}> {{ y = Expand(x, s) }}""",
    "slice-of-nothing": f"""{HEAD} g (float[2] x) => (float[2] y)
        <int64[1] a = {{9223372036854775807}}, int64[1] b = {{-9223372036854775808}}, int64[1] s = {{0}}>
        {{ y = Slice(x, a, b, a, s) }}""",
    "all-unsupported-nodes": f"""{HEAD} g (float[2] x, bool c) => (float[2] y)
        {{ [first] a = NonMaxSuppression(x, x)  b = NonZero(a)  [looped] d = Loop(x, c)  y = Sum(b, d) }}""",
    "condition-known-later": f"""{HEAD} g (float[2] x, bool c) => (float[2] y)
        {{ y = If (c) <then_branch = t () => (float[2] z) {{ z = Relu(x) }}, else_branch = e () => (float[2] w) {{ w = Neg(x) }}> }}""",
    "type-not-computed-with": f"{HEAD} g (double[2] x) => (double[2] y) {{ [wide] y = Relu(x) }}",
    "function-calls-itself": f"""{FUNCTIONS} g (float[2] x) => (float[2] y) {{ y = own.f(x) }}
        <domain: "own", opset_import: ["" : 21, "own" : 1]> f (x) => (y) {{ y = own.f(x) }}""",
    "functions-double": f"""{FUNCTIONS} g (float[2] x) => (float[2] y) {{ y = own.f0(x) }}""" + "".join(
        f"""
        <domain: "own", opset_import: ["" : 21, "own" : 1]> f{i} (x) => (y) {{ {" ".join(
            f'a{k} = own.f{i + 1}({f"a{k - 1}" if k else "x"})' for k in range(8)
        )} y = Identity(a7) }}""" for i in range(12)
    ) + """
        <domain: "own", opset_import: ["" : 21]> f12 (x) => (y) { y = Neg(x) }""",
}  # fmt: skip


def weighted(tensor):
    """A model that adds `tensor` to its input."""
    model = parser.parse_model(f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Add(x, w) }}")
    tensor.name = "w"
    model.graph.initializer.append(tensor)
    return model.SerializeToString()


def external(**entries):
    tensor = TensorProto(dims=[2], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return weighted(tensor)


def message(tag, data):
    """Field `tag`, as protobuf writes it."""
    n, head = len(data), [tag << 3 | 2]
    while n > 127:
        head.append(n & 127 | 128)
        n >>= 7
    return bytes([*head, n]) + data


def nested(depth):
    """Branches within branches: graph, node, attribute, graph."""
    graph = b""
    for _ in range(depth):
        graph = message(1, message(5, message(6, graph)))
    return b"\x08\x0a" + message(7, graph) + message(8, b"\x10\x15")


def models():
    for name, text in TEXTS.items():
        yield name, parser.parse_model(text).SerializeToString()
    good = parser.parse_model(f"{HEAD} g (float[2] x) => (float[2] y) {{ y = Relu(x) }}").SerializeToString()
    yield "no-bytes", b""
    yield "cut-off", good[:-7]
    yield "no-message", b"this is no protobuf message"
    yield "nested-deep", nested(400)
    yield "huge-sizes-no-bytes", weighted(TensorProto(dims=[1 << 40], data_type=TensorProto.FLOAT))
    yield "negative-size-of-tensor", weighted(TensorProto(dims=[-2], data_type=TensorProto.FLOAT))
    yield "sizes-of-tensor-overflow", weighted(TensorProto(dims=[1 << 62, 4], data_type=TensorProto.FLOAT))
    yield "too-few-bytes", weighted(TensorProto(dims=[2], data_type=TensorProto.FLOAT, raw_data=b"1234567"))
    yield "two-places-of-values", weighted(
        TensorProto(dims=[2], data_type=TensorProto.FLOAT, raw_data=b"12345678", float_data=[1, 2])
    )
    yield "values-beyond-the-type", weighted(TensorProto(dims=[2], data_type=TensorProto.INT8, int32_data=[1, 300]))
    yield "type-without-name", weighted(TensorProto(dims=[2], data_type=77, raw_data=b"12345678"))
    yield "external-missing", external(location="nowhere.bin")
    yield "external-above", external(location="../values.bin")
    yield "external-absolute", external(location="/etc/hostname")
    yield "external-by-link", external(location="link.bin")
    yield "external-too-short", external(location="values.bin", offset=4, length=8)
    yield "external-huge-offset", external(location="values.bin", offset=(1 << 64) - 1, length=8)
    yield "external-huge-length", external(location="values.bin", length=1 << 62)
    yield "external-negative-length", external(location="values.bin", length=-8)
    yield "external-without-location", external(offset=0)


file = Path(__file__).with_name("bad.zip")
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
    for name, data in sorted(models()):
        packed.writestr(zipfile.ZipInfo(f"{name}.onnx"), data, zipfile.ZIP_DEFLATED, 9)
print(file.stat().st_size, "bytes")
