"""Unfold and Fold: all windows of an image side by side as columns, and columns added back into an image."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .module import Module
from .windows import Pairs, as_tuple, layer_name, output_sizes, symmetric

__all__ = ["Fold", "Unfold", "fold", "unfold"]


def _taps(kernel: Any, stride: Any, dilation: Any, out: Any) -> Any:
    """The place of each tap in the window, and the index of what all windows see there."""
    for place in itertools.product(*map(range, kernel)):
        seen = (
            slice(i * d, i * d + s * (m - 1) + 1, s) for i, d, s, m in zip(place, dilation, stride, out, strict=True)
        )
        yield (slice(None), slice(None), *place), (slice(None), slice(None), *seen)


def _padded_zeros(x: Any, size: Any, padding: Pairs) -> tuple[Any, Any]:
    """Zeros for a padded image, and the view of them that is the image."""
    room = tuple(n + before + after for n, (before, after) in zip(size, padding, strict=True))
    padded = np.zeros((*x.shape[:2], *room), x.dtype)
    inner = tuple(slice(before, before + n) for n, (before, _) in zip(size, padding, strict=True))
    return padded, padded[(slice(None), slice(None), *inner)]


def _samples(rng: np.random.Generator) -> Any:
    plain = {"kernel": (2, 2), "stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    yield (rng.standard_normal((1, 2, 3, 3)),), plain
    yield (
        (rng.standard_normal((2, 1, 4, 3)),),
        plain | {"stride": (2, 1), "padding": ((1, 1), (0, 0)), "dilation": (1, 2)},
    )


@primitive(arrays=1, formula="windows of x", gradient=["g added back"], samples=_samples)
def gather_windows(x: Any, *, kernel: Any, stride: Any, padding: Pairs, dilation: Any) -> Any:
    """What each window sees: (N, C, H, W) → (N, C, kernel…, windows…)."""
    size = x.shape[2:]
    out = output_sizes("unfold", size, kernel, stride, padding, dilation)
    if any(map(any, padding)):
        padded, image = _padded_zeros(x, size, padding)
        image[...] = x
        x = padded
    columns = np.empty((*x.shape[:2], *kernel, *out), x.dtype)
    for place, seen in _taps(kernel, stride, dilation, out):
        columns[place] = x[seen]
    return columns


@gather_windows.vjp(0)
def _(g: Any, y: Any, _x: Any, **geometry: Any) -> Any:
    return add_windows(g, size=_x.shape[2:], **geometry)


def _add_samples(rng: np.random.Generator) -> Any:
    for (x,), geometry in _samples(rng):
        shape = gather_windows(x, **geometry).shape
        yield (rng.standard_normal(shape),), {"size": x.shape[2:], **geometry}


@primitive(arrays=1, formula="columns added back", gradient=["windows of u"], samples=_add_samples)
def add_windows(g: Any, *, size: Any, kernel: Any, stride: Any, padding: Pairs, dilation: Any) -> Any:
    """Columns added into an image where their windows lie: the adjoint of :func:`gather_windows`."""
    padded, image = _padded_zeros(g, size, padding)
    for place, seen in _taps(kernel, stride, dilation, g.shape[2 + len(kernel) :]):
        padded[seen] += g[place]
    return image


@add_windows.vjp(0)
def _(u: Any, x: Any, _g: Any, size: Any, **geometry: Any) -> Any:
    return gather_windows(u, **geometry)


def _geometry(name: str, kernel: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "kernel": as_tuple(kernel, 2, f"{name}(kernel_size=…)"),
        "stride": as_tuple(stride, 2, f"{name}(stride=…)"),
        "padding": symmetric(as_tuple(padding, 2, f"{name}(padding=…)", 0)),
        "dilation": as_tuple(dilation, 2, f"{name}(dilation=…)"),
    }


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """All windows of an image as columns ("im2col").

    Shapes: x (N, C, H, W) or (C, H, W) → (N, C · kernel elements, windows).

    Raises
    ------
    ShapeError
        x has another number of axes, or the window does not fit.
    ValueError
        An option that is no positive int or pair.
    """
    x = as_tensor(x)
    if x.ndim not in (3, 4):
        raise ShapeError(f"{layer_name('unfold')}: expected (N, C, H, W) or (C, H, W), got {x.shape}.")
    geometry = _geometry("unfold", kernel_size, dilation, padding, stride)
    batch = x if x.ndim == 4 else x[None]
    windows = output_sizes("unfold", batch.shape[2:], *geometry.values())
    columns = gather_windows(batch, **geometry)
    rows = x.shape[-3] * math.prod(geometry["kernel"])
    return columns.reshape((*x.shape[:-3], rows, math.prod(windows)))  # type: ignore[no-any-return]


def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Columns added into an image of `output_size` where their windows lie ("col2im"); the adjoint of :func:`unfold`.

    Shapes: x (N, C · kernel elements, windows) or without N → (N, C, *output_size).

    Raises
    ------
    ShapeError
        The rows are not a multiple of the kernel's elements, or the columns are not as many as the windows.
    ValueError
        An option that is no positive int or pair.
    """
    x = as_tensor(x)
    geometry = _geometry("fold", kernel_size, dilation, padding, stride)
    size = as_tuple(output_size, 2, "fold(output_size=…)")
    out = output_sizes("fold", size, *geometry.values())
    kernel = geometry["kernel"]
    if x.ndim not in (2, 3) or x.shape[-2] % math.prod(kernel) or x.shape[-1] != math.prod(out):
        raise ShapeError(
            f"{layer_name('fold')}: expected (N, C · {math.prod(kernel)}, {math.prod(out)}) for an output of {size} "
            f"with windows of {kernel}, got {x.shape}."
        )
    channels = x.shape[-2] // math.prod(kernel)
    image = add_windows(x.reshape((*(x.shape[:-2] or (1,)), channels, *kernel, *out)), size=size, **geometry)
    return image if x.ndim == 3 else image[0]  # type: ignore[no-any-return]


class _Options(Module):
    def __init__(self, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> None:
        super().__init__()
        _geometry(type(self).__name__, kernel_size, dilation, padding, stride)
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def extra_repr(self) -> str:
        """The options."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Unfold(_Options):
    """All windows of an image as columns; options as :func:`unfold`."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Tensor:
        """The columns."""
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Options):
    """Columns added back into an image; options as :func:`fold`."""

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        as_tuple(output_size, 2, "Fold(output_size=…)")
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The options."""
        return f"output_size={self.output_size}, {super().extra_repr()}"

    def forward(self, x: Any) -> Tensor:
        """The image."""
        return fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
