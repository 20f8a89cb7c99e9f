"""Makes the golden vectors of ops with NumPy, PyTorch and transformers: `python ir/tests/golden/make.py [OP..]`.

Without arguments, all files are made anew. `vectors.py` says how results are compared.
"""

import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

import along
import attention
import collectives
import scattered
from vectors import NUMPY, TORCH, File, Typed, Word

INF, NAN = math.inf, math.nan


def constant(f):
    for dtype, value in [("f32", 0.125), ("f32", -INF), ("bf16", -0.0), ("i64", -7.0), ("bool", 1.0)]:
        y = np.full((2, 3), value)
        f.case(f"{value} as {dtype}", "constant", [], Typed(dtype, y), value=value, ty=Word(f"{dtype}[2,3]"))
    f.case("a scalar", "constant", [], Typed("f32", np.full((), 1e-12)), value=1e-12, ty=Word("f32[]"))


def extent(f):
    f.case("of a shape", "extent", [], Typed("f32", np.empty((2, 3, 7)).size), size=[2, 3, 7], dtype=Word("f32"))
    f.case("of nothing", "extent", [], Typed("i64", np.empty(()).size), size=[], dtype=Word("i64"))
    f.case("of no elements", "extent", [], Typed("i64", np.empty((0, 5)).size), size=[0, 5], dtype=Word("i64"))


def iota(f):
    for shape in [(5,), (1,), (0,)]:
        ty = Word(f"i64[{shape[0]}]")
        f.case(f"{shape}", "iota", [], Typed("i64", np.arange(shape[0])), axis=0, ty=ty)
    for axis in range(3):
        y = Typed("f32", np.indices((2, 3, 4))[axis])
        f.case(f"axis {axis}", "iota", [], y, axis=axis, ty=Word("f32[2,3,4]"))


def distance(f):
    for s, t in [(3, 5), (4, 4), (1, 7), (3, 2)]:
        y = (np.arange(s) + t - s)[:, None] - np.arange(t)[None, :]
        f.case(f"{s} queries, {t} keys", "distance", [], Typed("f32", y), rows=[s], columns=[t], dtype=Word("f32"))


def unary(f):
    def normal_cdf(x):
        return torch.special.erfc(-x / math.sqrt(2.0)) / 2.0

    # Function, how it is computed elsewhere, domain, roundings, and whether its terms cancel (then errors are
    # relative to the argument, by which gelu and its like are bounded).
    table = [
        ("neg", torch.neg, "all", 0, False),
        ("abs", torch.abs, "all", 0, False),
        ("exp", torch.exp, "all", 4, False),
        ("log", torch.log, "positive", 4, False),
        ("sqrt", torch.sqrt, "positive", 2, False),
        ("rsqrt", torch.rsqrt, "positive", 4, False),
        ("recip", torch.reciprocal, "all", 0, False),
        ("tanh", torch.tanh, "all", 6, False),
        ("erf", torch.special.erf, "all", 4, False),
        ("sin", torch.sin, "finite", 4, False),
        ("cos", torch.cos, "finite", 4, False),
        ("floor", torch.floor, "all", 0, False),
        ("ceil", torch.ceil, "all", 0, False),
        ("round", torch.round, "all", 0, False),
        ("relu", F.relu, "all", 0, False),
        ("sigmoid", torch.sigmoid, "all", 8, False),
        ("silu", F.silu, "finite", 8, False),
        ("gelu", lambda x: x * normal_cdf(x), "finite", 8, True),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), "finite", 16, True),
        ("quick_gelu", lambda x: x * torch.sigmoid(1.702 * x), "finite", 8, False),
        ("square", torch.square, "all", 0, False),
    ]
    edges = {
        "positive": [0.0, 1.0, INF, NAN, 2.0**-126, 3e38],
        "finite": [0.0, -0.0, NAN, 20.0, -20.0, 88.0, -88.0, 0.5, 1.5, 2.5, 2.0**-126],
        "all": [0.0, -0.0, INF, -INF, NAN, 20.0, -20.0, 88.0, -88.0, 0.5, 1.5, 2.5, -0.5, 2.0**-126],
    }
    for name, function, domain, ulps, cancels in table:
        x = f.random.positive(7, 5) if domain == "positive" else f.random.floats(7, 5)
        rounded = Typed("f32", np.array(edges[domain]).astype(np.float32).astype(np.float64))
        for about, x in [("small numbers", x), ("edges", rounded), ("one", Typed("f16", np.ones((1, 1, 1))))]:
            y = Typed(x.dtype, function(x.torch()))
            reach = np.nanmax(np.abs(x.values)) if cancels else 0.0
            f.case(about, name, [x], y, ulps=ulps, reach=reach)
    x = f.random.bools(5)
    f.case("truths", "not", [x], Typed("bool", np.logical_not(x.values)))
    x = f.random.ints(9)
    for name, function in [("neg", np.negative), ("abs", np.abs), ("square", np.square)]:
        f.case("integers", name, [x], Typed("i64", function(x.values)))


