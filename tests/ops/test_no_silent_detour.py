"""No NumPy function drops a gradient without a word: applied to a Tensor that needs one, it keeps it or raises."""

from __future__ import annotations

import types
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError

SETTINGS = {
    "errstate",
    "info",
    "printoptions",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
    "set_printoptions",
    "setbufsize",
    "seterr",
    "seterrcall",
    "show_config",
    "show_runtime",
    "test",
    "typename",
}
"""Functions that change settings, write files or print."""

ARBITRARY = {"empty", "empty_like", "fromiter"}
"""Functions whose values are arbitrary; and fromiter, which calls float() on each element."""


def functions(module: types.ModuleType) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [(name, getattr(module, name)) for name in dir(module) if not name.startswith("_")]
    return [
        pytest.param(f, id=f"{module.__name__}.{name}")
        for name, f in found
        if callable(f) and not isinstance(f, type) and name not in SETTINGS
    ]


ALL = functions(np) + functions(np.linalg) + functions(np.fft)


def attempts(scale: float) -> list[tuple[Any, ...]]:
    """Argument lists of the usual kinds, each with at least one Tensor that requires a gradient."""
    vector = tg.tensor(np.array([0.5, 0.25, 0.75]) * scale, requires_grad=True)
    matrix = tg.tensor(np.array([[2.0, 0.5], [0.5, 1.0]]) * scale, requires_grad=True)
    single = tg.tensor(np.float64(0.5) * scale, requires_grad=True)
    plain = np.array([1, 2, 3])
    lists: list[tuple[Any, ...]] = []
    for t in (vector, matrix, single):
        lists += [(t,), (t, t), (t, 1), (1, t), (t, 0.5), ([t, t],), (t, t, t), (t, [1], 0), (lambda x: x, t)]
        lists += [(np.sum, 0, t), (t, plain), (plain, t), (plain, plain, t), (t, plain, plain), ((3,), t)]
    return lists


def detached(result: Any) -> list[Any]:
    """The real and complex numbers of a result that carry no gradient."""
    if isinstance(result, (tuple, list)):
        return [number for part in result for number in detached(part)]
    if isinstance(result, tg.Tensor):
        return [result.data] if result.dtype.kind in "fc" and not result.requires_grad else []
    if isinstance(result, (np.ndarray, np.generic)):
        return [result] if result.dtype.kind in "fc" else []
    return [result] if isinstance(result, (float, complex)) else []


def results(function: Any, scale: float) -> list[Any]:
    found = []
    for args in attempts(scale):
        try:
            with np.errstate(all="ignore"):
                found.append(detached(function(*args)))
        except Exception:
            found.append([])  # refusing, in whatever manner, is no silent detour
    return found


@pytest.mark.parametrize("function", ALL)
@pytest.mark.filterwarnings("ignore")
def test_gradient_is_kept_or_refused(function: Any) -> None:
    """Numbers without a gradient may come out only if they do not depend on the values that went in."""
    if function.__name__ in ARBITRARY:
        return
    once, again = results(function, 1.0), results(function, 1.1)
    for number, (first, second) in enumerate(zip(once, again, strict=True)):
        for a, b in zip(first, second, strict=True):
            args = attempts(1.0)[number]
            assert np.array_equal(a, b, equal_nan=True), f"np.{function.__name__}{args} lost the gradient"


def test_the_refusal_names_the_way() -> None:
    t = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(DetachError, match=r"np\.spacing|np\.\w+ is not defined on Tensors.*detach\(\)\.numpy\(\)"):
        np.apply_over_axes(np.sum, t, [0])
    with pytest.raises(DetachError, match=r"np\.histogram is not defined on Tensors"):
        np.histogram(t)
    with pytest.raises(DetachError, match=r"np\.add\.accumulate is not defined on Tensors"):
        np.add.accumulate(t)


@pytest.mark.filterwarnings("ignore")
def test_a_detour_is_found() -> None:
    def detour(t: tg.Tensor) -> Any:
        return np.sin(t.detach())

    with pytest.raises(AssertionError, match="lost the gradient"):
        test_gradient_is_kept_or_refused(detour)


def test_asking_writes_into_nothing() -> None:
    t = tg.tensor([1.0, 2.0])
    with pytest.raises(TypeError):
        np.isneginf(t, t)
    assert t.tolist() == [1.0, 2.0]
