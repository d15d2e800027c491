"""Convolution by windows of 3 × 3 with fewer multiplications, for many channels: Lavin & Gray 2015 (arXiv:1509.09308).

An output of 2 × 2 pixels takes 36 multiplications a channel. Winograd's minimal filtering takes 16: y = Aᵀ [(G w Gᵀ) ⊙
(Bᵀ d B)] A, where d are the 4 × 4 pixels that the four outputs see. The transformed pixels form sixteen planes, each
with a sum over channels of its own, which the tiles of ``tiles.py`` add up.

The transformations add, subtract and halve. An error is relative to the largest of the 4 × 4 pixels, not to the 3 × 3
that one output sees; on pixels of one scale the result is as near the exact one as the direct sum's. A pixel that is
infinite or NaN makes all four outputs of its tile NaN.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from .blas import product
from .images import copy, jit, lay
from .sharing import shared
from .tiles import _INDEX, _Code, _pointer, begin_tile

__all__ = ["convolve", "pays"]

_THREAD = 1 << 19  # multiplications that are worth a thread
_NEAR = 1 << 18  # bytes of transformed pixels that stay in the second-level cache
_FEW, _MANY = 1 << 9, 1 << 13  # pairs of channels between which the transformations pay and the weights stay near
_SUMS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])  # G


def _b(builder: Any, d: list[Any]) -> list[Any]:
    """Bᵀ d."""
    add, subtract = builder.fadd, builder.fsub
    return [subtract(d[0], d[2]), add(d[1], d[2]), subtract(d[2], d[1]), subtract(d[1], d[3])]


def _a(builder: Any, m: list[Any]) -> list[Any]:
    """Aᵀ m."""
    add, subtract = builder.fadd, builder.fsub
    return [add(add(m[0], m[1]), m[2]), subtract(subtract(m[1], m[2]), m[3])]


def _both_ways(one_way: Any, builder: Any, matrix: list[list[Any]]) -> list[list[Any]]:
    """A transformation along the rows of a matrix of vectors, then along its columns."""
    by_row = [one_way(builder, row) for row in matrix]
    columns = [one_way(builder, list(column)) for column in zip(*by_row, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


@intrinsic
def _transform(typing_context, x, at, odd, row, v, into, step):  # type: ignore[no-untyped-def]
    """Bᵀ d B for a vector of neighbouring tiles: plane 4·i + j is written at ``into + (4·i + j) · step``.

    The even columns of x begin at `at`, the odd ones `odd` further on; rows are `row` apart.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, x)
        source, target = _pointer(context, builder, x, args[0]), _pointer(context, builder, v, args[4])
        pixels = []
        for i in range(4):
            even = builder.add(args[1], builder.mul(args[3], _INDEX(i)))
            starts = even, builder.add(even, args[2])
            pixels.append([code.load(code.at(source, starts[j % 2], j // 2)) for j in range(4)])
        planes = _both_ways(_b, builder, pixels)
        for i, j in itertools.product(range(4), range(4)):
            place = builder.add(args[5], builder.mul(args[6], _INDEX(4 * i + j)))
            code.store(planes[i][j], code.at(target, place))
        return context.get_dummy_value()

    n = types.int64
    return types.void(x, n, n, n, v, n, n), generate


@intrinsic
def _restore(typing_context, m, at, step, bias, image, into, row):  # type: ignore[no-untyped-def]
    """Aᵀ m A + bias for a vector of neighbouring tiles: two rows of pixels, `row` apart, from `into` on."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        code = _Code(context, builder, m)
        source, target = _pointer(context, builder, m, args[0]), _pointer(context, builder, image, args[4])
        places = [builder.add(args[1], builder.mul(args[2], _INDEX(t))) for t in range(16)]
        sums = [[code.load(code.at(source, places[4 * i + j])) for j in range(4)] for i in range(4)]
        added, mask = code.splat(args[3]), ir.VectorType(ir.IntType(32), code.width)
        for i, pair in enumerate(_both_ways(_a, builder, sums)):
            even, odd = (builder.fadd(pixel, added) for pixel in pair)
            start = builder.add(args[5], builder.mul(args[6], _INDEX(i)))
            for half in range(2):
                first = half * code.width // 2
                order = [first + k // 2 + k % 2 * code.width for k in range(code.width)]
                mixed = builder.shuffle_vector(even, odd, ir.Constant(mask, order))
                code.store(mixed, code.at(target, start, half * code.width))
        return context.get_dummy_value()

    n = types.int64
    return types.void(m, n, n, m.dtype, image, n, n), generate


@shared
@jit
def _convolve(x, u, bias, y, offsets, places, before, plane, band, row, length, first, last):  # type: ignore[no-untyped-def]
    """Images first to last, `band` rows of tiles at a time; `u` (16, blocks of four outputs, channels, 4)."""
    lanes = 32 // x.itemsize
    channels, blocks, cells = x.shape[1], u.shape[1], places.size * lanes
    tiles = (y.shape[2] + 1) // 2
    planes = np.zeros((2 * channels, length), x.dtype)
    v = np.zeros((16, channels * cells), x.dtype)
    sums = np.empty((16, 4, cells), x.dtype)
    image = np.empty((2 * band, 2 * row), x.dtype)
    flat, flat_v, flat_sums, flat_image = planes.reshape(-1), v.reshape(-1), sums.reshape(-1), image.reshape(-1)
    nothing = np.zeros(4, x.dtype)
    for n in range(first, last):
        lay(x[n], planes, 0, (1, 2), before, plane)
        for top in range(0, tiles, band):
            count = min(band, tiles - top)
            for c in range(channels):
                for p in range(count):
                    for q in range(0, row, lanes):
                        at = c * length + 2 * (top + p) * plane[1] + q
                        into = c * cells + p * row + q
                        _transform(flat, at, channels * length, plane[1], flat_v, into, channels * cells)  # type: ignore[call-arg]
            for block in range(blocks):
                for t in range(16):
                    for place in range(0, (count * row // lanes + 2) // 3 * 3, 3):
                        begin_tile(v[t], offsets, u[t, block], nothing, 0, channels, places, place, sums[t])  # type: ignore[call-arg]
                for i in range(min(4, y.shape[1] - 4 * block)):
                    o = 4 * block + i
                    for p in range(count):
                        for q in range(0, row, lanes):
                            into = 4 * p * row + 2 * q
                            _restore(flat_sums, i * cells + p * row + q, 4 * cells, bias[o], flat_image, into, 2 * row)  # type: ignore[call-arg]
                    for r in range(min(2 * count, y.shape[2] - 2 * top)):
                        copy(image[r], y[n, o, 2 * top + r])


@functools.lru_cache(maxsize=256)
def _numbers(size: tuple[int, int], before: tuple[int, int], channels: int, item: int) -> tuple[Any, ...]:
    """The arguments of :func:`_convolve` that depend on shapes alone."""
    lanes = 32 // item
    height, width = (-(-n // 2) for n in size)
    row = -(-width // lanes) * lanes
    band = min(height, max(1, _NEAR // (16 * channels * row * item)))
    vectors = -(-band * row // lanes // 3) * 3
    plane = 2 * height + 2, width + 1
    length = (plane[0] + 1) * plane[1] + 2 * lanes
    offsets = np.arange(channels) * vectors * lanes
    return offsets, np.arange(vectors) * lanes, before, plane, band, row, length


def pays(channels: int, outs: int, size: tuple[int, int], item: int) -> bool:
    """Whether this is faster than the direct sum: enough channels, not too many, vectors mostly filled."""
    if min(channels, outs) < 16 or not _FEW <= channels * outs <= _MANY:
        return False
    *_, band, row, _ = _numbers(size, (0, 0), channels, item)
    height, width = (-(-n // 2) for n in size)
    vectors = -(-band * row * item // 32 // 3) * 3
    return 3 * band * width * item >= 2 * 32 * vectors and 4 * height * width <= 1.2 * size[0] * size[1]


def convolve(x: Any, w: Any, bias: Any, before: tuple[int, int], size: tuple[int, int]) -> Any:
    """y (N, O, *size) of x (N, C, H, W) and w (O, C, 3, 3), with stride 1 and `before` zeros above and to the left."""
    outs, channels = w.shape[:2]
    kernel = product(np.kron(_SUMS, _SUMS).astype(x.dtype), w.reshape((outs * channels, 9)).T)
    blocks = np.zeros((16, -(-outs // 4), channels, 4), x.dtype)
    for i in range(4):
        part = kernel.reshape((16, outs, channels))[:, i::4]
        blocks[:, : part.shape[1], :, i] = part
    y = np.empty((len(x), outs, *size), x.dtype)
    added = np.zeros(outs, x.dtype) if bias is None else np.ascontiguousarray(bias, x.dtype)
    numbers = _numbers(size, before, channels, x.itemsize)
    work = 4 * x.size * outs
    _convolve(len(x), work, x, blocks, added, y, *numbers, least=_THREAD)
    return y