def binary(f):
    numbers = [
        ("add", np.add, 0), ("sub", np.subtract, 0), ("mul", np.multiply, 0), ("maximum", np.maximum, 0),
        ("minimum", np.minimum, 0),
    ]
    floats = [("div", np.divide, 0), ("pow", np.power, 4)]
    whole = [("floor_div", np.floor_divide, 0), ("mod", np.mod, 0)]
    comparisons = [
        ("eq", np.equal), ("ne", np.not_equal), ("lt", np.less), ("le", np.less_equal), ("gt", np.greater),
        ("ge", np.greater_equal),
    ]
    # Numbers of one call meet numbers of the other: both columns of every pair.
    edge = [0.0, -0.0, 1.0, -2.0, INF, -INF, NAN]
    left = Typed("f32", np.repeat(edge, len(edge)).reshape(len(edge), len(edge)))
    right = Typed("f32", np.tile(edge, len(edge)).reshape(len(edge), len(edge)))
    with np.errstate(all="ignore"):
        for name, function, ulps in numbers + floats + [(n, c, 0) for n, c in comparisons]:
            out = "bool" if function in dict(comparisons).values() else "f32"
            f.case("edges", name, [left, right], Typed(out, function(left.values, right.values)), ulps=ulps)
            a, b = f.random.floats(3, 1, 5), f.random.floats(4, 1)
            if name == "pow":
                a = f.random.positive(3, 1, 5)
            f.case("broadcast", name, [a, b], Typed(out, function(a.values, b.values)), ulps=ulps)
        for name, function, _ in numbers + whole:
            a, b = f.random.ints(6, 2), f.random.ints(2, low=1)
            f.case("integers", name, [a, b], Typed("i64", function(a.values, b.values)))
        for name, function, _ in whole:
            a, b = f.random.ints(6, 2), f.random.ints(6, 2, low=-9, high=-1)
            f.case("negative integers", name, [a, b], Typed("i64", function(a.values, b.values)))
            a, b = f.random.floats(5), Typed("f32", np.array([0.5, -0.5, 2.0, -2.0, 1.0]))
            f.case("fractions", name, [a, b], Typed("f32", function(a.values, b.values)))
    for name, function in [("and", np.logical_and), ("or", np.logical_or)]:
        a, b = Typed("bool", np.array([[False], [True]])), Typed("bool", np.array([False, True]))
        f.case("all pairs", name, [a, b], Typed("bool", function(a.values, b.values)))
    a = f.random.floats(0, 3)
    f.case("no elements", "add", [a, f.random.floats(1, 3)], Typed("f32", np.zeros((0, 3))))


