"""Fourier transforms: each is linear, so its gradient is its adjoint, which is a transform the other way.

Gradients of complex Tensors follow PyTorch: the adjoint is the conjugate transpose, and a real input's gradient is the
real part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_tensor
from .options import on_cpu

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

_ADJOINT: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}
"""With which scaling the transform the other way is the adjoint."""


def _fit(x: Any, shape: Sequence[int]) -> Any:
    """x cut, or filled up with zeros, at the end of each axis."""
    x = x[tuple(slice(n) for n in shape)]
    missing = [(0, n - m) for n, m in zip(shape, x.shape, strict=True)]
    return np.pad(x, missing) if any(after for _, after in missing) else x


def _resolve(x: Any, s: Sequence[int] | None, axes: Sequence[int] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The extents to transform at and their axes, counted from 0, as NumPy reads its arguments."""
    s, axes = [(v,) if isinstance(v, int) else v for v in (s, axes)]
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    places = tuple(normalize_axis_index(axis, x.ndim) for axis in axes)
    extents = [x.shape[axis] for axis in places] if s is None else list(s)
    return tuple(x.shape[a] if n == -1 else n for n, a in zip(extents, places, strict=True)), places


def _samples(rng: np.random.Generator) -> Iterator[Any]:
    for extents, axes, norm in [((4,), (1,), None), ((2, 5), (0, 1), "ortho"), ((3, 2), (1, 0), "forward")]:
        yield rng.standard_normal((3, 4)), extents, axes, norm


def _forward_fftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return np.fft.fftn(x, s, axes, norm)


def _forward_ifftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return np.fft.ifftn(x, s, axes, norm)


_fftn = primitive(
    _forward_fftn, name="fftn", arrays=1, formula="F x", gradient=["F* g, the inverse unscaled"], samples=_samples
)
_ifftn = primitive(
    _forward_ifftn, name="ifftn", arrays=1, formula="F⁻¹ x", gradient=["F⁻¹* g, the transform scaled"], samples=_samples
)


@_fftn.vjp(0)
def _(g: Any, y: Any, _x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return _fit(np.fft.ifftn(g, s, axes, _ADJOINT[norm]), _x.shape)


@_ifftn.vjp(0)
def _(g: Any, y: Any, _x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return _fit(np.fft.fftn(g, s, axes, _ADJOINT[norm]), _x.shape)


def _forward_rfftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return np.fft.rfftn(x, s, axes, norm)


_rfftn = primitive(
    _forward_rfftn, name="rfftn", arrays=1, formula="half of F x", gradient=["Re F* g"], samples=_samples
)


@_rfftn.vjp(0)
def _(g: Any, y: Any, _x: Any, s: Any, axes: Any, norm: Any) -> Any:
    whole = [s[-1] if axis == axes[-1] else n for axis, n in enumerate(g.shape)]
    back = np.fft.ifftn(_fit(g, whole), s, axes, _ADJOINT[norm])
    return _fit(np.real(back), _x.shape)


def _forward_irfftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return np.fft.irfftn(x, s, axes, norm)


_irfftn = primitive(
    _forward_irfftn,
    name="irfftn",
    arrays=1,
    formula="F⁻¹ of a half spectrum",
    gradient=["half of F⁻¹* g, the inner bins doubled"],
    samples=_samples,
)


@_irfftn.vjp(0)
def _(g: Any, y: Any, _x: Any, s: Any, axes: Any, norm: Any) -> Any:
    back = np.fft.rfftn(g, s, axes, _ADJOINT[norm])
    bins = np.arange(back.shape[axes[-1]])
    twice = np.where((bins == 0) | (2 * bins == s[-1]), 1, 2).astype(g.dtype)
    weights = twice.reshape([-1 if i == axes[-1] else 1 for i in range(g.ndim)])
    return _fit(back * weights, _x.shape)


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """The discrete Fourier transform over `axes` (all by default), cut or filled with zeros to the extents `s`."""
    a = as_tensor(a)
    return _fftn(a, *_resolve(a, s, axes), norm)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """The inverse of :func:`fftn`."""
    a = as_tensor(a)
    return _ifftn(a, *_resolve(a, s, axes), norm)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """:func:`fftn` of real input; of the last axis only the first n // 2 + 1 bins, since the rest mirror them."""
    a = as_tensor(a)
    return _rfftn(a, *_resolve(a, s, axes), norm)


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """The inverse of :func:`rfftn`, real; the last extent is 2 (m − 1) for m bins unless `s` says otherwise."""
    a = as_tensor(a)
    extents, places = _resolve(a, s, axes)
    if s is None or (s if isinstance(s, int) else s[-1]) == -1:
        extents = (*extents[:-1], 2 * (a.shape[places[-1]] - 1))
    return _irfftn(a, extents, places, norm)


def _one(n: int | None) -> Any:
    return None if n is None else (n,)


@implements(np.fft.fft)
def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform along one axis, Σ a_j exp(−2πi jk/n)."""
    return fftn(a, _one(n), (axis,), norm)


@implements(np.fft.ifft)
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`fft`."""
    return ifftn(a, _one(n), (axis,), norm)


@implements(np.fft.rfft)
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """:func:`fft` of real input: its first n // 2 + 1 bins."""
    return rfftn(a, _one(n), (axis,), norm)


@implements(np.fft.irfft)
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`rfft`, real, of extent n (by default 2 (m − 1) for m bins)."""
    return irfftn(a, _one(n), (axis,), norm)


@implements(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """:func:`fft` of a signal given by its first half, the rest being its conjugate mirror; real."""
    return irfft(np.conjugate(as_tensor(a)), n, axis, _ADJOINT[norm])


@implements(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`hfft`."""
    return np.conjugate(rfft(a, n, axis, _ADJOINT[norm]))


@implements(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """:func:`fftn` over two axes."""
    return fftn(a, s, axes, norm)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """:func:`ifftn` over two axes."""
    return ifftn(a, s, axes, norm)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """:func:`rfftn` over two axes."""
    return rfftn(a, s, axes, norm)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
    """:func:`irfftn` over two axes."""
    return irfftn(a, s, axes, norm)


def _shifted(a: Any, axes: Any, sign: int) -> Any:
    a = as_tensor(a)
    places = tuple(range(a.ndim)) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return np.roll(a, [sign * (a.shape[axis] // 2) for axis in places], places)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    """The zero frequency moved to the middle."""
    return _shifted(x, axes, 1)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of :func:`fftshift`."""
    return _shifted(x, axes, -1)


def fftfreq(n: int, d: float = 1.0, dtype: Any = np.float64, device: Any = None) -> Tensor:
    """The frequency of each bin of :func:`fft`, in cycles per unit of the sample spacing `d`."""
    on_cpu(device)
    return Tensor(np.fft.fftfreq(n, d), dtype=dtype)


def rfftfreq(n: int, d: float = 1.0, dtype: Any = np.float64, device: Any = None) -> Tensor:
    """The frequency of each bin of :func:`rfft`."""
    on_cpu(device)
    return Tensor(np.fft.rfftfreq(n, d), dtype=dtype)
