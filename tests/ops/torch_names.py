"""PyTorch's names of elementwise functions, reductions and rearrangements, in terms of this package's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

Ours = Callable[..., Any]

SAME = {
    name: getattr(np, name)
    for name in """abs acos acosh add asin asinh atan atan2 atanh ceil copysign cos cosh cumprod cumsum deg2rad exp exp2
    expm1 fix float_power floor floor_divide fmax fmin fmod heaviside hypot log log10 log1p log2 logaddexp logaddexp2
    maximum minimum nextafter positive rad2deg real reciprocal remainder round sign sin sinc sinh sqrt square tan
    tanh trunc angle i0 vstack hstack dstack column_stack
    hsplit vsplit dsplit tril triu diag fliplr flipud ravel nansum nan_to_num outer kron
    """.split()  # noqa: SIM905 - a table of names reads best so
}


def axes(dim: Any) -> Any:
    return tuple(dim) if isinstance(dim, (list, tuple)) else dim


def reduce(function: Ours) -> Ours:
    """dim and keepdim as axis and keepdims; PyTorch's empty dim means all axes."""

    def run(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None, **more: Any) -> Any:
        dim = axes(dim)
        return function(x, axis=None if dim == () else dim, keepdims=keepdim, **more)

    return run


def spread(function: Ours) -> Ours:
    def run(x: Any, dim: Any = None, unbiased: Any = True, correction: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = int(bool(unbiased)) if correction is None else correction
        dim = axes(dim)
        return function(x, axis=None if dim == () else dim, ddof=ddof, keepdims=keepdim)

    return run


def along(function: Ours) -> Ours:
    return lambda x, dim, **_: function(x, axis=dim)


def scaled(function: Ours) -> Ours:
    return lambda a, b, alpha=1: function(a, b if alpha == 1 else alpha * b)


def divide(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is None:
        return a / b
    return np.trunc(a / b) if rounding_mode == "trunc" else np.floor_divide(a, b)


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, min, max)


def unpack(function: Ours) -> Ours:
    """Shapes and axes given one by one or as a tuple."""
    return lambda x, *args: function(x, args[0] if len(args) == 1 and not isinstance(args[0], int) else args)


def listed(function: Ours) -> Ours:
    return lambda *xs: function(*(xs[0] if isinstance(xs[0], (list, tuple)) else xs))


def quantile(function: Ours) -> Ours:
    def run(x: Any, q: Any, dim: Any = None, keepdim: bool = False, interpolation: str = "linear") -> Any:
        return function(x, q, axis=dim, keepdims=keepdim, method=interpolation)

    return run


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    return np.swapaxes(x, dim0, dim1) if x.ndim else x


def squeeze(x: Any, dim: Any = None) -> Any:
    if dim is None:
        return np.squeeze(x)
    dims = [dim] if isinstance(dim, int) else dim
    return np.squeeze(x, tuple(d for d in dims if x.ndim and x.shape[d] == 1))


def expand(x: Any, *shape: Any) -> Any:
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    padded = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, tuple(m if n == -1 else n for n, m in zip(shape, padded, strict=True)))


def repeat(x: Any, *times: Any) -> Any:
    return np.tile(x, times[0] if len(times) == 1 and not isinstance(times[0], int) else times)


def split_sizes(x: Any, sizes: Any, dim: int = 0) -> Any:
    if isinstance(sizes, int):
        return np.split(x, list(range(sizes, max(x.shape[dim], 1), sizes)), axis=dim)
    return np.split(x, list(np.cumsum(sizes)[:-1]), axis=dim)


def chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return split_sizes(x, -(-x.shape[dim] // chunks) or 1, dim)


def diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    return np.diff(x, n, dim, **{k: v for k, v in (("prepend", prepend), ("append", append)) if v is not None})


def pad(mode: str) -> Ours:
    def run(x: Any, widths: Any, mode: str = mode, value: Any = None) -> Any:
        pairs = [(0, 0)] * (x.ndim - len(widths) // 2)
        pairs += [(widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)]
        if any(n < 0 for pair in pairs for n in pair):
            raise pytest.skip.Exception("negative widths crop")
        name = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
        return np.pad(x, pairs, name, **({"constant_values": value} if value is not None else {}))

    return run


def gradient(x: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    dim = axes(dim)
    many = spacing if isinstance(spacing, (list, tuple)) else [1.0 if spacing is None else spacing]
    return np.gradient(x, *many, axis=dim, edge_order=edge_order)


def rolled(x: Any, shifts: Any, dims: Any = ()) -> Any:
    dims = (dims,) if isinstance(dims, int) else dims
    return np.roll(x, shifts, dims if dims else None)


def moved(x: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(x, source, destination)


def cov(x: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, dim: int = -1) -> Any:
    if isinstance(x, (int, float)):
        x, dx = None, x
    return np.trapezoid(y, x, dx, axis=dim)


def extreme(function: Ours, both: Ours) -> Ours:
    def run(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, tg.Tensor):
            return both(x, dim)
        return function(x) if dim is None else function(x, axis=dim, keepdims=keepdim)

    return run


TRANSLATED: dict[str, Ours] = SAME | {
    "sub": scaled(np.subtract),
    "rsub": lambda a, b, alpha=1: b - alpha * a,
    "add": scaled(np.add),
    "mul": np.multiply,
    "neg": np.negative,
    "div": divide,
    "true_divide": np.true_divide,
    "pow": np.power,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sgn": np.sign,
    "frac": lambda x: x - np.trunc(x),
    "round": lambda x, decimals=0: np.round(x, decimals),
    "lerp": lambda a, b, w: a + w * (b - a),
    "clamp": clamp,
    "clamp_min": lambda x, min: np.clip(x, min, None),
    "clamp_max": lambda x, max: np.clip(x, None, max),
    "sigmoid": tg.sigmoid,
    "logit": tg.logit,
    "erf": tg.erf,
    "erfc": tg.erfc,
    "erfinv": tg.erfinv,
    "lgamma": tg.lgamma,
    "digamma": tg.digamma,
    "polygamma": lambda x, n: tg.polygamma(n, x),
    "xlogy": tg.xlogy,
    "special.ndtr": tg.ndtr,
    "special.i1": tg.i1,
    "nn.functional.relu": tg.relu,
    "nn.functional.logsigmoid": tg.log_sigmoid,
    "softmax": lambda x, dim=None, dtype=None: tg.softmax(x if dtype is None else x.astype(dtype), axis=dim),
    "log_softmax": lambda x, dim=None, dtype=None: tg.log_softmax(x if dtype is None else x.astype(dtype), axis=dim),
    "logsumexp": lambda x, dim, keepdim=False: tg.logsumexp(x, axis=axes(dim), keepdims=keepdim),
    "logcumsumexp": lambda x, dim: tg.logcumsumexp(x, axis=dim),
    "cummax": lambda x, dim: tg.cummax(x, dim),
    "cummin": lambda x, dim: tg.cummin(x, dim),
    "cumsum": along(np.cumsum),
    "cumprod": along(np.cumprod),
    "sum": reduce(np.sum),
    "nansum": reduce(np.nansum),
    "mean": reduce(np.mean),
    "nanmean": reduce(np.nanmean),
    "prod": reduce(np.prod),
    "amax": reduce(np.max),
    "amin": reduce(np.min),
    "aminmax": lambda x, dim=None, keepdim=False: (
        np.min(x, axis=dim, keepdims=keepdim),
        np.max(x, axis=dim, keepdims=keepdim),
    ),
    "max": extreme(np.max, np.maximum),
    "min": extreme(np.min, np.minimum),
    "var": spread(np.var),
    "std": spread(np.std),
    "quantile": quantile(np.quantile),
    "nanquantile": quantile(np.nanquantile),
    "cov": cov,
    "corrcoef": np.corrcoef,
    "trapezoid": trapezoid,
    "trapz": trapezoid,
    "diff": diff,
    "gradient": gradient,
    "argmax": reduce(np.argmax),
    "argmin": reduce(np.argmin),
    "any": reduce(np.any),
    "all": reduce(np.all),
    "count_nonzero": lambda x, dim=None: np.count_nonzero(x, axis=axes(dim)),
    "reshape": unpack(np.reshape),
    "view": unpack(np.reshape),
    "permute": unpack(np.transpose),
    "transpose": transpose,
    "T": np.transpose,
    "mT": np.matrix_transpose,
    "t": np.transpose,
    "movedim": moved,
    "squeeze": squeeze,
    "atleast_1d": listed(np.atleast_1d),
    "atleast_2d": listed(np.atleast_2d),
    "atleast_3d": listed(np.atleast_3d),
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim),
    "flip": lambda x, dims: np.flip(x, axes(dims)),
    "roll": rolled,
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
    "broadcast_to": np.broadcast_to,
    "broadcast_tensors": np.broadcast_arrays,
    "expand": expand,
    "clone": lambda x, **_: np.copy(x),
    "cat": lambda arrays, dim=0: np.concatenate(arrays, axis=dim),
    "stack": lambda arrays, dim=0: np.stack(arrays, axis=dim),
    "unbind": lambda x, dim=0: np.unstack(x, axis=dim),
    "split": split_sizes,
    "split_with_sizes": split_sizes,
    "chunk": chunk,
    "tensor_split": lambda x, parts, dim=0: np.array_split(x, parts, axis=dim),
    "tile": lambda x, *dims: repeat(x, *dims),
    "repeat": repeat,
    "repeat_interleave": lambda x, repeats, dim=None, output_size=None: np.repeat(x, repeats, axis=dim),
    "meshgrid": lambda *xs, indexing="ij": np.meshgrid(
        *(xs[0] if isinstance(xs[0], (list, tuple)) else xs), indexing=indexing
    ),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "nn.functional.pad": pad("constant"),
    "constant_pad_nd": lambda x, widths, value=None: pad("constant")(x, widths, value=value),
    "where": lambda x, condition, y: np.where(condition, x, y),
    "conj": np.conjugate,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "isclose": np.isclose,
    "signbit": np.signbit,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "zeros_like": lambda x, **_: np.zeros_like(x),
    "ones_like": lambda x, **_: np.ones_like(x),
    "full_like": lambda x, value, **_: np.full_like(x, value),
    "__radd__": lambda x, y: y + x,
    "__rsub__": lambda x, y: y - x,
    "__rmul__": lambda x, y: y * x,
    "__rdiv__": lambda x, y: y / x,
    "__rmod__": lambda x, y: y % x,
    "__rpow__": lambda x, y: y**x,
}
