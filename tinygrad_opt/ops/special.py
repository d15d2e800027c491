"""Special functions: the error function and its kin by approximations of our own, the gamma function by SciPy.

The approximations hold for every real x; the coefficients are Chebyshev interpolants computed in 50 digits.

====================  ==========================================  =====================
function              float64                                     float32
====================  ==========================================  =====================
erf                   5e-16 relative                              5e-7 relative
erfc                  1e-15 relative, for x < 26                  1e-7 relative, for x < 9
erfinv                1e-15 relative                              1e-7 relative
====================  ==========================================  =====================
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.primitive import primitive
from ..errors import missing_extra
from .constants import constant
from .samples import unary

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "i1", "lgamma", "ndtr", "polygamma"]

_BLOCK = 65536
_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

# erf(x) / x as a polynomial in x², |x| ≤ 1
_NEAR = (
    1.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
)

# (1 + 2x) exp(x²) erfc(x) as a polynomial in t = (x − 3.75) / (x + 3.75), x ≥ 0; the form is that of
# Shepherd and Laframboise (1981), Math. Comp. 36, 249-253.
_TAIL = (
    1.2375126308378275,
    -0.14024059858554697,
    0.0035854154854790257,
    0.0822767384901452,
    -0.10880393014244462,
    0.09230432116037748,
    -0.05869339857664934,
    0.028362277418956406,
    -0.009746579683265262,
    0.0017556258528952954,
    0.000293714378044958,
    -0.0002901540805408416,
    5.164652974177414e-05,
    2.2384239155081963e-05,
    -1.1438048033346861e-05,
    -9.735598967363171e-07,
    1.7419821586224437e-06,
    -5.7218230603734754e-08,
    -2.485712624801393e-07,
    2.3263508709216833e-08,
    3.197926671665624e-08,
    -3.744210081104865e-09,
    -2.6231073471313385e-09,
    3.11143338122798e-10,
)

# artanh(erf(x)) / x as a polynomial in x², |x| ≤ 4: for float32, where erf is 1 beyond
BEND = (
    1.1283792742965695,
    0.10276905585789461,
    -0.00019183090550680272,
    -0.0006197846039848137,
    8.763731782929198e-05,
    -5.668475592142562e-06,
    1.418522944385993e-07,
)
BEND_END = 4.4


def polynomial(coefficients: Sequence[float], t: Any) -> Any:
    """Σ cₖ tᵏ by Horner's rule."""
    *lower, one, last = [constant(coefficient, t.dtype) for coefficient in coefficients]
    total = t * last
    total += one
    for coefficient in reversed(lower):
        total *= t
        total += coefficient
    return total


def _minus_square_exp(x: Any) -> Any:
    """exp(−x²) to full relative accuracy: x² is split so that its rounding does not reach the exponent."""
    coarse = np.round(x * 16) / 16
    return np.exp(-coarse * coarse) * np.exp((coarse - x) * (coarse + x))


def _erfc_positive(x: Any) -> Any:
    x = np.minimum(x, 1e3)  # long before, erfc is 0
    t = (x - 3.75) / (x + 3.75)
    return _minus_square_exp(x) * polynomial(_TAIL, t) / (1 + 2 * x)


