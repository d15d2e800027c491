"""Statistics, manipulation, searching, sorting and algebra: values and dtypes as the array API's strict reference has.

Each call is written with the standard's own parameter names, positional-only ones by place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

xp: Any = pytest.importorskip("array_api_strict")

RNG = np.random.default_rng(0)
A = RNG.uniform(0.5, 2.0, (2, 3, 4))
F = A.astype(np.float32)
S = np.stack([np.eye(3) * 3 + 0.25, np.diag([1.0, 2.0, 4.0])])
V = RNG.uniform(0.5, 2.0, 4)
W = RNG.uniform(0.5, 2.0, 3)
N = np.array([[3, 1, 2], [1, 1, 0]])
B = np.array([[True, False, True], [False, False, False]])
C = A + 0.5j
EMPTY = np.zeros((0, 3))


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    return pytest.param(name, args, kwargs, id=f"{name} {len(args)} {sorted(kwargs)}")


AXES: tuple[Any, ...] = (None, 0, -1, (0, 2), ())
CALLS = [
    call(name, x, axis=axis, keepdims=keepdims)
    for name in ("sum", "prod", "mean", "max", "min", "var", "std", "all", "any", "count_nonzero")
    for axis in AXES
    for keepdims in (False, True)
    for x in (A, F)
]
CALLS += [
    # statistics
    call("var", A, axis=1, correction=1),
    call("std", F, axis=(0, 1), correction=1.5),
    call("sum", N),
    call("sum", B.astype(np.int8)),
    call("sum", F, dtype=np.float64),
    call("prod", N, axis=1),
    call("prod", F, dtype=np.float64),
    call("sum", EMPTY),
    call("sum", EMPTY, axis=1),
    call("prod", EMPTY, axis=0),
    call("all", EMPTY),
    call("any", EMPTY),
    call("max", N, axis=0),
    call("cumulative_sum", V),
    call("cumulative_sum", A, axis=1, include_initial=True),
    call("cumulative_prod", A, axis=-1),
    call("cumulative_sum", N, axis=0, dtype=np.float32),
    call("diff", A, axis=1, n=2),
    call("diff", V, prepend=np.array([0.0, 1.0]), append=np.array([2.0])),
    # manipulation
    call("broadcast_arrays", V, A),
    call("broadcast_to", V, (2, 3, 4)),
    call("concat", [A, A], axis=-1),
    call("concat", [A, V], axis=None),
    call("expand_dims", A, axis=-2),
    call("flip", A),
    call("flip", A, axis=(0, -1)),
    call("moveaxis", A, (0, 1), (-1, 0)),
    call("permute_dims", A, (2, 0, 1)),
    call("repeat", A, 2),
    call("repeat", V, np.array([1, 0, 2, 1])),
    call("repeat", A, 3, axis=1),
    call("reshape", A, (4, -1)),
    call("reshape", A, (24,), copy=True),
    call("roll", A, 2),
    call("roll", A, (1, -1), axis=(0, 2)),
    call("squeeze", A[:1], 0),
    call("stack", [A, A], axis=-1),
    call("tile", V, (2, 1, 2)),
    call("unstack", A, axis=1),
    call("astype", A, np.float32),
    call("astype", N, np.float64),
    call("tril", A, k=-1),
    call("triu", A, k=1),
    # searching, sorting, sets
    call("argmax", A),
    call("argmin", A, axis=1, keepdims=True),
    call("nonzero", N),
    call("searchsorted", np.sort(V), W, side="right"),
    call("searchsorted", V, W, sorter=np.argsort(V)),
    call("where", B, W, V[:1]),
    call("take", A, np.array([2, 0]), axis=1),
    call("take_along_axis", A, np.argsort(A, axis=1), axis=1),
    call("sort", A, axis=0),
    call("sort", N, axis=1, descending=True),
    call("argsort", N, axis=-1),
    call("argsort", N, axis=0, descending=True, stable=True),
    call("isin", N, np.array([0, 3])),
    call("unique_all", np.array([3.0, 1.0, 3.0])),
    call("unique_counts", N),
    call("unique_inverse", N),
    # elementwise with several arguments
    call("clip", A, 0.75, 1.5),
    call("clip", N, min=1),
    call("clip", F, max=1.0),
    call("maximum", A, V),
    call("where", B, 1.0, W),
    # algebra
    call("matmul", A, V),
    call("matmul", S, S),
    call("matrix_transpose", A),
    call("tensordot", A, A, axes=((0, 1), (0, 1))),
    call("vecdot", A, V),
    call("linalg.cholesky", S),
    call("linalg.cholesky", S, upper=True),
    call("linalg.cross", S, W, axis=-1),
    call("linalg.det", S),
    call("linalg.diagonal", A, offset=1),
    call("linalg.eigvalsh", S),
    call("linalg.inv", S),
    call("linalg.matmul", S, S),
    call("linalg.matrix_norm", A, ord="nuc", keepdims=True),
    call("linalg.matrix_norm", A, ord=-np.inf),
    call("linalg.matrix_power", S, -2),
    call("linalg.matrix_rank", S),
    call("linalg.outer", V, W),
    call("linalg.pinv", A),
    call("linalg.slogdet", S),
    call("linalg.solve", S, S),
    call("linalg.solve", S[0], W),
    call("linalg.svdvals", A),
    call("linalg.trace", S, offset=-1),
    call("linalg.vector_norm", A, axis=(0, 1), keepdims=True, ord=3),
    call("linalg.vector_norm", A, ord=np.inf),
    # Fourier
    call("fft.fft", C, n=3, axis=1, norm="ortho"),
    call("fft.ifft", C),
    call("fft.rfft", A, axis=0),
    call("fft.irfft", C, n=5),
    call("fft.fftn", C, s=(2, 2), axes=(0, 2)),
    call("fft.rfftn", A),
    call("fft.hfft", V.astype(complex)),
    call("fft.ihfft", V),
    call("fft.fftfreq", 5, d=0.5),
    call("fft.rfftfreq", 6),
    call("fft.fftshift", A, axes=(0, 2)),
    call("fft.ifftshift", V),
]


def moved(value: Any, make: Any, dtype: Any) -> Any:
    """Arrays and dtypes as those of another namespace, in lists too."""
    if isinstance(value, np.ndarray):
        return make(value)
    if isinstance(value, list):
        return [moved(part, make, dtype) for part in value]
    return dtype(value) if isinstance(value, type) and issubclass(value, np.generic) else value


def found_in(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS)
@pytest.mark.filterwarnings("ignore")
def test_values(name: str, args: Any, kwargs: dict[str, Any]) -> None:
    def strict(value: Any) -> Any:
        return moved(value, xp.asarray, lambda dtype: getattr(xp, dtype.__name__))

    def ours(value: Any) -> Any:
        return moved(value, tg.Tensor, lambda dtype: dtype)

    expected = found_in(xp, name)(*map(strict, args), **{key: strict(value) for key, value in kwargs.items()})
    found = found_in(tg, name)(*map(ours, args), **{key: ours(value) for key, value in kwargs.items()})
    pairs = zip(*[list(r) if isinstance(r, (tuple, list)) else [r] for r in (found, expected)], strict=True)
    for f, e in pairs:
        assert isinstance(f, tg.Tensor)
        assert f.shape == e.shape
        assert f.dtype == np.asarray(e).dtype
        np.testing.assert_allclose(f.data, np.asarray(e), rtol=1e-5 if f.dtype == np.float32 else 1e-12, atol=1e-12)