def cast(f):
    samples = {
        "f32": [0.0, -0.0, 0.5, -1.5, 2.75, -3.0, 100.0, 2049.0, 2051.0, 257.0, 1.0009765625, 0.1],
        "f16": [0.0, 0.5, -1.5, 2.75, 100.0], "bf16": [0.0, 0.5, -1.5, 2.75, 100.0],
        "i8": [-128, -1, 0, 1, 127], "u8": [0, 1, 127, 128, 255],
        "i32": [-70000, -129, -1, 0, 1, 128, 255, 256, 70000],
        "i64": [-(2**40) - 3, -300, -1, 0, 1, 128, 255, 2**31, 2**40 + 5], "bool": [0, 1],
    }
    for source, values in samples.items():
        values = torch.tensor(values, dtype=TORCH[source])
        x = Typed(source, values.to(torch.float64) if values.is_floating_point() else values)
        for target in TORCH.keys() - {"f64"}:
            keep = values
            if values.is_floating_point() and target in NUMPY and NUMPY[target]().dtype.kind in "iu":
                # What lies outside an integer type is undefined at the source.
                info = np.iinfo(NUMPY[target])
                keep = values[(values.trunc() >= info.min) & (values.trunc() <= info.max)]
            x = Typed(source, keep.to(torch.float64) if keep.is_floating_point() else keep)
            y = keep.to(TORCH[target])
            y = y.to(torch.float64) if y.is_floating_point() else y
            f.case(f"{source} to {target}", "cast", [x], Typed(target, y), dtype=Word(target))
    edges = torch.tensor([INF, -INF, NAN, 65504.0, 65519.0, 65520.0, 1e-8, 3e38, 2.0**-24, 2.0**-25])
    for target in ["f16", "bf16", "bool"]:
        y = edges.to(TORCH[target])
        x = Typed("f32", edges.to(torch.float64))
        f.case(f"edges to {target}", "cast", [x], Typed(target, y.to(torch.float64)), dtype=Word(target))
    f.cases.sort(key=lambda case: (case["about"], case["attrs"]))


def folds():
    return [
        ("sum", np.sum, {}), ("prod", np.prod, {}), ("max", np.max, {"initial": -INF}), ("min", np.min, {"initial": INF}),
    ]


def reduce(f):
    for name, function, initial in folds():
        for axes, keep in [((1,), True), ((0, 2), False), ((0, 1, 2), False), ((), False), ((2,), False)]:
            x = f.random.floats(3, 5, 2)
            y = function(x.values, axis=axes, keepdims=keep)
            f.case("floats", name, [x], Typed("f32", y), ulps=30, axes=axes, keep=keep)
        x = Typed("f32", np.array([[1.0, INF, 2.0], [NAN, 1.0, -INF], [INF, -INF, 1.0], [-0.5, -INF, -3.0]]))
        with np.errstate(invalid="ignore"):
            f.case("edges", name, [x], Typed("f32", function(x.values, axis=1)), axes=(1,), keep=False)
        x = f.random.floats(2, 0)
        f.case("of nothing", name, [x], Typed("f32", function(x.values, axis=1, **initial)), axes=(1,), keep=False)
        x = f.random.ints(4, 3)
        f.case("integers", name, [x], Typed("i64", function(x.values, axis=0)), axes=(0,), keep=False)


def mean(f):
    for axes, keep in [((1,), True), ((0, 2), False), ((0, 1, 2), False), ((), True)]:
        x = f.random.floats(3, 5, 2)
        y = np.mean(x.values, axis=axes, keepdims=keep)
        f.case(f"axes {axes}", "mean", [x], Typed("f32", y), ulps=32, axes=axes, keep=keep)
    x = f.random.floats(4, 1)
    f.case("of one", "mean", [x], Typed("f32", np.mean(x.values, axis=1)), axes=(1,), keep=False)