def _in_blocks(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Run an elementwise function on blocks that stay in the processor's cache through its many passes."""

    @functools.wraps(function)
    def run(x: Any) -> Any:
        if x.dtype.kind == "c":
            raise TypeError(f"{function.__name__[1:]} is computed for real numbers only, got {x.dtype}.")
        if x.size <= _BLOCK:
            return function(x)
        flat = x.reshape(-1)
        return np.concatenate([function(flat[i : i + _BLOCK]) for i in range(0, x.size, _BLOCK)]).reshape(x.shape)

    return run


@_in_blocks
def _erf(x: Any) -> Any:
    if x.dtype == np.float32:
        x = np.clip(x, -BEND_END, BEND_END)
        y = np.asarray(polynomial(BEND, x * x))  # not the scalar that an array without axes turns into
        y *= x
        return np.tanh(y, out=y)
    if x.dtype != np.float64:
        return _erf(x.astype(np.float32 if x.dtype == np.float16 else np.float64)).astype(_floating(x.dtype))
    size = np.abs(x)
    small = np.minimum(size, 1.0)
    near = small * polynomial(_NEAR, small * small)
    return np.copysign(np.where(size < 1, near, 1 - _erfc_positive(np.maximum(size, 1.0))), x)


@_in_blocks
def _erfc(x: Any) -> Any:
    if x.dtype != np.float64:
        return _erfc(x.astype(np.float64)).astype(_floating(x.dtype))
    size = np.abs(x)
    tail = _erfc_positive(size)
    return np.where(size < 0.5, 1 - _erf(x), np.where(x > 0, tail, 2 - tail))


@_in_blocks
def _erfinv(x: Any) -> Any:
    """A first guess by Winitzki (2008), then Halley's method on erf or, near ±1, on erfc."""
    if x.dtype != np.float64:
        return _erfinv(x.astype(np.float64)).astype(_floating(x.dtype))
    p = np.abs(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log1p(-p * p)
        a = 2 / (math.pi * 0.147) + log / 2
        y = np.sqrt(np.sqrt(a * a - log / 0.147) - a)
        for _ in range(3):
            error = np.where(p < 0.5, _erf(y) - p, (1 - p) - _erfc(y))
            step = error / (_TWO_OVER_ROOT_PI * np.exp(-y * y))
            y = y - step / (1 + y * step)
        y = np.where(p < 1, y, np.where(p == 1, np.inf, np.nan))
    return np.copysign(y, x)


def _floating(dtype: Any) -> Any:
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


erf = primitive(
    _erf,
    name="erf",
    vjp=[lambda g, _y, x: g * (_TWO_OVER_ROOT_PI * np.exp(-x * x))],
    formula="erf(x)",
    gradient=["g · 2/√π · exp(−x²)"],
    samples=unary(),
)
erfc = primitive(
    _erfc,
    name="erfc",
    vjp=[lambda g, _y, x: g * (-_TWO_OVER_ROOT_PI * np.exp(-x * x))],
    formula="1 − erf(x)",
    gradient=["−g · 2/√π · exp(−x²)"],
    samples=unary(),
)
erfinv = primitive(
    _erfinv,
    name="erfinv",
    vjp=[lambda g, y, _x: g * (np.exp(y * y) / _TWO_OVER_ROOT_PI)],
    formula="erf⁻¹(x)",
    gradient=["g · √π/2 · exp(y²)"],
    samples=unary(-0.9, 0.9),
)


def ndtr(x: Any) -> Any:
    """The normal distribution function Φ(x) = ½ erfc(−x/√2)."""
    return 0.5 * erfc(x * (-1 / math.sqrt(2.0)))


def _scipy() -> Any:
    try:
        import scipy.special
    except ImportError:
        raise missing_extra("scipy", "scipy", "the gamma and Bessel functions") from None
    return scipy.special


def _by_scipy(name: str, x: Any) -> Any:
    """SciPy's function, in float16 where x is: SciPy goes over to float64."""
    out = getattr(_scipy(), name)(x)
    return out.astype(x.dtype) if x.dtype == np.float16 else out


@primitive(
    vjp=[lambda g, _y, x: g * polygamma(1, x)],
    formula="ψ(x)",
    gradient=["g · ψ′(x)"],
    samples=unary(0.5, 3.0),
)
def digamma(x: Any) -> Any:
    """ψ(x), the derivative of ln Γ(x)."""
    return _by_scipy("digamma", x)


@primitive(
    arrays=1,
    formula="ψ⁽ⁿ⁾(x)",
    gradient=["g · ψ⁽ⁿ⁺¹⁾(x)"],
    samples=lambda rng: [(rng.uniform(0.5, 3.0, (2, 3)), 1), (np.asarray(1.5), 2), (np.zeros(0), 1)],
)
def polygamma_of(x: Any, n: int) -> Any:
    """The n-th derivative of ψ at x."""
    return _scipy().polygamma(n, x).astype(_floating(x.dtype))


@polygamma_of.vjp(0)
def _(g: Any, _y: Any, x: Any, n: int) -> Any:
    return g * polygamma(n + 1, x)


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of the digamma function, ψ⁽ⁿ⁾(x)."""
    return polygamma_of(x, n)


@primitive(vjp=[lambda g, _y, x: g * digamma(x)], formula="ln |Γ(x)|", gradient=["g · ψ(x)"], samples=unary(0.5, 3.0))
def lgamma(x: Any) -> Any:
    """The logarithm of |Γ(x)|."""
    return _by_scipy("gammaln", np.where(x == -np.inf, np.inf, x))  # as C and PyTorch have it


@primitive(numpy=np.i0, formula="I₀(x)", gradient=["g · I₁(x)"], samples=unary())
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind, order 0."""
    return _by_scipy("i0", x)


@i0.vjp(0)
def _(g: Any, _y: Any, x: Any) -> Any:
    return g * i1(x)


@primitive(formula="I₁(x)", gradient=["g · (I₀(x) − I₁(x) / x), g / 2 at 0"], samples=unary(0.5, 2.0))
def i1(x: Any) -> Any:
    """The modified Bessel function of the first kind, order 1."""
    return _by_scipy("i1", x)


@i1.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * np.where(x == 0, 0.5, np.i0(x) - y / np.where(x == 0, 1.0, x))
