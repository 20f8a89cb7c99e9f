"""Writes `integers.json`: what NumPy makes of integers over the whole range of their types.

    .toolchain/venv/bin/python tests/compiled/integers.py

Numbers are text, since those of 64 bits are more exact than those of JSON.
"""

import json
from pathlib import Path

import numpy as np

TYPES = {"i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64, "bool": np.bool_, "f32": np.float32}
INTEGERS = ["i8", "u8", "i32", "i64"]
random = np.random.default_rng(5)
cases = []


def numbers(dtype, *shape):
    """Of any size, and the ends of the type."""
    info = np.iinfo(TYPES[dtype])
    x = random.integers(info.min, info.max, shape, TYPES[dtype], endpoint=True).reshape(-1)
    x[:3] = info.min, info.max, 1
    return x.reshape(shape)


def tensor(x):
    dtype = next(name for name, t in TYPES.items() if x.dtype == t)
    shape = ",".join(map(str, x.shape))
    return {"type": f"{dtype}[{shape}]", "values": [str(int(v)) for v in x.reshape(-1)]}


def case(op, inputs, output, attrs=""):
    cases.append({"op": op, "attrs": attrs, "inputs": [tensor(x) for x in inputs], "output": tensor(output)})


np.seterr(all="ignore")
for dtype in INTEGERS:
    a, b = numbers(dtype, 2, 17), numbers(dtype, 2, 17)
    divisors = np.where((b == 0) | (b == b.dtype.type(-1 if dtype != "u8" else 0)), b.dtype.type(7), b)
    for op, f in [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("maximum", np.maximum), ("minimum", np.minimum),
                  ("eq", np.equal), ("ne", np.not_equal), ("lt", np.less), ("le", np.less_equal), ("gt", np.greater),
                  ("ge", np.greater_equal)]:
        case(op, [a, b], f(a, b))
    for op, f in [("floor_div", np.floor_divide), ("mod", np.mod)]:
        case(op, [a, divisors], f(a, divisors))
    for op, f in [("neg", np.negative), ("abs", np.abs), ("square", np.square)]:
        case(op, [a], f(a))
    for axis in [0, 1]:
        for op, f in [("sum", np.sum), ("prod", np.prod)]:
            case(op, [a], f(a, axis=axis, dtype=a.dtype), f"axes = ({axis}), keep = false")
        for op, f in [("max", np.max), ("min", np.min)]:
            case(op, [a], f(a, axis=axis), f"axes = ({axis}), keep = false")
        case("cum_sum", [a], np.cumsum(a, axis=axis, dtype=a.dtype), f"axis = {axis}, exclusive = false, reverse = false")
        order = np.argsort(a, axis=axis, kind="stable")
        case("top_k", [a], np.take(order, range(2), axis=axis), f"axis = {axis}, k = 2, largest = false")
        order = np.flip(a.shape[axis] - 1 - np.argsort(np.flip(a, axis), axis=axis, kind="stable"), axis)
        case("top_k", [a], np.take(order, range(2), axis=axis), f"axis = {axis}, k = 2, largest = true")
    for ta, tb in [("false", "false"), ("true", "true")]:
        x, y = numbers(dtype, 3, 9), numbers(dtype, 9, 17)
        given = [x.T, y.T] if ta == "true" else [x, y]
        case("matmul", [np.ascontiguousarray(g) for g in given], np.matmul(x, y), f"ta = {ta}, tb = {tb}")
    ids = random.integers(0, 17, (2, 5))
    case("take_along", [a, ids], np.take_along_axis(a, ids, 1), "axis = 1")
    case("select", [a > b, a, b], np.where(a > b, a, b))
    for to in [*INTEGERS, "bool"]:
        case("cast", [a], a.astype(TYPES[to]), f"dtype = {to}")

text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
(Path(__file__).parent / "integers.json").write_text(f"[\n{text}\n]\n")
