"""Golden vectors of ops that replace elements of a tensor."""

import numpy as np

from vectors import Typed, Word

FUNCTIONS = {"none": None, "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


def written(x, place, updates, combine):
    y = x.values.copy()
    if combine == "none":
        y[place] = updates.values
    else:
        FUNCTIONS[combine].at(y, place, updates.values)
    return Typed(x.dtype, y)


def scatter(f):
    for shape, axis, ids in [((5, 3), 0, (4,)), ((5, 3), 1, (2, 2)), ((2, 5, 3), 1, ()), ((2, 4, 3), 1, (7,)), ((4,), 0, (0,))]:
        x, i = f.random.floats(*shape), f.random.ints(*ids, low=0, high=shape[axis] - 1)
        updates = f.random.floats(*shape[:axis], *ids, *shape[axis + 1 :])
        place = (slice(None),) * axis + (i.values.astype(np.int64),)
        for combine in FUNCTIONS:
            y = written(x, place, updates, combine)
            f.case(f"{shape} on axis {axis}, {combine}", "scatter", [x, i, updates], y, ulps=8, axis=axis, combine=Word(combine))
    x, i, u = f.random.ints(4, 2, dtype="i8"), f.random.ints(3, low=0, high=3, dtype="u8"), f.random.ints(3, 2, dtype="i8")
    f.case("bytes", "scatter", [x, i, u], written(x, i.values.astype(np.int64), u, "none"), axis=0, combine=Word("none"))


def scatter_along(f):
    for shape, ids, axis in [((5, 3), (2, 3), 0), ((3, 5), (2, 7), 1), ((2, 4, 3), (2, 1, 3), 1), ((4,), (6,), 0), ((3, 2), (0, 2), 0)]:
        x, i, updates = f.random.floats(*shape), f.random.ints(*ids, low=0, high=shape[axis] - 1), f.random.floats(*ids)
        place = list(np.indices(ids))
        place[axis] = i.values.astype(np.int64)
        for combine in FUNCTIONS:
            y = written(x, tuple(place), updates, combine)
            about = f"{ids} of {shape} on axis {axis}, {combine}"
            f.case(about, "scatter_along", [x, i, updates], y, ulps=8, axis=axis, combine=Word(combine))


def scatter_points(f):
    for shape, points, r in [((5, 3), (4,), 1), ((5, 3), (2, 3), 2), ((2, 4, 3), (3,), 2), ((3, 2), (), 1), ((4,), (0,), 1)]:
        x, updates = f.random.floats(*shape), f.random.floats(*points, *shape[r:])
        ids = [f.random.ints(*points, low=0, high=n - 1).values for n in shape[:r]]
        i = Typed("i64", np.stack(ids, -1))
        place = tuple(i.values.astype(np.int64)[..., a] for a in range(r))
        for combine in FUNCTIONS:
            y = written(x, place, updates, combine)
            f.case(f"{points} of {shape}, {combine}", "scatter_points", [x, i, updates], y, ulps=8, combine=Word(combine))


MAKERS = [scatter, scatter_along, scatter_points]
