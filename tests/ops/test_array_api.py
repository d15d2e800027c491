"""The array API standard, as its strict reference has it: names, keywords, and the values of elementwise functions.

The standard's own test-suite is another project; this compares with the package array_api_strict, where installed.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

xp: Any = pytest.importorskip("array_api_strict")

NOT_OURS = {"asarray", "from_dlpack", "finfo", "iinfo", "isdtype", "can_cast", "result_type", "broadcast_shapes"}
NOT_OURS |= {name for name in dir(xp) if name.endswith("_strict_flags")}
"""Dtypes and foreign arrays: NumPy's own functions serve; a Tensor is made by tensor or as_tensor."""

DESCENDING = {"sort", "argsort"}
"""Functions with a keyword that NumPy does not have."""


def functions(module: Any) -> dict[str, Any]:
    public = getattr(module, "__all__", None) or dir(module)
    found = {name: getattr(module, name) for name in public if not name.startswith("_")}
    return {name: f for name, f in found.items() if inspect.isfunction(f) and name not in NOT_OURS}


ALL = {(part, name): f for part in ("", "linalg", "fft") for name, f in functions(getattr(xp, part, xp)).items()}


def ours(part: str, name: str) -> Any:
    return getattr(getattr(tg, part) if part else tg, name)


@pytest.mark.parametrize(("part", "name"), ALL)
def test_names_and_keywords(part: str, name: str) -> None:
    function = ours(part, name)
    function = getattr(function, "forward", function)
    if isinstance(function, np.ufunc):
        return
    mine = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in mine.values()):
        return
    theirs = inspect.signature(ALL[part, name]).parameters.values()
    wanted = {p.name for p in theirs if p.kind is p.KEYWORD_ONLY} - {"device", "dtype", "copy"}
    assert wanted - set(mine) <= ({"descending"} if name in DESCENDING else set())


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
