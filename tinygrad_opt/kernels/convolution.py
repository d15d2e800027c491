"""The compiled twins of the convolution primitives, for images and lines.

Each works image by image on planes that stay in the cache: the padded image lies flat, so a tap of the window is the
same memory shifted, and a *term* is one tap of one channel: an offset into the planes and a weight for each output. The
tiles of ``tiles.py`` add up terms for four outputs and three vectors of cells at a time. Terms come in chunks whose
planes fit into the first-level cache, where all outputs see them.

A convolution and its adjoint are the same sum over terms. A stride s splits the image that is strided over into s × s
phases: a convolution reads them, its adjoint writes them, each with the taps that meet it.

An image belongs to one thread, and the weight's gradient is summed in a fixed number of parts, so that the results are
the same to the last bit for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import winograd
from .geometry import geometry
from .images import copy, jit, lay, take
from .sharing import shared
from .tiles import begin_tile, dot_tile, sum_tile

__all__ = ["channel_sums", "convolve", "convolve_transpose", "convolve_weight"]

_LEAST = 1 << 19  # multiplications that are worth a thread
_PARTS = 8  # of a batch, each with a weight gradient of its own


@shared
@jit
def _sum_terms(x, w, bias, y, offsets, ends, chunks, band, places, row, corners, counts, read, write, length, i, j):  # type: ignore[no-untyped-def]
    """Images i to j of the sum over terms.

    `w` (groups, blocks of four outputs, terms by phase, 4), `bias` (groups, 4 · blocks), `offsets` (groups, terms).
    For each phase that is written: `ends` of its terms, terms in a chunk, `places` of its vectors, its corner in the
    image and its count of rows and columns. `read` is the stride, padding and plane of the images that are read,
    `write` the stride of those that are written.
    """
    groups, blocks = w.shape[:2]
    per = y.shape[1] // groups
    vectors = places.shape[1]
    stride, before, plane = read
    planes = np.zeros((stride[0] * stride[1] * x.shape[1], length), x.dtype)
    flat = planes.reshape(-1)
    sums = np.empty((blocks, 4, vectors * 32 // x.itemsize), x.dtype)
    for n in range(i, j):
        lay(x[n], planes, 0, stride, before, plane)
        for group in range(groups):
            for phase in range(ends.size):
                start = ends[phase - 1] if phase else 0
                for top in range(0, vectors, band):
                    bottom = min(vectors, top + band)
                    first, fresh = start, True
                    while fresh or first < ends[phase]:
                        count = min(chunks[phase], ends[phase] - first)
                        for block in range(blocks):
                            target, weights, added = (
                                sums[block],
                                w[group, block],
                                bias[group, 4 * block : 4 * block + 4],
                            )
                            for v in range(top, bottom, 3):
                                if fresh:
                                    begin_tile(
                                        flat, offsets[group], weights, added, first, count, places[phase], v, target
                                    )  # type: ignore[call-arg]
                                else:
                                    sum_tile(flat, offsets[group], weights, first, count, places[phase], v, target)  # type: ignore[call-arg]
                        first += count
                        fresh = False
                for o in range(per):
                    take(sums[o // 4, o % 4], row, corners[phase], write, counts[phase], y[n, group * per + o])


@shared
@jit
def _weight(x, g, w, offsets, cuts, places, row, images, read, one, length, i, j):  # type: ignore[no-untyped-def]
    """Adds parts i to j of a batch to `w` (parts, groups, blocks of four outputs, 4, terms in threes).

    `images` are laid side by side, each plane `one` long, so that the sums are long ones.
    """
    _, groups, blocks, _, terms = w.shape
    per = g.shape[1] // groups
    vectors = places.size // images
    cells = vectors * 32 // x.itemsize
    stride, before, plane = read
    planes = np.zeros((stride[0] * stride[1] * x.shape[1], length), x.dtype)
    given = np.zeros((g.shape[1] + 1, images * cells), x.dtype)  # the last row stays zero
    flat, flat_given = planes.reshape(-1), given.reshape(-1)
    rows = np.empty(4, np.int64)
    for part in range(i, j):
        for n in range(cuts[part], cuts[part + 1], images):
            count = min(images, cuts[part + 1] - n)
            for m in range(count):
                lay(x[n + m], planes, m * one, stride, before, plane)
                for o in range(g.shape[1]):
                    for r in range(g.shape[2]):
                        start = m * cells + r * row
                        copy(g[n + m, o, r], given[o, start : start + g.shape[3]])
            for group in range(groups):
                for block in range(blocks):
                    for o in range(4):
                        rows[o] = (group * per + 4 * block + o if 4 * block + o < per else g.shape[1]) * images * cells
                    total = w[part, group, block]
                    for k in range(0, terms, 3):
                        dot_tile(flat_given, rows, flat, offsets[group], k, places, count * vectors, total)  # type: ignore[call-arg]


@shared
@jit
def _channel_sums(g, sums, first, last):  # type: ignore[no-untyped-def]
    """Sums of (N, C, L) over N and L, along a row in lanes, from row to row in double precision."""
    for c in range(first, last):
        total = 0.0
        for n in range(g.shape[0]):
            row, part = g[n, c], g.dtype.type(0)
            for t in range(row.size):
                part += row[t]
            total += part
        sums[c] = total


def channel_sums(g: Any) -> Any:
    """The gradient of a bias: sums of (N, C, …) over all but the channels; None for what is not covered."""
    if g.dtype not in (np.float32, np.float64) or not g.size:
        return None
    rows = np.ascontiguousarray(g).reshape((*g.shape[:2], -1))
    sums = np.empty(g.shape[1], g.dtype)
    _channel_sums(g.shape[1], g.size, rows, sums, least=_LEAST // 8)
    return sums


def _fits(plan: Any, *arrays: Any) -> bool:
    kinds = {a.dtype for a in arrays}
    return len(plan.size) <= 2 and len(kinds) == 1 and kinds <= {np.dtype(np.float32), np.dtype(np.float64)}


def _is_three_by_three(plan: Any, w: Any, groups: int) -> bool:
    """Whether windows are 3 × 3, at every place, and see all channels."""
    one_by_one = plan.stride == (1, 1) and all(p == o + 2 for p, o in zip(plan.plane, plan.out, strict=True))
    return groups == 1 and w.shape[2:] == (3, 3) and one_by_one


def _image(x: Any) -> Any:
    """x as (N, C, H, W), contiguous; a line is an image of one row."""
    return np.ascontiguousarray(x if x.ndim == 4 else x[:, :, None])


def _up(count: int, by: int) -> int:
    return -(-count // by) * by


def _blocks_of_four(w: Any) -> Any:
    """Weights (groups, outputs, terms) as (groups, blocks, terms, 4), zero where there is no output."""
    groups, outs, terms = w.shape
    blocks = np.zeros((groups, _up(outs, 4) // 4, terms, 4), w.dtype)
    for i in range(4):
        part = w[:, i::4]
        blocks[:, : part.shape[1], :, i] = part
    return blocks


def convolve(plan: Any, x: Any, w: Any, bias: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve``; None for what it does not cover."""
    if not _fits(plan, x, w):
        return None
    if _is_three_by_three(plan, w, groups) and winograd.pays(w.shape[1], w.shape[0], plan.out, x.itemsize):
        return winograd.convolve(_image(x), w, bias, tuple(before for before, _ in plan.padding), plan.out)
    found = geometry(plan, x.itemsize).forward(x.shape[1], groups)
    outs = w.shape[0] // groups
    weights = _blocks_of_four(w.reshape((groups, outs, -1)))
    added = np.zeros((groups, _up(outs, 4)), x.dtype)
    if bias is not None:
        added[:, :outs] = bias.reshape((groups, outs))
    y = np.empty((len(x), w.shape[0], *found.size), x.dtype)
    _run(found, _image(x), weights, added, y, len(x) * w.size * plan.cells)
    return y.reshape((*y.shape[:2], *plan.out))


