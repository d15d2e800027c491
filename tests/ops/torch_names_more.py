"""PyTorch's names of linear algebra, transforms and indexing, in terms of this package's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.nn import functional as F

Ours = Callable[..., Any]


def norm(x: Any, p: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """torch.norm: of vectors over all axes unless told otherwise."""
    p = 2 if p is None else p
    if isinstance(p, str):
        axes = dim if isinstance(dim, int) else tuple(dim) if dim is not None else None
        if p == "fro":
            return tg.linalg.vector_norm(x, axis=axes, keepdims=keepdim)
        return tg.linalg.norm(x, p, (-2, -1) if axes is None else axes, keepdim)
    axes = tuple(dim) if isinstance(dim, (list, tuple)) else dim
    return tg.linalg.vector_norm(x, ord=p, axis=axes or None if isinstance(axes, tuple) else axes, keepdims=keepdim)


def linalg_norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if isinstance(dim, (list, tuple)):
        dim = tuple(dim) if len(dim) > 1 else dim[0]
    return tg.linalg.norm(x, ord, dim, keepdim)


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return tg.linalg.vector_norm(
        x, axis=tuple(dim) if isinstance(dim, (list, tuple)) else dim, keepdims=keepdim, ord=ord
    )


def matrix_norm(x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None) -> Any:
    return tg.linalg.norm(x, ord, tuple(dim), keepdim)


def transform(function: Ours) -> Ours:
    return lambda x, n=None, dim=-1, norm=None: function(x, n, dim, norm)


def transforms(function: Ours, default: Any = None) -> Ours:
    def run(x: Any, s: Any = None, dim: Any = default, norm: Any = None) -> Any:
        dim = (dim,) if isinstance(dim, int) else dim
        s = (s,) if isinstance(s, int) else s
        if s is not None and dim is None:
            dim = tuple(range(-len(s), 0))
        if s is not None:
            s = [x.shape[a] if n == -1 else n for n, a in zip(s, dim, strict=True)]
        return function(x, s, dim, norm)

    return run


def linear_in(function: Ours) -> Ours:
    """addmm and kin: beta · x + alpha · f(a, b)."""
    return lambda x, a, b, *, beta=1, alpha=1: beta * x + alpha * function(a, b)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    if x.ndim == 0:
        return np.copy(x), np.argsort(x)
    order = np.argsort(-x.data if descending else x.data, axis=dim, kind="stable")
    return tg.take_along_axis(x, order, dim), tg.as_tensor(order)


def kthvalue(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    if x.ndim == 0:
        return np.copy(x), np.argsort(x)
    places = np.take(np.argsort(x.data, axis=dim, kind="stable"), [k - 1], axis=dim)
    found = tg.take_along_axis(x, places, dim)
    return (found, tg.as_tensor(places)) if keepdim else (np.squeeze(found, dim), tg.as_tensor(places.squeeze(dim)))


def narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    start = int(start.data if isinstance(start, tg.Tensor) else start)
    start = start + x.shape[dim] if start < 0 else start
    return x[(*(slice(None),) * (dim % x.ndim), slice(start, start + length))]


def select(x: Any, dim: int, index: int) -> Any:
    return np.take(x, index, axis=dim)


def take_along(x: Any, indices: Any, dim: Any = None) -> Any:
    if dim is None:
        return tg.take_along_axis(x.reshape(-1), indices.reshape(-1), 0)
    return np.take_along_axis(x, indices, dim)


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return x.reshape(1)[:size]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, dimension)
    return windows[(*(slice(None),) * (dimension % x.ndim), slice(None, None, step))]


def masked(function: Ours, neutral: Any) -> Ours:
    def run(x: Any, dim: Any = None, *, mask: Any = None, keepdim: bool = False, dtype: Any = None, **more: Any) -> Any:
        dim = tuple(dim) if isinstance(dim, (list, tuple)) else dim
        x = x if mask is None else np.where(mask, x, neutral)
        return function(x, axis=None if dim == () else dim, keepdims=keepdim, **more)

    return run


def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    new = np.copy(x)
    index = tuple(indices)
    if accumulate:
        np.add.at(new, index, values)
    else:
        new[index] = values
    return new


def svd(a: Any, full_matrices: bool = True, driver: Any = None, some: Any = None, compute_uv: bool = True) -> Any:
    return tg.linalg.svd(a, full_matrices)


def qr(a: Any, mode: str = "reduced") -> Any:
    if mode == "r":
        return tg.zeros(0, a.dtype), tg.linalg.qr(a, mode)
    return tg.linalg.qr(a, mode)


def searchsorted(x: Any, v: Any, right: bool = False, side: Any = None, sorter: Any = None, **_: Any) -> Any:
    if x.ndim > 1:
        raise pytest.skip.Exception("NumPy searches vectors")
    return np.searchsorted(x, v, side or ("right" if right else "left"), sorter)


def solve(a: Any, b: Any, left: bool = True) -> Any:
    if b.ndim > 1 and b.shape == a.shape[:-1]:  # a stack of vectors, which NumPy takes for a matrix
        return np.squeeze(tg.linalg.solve(a, np.expand_dims(b, -1)), -1)
    if left:
        return tg.linalg.solve(a, b)
    return np.swapaxes(tg.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)), -1, -2)


def pinv(a: Any, b: Any = None, *, rtol: Any = None, hermitian: bool = False) -> Any:
    if isinstance(b, tg.Tensor):
        return tg.linalg.pinv(a @ np.matrix_transpose(b))
    return tg.linalg.pinv(a, b, hermitian, rtol=rtol)


def logdet(a: Any) -> Any:
    sign, log = tg.linalg.slogdet(a)
    if a.dtype.kind == "c":
        return np.log(sign) + log
    return np.where(sign.data < 0, np.nan, log)


TRANSLATED: dict[str, Ours] = {
    # linear algebra
    "matmul": np.matmul,
    "__rmatmul__": lambda a, b: b @ a,
    "mm": np.matmul,
    "bmm": np.matmul,
    "mv": np.matmul,
    "dot": np.dot,
    "vdot": np.vdot,
    "inner": np.inner,
    "ger": np.outer,
    "tensordot": lambda a, b, dims=2: np.tensordot(a, b, dims),
    "einsum": lambda operands, equation: np.einsum(equation, *operands),
    "addmm": linear_in(np.matmul),
    "addmv": linear_in(np.matmul),
    "addbmm": linear_in(lambda a, b: np.sum(a @ b, axis=0)),
    "baddbmm": linear_in(np.matmul),
    "addr": linear_in(np.outer),
    "addcmul": lambda x, a, b, *, value=1: x + value * a * b,
    "addcdiv": lambda x, a, b, *, value=1: x + value * (a / b),
    "cross": lambda a, b, dim=None: np.cross(
        a, b, axis=next(i for i, n in enumerate(a.shape) if n == 3) if dim is None else dim
    ),
    "linalg.cross": lambda a, b, dim=-1: tg.linalg.cross(*np.broadcast_arrays(a, b), axis=dim),
    "linalg.vecdot": lambda a, b, dim=-1: tg.linalg.vecdot(a, b, axis=dim),
    "trace": np.trace,
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
    "diagonal_copy": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diagonal_scatter": lambda x, src, offset=0, dim1=0, dim2=1: tg.diagonal_scatter(x, src, offset, dim1, dim2),
    "diag_embed": lambda x, offset=0, dim1=-2, dim2=-1: tg.diag_embed(x, offset, dim1, dim2),
    "linalg.inv": tg.linalg.inv,
    "inverse": tg.linalg.inv,
    "linalg.det": tg.linalg.det,
    "linalg.slogdet": tg.linalg.slogdet,
    "logdet": logdet,
    "linalg.solve": solve,
    "linalg.tensorinv": lambda a, ind=2: tg.linalg.tensorinv(a, ind),
    "linalg.tensorsolve": lambda a, b, dims=None: tg.linalg.tensorsolve(a, b, dims),
    "linalg.matrix_power": tg.linalg.matrix_power,
    "linalg.multi_dot": tg.linalg.multi_dot,
    "linalg.cholesky": lambda a, upper=False: tg.linalg.cholesky(a, upper=upper),
    "cholesky": lambda a, upper=False: tg.linalg.cholesky(a, upper=upper),
    "linalg.qr": qr,
    "linalg.svd": svd,
    "linalg.svdvals": lambda a, driver=None: tg.linalg.svdvals(a),
    "linalg.eigh": lambda a, UPLO="L": tg.linalg.eigh(a, UPLO),
    "linalg.eigvalsh": lambda a, UPLO="L": tg.linalg.eigvalsh(a, UPLO),
    "linalg.eig": lambda a: tuple(part.astype(complex) for part in tg.linalg.eig(a)),
    "linalg.eigvals": lambda a: tg.linalg.eigvals(a).astype(complex),
    "linalg.pinv": pinv,
    "pinverse": lambda a, rcond=1e-15: tg.linalg.pinv(a, rcond),
    "linalg.cond": lambda a, p=None: tg.linalg.cond(a, p),
    "linalg.norm": linalg_norm,
    "linalg.vector_norm": vector_norm,
    "linalg.matrix_norm": matrix_norm,
    "norm": norm,
    "linalg.vander": lambda x, N=None: np.stack([x**i for i in range(x.shape[-1] if N is None else N)], axis=-1),
    "matrix_exp": tg.linalg.expm,
    "block_diag": lambda *xs: _block_diag([np.atleast_2d(x) for x in xs]),
    "dist": lambda a, b, p=2: tg.linalg.vector_norm(a - b, ord=p),
    # Fourier transforms
    **{f"fft.{name}": transform(getattr(np.fft, name)) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{f"fft.{name}": transforms(getattr(np.fft, name), (-2, -1)) for name in ("fft2", "ifft2", "rfft2", "irfft2")},
    **{f"fft.{name}": transforms(getattr(np.fft, name)) for name in ("fftn", "ifftn", "rfftn", "irfftn")},
    "fft.fftshift": lambda x, dim=None: np.fft.fftshift(x, dim),
    "fft.ifftshift": lambda x, dim=None: np.fft.ifftshift(x, dim),
    # indexing, sorting, choosing
    "__getitem__": lambda x, index: x[index],
    "gather": lambda x, dim, index, sparse_grad=False: tg.gather(x, dim, index),
    "take_along_dim": take_along,
    "take": lambda x, index: np.take(x, index),
    "index_select": tg.index_select,
    "index_add": lambda x, dim, index, source, alpha=1: tg.index_add(x, dim, index, source, alpha=alpha),
    "index_copy": tg.index_copy,
    "index_fill": tg.index_fill,
    "index_put": index_put,
    "scatter": lambda x, dim, index, src: tg.scatter(x, dim, index, src),
    "scatter_add": tg.scatter_add,
    "masked_fill": tg.masked_fill,
    "masked_scatter": tg.masked_scatter,
    "masked_select": lambda x, mask: tg.masked_select(x, mask),
    "select": select,
    "narrow": narrow,
    "narrow_copy": narrow,
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[
        (*(slice(None),) * (dim % x.ndim), slice(start, end, step))
    ],
    "unfold": unfold,
    "sort": sort,
    "msort": lambda x: np.sort(x, axis=0),
    "argsort": lambda x, dim=-1, descending=False, stable=True: np.argsort(
        -x if descending else x, axis=dim, kind="stable"
    ),
    "topk": lambda x, k, dim=-1, largest=True, sorted=True: tg.topk(x, k, dim, largest),
    "kthvalue": kthvalue,
    "unique": lambda x, sorted=True, return_inverse=False, return_counts=False, dim=None: np.unique(
        x, False, return_inverse, return_counts, dim
    ),
    "argwhere": np.argwhere,
    "searchsorted": searchsorted,
    "bincount": np.bincount,
    "isin": lambda a, b, **options: np.isin(a, b),
    "flatten": lambda x, start_dim=0, end_dim=-1: F.flatten(x, start_dim, end_dim),
    "unflatten": lambda x, dim, sizes: x.reshape(*x.shape[: dim % x.ndim], *sizes, *x.shape[dim % x.ndim + 1 :]),
    "reshape_as": lambda x, other: np.reshape(x, other.shape),
    "view_as": lambda x, other: np.reshape(x, other.shape),
    "expand_as": lambda x, other: np.broadcast_to(x, other.shape),
    "std_mean": lambda x, *args, **options: (_spread(np.std)(x, *args, **options), _mean_beside(x, *args, **options)),
    "var_mean": lambda x, *args, **options: (_spread(np.var)(x, *args, **options), _mean_beside(x, *args, **options)),
    "cumulative_trapezoid": lambda y, x=None, dx=1.0, dim=-1: _running_trapezoid(y, x, dx, dim),
    "cartesian_prod": lambda *xs: (
        np.stack([g.reshape(-1) for g in np.meshgrid(*xs, indexing="ij")], -1) if len(xs) > 1 else xs[0]
    ),
    "imag": np.imag,
    "isreal": np.isreal,
    "isposinf": np.isposinf,
    "isneginf": np.isneginf,
    "ldexp": lambda x, y: x * np.exp2(y),
    "gcd": np.gcd,
    "lcm": np.lcm,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.bitwise_not,
    "conj_physical": np.conjugate,
    "contiguous": lambda x, **_: np.copy(x),
    "nanmedian": lambda x, dim=None, keepdim=False: np.nanquantile(x, 0.5, axis=dim, keepdims=keepdim, method="lower"),
    "median": lambda x, dim=None, keepdim=False: np.quantile(x, 0.5, axis=dim, keepdims=keepdim, method="lower"),
    "special.xlog1py": lambda x, y: tg.xlogy(x, 1 + y),
    "special.entr": lambda x: -tg.xlogy(x, x),
    "masked.sum": masked(np.sum, 0.0),
    "masked.prod": masked(np.prod, 1.0),
    "masked.amax": masked(np.max, -np.inf),
    "masked.amin": masked(np.min, np.inf),
    "double": lambda x, **_: x.astype(np.float64),
    "float": lambda x, **_: x.astype(np.float32),
    "mH": lambda x: np.conjugate(np.matrix_transpose(x)),
    "H": lambda x: np.conjugate(np.transpose(x)),
    "view_as_real": lambda z: np.stack([np.real(z), np.imag(z)], -1),
    "complex": lambda a, b: a + 1j * b,
    "polar": lambda r, a: r * np.exp(1j * a),
}


def _block_diag(blocks: Any) -> Any:
    height, width = sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)
    dtype = np.result_type(*[b.dtype for b in blocks])
    whole, row, column = tg.zeros((height, width), dtype), 0, 0
    for b in blocks:
        whole[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return whole


def _spread(function: Ours) -> Ours:
    def run(x: Any, dim: Any = None, unbiased: Any = True, correction: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = int(bool(unbiased)) if correction is None else correction
        dim = tuple(dim) if isinstance(dim, (list, tuple)) else dim
        return function(x, axis=None if dim == () else dim, ddof=ddof, keepdims=keepdim)

    return run


def _mean_beside(x: Any, dim: Any = None, unbiased: Any = True, correction: Any = None, keepdim: bool = False) -> Any:
    dim = None if isinstance(dim, bool) or dim == () else tuple(dim) if isinstance(dim, list) else dim
    return np.mean(x, axis=dim, keepdims=keepdim)


def _running_trapezoid(y: Any, x: Any, dx: Any, dim: int) -> Any:
    if isinstance(x, (int, float)):
        x, dx = None, x
    steps = dx if x is None else np.diff(x, axis=dim if x.ndim > 1 else -1)
    if x is not None and x.ndim == 1 and y.ndim > 1:
        steps = steps.reshape([-1 if i == dim % y.ndim else 1 for i in range(y.ndim)])
    a, b = np.split(y, [1], axis=dim)[1], np.split(y, [y.shape[dim] - 1], axis=dim)[0]
    return np.cumsum(steps * (a + b) / 2, axis=dim)
