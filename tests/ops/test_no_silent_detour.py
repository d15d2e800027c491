"""No NumPy function drops a gradient without a word: applied to a Tensor that needs one, it keeps it or raises."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd.registry import implementations
from tinygrad_opt.errors import DetachError, GradientError

SETTINGS = """errstate info printoptions save savetxt savez savez_compressed set_printoptions setbufsize seterr
    seterrcall show_config show_runtime test typename""".split()  # noqa: SIM905 - a table of names reads best so
"""Functions that change settings, write files or print."""

ARBITRARY = {"empty", "empty_like", "as_strided", "masked_all", "masked_all_like"}
"""Functions whose values are arbitrary; and as_strided, which reads memory that nobody owns if its arguments are
anything but right."""

MODULES = [np, np.linalg, np.fft, np.emath, np.lib.stride_tricks, np.lib.array_utils, np.ma, np.strings]
MODULES += [m for m in vars(np.polynomial).values() if isinstance(m, types.ModuleType)]
METHODS = ("reduce", "accumulate", "outer", "reduceat", "at")


def functions(module: types.ModuleType) -> dict[str, Any]:
    """The public functions of a module by name, and the methods of its ufuncs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    found = {n: f for n, f in found.items() if callable(f) and not isinstance(f, type) and n not in SETTINGS}
    for name, f in list(found.items()):
        if isinstance(f, np.ufunc):
            found |= {f"{name}.{method}": getattr(f, method) for method in METHODS}
    return {f"{module.__name__}.{name}": f for name, f in found.items() if name not in ARBITRARY}


def methods(make: Callable[[], Any], option: str | None = None) -> dict[str, Any]:
    """The public methods of a fresh object each time, which is returned too: it may have been written into.

    With an option the last argument is passed by that name.
    """
    kind, found = type(make()), {}
    for name in dir(kind):
        if name.startswith("_") or name in WITHOUT_VALUES or not callable(getattr(kind, name)):
            continue

        def method(*args: Any, name: str = name) -> Any:
            options = {option: args[-1]} if option else {}
            owner = make()
            bound = getattr(owner, name)
            return bound(*(args[:-1] if option else args), **options), owner

        method.__name__ = f"{kind.__name__}.{name}" + (f"({option}=)" if option else "")
        found[method.__name__] = method
    return found


WITHOUT_VALUES = {"dump", "dumps", "tofile", "resize", "setflags", "view", "getfield", "setfield", "spawn"}
"""Methods about an array's memory or files."""

ALL = {f: name for module in reversed(MODULES) for name, f in functions(module).items()}
OWNERS: list[Callable[[], Any]] = [
    lambda: np.array([0.5, 0.25]),
    lambda: np.float64(0.5),
    lambda: np.random.default_rng(0),
    lambda: np.random.RandomState(0),  # its methods are np.random's functions
]
ALL |= {f: name for make in OWNERS for name, f in methods(make).items()}
ALL |= {f: name for name, f in methods(OWNERS[0], "initial").items()}


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


@pytest.mark.parametrize("function", ALL, ids=ALL.get)
@pytest.mark.filterwarnings("ignore")
def test_gradient_is_kept_or_refused(function: Any) -> None:
    """Numbers without a gradient may come out only if they do not depend on the values that went in."""
    once, again = results(function, 1.0), results(function, 1.1)
    for number, (first, second) in enumerate(zip(once, again, strict=True)):
        for a, b in zip(first, second, strict=True):
            args = attempts(1.0)[number]
            assert np.array_equal(a, b, equal_nan=True), f"np.{function.__name__}{args} lost the gradient"


UNDEFINED = {f: name for f, name in ALL.items() if hasattr(f, "_implementation") and f not in implementations}


@pytest.mark.parametrize("function", UNDEFINED, ids=UNDEFINED.get)
def test_the_refusal_names_the_way(function: Any) -> None:
    """What NumPy would dispatch to us and we do not have raises, whatever its arguments."""
    t = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(DetachError, match=r"is not defined on Tensors.*@tg\.primitive.*detach\(\)\.numpy\(\)"):
        t.__array_function__(function, (tg.Tensor,), (t,), {})


MATHEMATICAL = {"numpy", "numpy.linalg", "numpy.fft", "numpy.lib.scimath"}
NOT_MATHEMATICS = {"busday_count", "busday_offset", "datetime_as_string", "is_busday"}


def test_whatever_is_mathematics_is_defined() -> None:
    """What remains undefined of numpy, np.linalg, np.fft and np.emath is about dates and files."""
    left = {f.__name__ for f in UNDEFINED if f.__module__ in MATHEMATICAL}
    assert left <= NOT_MATHEMATICS


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


@pytest.mark.parametrize("option", [{"where": np.array([True, False])}, {"dtype": np.float32}, {"casting": "no"}])
@pytest.mark.parametrize("module", [np, tg])
def test_ufunc_options_that_a_rule_cannot_follow(module: Any, option: dict[str, Any]) -> None:
    for t in (tg.tensor([1.0, 4.0], requires_grad=True), tg.tensor([1.0, 4.0])):
        with pytest.raises(TypeError, match=r"np\.sqrt on Tensors takes no \w+=.*np\.where.*astype"):
            module.sqrt(t, **option)
    with pytest.raises(TypeError, match=r"np\.matmul on Tensors takes no axes=.*np\.moveaxis"):
        np.matmul(tg.eye(2), tg.eye(2), axes=[(1, 0), (0, 1), (0, 1)])


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


@pytest.mark.parametrize("name", ["sum", "max", "cumsum", "exp", "round", "var", "nanstd", "nanmax", "median", "ptp"])
@pytest.mark.parametrize("module", [np, tg])
def test_nothing_is_written_into_an_array_on_the_side(module: Any, name: str) -> None:
    t = tg.tensor(np.array([0.5, 0.25]), requires_grad=True)
    buffer = np.full_like(getattr(np, name)(t.data), 7.0)
    with pytest.raises(DetachError, match=r"out=.*assign the result|Write a = a \+ t"):
        getattr(module, name)(t, out=buffer)
    assert np.all(buffer == 7.0)
