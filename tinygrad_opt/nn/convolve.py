"""Convolution as one form in three arrays: the primitives from which every convolution layer and its gradients come.

For an input x, a weight w and a gradient g of the output, T(x, w, g) = Σ g ⊙ (x ∗ w) is linear in each of the three.
Its three partial derivatives are the convolution itself, the transposed convolution and the weight gradient; each
one's gradient rules are the two others, so that derivatives of any order stay among them.

The NumPy algorithm shifts planes: the padded images lie end to end on one axis, on which the window's tap (i, j) is the
same memory shifted by i·width + j. Columns for a matrix product (Chellapilla et al. 2006) are thus copied in long runs,
a cache full at a time. With a stride s the planes are split into s × s phases first.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..errors import ShapeError
from ..kernels import twin
from .windows import Pairs, output_sizes

__all__ = ["convolve", "convolve_bias", "convolve_transpose", "convolve_weight", "naive_convolve"]

_CHUNK = 1 << 18  # floats in the columns made at a time: they stay in the cache
_LEAST = 1 << 15  # multiplications from which the compiled form pays


class _Plan:
    """Where everything lies for one geometry: the phases of the padded planes and the shift of each tap."""

    def __init__(
        self, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Pairs, dilation: Any
    ) -> None:
        self.size, self.stride, self.padding = tuple(size), tuple(stride), padding
        self.out = output_sizes("conv", size, kernel, stride, padding, dilation)
        self.plane = tuple(o + (k - 1) * d // s for o, k, d, s in zip(self.out, kernel, dilation, stride, strict=True))
        self.cells = math.prod(self.plane)
        self.taps: list[tuple[int, int]] = []  # (phase, shift) of each position in the window
        for place in itertools.product(*map(range, kernel)):
            phase = shift = 0
            for i, d, s, n in zip(place, dilation, stride, self.plane, strict=True):
                phase = phase * s + i * d % s
                shift = shift * n + i * d // s
            self.taps.append((phase, shift))
        self.tail = max(shift for _, shift in self.taps)

    def _overlap(self) -> tuple[Any, Any]:
        """The part of the image that the planes hold, as slices of both."""
        image, planes = [], []
        for n, q, s, (before, _) in zip(self.size, self.plane, self.stride, self.padding, strict=True):
            first, last = max(0, -before), min(n, q * s - before)
            image.append(slice(first, last))
            planes.append(slice(first + before, last + before))
        return tuple(image), tuple(planes)

    def _split(self, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shape (N, C, q₁, s₁, q₂, s₂ …) of the padded images, and the order of its axes that sorts them by phase."""
        axes = len(self.size)
        order = (*range(3, 2 + 2 * axes, 2), 1, 0, *range(2, 2 + 2 * axes, 2))
        return sum(zip(self.plane, self.stride, strict=True), ()), order

    def flatten(self, x: Any) -> Any:
        """Images (N, C, …) as planes (phases, C, N · cells + tail), padded with zeros."""
        n, c = x.shape[:2]
        flat = np.zeros((math.prod(self.stride), c, n * self.cells + self.tail), x.dtype)
        image, planes = self._overlap()
        body = flat[..., : n * self.cells]
        if max(self.stride) == 1:
            body.reshape((c, n, *self.plane))[(..., *planes)] = np.swapaxes(x, 0, 1)[(..., *image)]
            return flat
        split, order = self._split(n)
        padded = np.zeros((n, c, *(q * s for q, s in zip(self.plane, self.stride, strict=True))), x.dtype)
        padded[(..., *planes)] = x[(..., *image)]
        by_phase = padded.reshape((n, c, *split)).transpose(order)
        body.reshape(by_phase.shape)[...] = by_phase
        return flat

    def restore(self, flat: Any, n: int, c: int) -> Any:
        """The adjoint of :meth:`flatten`: images (N, C, …) from planes."""
        image, planes = self._overlap()
        _, order = self._split(n)
        phases = flat[..., : n * self.cells].reshape((*self.stride, c, n, *self.plane))
        padded = phases.transpose(np.argsort(order)).reshape(
            (n, c, *(q * s for q, s in zip(self.plane, self.stride, strict=True)))
        )
        x = np.zeros((n, c, *self.size), flat.dtype)
        x[(..., *image)] = padded[(..., *planes)]
        return x

    def chunks(self, n: int, rows: int) -> Iterator[tuple[int, int]]:
        """Ranges of images whose columns fit into the cache together."""
        step = max(1, _CHUNK // max(1, rows * self.cells))
        return ((first, min(n, first + step)) for first in range(0, n, step))

    def crop(self, planes: Any, n: int) -> Any:
        """Of planes (channels, n · cells) the cells where a window begins: (n, channels, …), a view."""
        cells = planes.reshape((planes.shape[0], n, *self.plane))
        return np.swapaxes(cells, 0, 1)[(..., *(slice(o) for o in self.out))]

    def columns(self, flat: Any, groups: int, first: int, last: int, buffer: Any) -> Any:
        """What each window sees, for some images: (groups, taps · channels of a group, cells)."""
        c = flat.shape[1] // groups
        m = (last - first) * self.cells
        columns = buffer[..., :m]
        by_group = flat.reshape((flat.shape[0], groups, c, flat.shape[2]))
        for t, (phase, shift) in enumerate(self.taps):
            start = first * self.cells + shift
            columns[:, t * c : (t + 1) * c] = by_group[phase, :, :, start : start + m]
        return columns

    def buffer(self, n: int, groups: int, c: int, dtype: Any) -> Any:
        """Room for the columns of the largest chunk."""
        step = max(last - first for first, last in self.chunks(n, len(self.taps) * groups * c))
        return np.empty((groups, len(self.taps) * c, step * self.cells), dtype)


_plan = functools.lru_cache(maxsize=256)(_Plan)  # a training meets the same few geometries at every step


def _matrices(w: Any, groups: int) -> Any:
    """The weight (O, C / groups, …) as matrices (groups, O / groups, taps · C / groups)."""
    o, c = w.shape[:2]
    taps = math.prod(w.shape[2:])
    return np.swapaxes(w.reshape((groups, o // groups, c, taps)), 2, 3).reshape((groups, o // groups, taps * c))


def _check(fits: bool) -> None:
    """Raise for arrays that do not fit, of which the algorithms below would read beyond their ends."""
    if not fits:
        raise ShapeError(
            "the channels or the sizes do not fit. An input is (N, C, …), a weight (O, C / groups, …), a bias (O,), an "
            "output (N, O, …), and groups divides O."
        )


def _is_pointwise(kernel: Sequence[int], stride: Sequence[int], padding: Pairs) -> bool:
    return max(kernel) == max(stride) == 1 and not any(map(any, padding))


def _forward(x: Any, w: Any, bias: Any, stride: Any, padding: Pairs, dilation: Any, groups: int) -> Any:
    n, c, o = x.shape[0], w.shape[1], w.shape[0]
    _check(groups >= 1 and not o % groups and x.shape[1] == c * groups and (bias is None or bias.shape == (o,)))
    plan = _plan(x.shape[2:], w.shape[2:], stride, padding, dilation)
    dtype = np.result_type(x, w)
    if compiled := twin("convolution", n * o * c * len(plan.taps) * plan.cells, _LEAST):
        y = compiled.convolve(plan, x, w, bias, groups)
        if y is not None:
            return y
    y = np.empty((n, o, *plan.out), dtype)
    if not y.size:
        return y
    matrices = _matrices(w, groups)
    if _is_pointwise(w.shape[2:], stride, padding):
        y = np.matmul(matrices, x.reshape((n, groups, c, plan.cells))).reshape(y.shape)
        return y if bias is None else y + bias.reshape((-1, *(1,) * len(plan.out)))
    flat = plan.flatten(x)
    buffer = plan.buffer(n, groups, c, dtype)
    for first, last in plan.chunks(n, len(plan.taps) * groups * c):
        product = np.matmul(matrices, plan.columns(flat, groups, first, last, buffer)).reshape((o, -1))
        if bias is not None:
            product += bias[:, None]
        y[first:last] = plan.crop(product, last - first)
    return y


def _samples(rng: np.random.Generator) -> Any:
    normal = rng.standard_normal
    plain = {"stride": (1,), "padding": ((1, 1),), "dilation": (1,), "groups": 1}
    yield (normal((2, 2, 4)), normal((3, 2, 3))), plain
    yield (normal((1, 2, 6)), normal((2, 1, 2))), plain | {"stride": (2,), "padding": ((0, 1),), "groups": 2}
    plain = {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (1, 2), "groups": 1}
    yield (normal((1, 2, 4, 3)), normal((2, 2, 2, 2))), plain


@primitive(real=True, arrays=2, formula="x ∗ w", gradient=["g ∗ᵀ w", "Σ g ⊙ shifted x"], samples=_samples)
def convolve(x, w, *, stride, padding, dilation, groups):  # type: ignore[no-untyped-def]
    """y[n, o, p] = Σ w[o, c, t] · x[n, c, stride·p + dilation·t − padding]: what deep learning calls convolution.

    Shapes: x (N, C, …), w (O, C / groups, …) → y (N, O, …); `stride` and `dilation` have an int for each axis behind
    the channels, `padding` a pair.
    """
    return _forward(x, w, None, stride, padding, dilation, groups)


@convolve.vjp(0)
def _(g: Any, y: Any, _x: Any, w: Any, **geometry: Any) -> Any:
    return convolve_transpose(g, w, size=_x.shape[2:], **geometry)


@convolve.vjp(1)
def _(g: Any, y: Any, x: Any, _w: Any, **geometry: Any) -> Any:
    return convolve_weight(x, g, kernel=_w.shape[2:], **geometry)


def _bias_samples(rng: np.random.Generator) -> Any:
    for (x, w), geometry in _samples(rng):
        yield (x, w, rng.standard_normal(len(w))), geometry


@primitive(
    real=True, arrays=3, formula="x ∗ w + b", gradient=["g ∗ᵀ w", "Σ g ⊙ shifted x", "Σ g"], samples=_bias_samples
)
def convolve_bias(x, w, b, *, stride, padding, dilation, groups):  # type: ignore[no-untyped-def]
    """:func:`convolve` with a bias (O,) added while the result is in the cache."""
    return _forward(x, w, b, stride, padding, dilation, groups)


@convolve_bias.vjp(0)
def _(g: Any, y: Any, _x: Any, w: Any, _b: Any, **geometry: Any) -> Any:
    return convolve_transpose(g, w, size=_x.shape[2:], **geometry)


@convolve_bias.vjp(1)
def _(g: Any, y: Any, x: Any, _w: Any, _b: Any, **geometry: Any) -> Any:
    return convolve_weight(x, g, kernel=_w.shape[2:], **geometry)


@convolve_bias.vjp(2)
def _(g: Any, y: Any, _x: Any, _w: Any, _b: Any, **geometry: Any) -> Any:
    if isinstance(g, np.ndarray) and (compiled := twin("convolution", g.size, _LEAST)):
        found = compiled.channel_sums(g)
        if found is not None:
            return found
    return np.sum(np.sum(g.reshape((*g.shape[:2], math.prod(g.shape[2:]))), axis=2), axis=0)


def _transpose_samples(rng: np.random.Generator) -> Any:
    for (x, w), geometry in _samples(rng):
        shape = convolve(x, w, **geometry).shape
        yield (rng.standard_normal(shape), w), {"size": x.shape[2:], **geometry}


@primitive(real=True, arrays=2, formula="g ∗ᵀ w", gradient=["u ∗ w", "Σ g ⊙ shifted u"], samples=_transpose_samples)
def convolve_transpose(g, w, *, size, stride, padding, dilation, groups):  # type: ignore[no-untyped-def]
    """The adjoint of :func:`convolve` in x: spreads each element of g over the window it came from.

    Shapes: g (N, O, …), w (O, C / groups, …) → (N, C, *size).
    """
    n, o, c = g.shape[0], g.shape[1], w.shape[1]
    plan = _plan(size, w.shape[2:], stride, padding, dilation)
    _check(groups >= 1 and not o % groups and w.shape[0] == o and g.shape[2:] == plan.out)
    if compiled := twin("convolution", n * o * c * len(plan.taps) * plan.cells, _LEAST):
        x = compiled.convolve_transpose(plan, g, w, groups)
        if x is not None:
            return x
    matrices = np.swapaxes(_matrices(w, groups), 1, 2)
    if _is_pointwise(w.shape[2:], stride, padding):
        return np.matmul(matrices, g.reshape((n, groups, o // groups, plan.cells))).reshape((n, groups * c, *size))
    dtype = np.result_type(g, w)
    flat = np.zeros((math.prod(stride), groups, c, n * plan.cells + plan.tail), dtype)
    for first, last in plan.chunks(n, len(plan.taps) * groups * c):
        columns = np.matmul(matrices, _planes(plan, g, first, last, groups))
        m = columns.shape[-1]
        for t, (phase, shift) in enumerate(plan.taps):
            start = first * plan.cells + shift
            flat[phase, :, :, start : start + m] += columns[:, t * c : (t + 1) * c]
    return plan.restore(flat.reshape((flat.shape[0], groups * c, flat.shape[3])), n, groups * c)


def _planes(plan: _Plan, g: Any, first: int, last: int, groups: int) -> Any:
    """Some images of the output laid into planes, zero where no window begins: (groups, O / groups, cells)."""
    o, n = g.shape[1], last - first
    planes = np.zeros((o, n * plan.cells), g.dtype)
    plan.crop(planes, n)[...] = g[first:last]
    return planes.reshape((groups, o // groups, n * plan.cells))


@convolve_transpose.vjp(0)
def _(u: Any, x: Any, _g: Any, w: Any, size: Any, **geometry: Any) -> Any:
    return convolve(u, w, **geometry)


@convolve_transpose.vjp(1)
def _(u: Any, x: Any, g: Any, _w: Any, size: Any, **geometry: Any) -> Any:
    return convolve_weight(u, g, kernel=_w.shape[2:], **geometry)


def _weight_samples(rng: np.random.Generator) -> Any:
    for (x, w), geometry in _samples(rng):
        shape = convolve(x, w, **geometry).shape
        yield (x, rng.standard_normal(shape)), {"kernel": w.shape[2:], **geometry}


@primitive(real=True, arrays=2, formula="Σ g ⊙ shifted x", gradient=["g ∗ᵀ u", "x ∗ u"], samples=_weight_samples)
def convolve_weight(x, g, *, kernel, stride, padding, dilation, groups):  # type: ignore[no-untyped-def]
    """The adjoint of :func:`convolve` in w: how each weight met each input.

    Shapes: x (N, C, …), g (N, O, …) → (O, C / groups, *kernel).
    """
    _check(groups >= 1 and not x.shape[1] % groups and not g.shape[1] % groups)
    n, c, o = x.shape[0], x.shape[1] // groups, g.shape[1]
    plan = _plan(x.shape[2:], kernel, stride, padding, dilation)
    _check(g.shape[0] == n and g.shape[2:] == plan.out)
    if compiled := twin("convolution", n * o * c * len(plan.taps) * plan.cells, _LEAST):
        w = compiled.convolve_weight(plan, x, g, kernel, groups)
        if w is not None:
            return w
    dtype = np.result_type(x, g)
    total = np.zeros((groups, o // groups, len(plan.taps) * c), dtype)
    flat = plan.flatten(x)
    buffer = plan.buffer(n, groups, c, dtype) if n else None
    for first, last in plan.chunks(n, len(plan.taps) * groups * c):
        columns = plan.columns(flat, groups, first, last, buffer)
        total += np.matmul(_planes(plan, g, first, last, groups), np.swapaxes(columns, 1, 2))
    return np.swapaxes(total.reshape((o, len(plan.taps), c)), 1, 2).reshape((o, c, *kernel))


@convolve_weight.vjp(0)
def _(u: Any, w: Any, _x: Any, g: Any, kernel: Any, **geometry: Any) -> Any:
    return convolve_transpose(g, u, size=_x.shape[2:], **geometry)


@convolve_weight.vjp(1)
def _(u: Any, w: Any, x: Any, _g: Any, kernel: Any, **geometry: Any) -> Any:
    return convolve(x, u, **geometry)


def naive_convolve(x: Any, w: Any, *, stride: Any, padding: Pairs, dilation: Any, groups: int) -> Any:
    """The definition that :func:`convolve` is held to: a sum over the window's taps of basic operations."""
    sizes = output_sizes("conv", x.shape[2:], w.shape[2:], stride, padding, dilation)
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    n, o = x.shape[0], w.shape[0]
    y = 0.0
    for tap in itertools.product(*map(range, w.shape[2:])):
        seen = tuple(
            slice(i * d, i * d + s * (m - 1) + 1, s) for i, d, s, m in zip(tap, dilation, stride, sizes, strict=True)
        )
        part = x[(slice(None), slice(None), *seen)].reshape((n, groups, -1, math.prod(sizes)))
        weight = w[(slice(None), slice(None), *tap)].reshape((groups, o // groups, -1))
        y = y + np.matmul(weight, part)
    return y.reshape((n, o, *sizes))  # type: ignore[attr-defined]