def matmul(f):
    shapes = [
        ((3, 5), (5, 2)), ((2, 3, 5), (5, 2)), ((2, 1, 3, 5), (4, 5, 7)), ((1, 1), (1, 1)), ((7, 1), (1, 3)), ((2, 0), (0, 3)),
    ]
    for left, right in shapes:
        for ta in [False, True]:
            for tb in [False, True]:
                a, b = f.random.floats(*left), f.random.floats(*right)
                y = np.matmul(a.values, b.values)
                a = Typed("f32", np.swapaxes(a.values, -1, -2) if ta else a.values)
                b = Typed("f32", np.swapaxes(b.values, -1, -2) if tb else b.values)
                f.case(f"{left} {right}", "matmul", [a, b], Typed("f32", y), ta=ta, tb=tb)
    a, b = f.random.ints(2, 3), f.random.ints(3, 2)
    f.case("integers", "matmul", [a, b], Typed("i64", a.values @ b.values), ta=False, tb=False)


def select(f):
    for c, a, b in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), (1, 1)), ((4, 1, 1), (1, 3), ())]:
        c, a, b = f.random.bools(*c), f.random.floats(*a), f.random.floats(*b)
        f.case("broadcast", "select", [c, a, b], Typed("f32", np.where(c.values, a.values, b.values)))
    c = Typed("bool", np.array([True, False]))
    a, b = Typed("f32", np.array([1.0, NAN])), Typed("f32", np.array([INF, 2.0]))
    f.case("what is not chosen does not matter", "select", [c, a, b], Typed("f32", np.array([1.0, 2.0])))


def reshape(f):
    for old, new in [((2, 3, 4), (6, 4)), ((6, 4), (2, 3, 2, 2)), ((4, 6), (3, 8)), ((1, 5, 1), (5,)), ((1,), ()),
                     ((2, 3, 5), (2, 15, 1)), ((7,), (1, 7)), ((0, 5), (3, 0)), ((6, 35), (10, 21))]:
        x = f.random.floats(*old)
        f.case(f"{old} to {new}", "reshape", [x], Typed("f32", np.reshape(x.values, new)), shape=list(new))


def hold(f):
    x = f.random.floats(2, 3)
    f.case("(2, 3)", "hold", [x], x)


def broadcast(f):
    for old, new in [((3, 1), (3, 4)), ((1,), (2, 3)), ((), (2,)), ((2, 1, 3), (5, 2, 4, 3)), ((2, 3), (2, 3))]:
        x = f.random.floats(*old)
        f.case(f"{old} to {new}", "broadcast", [x], Typed("f32", np.broadcast_to(x.values, new)), shape=list(new))


def permute(f):
    for shape, axes in [((2, 3, 5), (2, 0, 1)), ((2, 3, 5), (0, 2, 1)), ((4, 1), (1, 0)), ((3,), (0,)), ((), ()),
                        ((2, 3, 4, 5), (0, 2, 1, 3)), ((2, 0, 3), (2, 1, 0))]:
        x = f.random.floats(*shape)
        f.case(f"{shape} by {axes}", "permute", [x], Typed("f32", np.transpose(x.values, axes)), axes=axes)


def slice_(f):
    for axis, start, end, step in [(0, 0, 3, 1), (0, 1, 4, 1), (1, 2, 7, 2), (1, 6, None, -1), (2, 0, 1, 1), (1, 5, 0, -2),
                                   (1, 3, 3, 1)]:
        x = f.random.floats(5, 7, 1)
        cut = [slice(None)] * 3
        cut[axis] = slice(start, end, step)
        y = x.values[tuple(cut)]
        f.case(f"{start}:{end}:{step} on axis {axis}", "slice", [x], Typed("f32", y), axis=axis, start=[start],
               size=[y.shape[axis]], step=step)


def concat(f):
    for axis, shapes in [(0, [(2, 3), (1, 3), (4, 3)]), (1, [(2, 3), (2, 1)]), (1, [(2, 3)]), (2, [(1, 2, 0), (1, 2, 3)]),
                         (0, [(1,), (1,), (1,), (1,)])]:
        xs = [f.random.floats(*s) for s in shapes]
        y = np.concatenate([x.values for x in xs], axis=axis)
        f.case(f"{shapes} on axis {axis}", "concat", xs, Typed("f32", y), axis=axis)


