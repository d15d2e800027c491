"""No NumPy function drops a gradient without a word: applied to a Tensor that needs one, it keeps it or raises."""

from __future__ import annotations

import types
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError, GradientError

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
    with pytest.raises(
        DetachError, match=r"np\.histogram is not defined on Tensors.*@tg\.primitive.*detach\(\)\.numpy\(\)"
    ):
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


@pytest.mark.parametrize("option", [{"where": np.array([True, False])}, {"dtype": np.float32}])
def test_ufunc_options_that_a_rule_cannot_follow(option: dict[str, Any]) -> None:
    t = tg.tensor([1.0, 4.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"np\.sqrt on Tensors takes no \w+=.*np\.where.*astype"):
        np.sqrt(t, **option)


def test_nothing_is_replaced_in_place() -> None:
    t = tg.tensor([1.0, np.nan], requires_grad=True)
    assert np.nan_to_num(t, copy=False).tolist() == [1.0, 0.0]
    assert np.isnan(t.data[1])


@pytest.mark.parametrize("widths", [1, ((1, 1), (0, 0))])
def test_a_border_keeps_no_gradient_and_says_so(widths: Any) -> None:
    t = tg.tensor(2.0, requires_grad=True)
    with pytest.raises(GradientError, match="no gradient flows to constant_values"):
        np.pad(tg.zeros((2, 2)), widths, constant_values=t)


def test_filling_with_a_tensor_keeps_its_gradient() -> None:
    t = tg.tensor(2.0, requires_grad=True)
    (tg.full((2, 3), t).sum() + np.full_like(tg.zeros(5), t).sum()).backward()
    assert t.grad.item() == 11.0


def test_weights_and_places_of_quantiles_keep_theirs() -> None:
    x = tg.tensor(np.array([1.0, 4.0, 6.0]))
    q = tg.tensor(np.float64(0.75), requires_grad=True)
    w = tg.tensor(np.array([1.0, 2.0, 1.0]), requires_grad=True)
    np.quantile(x, q).backward()
    assert q.grad.item() == 4.0  # two steps of a half, from 4 to 6
    np.average(x, weights=w).backward()
    np.testing.assert_allclose(w.grad.data, (x.data - 3.75) / 4)
    np.cov(x, aweights=w).backward()
    assert np.any(w.grad.data != 0)
