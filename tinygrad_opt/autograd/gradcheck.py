"""Checking gradient rules against finite differences, to first and to second order.

A rule is right when, for random directions, its vector-Jacobian product agrees with the central difference of the
function itself. The second order checks the gradient computation in the same manner, as a function of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import GradientError
from .grad import grad
from .tensor import Tensor, as_array

__all__ = ["gradcheck", "gradgradcheck"]


def gradcheck(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    *,
    order: int = 1,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    readonly_upstream: bool = False,
    rng: np.random.Generator | None = None,
) -> bool:
    """Compare the gradients of a function with central differences.

    Parameters
    ----------
    function : callable
        Takes Tensors, returns a Tensor or a tuple of Tensors.
    inputs : sequence
        Floating-point arrays and Tensors are differentiated, in float64; everything else is passed as it is.
    kwargs : dict, optional
        Options for the function.
    order : {1, 2}
        2 also checks the gradient of the gradient.
    eps : float
        Step of the central difference.
    atol, rtol : float
        A check passes when |analytic − numerical| ≤ atol + rtol · |numerical|, for every element of every input.
    readonly_upstream : bool
        Give the rules read-only arrays, so that one which writes into its arguments fails.
    rng : numpy.random.Generator, optional
        For the upstream gradients.

    Returns
    -------
    bool
        True; a disagreement raises.

    Raises
    ------
    GradientError
        Names the input, the element, and both values, and says from differences of other steps whether the rule is
        wrong, the step too small or too large, the dtype too coarse, or the function not smooth there.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> tg.autograd.gradcheck(lambda x: np.exp(x) / x, [tg.tensor([0.5, 2.0])], order=2)
    True
    """
    rng = rng or np.random.default_rng(0)
    arrays = [_as_float64(value) for value in inputs]
    places = [i for i, array in enumerate(arrays) if array is not None]
    if not places:
        raise GradientError("gradcheck: none of the inputs is a floating-point array, so there is nothing to check.")
    values: list[Any] = [arrays[i] for i in places]

    def run(*tensors: Tensor) -> tuple[Tensor, ...]:
        arguments = list(inputs)
        for place, tensor in zip(places, tensors, strict=True):
            arguments[place] = tensor
        out = function(*arguments, **(kwargs or {}))
        return tuple(part for whole in (out if isinstance(out, tuple) else (out,)) for part in _real_parts(whole))

    upstream = [rng.standard_normal(part.shape) for part in run(*map(Tensor, values))]
    if readonly_upstream:
        for array in upstream:
            array.flags.writeable = False
    _compare(run, values, upstream, eps, atol, rtol, f"gradcheck({_name(function)})")
    if order >= 2:

        def first(*tensors: Tensor) -> tuple[Tensor, ...]:
            leaves = [t if t.requires_grad else Tensor(t.data, requires_grad=True) for t in tensors]
            count = len(values)
            outputs = run(*leaves[:count])
            reached = [(o, u) for o, u in zip(outputs, leaves[count:], strict=True) if o.requires_grad]
            if not reached:
                return ()
            found = grad(
                [o for o, _ in reached],
                leaves[:count],
                [u for _, u in reached],
                create_graph=True,
                allow_unused=True,
            )
            return tuple(g for g in found if g is not None)

        together = values + [np.array(array) for array in upstream]
        second = [rng.standard_normal(part.shape) for part in first(*map(Tensor, together))]
        _compare(first, together, second, eps, atol, rtol, f"gradcheck({_name(function)}), second order")
    return True


def gradgradcheck(
    function: Callable[..., Any], inputs: Sequence[Any], kwargs: dict[str, Any] | None = None, **options: Any
) -> bool:
    """:func:`gradcheck` with ``order=2``."""
    return gradcheck(function, inputs, kwargs, order=2, **options)


def _as_float64(value: Any) -> np.ndarray[Any, Any] | None:
    if not isinstance(value, (np.ndarray, Tensor)):
        return None
    array = as_array(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else None


def _real_parts(whole: Any) -> tuple[Any, ...]:
    """An output as what can be compared with real differences: a complex one by its real and its imaginary part."""
    if not isinstance(whole, Tensor) or whole.dtype.kind not in "fc":
        return ()
    return (whole,) if whole.dtype.kind == "f" else (whole.real, whole.imag)


def _name(function: Any) -> str:
    return getattr(function, "__name__", repr(function))


def _compare(
    run: Callable[..., tuple[Tensor, ...]],
    values: list[Any],
    upstream: list[Any],
    eps: float,
    atol: float,
    rtol: float,
    what: str,
) -> None:
    """Check the vector-Jacobian product of `run` at `values` against central differences."""
    leaves = [Tensor(np.array(value), requires_grad=True) for value in values]
    outputs = run(*leaves)
    reached = [(o, u) for o, u in zip(outputs, upstream, strict=True) if o.requires_grad]
    if reached:
        analytic = grad([o for o, _ in reached], leaves, [u for _, u in reached], allow_unused=True)
    else:
        analytic = [None] * len(leaves)

    def total(arrays: list[Any]) -> float:
        return float(sum((np.sum(o.data * u) for o, u in zip(run(*map(Tensor, arrays)), upstream, strict=True)), 0.0))

    def difference(position: int, index: tuple[int, ...], step: float) -> float:
        moved = [np.array(v) for v in values]
        moved[position][index] = values[position][index] + step
        above = total(moved)
        moved[position][index] = values[position][index] - step
        return (above - total(moved)) / (2 * step)

    for position, value in enumerate(values):
        found = np.zeros(value.shape) if analytic[position] is None else analytic[position].data
        for index in np.ndindex(value.shape):
            numerical = difference(position, index, eps)
            if not abs(found[index] - numerical) <= atol + rtol * abs(numerical):
                raise GradientError(
                    f"{what}: input {position}, element {index}: the rule gives {found[index]:.8g}, "
                    f"the central difference {numerical:.8g} (value there: {value[index]:.8g}). "
                    + _advice(
                        float(found[index]),
                        {step: difference(position, index, step) for step in _SWEEP},
                        [output.dtype for output in outputs],
                        lambda a, b: abs(a - b) <= atol + rtol * abs(b),
                    )
                )


_SWEEP = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def _advice(
    found: float, differences: dict[float, float], dtypes: Sequence[Any], agree: Callable[[float, float], bool]
) -> str:
    """What differences of several steps say about a disagreement."""
    listed = ", ".join(f"{step:.0e}: {value:.6g}" for step, value in differences.items())
    text = f"Differences by step: {listed}. "
    coarse = [dtype for dtype in dtypes if dtype != np.float64]
    if coarse:
        return text + (
            f"The function computes in {coarse[0]}, so that they are mostly rounding: make everything in it float64 "
            f"(model.double(), no astype inside)."
        )
    steps, values = list(differences), list(differences.values())
    jumps = [abs(b - a) for a, b in itertools.pairwise(values)]
    best = int(np.argmin(jumps))
    if not agree(values[best], values[best + 1]):
        return text + "They do not settle: the function has a kink, a jump or a pole here. Check it at another value."
    if agree(found, values[best]):
        return text + f"They settle at what the rule gives: pass eps={steps[best]:.0e}."
    return text + f"They settle at {values[best]:.6g}, so the rule is wrong."