def pad(f):
    for shape, lo, hi, value in [((3,), [1], [2], 0.0), ((2, 3), [0, 1], [2, 0], -INF), ((1, 1), [0, 0], [0, 0], 1.0),
                                 ((2, 0), [1, 1], [0, 1], 0.5), ((2, 3, 2), [1, 0, 2], [0, 3, 1], -1.5)]:
        x = f.random.floats(*shape)
        y = np.pad(x.values, list(zip(lo, hi)), constant_values=value)
        f.case(f"{shape}", "pad", [x], Typed("f32", y), lo=lo, hi=hi, value=value)


def gather(f):
    for shape, axis, ids in [((5, 3), 0, (4,)), ((5, 3), 1, (2, 2)), ((2, 5, 3), 1, ()), ((2, 1, 3), 1, (1, 4)), ((4,), 0, (0,))]:
        x = f.random.floats(*shape)
        i = f.random.ints(*ids, low=0, high=shape[axis] - 1)
        f.case(f"{shape} on axis {axis}", "gather", [x, i], Typed("f32", np.take(x.values, i.values, axis=axis)), axis=axis)
    x, i = f.random.ints(4, 2, dtype="i8"), f.random.ints(3, low=0, high=3, dtype="u8")
    f.case("bytes", "gather", [x, i], Typed("i8", np.take(x.values, i.values, axis=0)), axis=0)


def embedding(f):
    for n, d, ids in [(7, 3, (2, 5)), (1, 1, (1,)), (13, 4, ())]:
        table, i = f.random.floats(n, d), f.random.ints(*ids, low=0, high=n - 1)
        f.case(f"{n} rows", "embedding", [table, i], Typed("f32", F.embedding(i.torch(), table.torch())))


