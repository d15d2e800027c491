"""Polynomials by their coefficients, the highest power first, as NumPy's ``poly*`` functions take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.registry import implements
from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .creation import beside, together
from .decompositions import eigvals
from .diagonals import vander
from .joining import concatenate
from .signals import convolve
from .systems import inv, lstsq

__all__ = ["poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "roots"]


def _coefficients(caller: str, *polynomials: Any) -> list[Any]:
    vectors = together(*[p.coef if isinstance(p, np.poly1d) else p for p in polynomials])
    for p in vectors:
        if p.ndim > 1:
            raise ShapeError(f"{caller}: coefficients are a vector, the highest power first; got shape {p.shape}.")
    return [p.reshape(-1) for p in vectors]


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """p[0] xⁿ⁻¹ + … + p[n − 1], by Horner's rule; differentiable in both."""
    p, x = together(p.coef if isinstance(p, np.poly1d) else p, x)
    result: Any = x * 0
    for i in range(p.shape[0]):
        result = result * x + p[i]
    return result


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """The coefficients of the sum of two polynomials."""
    a1, a2 = _coefficients("polyadd", a1, a2)
    n = max(a1.size, a2.size)
    return np.pad(a1, (n - a1.size, 0)) + np.pad(a2, (n - a2.size, 0))


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """The coefficients of the difference of two polynomials."""
    a1, a2 = _coefficients("polysub", a1, a2)
    return polyadd(a1, -a2)


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """The coefficients of the product of two polynomials."""
    return convolve(*_coefficients("polymul", a1, a2))


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    """Quotient and remainder of two polynomials; leading zeros of the remainder are left out."""
    u, v = _coefficients("polydiv", u, v)
    if u.dtype.kind not in "fc" and v.dtype.kind not in "fc":
        u = u.astype(np.float64)
    quotient: list[Any] = []
    rest = u
    for _ in range(u.size - v.size + 1):
        quotient.append(rest[0] / v[0])
        rest = (rest - np.pad(quotient[-1] * v, (0, rest.size - v.size)))[1:]
    small = 1e-14 * np.abs(u.data).max(initial=0)
    while rest.size > 1 and abs(rest.data[0]) <= small:
        rest = rest[1:]
    return np.stack(quotient) if quotient else u[:1] * 0, rest if rest.size else u[:1] * 0


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the m-th derivative."""
    if m < 0:
        raise ValueError(f"polyder: the order must be 0 or more, got {m}; polyint integrates.")
    (p,) = _coefficients("polyder", p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(p.size - 1, 0, -1).astype(p.dtype)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of the m-th antiderivative, with the constants `k` (0 by default), the first one's first."""
    if m < 0:
        raise ValueError(f"polyint: the order must be 0 or more, got {m}; polyder differentiates.")
    (p,) = _coefficients("polyint", p)
    p = p if p.dtype.kind in "fc" else p.astype(np.float64)
    constants = beside(0.0 if k is None else k, p).reshape(-1)
    constants = np.broadcast_to(constants, (m,)) if constants.size == 1 else constants
    if constants.size < m:
        raise ValueError(f"polyint: {m} constants of integration are wanted, got {constants.size}.")
    for i in range(int(m)):
        p = concatenate([p / np.arange(p.size, 0, -1).astype(p.dtype), constants[i : i + 1]])
    return p


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with these roots, or the characteristic polynomial of a square matrix.

    Of real numbers, of complex ones in conjugate pairs, and of real matrices they are real.
    """
    zeros = as_tensor(seq_of_zeros)
    real = zeros.dtype.kind != "c"
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] > 0:
        zeros = eigvals(zeros)
    elif zeros.ndim > 1:
        raise ShapeError(f"poly: expected a vector of roots or a square matrix, got shape {zeros.shape}.")
    zeros = zeros.reshape(-1)
    zeros = zeros if zeros.dtype.kind in "fc" else zeros.astype(np.float64)
    result: Any = Tensor(np.ones(1, zeros.dtype))
    for i in range(zeros.size):
        result = np.pad(result, (0, 1)) - np.pad(result * zeros[i], (1, 0))
    if result.dtype.kind == "c" and (real or np.all(np.sort(zeros.data) == np.sort(zeros.data.conj()))):
        return np.real(result)
    return result


@implements(np.roots)
def roots(p: Any) -> Any:
    """The roots of a polynomial: the eigenvalues of its companion matrix (Horn & Johnson 1999, pp. 146-147).

    Real when all of them are. The gradient holds for simple roots; a repeated one has none.
    """
    (p,) = _coefficients("roots", p)
    p = p if p.dtype.kind in "fc" else p.astype(np.float64)
    places = np.flatnonzero(p.data)
    if not places.size:
        return p[:0]
    at_zero = p.size - 1 - places[-1]
    p = p[places[0] : places[-1] + 1]
    n = p.size - 1
    if n == 0:
        return Tensor(np.zeros(at_zero, p.dtype))
    below = np.eye(n - 1, n, dtype=p.dtype)
    found = eigvals(concatenate([np.expand_dims(-p[1:] / p[0], 0), below]))
    return np.pad(found, (0, at_zero)) if at_zero else found


@implements(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Any:
    """The polynomial of degree `deg` with the least Σ w² (p(x) − y)², as in :func:`numpy.polyfit`.

    Shapes: x (m,), y (m,) or (m, k) → coefficients (deg + 1,) or (deg + 1, k); differentiable in x, y and w.

    Returns
    -------
    Tensor, or tuple
        With `full`: coefficients, squared residuals, rank, singular values, rcond. With `cov`: coefficients and their
        covariance (unscaled for "unscaled").

    Raises
    ------
    ValueError
        A negative degree, or too few points for a covariance.
    ShapeError
        x, y and w that do not belong together.
    """
    x, y = together(x, y)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    y = y if y.dtype.kind in "fc" else y.astype(x.dtype)
    if deg < 0:
        raise ValueError(f"polyfit: the degree must be 0 or more, got {deg}.")
    if x.ndim != 1 or not x.size or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise ShapeError(f"polyfit: expected x (m,) and y (m,) or (m, k), got {x.shape} and {y.shape}.")
    rcond = x.size * np.finfo(x.dtype).eps if rcond is None else rcond
    left, right = vander(x, int(deg) + 1), y
    if w is not None:
        w = beside(w, x)
        if w.shape != x.shape:
            raise ShapeError(f"polyfit: one weight a point is wanted, got {w.shape} for {x.shape}.")
        left, right = left * w[:, None], right * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt(np.sum(left * left, axis=0))
    left = left / scale
    solution, residuals, rank, s = lstsq(left, right, rcond)
    found = (solution.T / scale).T
    if full:
        return found, residuals, rank, s, rcond
    if not cov:
        return found
    spread = inv(left.T @ left) / np.multiply.outer(scale, scale)
    spread = np.expand_dims(spread, -1) if y.ndim == 2 else spread
    if cov != "unscaled":
        if x.size <= deg + 1:
            raise ValueError(f"polyfit: a covariance needs more than deg + 1 = {deg + 1} points, got {x.size}.")
        spread = spread * (residuals if y.ndim == 2 else residuals[0]) / (x.size - (deg + 1))
    return found, spread
