"""Each function gives what NumPy gives, as tg.f, np.f and method alike, with a right gradient to second order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.autograd.registry import implementations

RNG = np.random.default_rng(0)
X = RNG.uniform(0.3, 2.0, (2, 3))
Y = RNG.uniform(0.3, 2.0, (2, 3))
V = RNG.uniform(-2.0, 2.0, 5)
W = RNG.uniform(0.5, 1.5, 5)
CUBE = RNG.uniform(-2.0, 2.0, (2, 3, 4))
ODD = np.array([1.5, -0.5, 2.25, 0.75, -1.75])
HOLES = np.array([[1.0, np.nan, 3.0, 0.5], [np.nan, 2.0, -1.0, 4.0]])
MASK = np.array([True, False, True])
WEIGHTS = np.array([1.0, 2.0, 3.0])


def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


# fmt: off
DIFFERENTIABLE: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    # elementwise
    "add": [call(X, Y), call(X, 2), call(1.5, X[0])], "subtract": [call(X, Y), call(1, X)],
    "multiply": [call(X, Y[0]), call(2, X)], "divide": [call(X, Y), call(X, 3), call(1.0, X)],
    "true_divide": [call(X, Y)], "floor_divide": [call(X, Y)], "remainder": [call(V, W)], "mod": [call(V, 0.7)],
    "fmod": [call(V, W)], "divmod": [call(V, W)], "modf": [call(ODD)], "frexp": [call(V)],
    "ldexp": [call(V, np.arange(5))], "negative": [call(X)], "positive": [call(X)], "absolute": [call(V)],
    "abs": [call(V)], "fabs": [call(V)], "sign": [call(V)], "reciprocal": [call(X)], "sqrt": [call(X)],
    "cbrt": [call(V)], "square": [call(V)], "power": [call(X, Y), call(V, 2), call(X, 0.5), call(2.0, V), call(V, 3)],
    "pow": [call(X, Y)], "float_power": [call(X, Y), call(X, 2)], "hypot": [call(X, Y)], "exp": [call(V)],
    "exp2": [call(V)], "expm1": [call(V)], "log": [call(X)], "log2": [call(X)], "log10": [call(X)],
    "log1p": [call(X)], "logaddexp": [call(V, W)], "logaddexp2": [call(V, W)], "sin": [call(V)], "cos": [call(V)],
    "tan": [call(X * 0.6)],
    "arcsin": [call(V / 3)], "arccos": [call(V / 3)], "arctan": [call(V)], "asin": [call(V / 3)],
    "acos": [call(V / 3)], "atan": [call(V)], "arctan2": [call(V, W)], "atan2": [call(V, W)], "sinh": [call(V)],
    "cosh": [call(V)], "tanh": [call(V)], "arcsinh": [call(V)], "arccosh": [call(W + 1)], "arctanh": [call(V / 3)],
    "asinh": [call(V)], "acosh": [call(W + 1)], "atanh": [call(V / 3)], "sinc": [call(V)], "deg2rad": [call(V)],
    "rad2deg": [call(V)], "radians": [call(V)], "degrees": [call(V)], "i0": [call(V)], "unwrap": [call(V * 4)],
    "maximum": [call(X, Y), call(V, 0)], "minimum": [call(X, Y)], "fmax": [call(X, Y)], "fmin": [call(X, Y)],
    "clip": [call(V, -1, 1), call(V, None, 0.5), call(V, a_min=0.1, a_max=None), call(V, min=-0.5), call(X, Y, 1.5)],
    "floor": [call(V)], "ceil": [call(V)], "trunc": [call(V)], "rint": [call(V)], "fix": [call(V)],
    "round": [call(V), call(V, 1), call(V, decimals=1)], "around": [call(V, 2)], "heaviside": [call(V, W)],
    "copysign": [call(V, -W)], "nextafter": [call(V, W)], "spacing": [call(V)], "real": [call(V)], "imag": [call(V)],
    "conjugate": [call(V)], "conj": [call(V)], "angle": [call(V), call(V, deg=True)],
    "nan_to_num": [call(HOLES), call(HOLES, nan=2.0)],
    # reductions
    "sum": [call(CUBE), call(CUBE, 1), call(CUBE, axis=(0, -1), keepdims=True), call(X, axis=1, where=MASK),
            call(X, 1, initial=2.0)],
    "prod": [call(CUBE, 1), call(CUBE, axis=(0, 2)), call(X, where=MASK)],
    "mean": [call(CUBE), call(CUBE, -1), call(CUBE, (0, 1), keepdims=True), call(X, axis=1, where=MASK)],
    "var": [call(CUBE), call(X, axis=0, mean=Y[:1]),
            call(CUBE, axis=1, ddof=1), call(CUBE, axis=(0, 2), keepdims=True), call(X, correction=1)],
    "std": [call(CUBE), call(X, axis=1, mean=Y[:, :1], where=MASK),
            call(CUBE, axis=1, ddof=1), call(X, axis=1, where=MASK)],
    "max": [call(CUBE), call(CUBE, 1), call(CUBE, axis=(0, 2), keepdims=True), call(X, initial=0.0, where=MASK)],
    "min": [call(CUBE), call(CUBE, -1)], "amax": [call(CUBE, 0)], "amin": [call(CUBE, 0)],
    "ptp": [call(V), call(CUBE, axis=1), call(CUBE, axis=(0, 1), keepdims=True)],
    "median": [call(V), call(CUBE, axis=1), call(CUBE, axis=(0, 2), keepdims=True)],
    "quantile": [call(V, 0.3), call(CUBE, [0.1, 0.5], axis=1), call(CUBE, 0.7, axis=(0, 1), keepdims=True)]
    + [call(V, [0.0, 0.33, 1.0], method=m) for m in (
        "lower", "higher", "nearest", "midpoint", "hazen",
        "weibull", "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf",
        "inverted_cdf", "averaged_inverted_cdf", "closest_observation")]
    + [call(V, [0.2, 0.8], method="inverted_cdf", weights=W), call(X, 0.4, axis=1, method="inverted_cdf", weights=Y)],
    "percentile": [call(V, 30), call(CUBE, [10, 90], axis=-1)],
    "nanmedian": [call(HOLES), call(HOLES, axis=0), call(HOLES, axis=1)],
    "nanquantile": [call(HOLES, [0.2, 0.6], axis=1)], "nanpercentile": [call(HOLES, 40)],
    "nansum": [call(HOLES), call(HOLES, axis=0)], "nanprod": [call(HOLES, axis=1)], "nanmean": [call(HOLES, axis=1)],
    "nanvar": [call(HOLES), call(HOLES, mean=np.ones((1, 1))), call(HOLES, axis=1, ddof=1)],
    "nanstd": [call(HOLES, axis=1)],
    "nanmax": [call(HOLES), call(HOLES, axis=0)], "nanmin": [call(HOLES, axis=1, keepdims=True)],
    "nancumsum": [call(HOLES), call(HOLES, axis=1)], "nancumprod": [call(HOLES, axis=1)],
    "cumsum": [call(CUBE), call(CUBE, 1)], "cumprod": [call(V), call(CUBE, axis=-1)],
    "cumulative_sum": [call(V), call(CUBE, axis=1, include_initial=True)],
    "cumulative_prod": [call(V), call(CUBE, axis=0, include_initial=True)],
    "average": [call(V), call(V, weights=W), call(CUBE, axis=1, weights=WEIGHTS), call(X, weights=Y, axis=0),
                call(CUBE, axis=(2, 1), weights=RNG.uniform(1, 2, (4, 3)), keepdims=True),
                call(V, weights=W, returned=True), call(X, axis=1, weights=[0.1, 0.2, 0.7])],
    "cov": [call(X), call(CUBE[0]), call(CUBE[0], rowvar=False), call(V, W), call(CUBE[0], ddof=0),
            call(CUBE[0], fweights=np.array([1, 2, 1, 3]), aweights=np.array([1.0, 0.5, 2.0, 1.0]))],
    "corrcoef": [call(CUBE[0]), call(V, W)],
    "trapezoid": [call(V), call(V, [0.1, 0.2, 0.4, 0.7, 1.1]), call(V, dx=0.5), call(V, np.cumsum(W)),
                  call(CUBE, axis=1), call(CUBE, WEIGHTS, axis=1)],
    "diff": [call(V), call(V, 2), call(CUBE, axis=0), call(X, prepend=1.0, append=Y)],
    "ediff1d": [call(X, 1.0, [2.0, 3.0])],
    "gradient": [call(V), call(V, 0.5), call(V, np.cumsum(W)), call(CUBE[0]), call(V, edge_order=2),
                 call(CUBE, axis=1), call(CUBE[0], 2.0, np.cumsum(W[:4]))],
    "polyval": [call(WEIGHTS, V)],
    # shapes
    "reshape": [call(X, (3, 2)), call(X, -1), call(X, (3, 2), order="F"), call(X.T, (3, -1))],
    "ravel": [call(X), call(X, order="F")], "transpose": [call(CUBE), call(CUBE, (1, -1, 0))],
    "permute_dims": [call(CUBE, (1, 2, 0))], "matrix_transpose": [call(CUBE)], "swapaxes": [call(CUBE, 0, -1)],
    "moveaxis": [call(CUBE, 0, -1), call(CUBE, (0, 1), (-1, 0))],
    "rollaxis": [call(CUBE, 2), call(CUBE, 0, 2), call(CUBE, 1, 3)],
    "expand_dims": [call(X, 1), call(X, (0, -1))], "squeeze": [call(X[:1]), call(CUBE[:1], axis=0)],
    "broadcast_to": [call(X, (2, 2, 3))], "broadcast_arrays": [call(X, V[:3], V[:1])],
    "flip": [call(CUBE), call(CUBE, 1), call(CUBE, axis=(0, -1))], "flipud": [call(X)], "fliplr": [call(X)],
    "rot90": [call(X), call(X, 2), call(X, -1), call(CUBE, 1, (1, 2)), call(X, 4)],
    "roll": [call(X, 2), call(X, -1, 0), call(CUBE, (1, 2), axis=(0, 2))], "copy": [call(X)],
    "atleast_1d": [call(np.array(2.0)), call(X, np.array(1.0))], "atleast_2d": [call(V), call(CUBE)],
    "atleast_3d": [call(V), call(X), call(CUBE)], "astype": [call(X, np.float64)],
    # joining and splitting
    "concatenate": [call([X, Y]), call([X, Y], axis=-1), call([X, V], axis=None)], "concat": [call([X, Y], axis=1)],
    "stack": [call([X, Y]), call([X, Y], axis=-1)], "vstack": [call([V, W]), call([X, Y])],
    "hstack": [call([V, W]), call([X, Y])], "dstack": [call([V, W]), call([X, Y])],
    "column_stack": [call([V, W]), call([X, Y])], "append": [call(X, V), call(V, [0.1, 0.2]), call(X, Y, axis=0)],
    "block": [call([[X, Y], [Y, X]]), call([V, W]), call([[X], [Y]]), call([[X, np.array([[1.0], [2.0]])]])],
    "split": [call(CUBE, 2, axis=2), call(V, [1, 3]), call(V, [3, 2, 7])],
    "array_split": [call(V, 3), call(CUBE, 2, 1)],
    "vsplit": [call(X, 2)], "hsplit": [call(X, 3), call(V, 5)], "dsplit": [call(CUBE, 2)],
    "unstack": [call(CUBE, axis=1)], "delete": [call(V, 1), call(X, [0, 2], axis=1), call(V, slice(1, 3)), call(V, -1)],
    "insert": [call(V, 1, 9.0), call(X, 1, 2.0, axis=1), call(V, [0, 2], [1.0, 2.0]), call(X, 0, V[:2], axis=1),
               call(V, [1, 3], 4.0), call(V, -1, 4.0), call(V, 2, [7.0, 8.0]), call(X, [1], Y[:, :1], axis=1)],
    "linspace": [call(X, Y, 4), call(V, 2.0, 3, endpoint=False, axis=-1), call(1.0, W, 3, retstep=True)],
    "logspace": [call(0.3, W, 4), call(V, 1.2, 3, endpoint=False, base=2.0, axis=-1), call(0.1, 1.2, 3, True, W)],
    "geomspace": [call(0.3, np.abs(W), 4), call(-np.abs(V), -9.0, 3, endpoint=False, axis=-1)],
    "tile": [call(X, 2), call(X, (2, 1, 2)), call(V, (2, 2)), call(CUBE, (1, 2))],
    "repeat": [call(X, 2), call(X, 2, axis=0), call(X, [1, 2], axis=0), call(V, [0, 1, 2, 0, 1])],
    "resize": [call(X, (4, 2)), call(X, 3)],
    "meshgrid": [call(V, W), call(V, W[:2], indexing="ij"), call(V, W, sparse=True)],
    # diagonals and borders
    "diagonal": [call(X), call(CUBE, 1, 1, 2), call(CUBE, axis1=-1, axis2=0)],
    "diag": [call(V), call(V, 2), call(X, -1)],
    "diagflat": [call(X), call(X, 1)], "tril": [call(CUBE), call(X, 1)], "triu": [call(CUBE, -1), call(X)],
    "vander": [call(V), call(V, 3, increasing=True)],
    "pad": [call(X, 1), call(X, ((0, 1), (2, 0))), call(X, (1, 2), constant_values=3.0),
            call(X, ((1, 1), (2, 0)), constant_values=((1.0, 2.0), (3.0, 4.0))), call(X, {1: (1, 2)}),
            call(X, ((1, 3), (2, 4)), "linear_ramp", end_values=((0.0, 1.0), (2.0, 3.0))),
            call(X, ((1, 0), (2, 1)), "mean", stat_length=2), call(V, 3, "reflect", reflect_type="odd"),
            call(V, (2, 7), "symmetric", reflect_type="odd"), call(V, (9, 2), "reflect", reflect_type="odd")]
    + [call(X, ((1, 3), (2, 4)), m) for m in ("edge", "reflect", "symmetric", "wrap")]
    + [call(X, ((1, 3), (2, 4)), m) for m in ("maximum", "minimum", "mean", "median")],
}

PLAIN: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "equal": [call(X, Y)], "not_equal": [call(X, Y)], "less": [call(X, Y)], "less_equal": [call(X, 1.0)],
    "greater": [call(X, Y)], "greater_equal": [call(X, Y)], "logical_and": [call(X, Y)], "logical_or": [call(X, Y)],
    "logical_xor": [call(X, Y)], "logical_not": [call(X)], "bitwise_and": [call(np.arange(4), 2)],
    "bitwise_or": [call(np.arange(4), 2)], "bitwise_xor": [call(np.arange(4), 2)], "invert": [call(np.arange(4))],
    "left_shift": [call(np.arange(4), 2)], "right_shift": [call(np.arange(9), 2)], "gcd": [call(np.arange(9), 6)],
    "lcm": [call(np.arange(9), 6)], "bitwise_count": [call(np.arange(9))], "isnan": [call(HOLES)],
    "isinf": [call(HOLES)], "isfinite": [call(HOLES)], "signbit": [call(V)], "isclose": [call(X, Y, atol=0.5)],
    "allclose": [call(X, X)], "array_equal": [call(X, Y)], "array_equiv": [call(X, X)], "isneginf": [call(V)],
    "isposinf": [call(V)], "isreal": [call(V)], "iscomplex": [call(V)], "isin": [call(V, V[:2])],
    "argmax": [call(CUBE), call(CUBE, 1), call(CUBE, axis=-1, keepdims=True)], "argmin": [call(CUBE, 0)],
    "nanargmax": [call(HOLES, 1)], "nanargmin": [call(HOLES)], "any": [call(X > 1), call(X > 1, axis=0)],
    "all": [call(X > 1, axis=(0, 1), keepdims=True)], "count_nonzero": [call(X), call(X > 1, axis=1)],
    "trim_zeros": [call(np.array([0.0, 0, 1, 2, 0, 3, 0])), call(np.array([0.0, 1, 0]), "f")],
    "ix_": [call(np.arange(2), np.array([True, False, True]))],
    "zeros_like": [call(X), call(X, np.float32)], "ones_like": [call(X, shape=(3,))], "full_like": [call(X, 2.5)],
}
# fmt: on

CALLS = [(name, i) for name, calls in DIFFERENTIABLE.items() for i in range(len(calls))]
PLAIN_CALLS = [(name, i) for name, calls in PLAIN.items() for i in range(len(calls))]


def as_tensors(value: Any, requires_grad: bool = False) -> Any:
    """Arrays as Tensors, in lists too; float arrays may ask for a gradient."""
    if isinstance(value, np.ndarray):
        return tg.Tensor(value, requires_grad=requires_grad and value.dtype.kind == "f")
    if isinstance(value, list) and any(isinstance(part, (np.ndarray, list)) for part in value):
        return [as_tensors(part, requires_grad) for part in value]
    return value


def flat(result: Any) -> list[Any]:
    return [part for item in result for part in flat(item)] if isinstance(result, (tuple, list)) else [result]


def same(found: Any, expected: Any) -> None:
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        if isinstance(a, tg.Tensor):
            a = a.data
            assert a.dtype == np.asarray(b).dtype
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "i"), CALLS + PLAIN_CALLS)
def test_value_and_spellings(name: str, i: int) -> None:
    args, kwargs = (DIFFERENTIABLE | PLAIN)[name][i]
    function = getattr(np, name)
    expected = function(*args, **kwargs)
    tensors = [as_tensors(arg) for arg in args]
    same(getattr(tg, name)(*tensors, **kwargs), expected)
    same(function(*tensors, **kwargs), expected)
    if isinstance(tensors[0], tg.Tensor) and hasattr(np.ndarray, name) and hasattr(tg.Tensor, name):
        method = getattr(tensors[0], name)
        if callable(method) and "order" not in kwargs:  # real and imag are attributes
            same(method(*tensors[1:], **kwargs), expected)


@pytest.mark.parametrize(("name", "i"), CALLS)
def test_gradient(name: str, i: int) -> None:
    args, kwargs = DIFFERENTIABLE[name][i]
    if any(np.isnan(arg).any() for arg in args if isinstance(arg, np.ndarray)):
        args = tuple(np.where(np.isnan(arg), [[0.1], [0.2]], arg) if arg is HOLES else arg for arg in args)
    arrays = [part for part in _arrays(args) if part.dtype.kind == "f"]

    def run(*leaves: tg.Tensor) -> Any:
        stream = iter(leaves)
        out = getattr(np, name)(*[_refilled(arg, stream) for arg in args], **kwargs)
        return tuple(flat(out))

    assert gradcheck(run, arrays, order=2)


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [a for part in value for a in _arrays(part)] if isinstance(value, (list, tuple)) else []


def _refilled(value: Any, stream: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return next(stream)
    if isinstance(value, list) and any(isinstance(part, (np.ndarray, list)) for part in value):
        return [_refilled(part, stream) for part in value]
    return value


IN_DOUBLE = {"cov", "corrcoef", "i0", "quantile", "percentile", "nanquantile", "nanpercentile", "astype", "float_power"}
IN_DOUBLE |= {"geomspace"}
"""What NumPy computes in float64, or returns as such beside a list of quantiles; here the dtype is the Tensor's."""


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_dtype_is_numpys(name: str, dtype: Any) -> None:
    def narrow(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            return value.astype(dtype)
        return [narrow(part) for part in value] if isinstance(value, list) else value

    args, kwargs = DIFFERENTIABLE[name][0]
    args = tuple(narrow(arg) for arg in args)
    if name in IN_DOUBLE:
        return
    expected = flat(getattr(np, name)(*args, **kwargs))
    leaves = [as_tensors(arg, requires_grad=True) for arg in args]
    found = flat(getattr(np, name)(*leaves, **kwargs))
    assert [f.dtype for f in found] == [np.asarray(e).dtype for e in expected]
    for part in found:
        if part.requires_grad:
            part.backward(np.ones(part.shape, part.dtype), retain_graph=True)
    for leaf in flat(leaves):
        if isinstance(leaf, tg.Tensor) and leaf.grad is not None:
            assert leaf.grad.dtype == dtype


@pytest.mark.parametrize(
    "name", ["add", "multiply", "maximum", "sum", "prod", "max", "cumsum", "clip", "abs", "negative"]
)
def test_integers_take_part(name: str) -> None:
    whole = np.array([[3, -1, 2], [0, 5, -4]])
    args: tuple[Any, ...] = {"clip": (whole, -1, None)}.get(name, (whole,))
    args = (whole, 2) if name in ("add", "multiply", "maximum") else args
    same(getattr(np, name)(*map(as_tensors, args)), getattr(np, name)(*args))


def test_bool_and_float_together() -> None:
    x = tg.Tensor(X, requires_grad=True)
    (x * (x.data > 1)).sum().backward()
    same(x.grad, (X > 1).astype(float))


def test_every_numpy_function_of_ours_is_compared() -> None:
    """A function that answers for one of NumPy's is in a table above, or in another family's test."""
    here = {getattr(np, name) for name in DIFFERENTIABLE | PLAIN} | {np._core.umath.clip}  # clip's other self
    ours = {
        function
        for function, ours in implementations.items()
        if not isinstance(function, str) and _module(ours).split(".")[-1] in FAMILIES
    }
    missing = {f.__name__ for f in ours - here} - ELSEWHERE
    assert not missing


FAMILIES = {
    "accumulation", "activation", "arithmetic", "comparison", "complex", "creation", "diagonals", "differences",
    "exponential", "joining", "nan_functions", "padding", "quantiles", "reduction", "repetition", "rounding",
    "shape", "special", "splitting", "statistics", "trigonometric", "umath", "numeric", "fromnumeric",
}  # fmt: skip
ELSEWHERE = {"diagonal", "empty_like", "matrix_transpose", "real_if_close"}
"""empty_like has arbitrary values, real_if_close is with the complex functions; the others are np.linalg's."""


def _module(function: Any) -> str:
    return getattr(getattr(function, "forward", function), "__module__", "") or ""