ACTIVATIONS = {"none": lambda x: x, "gelu": F.gelu, "relu": F.relu, "silu": F.silu, "tanh": torch.tanh,
               "sigmoid": torch.sigmoid, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh")}


def linear(f):
    for act in ["none", "gelu", "relu", "tanh", "gelu_tanh"]:
        for bias, residual, tb in [(False, False, False), (True, False, True), (False, True, True), (True, True, False)]:
            x, w, b, r = (f.random.floats(*s) for s in [(2, 3, 5), (7, 5), (7,), (2, 3, 7)])
            y = F.linear(x.torch(), w.torch(), b.torch() if bias else None)
            y = ACTIVATIONS[act](y) + (r.torch() if residual else 0.0)
            w = w if tb else Typed("f32", w.values.T)
            inputs = [x, w] + [b] * bias + [r] * residual
            f.case(f"{act}", "linear", inputs, Typed("f32", y), ulps=32, reach=100.0, act=Word(act), bias=bias,
                   residual=residual, tb=tb)


def gated(f):
    for act in ["silu", "gelu", "sigmoid", "relu", "gelu_tanh"]:
        gate, up = f.random.floats(3, 5), f.random.floats(3, 5)
        y = ACTIVATIONS[act](gate.torch()) * up.torch()
        f.case(act, "gated", [gate, up], Typed("f32", y), ulps=32, reach=16.0, act=Word(act))


def gated_linear(f):
    for act, tb in [("silu", False), ("silu", True), ("gelu", True), ("sigmoid", False)]:
        x, wg, wu = (f.random.floats(*s) for s in [(2, 3, 5), (7, 5), (7, 5)])
        y = ACTIVATIONS[act](F.linear(x.torch(), wg.torch())) * F.linear(x.torch(), wu.torch())
        ws = [w if tb else Typed("f32", w.values.T) for w in [wg, wu]]
        f.case(act, "gated_linear", [x, *ws], Typed("f32", y), ulps=32, reach=6400.0, act=Word(act), tb=tb)


def softmax(f):
    for shape, axis in [((2, 5), 1), ((3, 4, 2), 1), ((1, 1), 0), ((7,), 0)]:
        x = f.random.floats(*shape)
        f.case(f"{shape} on axis {axis}", "softmax", [x], Typed("f32", F.softmax(x.torch(), axis)), ulps=40, axis=axis)
    x = Typed("f32", np.array([[1000.0, 999.0, -1000.0], [0.0, -INF, 1.0], [1.0, NAN, 0.0]]))
    f.case("far apart, left out, not a number", "softmax", [x], Typed("f32", F.softmax(x.torch(), 1)), ulps=40, axis=1)


def norms(shape):
    return [shape, shape[-1:], shape[-1:]]


def layer_norm(f):
    for shape, eps in [((2, 3, 8), 1e-12), ((5, 7), 1e-5), ((3, 1), 1e-5)]:
        x, g, b = (f.random.floats(*s) for s in norms(shape))
        y = F.layer_norm(x.torch(), shape[-1:], g.torch(), b.torch(), eps)
        f.case(f"{shape}", "layer_norm", [x, g, b], Typed("f32", y), ulps=64, reach=16.0, eps=eps)
    x, g, b = Typed("f32", np.full((1, 4), 3.0)), f.random.floats(4), f.random.floats(4)
    f.case("all the same", "layer_norm", [x, g, b], Typed("f32", F.layer_norm(x.torch(), (4,), g.torch(), b.torch(), 1e-5)),
           eps=1e-5)


def add_layer_norm(f):
    for shape, eps in [((2, 3, 8), 1e-12), ((5, 7), 1e-5)]:
        x, g, b = (f.random.floats(*s) for s in norms(shape))
        r = f.random.floats(*shape)
        y = F.layer_norm(x.torch() + r.torch(), shape[-1:], g.torch(), b.torch(), eps)
        f.case(f"{shape}", "add_layer_norm", [x, r, g, b], Typed("f32", y), ulps=64, reach=16.0, eps=eps)


def rms_norm(f):
    for shape, eps in [((2, 3, 8), 1e-6), ((5, 7), 1e-5), ((3, 1), 1e-5)]:
        x, g, _ = (f.random.floats(*s) for s in norms(shape))
        y = F.rms_norm(x.torch(), shape[-1:], g.torch(), eps)
        f.case(f"{shape}", "rms_norm", [x, g], Typed("f32", y), ulps=64, eps=eps)
    x, g = Typed("f32", np.zeros((1, 4))), f.random.floats(4)
    f.case("zeros", "rms_norm", [x, g], Typed("f32", F.rms_norm(x.torch(), (4,), g.torch(), 1e-5)), eps=1e-5)


def add_rms_norm(f):
    for shape, eps in [((2, 3, 8), 1e-6), ((5, 7), 1e-5)]:
        x, g, r = f.random.floats(*shape), f.random.floats(shape[-1]), f.random.floats(*shape)
        y = F.rms_norm(x.torch() + r.torch(), shape[-1:], g.torch(), eps)
        f.case(f"{shape}", "add_rms_norm", [x, r, g], Typed("f32", y), ulps=64, eps=eps)


def l2_normalize(f):
    for shape in [(3, 8), (2, 2, 5), (4, 1)]:
        x = f.random.positive(*shape)
        f.case(f"{shape}", "l2_normalize", [x], Typed("f32", F.normalize(x.torch(), dim=-1, eps=1e-12)), ulps=24, eps=1e-12)
    x = Typed("f32", np.array([[0.0, 0.0], [2.0**-60, 0.0]]))
    f.case("short vectors", "l2_normalize", [x], Typed("f32", F.normalize(x.torch(), dim=-1, eps=1e-12)), ulps=24, eps=1e-12)


MAKERS = {
    f.__name__.strip("_"): f
    for f in [
        constant, extent, iota, distance, unary, binary, cast, reduce, mean, matmul, select, hold, reshape, broadcast, permute,
        slice_, concat, pad, gather, embedding, linear, gated, gated_linear, softmax, layer_norm, add_layer_norm, rms_norm,
        add_rms_norm, l2_normalize, *along.MAKERS, *scattered.MAKERS, *attention.MAKERS, *collectives.MAKERS,
    ]
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MAKERS:
        file = File(name)
        MAKERS[name](file)
        file.write()
