"""Golden vectors of collectives: what each rank gives and gets."""

import numpy as np

from vectors import Typed, Word


def parts(x, ranks, axis):
    return np.split(x, ranks, axis=axis)


def per_rank(f, ranks, *shape):
    return [[f.random.floats(*shape)] for _ in range(ranks)]


def all_reduce(f):
    for monoid, ranks in [("sum", 2), ("prod", 3), ("max", 4), ("min", 3), ("sum", 1)]:
        xs = per_rank(f, ranks, 3, 2)
        fold = getattr(np, monoid)(np.stack([x.values for [x] in xs]), axis=0)
        f.case(f"{monoid} of {ranks}", "all_reduce", xs, [Typed("f32", fold)] * ranks, ulps=2 * ranks, monoid=Word(monoid),
               ranks=ranks)


def all_gather(f):
    for axis, ranks in [(0, 2), (1, 3), (2, 1)]:
        xs = per_rank(f, ranks, 2, 3, 1)
        y = np.concatenate([x.values for [x] in xs], axis=axis)
        f.case(f"axis {axis}, {ranks}", "all_gather", xs, [Typed("f32", y)] * ranks, axis=axis, ranks=ranks)


def reduce_scatter(f):
    for monoid, axis, ranks in [("sum", 0, 2), ("max", 1, 3), ("min", 1, 1), ("prod", 0, 4)]:
        xs = per_rank(f, ranks, 4, 6)
        fold = getattr(np, monoid)(np.stack([x.values for [x] in xs]), axis=0)
        ys = [Typed("f32", y) for y in parts(fold, ranks, axis)]
        f.case(f"{monoid} on axis {axis}, {ranks}", "reduce_scatter", xs, ys, ulps=2 * ranks, monoid=Word(monoid), axis=axis,
               ranks=ranks)


def all_to_all(f):
    for split, concat, ranks in [(0, 1, 2), (1, 0, 3), (1, 1, 3), (0, 0, 1), (2, 1, 2)]:
        xs = per_rank(f, ranks, 2, 6, 4)
        ys = [np.concatenate([parts(x.values, ranks, split)[r] for [x] in xs], axis=concat) for r in range(ranks)]
        f.case(f"{split} to {concat}, {ranks}", "all_to_all", xs, [Typed("f32", y) for y in ys], split=split, concat=concat,
               ranks=ranks)


MAKERS = [all_reduce, all_gather, reduce_scatter, all_to_all]