def _run(found: Any, x: Any, weights: Any, bias: Any, y: Any, work: int) -> None:
    _sum_terms(len(x), work, x, weights, bias, y, *found.numbers, least=_LEAST)


def convolve_transpose(plan: Any, g: Any, w: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_transpose``: for each phase of the image, a sum over that phase's taps."""
    if not _fits(plan, g, w):
        return None
    if _is_three_by_three(plan, w, groups) and winograd.pays(w.shape[0], w.shape[1], plan.size, g.itemsize):
        before = tuple(2 - before for before, _ in plan.padding)
        flipped = np.ascontiguousarray(w.swapaxes(0, 1)[:, :, ::-1, ::-1])
        return winograd.convolve(_image(g), flipped, None, before, plan.size)
    found = geometry(plan, g.itemsize).adjoint(w.shape[0], groups)
    outs, per = w.shape[0] // groups, w.shape[1]
    by_tap = w.reshape((groups, outs, per, -1)).swapaxes(1, 2)
    by_phase = [by_tap[..., taps].reshape((groups, per, -1)) for taps in found.taps]
    weights = _blocks_of_four(by_phase[0] if len(by_phase) == 1 else np.concatenate(by_phase, axis=2))
    added = np.zeros((groups, _up(per, 4)), g.dtype)
    x = (np.empty if found.whole else np.zeros)((len(g), groups * per, *found.size), g.dtype)
    _run(found, _image(g), weights, added, x, len(g) * w.size * plan.cells)
    return x.reshape((*x.shape[:2], *plan.size))


def convolve_weight(plan: Any, x: Any, g: Any, kernel: Any, groups: int) -> Any:
    """The twin of ``nn.convolve.convolve_weight``; None for what it does not cover."""
    if not _fits(plan, x, g):
        return None
    outs = g.shape[1] // groups
    offsets, *numbers = geometry(plan, x.itemsize).weight(x.shape[1], groups)
    terms = x.shape[1] // groups * len(plan.taps)
    parts = max(1, min(_PARTS, len(x)))
    cuts = np.array([len(x) * i // parts for i in range(parts + 1)])
    w = np.zeros((parts, groups, _up(outs, 4) // 4, 4, offsets.shape[1]), x.dtype)
    images, given = _image(x), _image(g)
    work = len(x) * g.shape[1] * terms * plan.cells
    _weight(parts, work, images, given, w, offsets, cuts, *numbers, least=_LEAST)
    total = w.sum(0) if parts > 1 else w[0]
    return total.reshape((groups, -1, offsets.shape[1]))[:, :outs, :terms].reshape((groups * outs, -1, *kernel))
