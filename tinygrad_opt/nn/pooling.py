"""Pooling as functions: the maximum, the mean or a power mean of each window; the arithmetic is in ``pool.py``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .floats import as_floats
from .pool import max_windows, sum_windows
from .windows import as_tuple, expected_axes, layer_name, output_sizes, symmetric

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
]


def _geometry(name: str, axes: int, x: Any, kernel: Any, stride: Any, padding: Any) -> tuple[Tensor, Any, Any, Any]:
    """x as a Tensor with enough axes, and the options as tuples; the stride is the kernel when it is not given."""
    x = as_tensor(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(expected_axes(name, axes, x.shape))
    kernel = as_tuple(kernel, axes, f"{name}(kernel_size=…)")
    stride = kernel if stride is None else as_tuple(stride, axes, f"{name}(stride=…)")
    padding = as_tuple(padding, axes, f"{name}(padding=…)", 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{layer_name(name)}: padding {padding} must be at most half of the kernel {kernel}.")
    return x, kernel, stride, padding


def max_pool(
    name: str, axes: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    """The largest element of each window on the last axes; `name` is the caller's, for messages."""
    x, kernel, stride, padding = _geometry(name, axes, x, kernel, stride, padding)
    dilation = as_tuple(dilation, axes, f"{name}(dilation=…)")
    pairs = symmetric(padding)
    output_sizes(name, x.shape[-axes:], kernel, stride, pairs, dilation, ceil_mode)
    y, tap = max_windows(x, kernel=kernel, stride=stride, padding=pairs, dilation=dilation, ceil_mode=ceil_mode)
    if not indices:
        return y
    return y, Tensor(_flat_index(tap.data, x.shape[-axes:], kernel, stride, padding, dilation))


