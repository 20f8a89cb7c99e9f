"""Writes models that mean the same as models/bert_dynamo.zip, each written in another way, into twins/.

    .toolchain/venv/bin/python tests/onnx/twins.py
"""

import io
import math
import random
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

HERE = Path(__file__).parent
BASE = "bert_dynamo"


class Twin:
    """The model while it is rewritten."""

    def __init__(self):
        with zipfile.ZipFile(HERE / f"models/{BASE}.zip") as packed:
            self.model = onnx.load_from_string(packed.read("model.onnx"))
        self.graph = self.model.graph
        self.fresh = 0
        found = onnx.shape_inference.infer_shapes(self.model).graph.value_info
        self.types = {v.name: v.type.tensor_type for v in found}

    def name(self):
        self.fresh += 1
        return f"twin_{self.fresh}"

    def constant(self, array):
        name = self.name()
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def wide(self, value):
        """Whether the value is a float tensor [batch, seq, 16]."""
        t = self.types.get(value)
        dims = t.shape.dim if t else []
        return t is not None and t.elem_type == 1 and len(dims) == 3 and dims[2].dim_value == 16

    def rewrite(self, change):
        """Replaces each node by what `change` makes of it."""
        nodes = [made for node in self.graph.node for made in change(node)]
        del self.graph.node[:]
        self.graph.node.extend(nodes)

    def after(self, wanted, detour):
        """Puts `detour(x, y)`, nodes from x to y, behind the first output of each node that is `wanted`."""
        kept = {o.name for o in self.graph.output}

        def change(node):
            out = node.output[0]
            if out in kept or not wanted(node):
                return [node]
            node.output[0] = self.name()
            return [node, *detour(node.output[0], out)]

        self.rewrite(change)


def renamed(t):
    """Other names, another order of nodes."""
    kept = {v.name for v in [*t.graph.input, *t.graph.output]} | {""}
    names = {}

    def new(name):
        return name if name in kept else names.setdefault(name, f"v{len(names)}")

    for i, node in enumerate(t.graph.node):
        node.name = f"n{i}"
        node.input[:] = [new(n) for n in node.input]
        node.output[:] = [new(n) for n in node.output]
    for tensor in t.graph.initializer:
        tensor.name = new(tensor.name)
    chance, ready, left = random.Random(5), {"", *names.values()} | kept, list(t.graph.node)
    ready -= {o for node in left for o in node.output}
    ordered = []
    while left:
        node = chance.choice([n for n in left if ready.issuperset(n.input)])
        left.remove(node)
        ready.update(node.output)
        ordered.append(node)
    del t.graph.node[:]
    t.graph.node.extend(ordered)
    del t.graph.value_info[:]


def identities(t):
    t.after(lambda node: True, lambda x, y: [helper.make_node("Identity", [x], [y])])


def transposes(t):
    def detour(x, y):
        middle = t.name()
        return [
            helper.make_node("Transpose", [x], [middle], perm=[2, 0, 1]),
            helper.make_node("Transpose", [middle], [y], perm=[1, 2, 0]),
        ]

    t.after(lambda node: t.wide(node.output[0]), detour)


def halves(t):
    def detour(x, y):
        a, b = t.name(), t.name()
        return [
            helper.make_node("Split", [x, t.constant([7, 9])], [a, b], axis=2),
            helper.make_node("Concat", [a, b], [y], axis=2),
        ]

    t.after(lambda node: t.wide(node.output[0]), detour)


def decomposed(t):
    """Norms and gelu in steps, as exporters without these operators write them."""

    def norm(node):
        x, gain, bias = node.input
        eps = next(a.f for a in node.attribute if a.name == "epsilon")
        axis, two, eps = t.constant([-1]), t.constant(np.float32(2)), t.constant(np.float32(eps))
        mean, low, square, variance, shifted, root, unit, scaled = (t.name() for _ in range(8))
        return [
            helper.make_node("ReduceMean", [x, axis], [mean]),
            helper.make_node("Sub", [x, mean], [low]),
            helper.make_node("Pow", [low, two], [square]),
            helper.make_node("ReduceMean", [square, axis], [variance]),
            helper.make_node("Add", [variance, eps], [shifted]),
            helper.make_node("Sqrt", [shifted], [root]),
            helper.make_node("Div", [low, root], [unit]),
            helper.make_node("Mul", [unit, gain], [scaled]),
            helper.make_node("Add", [scaled, bias], [node.output[0]]),
        ]

    def gelu(node):
        x = node.input[0]
        small, erf, more, scaled = (t.name() for _ in range(4))
        root, one, half = (t.constant(np.float32(n)) for n in (math.sqrt(2), 1, 0.5))
        return [
            helper.make_node("Div", [x, root], [small]),
            helper.make_node("Erf", [small], [erf]),
            helper.make_node("Add", [erf, one], [more]),
            helper.make_node("Mul", [x, more], [scaled]),
            helper.make_node("Mul", [scaled, half], [node.output[0]]),
        ]

    kinds = {"LayerNormalization": norm, "Gelu": gelu}
    t.rewrite(lambda node: kinds.get(node.op_type, lambda n: [n])(node))


for change in [renamed, identities, transposes, halves, decomposed]:
    twin = Twin()
    change(twin)
    data = twin.model.SerializeToString()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr(zipfile.ZipInfo("model.onnx"), data, zipfile.ZIP_DEFLATED, 9)
    (HERE / "twins").mkdir(exist_ok=True)
    (HERE / f"twins/{change.__name__}.zip").write_bytes(file.getvalue())
    print(change.__name__, len(twin.graph.node), "nodes", len(file.getvalue()), "bytes")
