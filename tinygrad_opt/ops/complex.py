"""Complex numbers: their parts, and how a real derivative rule serves them too.

Gradients of complex Tensors are PyTorch's: for a real loss L and z = a + ib, the gradient is ∂L/∂a + i ∂L/∂b, so that
−gradient is the direction of steepest descent. A holomorphic function then has the rule g · conj(f′(z)).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from .samples import unary

__all__ = ["angle", "conj", "conjugate", "imag", "real", "real_if_close"]


def holomorphic(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule ``g · f′(x)`` made right for complex g as well: conj(conj(g) · f′(z)) = g · conj(f′(z))."""

    @functools.wraps(rule)
    def both(g: Any, *args: Any, **options: Any) -> Any:
        if g.dtype.kind != "c":
            return rule(g, *args, **options)
        return np.conjugate(rule(np.conjugate(g), *args, **options))

    return both


conjugate = conj = primitive(
    np.conjugate, vjp=[lambda g, _y, _x: np.conjugate(g)], formula="x*", gradient=["g*"], samples=unary()
)
real = primitive(
    np.real,
    numpy=np.real,
    arrays=1,
    vjp=[lambda g, _y, _x: g],
    formula="Re x",
    gradient=["g"],
    samples=unary(),
)
imag = primitive(
    np.imag,
    numpy=np.imag,
    arrays=1,
    vjp=[lambda g, _y, _x: g * 1j if _x.dtype.kind == "c" else np.zeros_like(g)],
    formula="Im x",
    gradient=["i · g"],
    samples=unary(),
)


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """The argument of z in radians, or in degrees."""
    turned = np.arctan2(np.imag(z), np.real(z))
    return np.rad2deg(turned) if deg else turned


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part of a, if no imaginary part exceeds `tol` (in machine epsilons, if above 1); else a itself."""
    a = as_tensor(a)
    if a.dtype.kind != "c":
        return a
    bound = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return real(a) if np.all(np.abs(a.data.imag) < bound) else a