def _flat_index(tap: Any, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """From tap numbers to PyTorch's indices: the place in the image of each window's choice, in row-major order."""
    places = np.unravel_index(tap.astype(np.int64), kernel)
    index: Any = 0
    for axis, (n, s, p, d) in enumerate(zip(size, stride, padding, dilation, strict=True)):
        extent = tap.shape[tap.ndim - len(size) + axis]
        first = (np.arange(extent) * s - p).reshape((-1,) + (1,) * (len(size) - axis - 1))
        index = index * n + first + places[axis] * d
    return index


def max_pool1d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window: as :func:`max_pool2d`, with x (N, C, L)."""
    return max_pool("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; its gradient goes to the first one where several are equal.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
    kernel_size, dilation : int or pair of int
    stride : int or pair of int, optional
        By default the kernel size: windows side by side.
    padding : int or pair of int
        −∞ around the image, at most half a kernel.
    ceil_mode : bool
        Let the last window stand out over the edge.
    return_indices : bool
        Also return where each maximum lies, as row-major positions in the (H, W) plane.

    Raises
    ------
    ShapeError
        x has another number of axes, or is smaller than the window.
    ValueError
        A kernel, stride or dilation that is no positive int or pair, or a padding of more than half a kernel.
    """
    return max_pool("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool(
    name: str,
    axes: int,
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Tensor:
    """The mean of each window on the last axes; `name` is the caller's, for messages."""
    x, kernel, stride, padding = _geometry(name, axes, x, kernel, stride, padding)
    size, pairs = x.shape[-axes:], symmetric(padding)
    out = output_sizes(name, size, kernel, stride, pairs, (1,) * axes, ceil_mode)
    total = sum_windows(x, out=out, kernel=kernel, stride=stride, padding=pairs)
    if divisor is not None:
        if divisor == 0:
            raise ValueError(f"{layer_name(name)}: divisor_override must not be 0.")
        return total * (1.0 / divisor)  # type: ignore[no-any-return]
    if not any(padding) and not ceil_mode:
        return total * (1.0 / math.prod(kernel))  # type: ignore[no-any-return]
    return total / _counts(size, out, kernel, stride, padding, count_include_pad).astype(x.dtype)  # type: ignore[no-any-return]


def _counts(size: Any, out: Any, kernel: Any, stride: Any, padding: Any, include: bool) -> Any:
    """How many elements each window's mean is over: those in the image, or in the padded image."""
    counts = np.ones(())
    for n, m, k, s, p in zip(size, out, kernel, stride, padding, strict=True):
        first = np.arange(m) * s - p
        last = np.minimum(first + k, n + p)
        if not include:
            first, last = np.maximum(first, 0), np.minimum(last, n)
        counts = counts[..., None] * (last - first)
    return counts


def avg_pool1d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: as :func:`avg_pool2d`, with x (N, C, L)."""
    return avg_pool("avg_pool1d", 1, x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        By default the kernel size.
    padding : int or pair of int
        Zeros around the image, at most half a kernel.
    ceil_mode : bool
        Let the last window stand out over the edge.
    count_include_pad : bool
        Whether the mean counts the padding's zeros.
    divisor_override : int, optional
        Divide the sums by this instead.

    Raises
    ------
    ShapeError
        x has another number of axes, or is smaller than the window.
    ValueError
        A kernel or stride that is no positive int or pair, a padding of more than half a kernel, or a divisor of 0.
    """
    return avg_pool("avg_pool2d", 2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def lp_pool(name: str, axes: int, x: Any, p: float, kernel: Any, stride: Any, ceil_mode: bool) -> Tensor:
    """The p-norm of each window on the last axes; `name` is the caller's, for messages."""
    if not p:
        raise ValueError(f"{layer_name(name)}: norm_type must not be 0, whose root there is none of.")
    x, kernel, stride, padding = _geometry(name, axes, x, kernel, stride, 0)
    if math.isinf(p):
        extreme = max_pool(name, axes, np.copysign(1.0, p) * np.abs(x), kernel, stride, 0, 1, ceil_mode, False)
        return np.copysign(1.0, p) * extreme  # type: ignore[no-any-return]
    total = avg_pool(name, axes, x**p, kernel, stride, padding, ceil_mode, True, None) * math.prod(kernel)
    nothing = total.data == 0
    return np.where(nothing, 0.0, np.where(nothing, 1.0, total) ** (1.0 / p))  # type: ignore[return-value]


def lp_pool1d(x: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window: as :func:`lp_pool2d`, with x (N, C, L)."""
    return lp_pool("lp_pool1d", 1, x, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(x: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window, p = `norm_type`: 1 is a sum, towards ∞ it becomes the maximum.

    As PyTorch's: an odd p keeps the signs of x, and a negative sum has no real root; where a sum is 0 so is the
    gradient; p = ∞ gives the maximum of |x|.

    Raises
    ------
    ShapeError
        x has another number of axes, or is smaller than the window.
    ValueError
        A kernel or stride that is no positive int or pair, or a `norm_type` of 0.
    """
    return lp_pool("lp_pool2d", 2, x, norm_type, kernel_size, stride, ceil_mode)


def _adaptive(name: str, axes: int, x: Any, output_size: Any, maximum: bool) -> tuple[Tensor, tuple[int, ...]]:
    x = as_tensor(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(expected_axes(name, axes, x.shape))
    size, wanted = x.shape[-axes:], output_size
    if wanted is None:
        wanted = size
    elif isinstance(wanted, Sequence) and len(wanted) == axes:
        wanted = tuple(n if m is None else m for m, n in zip(wanted, size, strict=True))
    extents = as_tuple(wanted, axes, f"{name}(output_size=…)")
    if 0 in size and (maximum or max(extents) > 1):  # the mean of nothing is NaN, and the maximum is not anything
        raise ShapeError(f"{layer_name(name)}: x of shape {x.shape} has no elements to fill {extents} bins with.")
    return x, extents


def _bins(n: int, m: int) -> tuple[Any, Any]:
    """First and last (exclusive) element of each of m bins over n elements: ⌊i·n/m⌋ and ⌈(i + 1)·n/m⌉."""
    i = np.arange(m)
    return i * n // m, -(-(i + 1) * n // m)


def _averaging(n: int, m: int, dtype: Any) -> Any:
    """The matrix (m, n) whose rows take the mean of each bin."""
    first, last = _bins(n, m)
    place = np.arange(n)
    inside = (place >= first[:, None]) & (place < last[:, None])
    return (inside / (last - first)[:, None]).astype(dtype)


def adaptive_avg_pool(name: str, axes: int, x: Any, output_size: Any) -> Tensor:
    """Means over `output_size` bins of nearly equal extent, as one small matrix product for each axis."""
    x, wanted = _adaptive(name, axes, as_floats(x), output_size, False)
    size = x.shape[-axes:]
    if max(wanted) == 1:
        flat = x.reshape((*x.shape[:-axes], math.prod(size)))
        return np.mean(flat, axis=-1).reshape((*x.shape[:-axes], *wanted))  # type: ignore[no-any-return]
    x = x @ _averaging(size[-1], wanted[-1], x.dtype).T
    return _averaging(size[0], wanted[0], x.dtype) @ x if axes == 2 else x  # type: ignore[no-any-return]


def adaptive_max_pool(name: str, axes: int, x: Any, output_size: Any, indices: bool) -> Any:
    """Maxima over `output_size` bins of nearly equal extent."""
    x, wanted = _adaptive(name, axes, x, output_size, True)
    size = x.shape[-axes:]
    kernel = []
    place: Any = np.arange(math.prod(size)).reshape(size)
    for axis, (n, m) in enumerate(zip(size, wanted, strict=True)):
        first, last = _bins(n, m)
        width = int((last - first).max())
        kernel.append(width)
        if n != m * width:  # bins overlap or differ: read each at full width, its last element repeated
            index = np.minimum(first[:, None] + np.arange(width), last[:, None] - 1).reshape(-1)
            x = x[(slice(None),) * (x.ndim - axes + axis) + (index,)]
            place = place[(slice(None),) * axis + (index,)]
    y, spread = max_pool(name, axes, x, kernel, None, 0, 1, False, True)
    return (y, Tensor(place.reshape(-1)[spread.data])) if indices else y


def adaptive_avg_pool1d(x: Any, output_size: Any) -> Tensor:
    """The means of `output_size` bins along the last axis: as :func:`adaptive_avg_pool2d`, with x (N, C, L)."""
    return adaptive_avg_pool("adaptive_avg_pool1d", 1, x, output_size)


def adaptive_avg_pool2d(x: Any, output_size: Any) -> Tensor:
    """The means of bins, `output_size` of them along each axis, whatever the size of the image.

    Shapes: x (N, C, H, W) or (C, H, W) → (N, C, *output_size); None keeps an axis as it is, 1 is global pooling.

    Raises
    ------
    ShapeError
        x has another number of axes, or no elements.
    ValueError
        An `output_size` that is no positive int or pair.
    """
    return adaptive_avg_pool("adaptive_avg_pool2d", 2, x, output_size)


def adaptive_max_pool1d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of `output_size` bins along the last axis: as :func:`adaptive_max_pool2d`, with x (N, C, L)."""
    return adaptive_max_pool("adaptive_max_pool1d", 1, x, output_size, return_indices)


def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of bins, `output_size` of them along each axis; with `return_indices`, also where they lie.

    Raises
    ------
    ShapeError
        x has another number of axes, or no elements.
    ValueError
        An `output_size` that is no positive int or pair.
    """
    return adaptive_max_pool("adaptive_max_pool2d", 2, x, output_size, return_indices)
