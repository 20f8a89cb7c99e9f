"""Golden vectors: how cases are written down, and numbers that every element type holds.

A case is an op's attributes, its operands and the result that an independent source gives, in f64.
The evaluator computes in f64 as well, so a result must agree within a bound that is derived, not tuned:

    |ours - theirs| <= ulps * 2^-53 * (|theirs| + reach)

`ulps` counts roundings on the way, of both sides together; 0 means the same bits. `reach` is the size of
intermediate numbers where these are larger than the result (sums that cancel); it is 0 elsewhere.
"""

import json
import pathlib
import platform
import zlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent

NUMPY = {
    "f64": np.float64, "f32": np.float32, "f16": np.float16, "i8": np.int8, "u8": np.uint8, "i32": np.int32,
    "i64": np.int64, "bool": np.bool_,
}
TORCH = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i8": torch.int8,
    "u8": torch.uint8, "i32": torch.int32, "i64": torch.int64, "bool": torch.bool,
}


class Word(str):
    """An attribute that is a word of a fixed list, or a type."""


def attribute(value):
    """The text form of an attribute: lists are shapes, tuples are lists of integers."""
    match value:
        case Word():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case tuple():
            return "(" + ",".join(map(str, value)) + ")"
        case list():
            return "[" + ",".join(map(str, value)) + "]"
    raise TypeError(value)


def number(x):
    """A number of JSON; a string where JSON has none."""
    x = float(x)
    if not np.isfinite(x):
        return {np.inf: "inf", -np.inf: "-inf"}.get(x, "nan")
    return int(x) if x == int(x) and (x != 0 or np.signbit(x) == 0) and abs(x) < 2**53 else x


class Typed:
    """Values with an element type of ours."""

    def __init__(self, dtype, values):
        self.dtype = dtype
        values = values.detach().numpy() if isinstance(values, torch.Tensor) else values
        self.values = np.asarray(values)

    @property
    def type(self):
        return f"{self.dtype}[{','.join(map(str, self.values.shape))}]"

    def record(self):
        return {"type": self.type, "values": [number(x) for x in self.values.astype(np.float64).ravel()]}

    def torch(self):
        """In f64, or in integers as they are."""
        if self.values.dtype.kind in "iub":
            return torch.from_numpy(self.values)
        return torch.from_numpy(self.values.astype(np.float64))


class Random:
    """Numbers with few bits, so that every element type holds them."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def floats(self, *shape, dtype="f32"):
        """Multiples of 1/16 from -4 to 4."""
        return Typed(dtype, self.rng.integers(-64, 65, shape) / 16)

    def positive(self, *shape, dtype="f32"):
        """Multiples of 1/16 from 1/16 to 4."""
        return Typed(dtype, self.rng.integers(1, 65, shape) / 16)

    def ints(self, *shape, low=-9, high=9, dtype="i64"):
        return Typed(dtype, self.rng.integers(low, high + 1, shape).astype(NUMPY[dtype]))

    def bools(self, *shape):
        return Typed("bool", self.rng.integers(0, 2, shape).astype(bool))


class File:
    """The cases of one op."""

    def __init__(self, name):
        self.name = name
        self.random = Random(name)
        self.cases = []

    def case(self, about, op, inputs, output, *, ulps=0, reach=0.0, **attrs):
        """One case; `inputs` is a list of `Typed`, `output` a `Typed`; for a collective, both are per rank."""
        collective = bool(inputs) and isinstance(inputs[0], list)
        ranks = zip(inputs, output) if collective else [(inputs, output)]
        ranks = [{"inputs": [x.record() for x in xs], "output": y.record()} for xs, y in ranks]
        attrs = ", ".join(f"{k} = {attribute(v)}" for k, v in sorted(attrs.items()))
        self.cases.append(
            {"about": about, "op": op, "attrs": attrs, "ulps": ulps, "reach": float(reach), "ranks": ranks}
        )

    def write(self):
        versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
        head = {"command": f"python ir/tests/golden/make.py {self.name}", "versions": versions}
        lines = [json.dumps(case) for case in self.cases]
        text = json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"
        (HERE / f"{self.name}.json").write_text(text)
        print(f"{self.name}: {len(lines)} cases, {len(text)} bytes")
