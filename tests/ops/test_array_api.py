"""The array API standard, as its strict reference has it: names, keywords, and the values of elementwise functions.

The standard's own test-suite is another project; this compares with the package array_api_strict, where installed.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError

xp: Any = pytest.importorskip("array_api_strict")

DTYPES = ("bool", "int8", "uint16", "int64", "float32", "float64", "complex64", "complex128")


def functions(module: Any) -> dict[str, Any]:
    found = {name: getattr(module, name) for name in module.__all__}
    return {name: f for name, f in found.items() if inspect.isfunction(f) and not name.endswith("_strict_flags")}


ALL = {(part, name): f for part in ("", "linalg", "fft") for name, f in functions(getattr(xp, part, xp)).items()}


def ours(part: str, name: str) -> Any:
    return getattr(getattr(tg, part) if part else tg, name)


def test_names_that_are_no_functions() -> None:
    constants = {name for name in xp.__all__ if not callable(getattr(xp, name)) and "rray" not in name}
    assert {"pi", "newaxis", "float32", "linalg", "fft"} <= constants
    for name in constants - {"Device"}:
        assert hasattr(tg, name)
    for name in DTYPES:
        assert np.dtype(getattr(tg, name)) == np.dtype(name)


@pytest.mark.parametrize(("part", "name"), ALL)
def test_parameters(part: str, name: str) -> None:
    """Each takes the standard's parameters, by place or by name as the standard has it."""
    function = ours(part, name)
    function = getattr(function, "forward", function)
    if isinstance(function, np.ufunc):
        return
    mine = inspect.signature(function).parameters
    if (part, name) == ("", "clip"):  # NumPy's a_min and a_max have the places, min and max work as names
        mine = {"x": mine["a"], **{k: mine[k].replace(kind=mine["a"].kind) for k in ("min", "max")}}
    anything = any(p.kind is p.VAR_KEYWORD for p in mine.values())
    by_place = [p.name for p in mine.values() if p.kind is not p.KEYWORD_ONLY]
    for place, p in enumerate(inspect.signature(ALL[part, name]).parameters.values()):
        if p.kind is p.KEYWORD_ONLY:
            assert anything or p.name in mine
        elif p.kind is p.POSITIONAL_OR_KEYWORD:
            assert by_place[place] == p.name
        elif p.kind is p.POSITIONAL_ONLY:
            assert place < len(by_place)


ARRAY = type(xp.asarray(1.0))


@pytest.mark.parametrize("name", [n for n in dir(ARRAY) if not n.startswith("_") or n in vars(ARRAY)])
def test_attributes_of_an_array(name: str) -> None:
    if not name.startswith("_") or (name.startswith("__") and name not in ("__module__", "__buffer__", "__dict__")):
        assert hasattr(tg.Tensor, name)


def test_namespace_of_a_tensor() -> None:
    t = tg.tensor([1.0, 2.0])
    assert t.__array_namespace__() is tg
    assert t.device == tg.__array_namespace_info__().default_device() == "cpu"
    assert t.to_device("cpu") is t
    with pytest.raises(ValueError, match="everything is on the CPU"):
        t.to_device("cuda")
    with pytest.raises(ValueError, match="everything is on the CPU"):
        tg.zeros(3, device="cuda")


def test_inspection() -> None:
    mine, theirs = tg.__array_namespace_info__(), xp.__array_namespace_info__()
    assert mine.capabilities().keys() <= theirs.capabilities().keys()
    assert mine.default_dtypes().keys() == theirs.default_dtypes().keys()
    assert mine.default_dtypes()["real floating"] == np.float32
    for kind in (None, "real floating", ("integral", "bool")):
        assert mine.dtypes(kind=kind).keys() == theirs.dtypes(kind=kind).keys()


def test_asarray() -> None:
    array = np.array([1.0, 2.0])
    t = tg.tensor(array, requires_grad=True)
    assert tg.asarray(t) is t
    assert np.shares_memory(tg.asarray(array).data, array)
    assert not np.shares_memory(tg.asarray(array, copy=True).data, array)
    assert tg.asarray([1, 2.0]).dtype == np.float32
    tg.asarray(t, dtype=tg.float32, copy=True).sum().backward()
    assert t.grad.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="copy=False, but list cannot be shared"):
        tg.asarray([1.0], copy=False)


def test_dlpack() -> None:
    array = np.array([1.0, 2.0])
    t = tg.from_dlpack(array)
    assert np.shares_memory(t.data, array)
    assert np.shares_memory(np.from_dlpack(t), array)
    assert not np.shares_memory(tg.from_dlpack(t, copy=True).data, array)
    t = t.requires_grad_()
    with pytest.raises(DetachError, match="would lose it"):
        np.from_dlpack(t)
    with pytest.raises(DetachError, match="would be lost"):
        tg.from_dlpack(t)


@pytest.mark.parametrize("function", ["sort", "argsort"])
@pytest.mark.parametrize("axis", [0, -1])
def test_falling_order(function: str, axis: int) -> None:
    x = np.array([[2.0, 1.0, 2.0], [1.0, 3.0, 0.5], [2.0, 3.0, 1.0]])
    expected = getattr(xp, function)(xp.asarray(x), axis=axis, descending=True)
    np.testing.assert_array_equal(ours("", function)(x, axis=axis, descending=True).data, np.asarray(expected))


X, Y = np.array([[0.25, 0.5], [0.75, 0.125]]), np.array([0.5, 0.25])


def elementwise() -> list[Any]:
    found = []
    for (part, name), function in ALL.items():
        names = [p.name for p in inspect.signature(function).parameters.values()]
        if not part and names in (["x"], ["x1", "x2"], ["x", "/"]):
            found.append(pytest.param(function, len(names), id=name))
    return found


@pytest.mark.parametrize(("function", "count"), elementwise())
def test_elementwise_values(function: Any, count: int) -> None:
    arrays = (X + (function.__name__ == "acosh"), Y)[:count]
    try:
        expected = function(*map(xp.asarray, arrays))
    except TypeError:  # for whole numbers only
        arrays = tuple(np.asarray(8 * array, np.int64) for array in arrays)
        try:
            expected = function(*map(xp.asarray, arrays))
        except TypeError:  # for bool, or for complex numbers
            return
    with np.errstate(all="ignore"):
        found = ours("", function.__name__)(*map(tg.Tensor, arrays))
    for f, e in zip(*((r,) if not isinstance(r, (tuple, list)) else r for r in (found, expected)), strict=True):
        np.testing.assert_allclose(f.data, np.asarray(e), rtol=1e-14, equal_nan=True)
        assert f.dtype == np.asarray(e).dtype
