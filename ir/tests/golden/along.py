"""Golden vectors of ops that work along an axis: windows, chosen elements, positions of the largest, running sums."""

import math

import numpy as np
import torch

from vectors import Typed

INF, NAN = math.inf, math.nan


def windows(f):
    for shape, axes, sizes, strides, dilations, before, after, value in [
        ((7,), (0,), (3,), (1,), (1,), (0,), (0,), 0.0),
        ((2, 9), (1,), (3,), (2,), (2,), (0,), (0,), 0.0),
        ((2, 3, 6, 5), (2, 3), (3, 2), (1, 2), (1, 1), (1, 0), (1, 1), 0.0),
        ((1, 4, 4), (1, 2), (2, 2), (2, 2), (1, 1), (0, 0), (0, 0), -INF),
        ((5, 2), (0,), (2,), (3,), (2,), (2,), (1,), -INF),
        ((4, 1), (0, 1), (1, 1), (1, 1), (1, 1), (0, 0), (0, 2), 0.5),
        ((3,), (), (), (), (), (), (), 0.0),
    ]:
        x = f.random.floats(*shape)
        borders = [(0, 0)] * len(shape)
        for axis, lo, hi in zip(axes, before, after):
            borders[axis] = (lo, hi)
        y = np.pad(x.values, borders, constant_values=value)
        spans = [(n - 1) * d + 1 for n, d in zip(sizes, dilations)]
        if axes:
            y = np.lib.stride_tricks.sliding_window_view(y, spans, axes)
        cut = [slice(None)] * y.ndim
        for i, (axis, stride, dilation) in enumerate(zip(axes, strides, dilations)):
            cut[axis], cut[len(shape) + i] = slice(None, None, stride), slice(None, None, dilation)
        f.case(f"{sizes} by {strides}", "windows", [x], Typed("f32", y[tuple(cut)]), axes=axes, sizes=sizes, strides=strides,
               dilations=dilations, before=before, after=after, value=value)


def take_along(f):
    for shape, ids, axis in [((5, 3), (2, 3), 0), ((5, 3), (5, 7), 1), ((2, 4, 3), (2, 1, 3), 1), ((4,), (6,), 0), ((3, 0), (3, 0), 1)]:
        x, i = f.random.floats(*shape), f.random.ints(*ids, low=0, high=max(shape[axis] - 1, 0))
        y = np.take_along_axis(x.values, i.values, axis)
        f.case(f"{ids} of {shape}", "take_along", [x, i], Typed("f32", y), axis=axis)
    x, i = f.random.floats(3, 4), f.random.ints(2, 3, low=0, high=3)
    f.case("fewer rows", "take_along", [x, i], Typed("f32", torch.gather(x.torch(), 1, i.torch())), axis=1)
    x, i = f.random.ints(2, 5, dtype="i8"), f.random.ints(2, 2, low=0, high=4, dtype="u8")
    f.case("bytes", "take_along", [x, i], Typed("i8", np.take_along_axis(x.values, i.values, 1)), axis=1)


def top_k(f):
    def case(about, x, axis, k, largest):
        # Numbers that may be equal are integers here, whose negatives sort the other way round.
        order = np.argsort(-x.values if largest else x.values, axis=axis, kind="stable")
        y = Typed("i64", np.take(order, np.arange(k), axis=axis))
        f.case(about, "top_k", [x], y, axis=axis, k=k, largest=largest)

    for largest in [True, False]:
        case("ties", f.random.ints(4, 9, low=-2, high=2), 1, 4, largest)
        case("middle axis", f.random.ints(2, 5, 3), 1, 5, largest)
        case("all alike", Typed("i32", np.zeros((2, 3), np.int32)), 1, 3, largest)
        case("none", f.random.ints(3, 2), 0, 0, largest)
        case("one", f.random.ints(1), 0, 1, largest)
        x = torch.tensor([[1.0, INF, -INF, NAN, 0.5, -2.0]], dtype=torch.float64)
        y = torch.topk(x, 6, largest=largest).indices
        f.case("edges", "top_k", [Typed("f32", x)], Typed("i64", y), axis=1, k=6, largest=largest)


def cum_sum(f):
    def case(about, x, axis):
        for exclusive in [False, True]:
            for reverse in [False, True]:
                y = np.flip(x.values, axis) if reverse else x.values
                sums = np.cumsum(y, axis=axis, dtype=y.dtype)
                if exclusive:
                    first = np.zeros_like(np.take(sums, [0], axis=axis))
                    sums = np.concatenate([first, np.take(sums, np.arange(y.shape[axis] - 1), axis=axis)], axis=axis)
                sums = np.flip(sums, axis) if reverse else sums
                f.case(about, "cum_sum", [x], Typed(x.dtype, sums), axis=axis, exclusive=exclusive, reverse=reverse)

    case("floats", f.random.floats(2, 5, 3), 1)
    case("last axis", f.random.floats(3, 7), 1)
    case("integers", f.random.ints(4, 2), 0)
    case("one", f.random.floats(1), 0)
    case("infinity", Typed("f32", np.array([1.0, INF, 2.0])), 0)


def expert_linear(f):
    for rows, ids, experts, k, n in [((3,), (3,), 4, 5, 2), ((2, 1), (2, 3), 3, 2, 7), ((2, 3), (2, 3), 2, 1, 1), ((), (), 2, 3, 2)]:
        x, w = f.random.floats(*rows, k), f.random.floats(experts, k, n)
        i = f.random.ints(*ids, low=0, high=experts - 1)
        y = np.einsum("...k,...kn->...n", x.values, w.values[i.values])
        f.case(f"{rows} rows, {ids} of {experts}", "expert_linear", [x, w, i], Typed("f32", y))


MAKERS = [windows, take_along, top_k, cum_sum, expert_linear]
