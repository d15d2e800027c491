"""The singular value decomposition and its gradient.

Sources: Townsend, "Differentiating the singular value decomposition" (2016); for complex matrices Wan & Zhang (2019,
arXiv:1909.02659).
Vectors that belong to equal singular values are not unique: their gradient is infinite, as in PyTorch; the values' own
gradient is right even there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..autograd.primitive import primitive
from ..autograd.registry import implements
from ..autograd.tensor import as_tensor
from ..errors import GradientError
from .decompositions import columns, divide, over_gaps, rows
from .systems import adjoint

__all__ = ["svd", "svdvals"]


class SVDResult(NamedTuple):
    """U, the singular values, falling, and Vᵀ (conjugated): A = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


def _svd_samples(rng: np.random.Generator) -> Iterator[Any]:
    for shape in ((3, 3), (4, 2), (2, 3), (2, 3, 2), (1, 1), (0, 2, 2)):
        yield rng.standard_normal(shape), False
    yield rng.standard_normal((2, 2)), True


@primitive(
    name="svd",
    arrays=1,
    formula="U, S, Vᵀ with A = U diag(S) Vᵀ",
    gradient=["U (skew(Uᵀg_U)/E · S + S · skew(Vᵀg_V)/E + diag(g_S)) Vᵀ and two projections"],
    samples=_svd_samples,
)
def _svd(a: Any, full: bool) -> Any:
    return tuple(np.linalg.svd(a, full_matrices=full))


@_svd.vjp(0)
def _(g: Any, y: Any, _a: Any, full: bool) -> Any:
    k = min(_a.shape[-2:])
    if full and _a.shape[-2] != _a.shape[-1] and (np.any(g[0][..., k:]) or np.any(g[2][..., k:, :])):
        raise GradientError(
            "svd: the vectors that full_matrices=True adds are arbitrary and have no gradient; "
            "pass full_matrices=False."
        )
    u, s, v = y[0][..., :k], y[1], adjoint(y[2][..., :k, :])
    gu, gv = g[0][..., :k], adjoint(g[2][..., :k, :])
    ugu, vgv = adjoint(u) @ gu, adjoint(v) @ gv
    from_u = over_gaps(ugu - adjoint(ugu), s * s) * columns(s)
    from_v = over_gaps(vgv - adjoint(vgv), s * s) * rows(s)
    inner = from_u + from_v + rows(g[1]) * np.eye(k, dtype=s.dtype)
    if u.dtype.kind == "c":  # the phase that U and V share
        inner = inner + divide(ugu - adjoint(ugu), columns(2 * s)) * np.eye(k, dtype=s.dtype)
    result = u @ inner @ adjoint(v)
    if _a.shape[-2] > k:
        result = result + divide(gu - u @ ugu, columns(s)) @ adjoint(v)
    if _a.shape[-1] > k:
        result = result + u @ adjoint(divide(gv - v @ vgv, columns(s)))
    return result


@implements(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition: (…, m, n) → U (…, m, k), S (…, k), Vh (…, k, n) with k = min(m, n).

    With ``full_matrices`` U and Vh are square; what they hold beyond k has no gradient. A loss should not depend on
    the vectors' arbitrary signs, nor, for complex matrices, on the phases that U's and V's columns share.

    Raises
    ------
    GradientError
        In the backward pass, when a gradient reaches the vectors that ``full_matrices`` adds.
    """
    a = as_tensor(a)
    if not compute_uv:
        return svdvals(a)
    return SVDResult(*_svd(a, full_matrices))


@implements(np.linalg.svdvals)
def svdvals(a: Any, /) -> Any:
    """Singular values, falling: (…, m, n) → (…, min(m, n)); their gradient U diag(g) Vᵀ holds for equal ones too."""
    return _svd(a, False)[1]
