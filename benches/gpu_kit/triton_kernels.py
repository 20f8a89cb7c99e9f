"""A matrix product in Triton, tuned on the spot: a peer of check.py."""

import torch
import triton
import triton.language as tl


def configurations():
    shapes = [(128, 256, 64, 8), (128, 128, 64, 4), (256, 128, 64, 8), (64, 128, 64, 4), (16, 128, 128, 4), (16, 64, 256, 4)]
    return [
        triton.Config({"M": m, "N": n, "K": k, "GROUP": 8}, num_warps=warps, num_stages=stages)
        for m, n, k, warps in shapes
        for stages in (3, 4)
    ]


@triton.autotune(configs=configurations(), key=["rows", "columns", "depth"])
@triton.jit
def product(x, w, y, rows, columns, depth, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, GROUP: tl.constexpr):
    # Blocks that run together share rows and columns in the last cache.
    at, across = tl.program_id(0), tl.cdiv(columns, N)
    down, group = tl.cdiv(rows, M), at // (GROUP * across)
    height = min(down - group * GROUP, GROUP)
    row = group * GROUP + at % (GROUP * across) % height
    column = at % (GROUP * across) // height
    i, j = row * M + tl.arange(0, M), column * N + tl.arange(0, N)
    sums = tl.zeros((M, N), dtype=tl.float32)
    for start in range(0, depth, K):
        k = start + tl.arange(0, K)
        a = tl.load(x + i[:, None] * depth + k[None, :], mask=(i[:, None] < rows) & (k[None, :] < depth), other=0.0)
        b = tl.load(w + k[:, None] * columns + j[None, :], mask=(k[:, None] < depth) & (j[None, :] < columns), other=0.0)
        sums = tl.dot(a, b, sums)
    where = y + i[:, None] * columns + j[None, :]
    tl.store(where, sums.to(y.dtype.element_ty), mask=(i[:, None] < rows) & (j[None, :] < columns))


def matmul(x, w):
    (rows, depth), columns = x.shape, w.shape[1]
    y = torch.empty((rows, columns), dtype=x.dtype, device=x.device)
    grid = lambda meta: (triton.cdiv(rows, meta["M"]) * triton.cdiv(columns, meta["N"]),)
    return lambda: product[grid](x, w, y, rows, columns, depth)
