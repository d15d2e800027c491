"""Each function that answers for one of NumPy's takes NumPy's parameters, by NumPy's names and in NumPy's order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import Primitive
from tinygrad_opt.autograd.registry import implementations

NOT_OURS = {"out", "like", "subok", "device", "order", "casting", "signature", "overwrite_input", "kind", "dtype"}
"""What concerns memory, subclasses and sorting algorithms; and dtype, which astype is for."""


def functions(module: Any, ours: Any) -> dict[str, tuple[Any, Any]]:
    return {
        f"{module.__name__}.{name}": (f, ours)
        for name, f in vars(module).items()
        if inspect.isroutine(f) and not isinstance(f, np.ufunc) and not name.startswith("_") and f in implementations
    }


ALL = functions(np, tg) | functions(np.linalg, tg.linalg) | functions(np.fft, tg.fft)


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", ALL)
def test_parameters(name: str) -> None:
    theirs = parameters(ALL[name][0])
    ours: Callable[..., Any] = implementations[ALL[name][0]]
    mine = parameters(ours.forward if isinstance(ours, Primitive) else ours)
    kinds = {p.kind for p in mine.values()}
    anything = inspect.Parameter.VAR_KEYWORD in kinds
    places = inspect.Parameter.VAR_POSITIONAL in kinds
    arrays = ours.array_names if isinstance(ours, Primitive) else ()  # these a primitive takes by NumPy's names
    for place, (parameter, p) in enumerate(theirs.items()):
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or parameter in NOT_OURS:
            continue
        if p.kind is not p.POSITIONAL_ONLY:
            assert anything or parameter in mine or parameter in arrays, f"{name} has no parameter {parameter}"
        if p.kind is not p.KEYWORD_ONLY and not places and not (parameter in arrays or anything):
            before = [q for q in list(theirs)[:place] if q not in NOT_OURS]
            assert list(mine)[place : place + 1] == [parameter] or len(before) < place or p.kind is p.POSITIONAL_ONLY, (
                f"{name}: {parameter} is number {place} of NumPy's, here they are {list(mine)}"
            )


@pytest.mark.parametrize("name", ALL)
def test_is_offered_here_too(name: str) -> None:
    short = name.rsplit(".", 1)[1]
    assert callable(getattr(ALL[name][1], short))


METHODS = """all any argmax argmin argpartition argsort astype choose clip compress conj conjugate copy cumprod cumsum
    diagonal dot fill flatten imag item max mean min nonzero partition prod put ravel real repeat reshape round
    searchsorted sort squeeze std sum swapaxes take tolist trace transpose var T mT ndim shape size dtype nbytes
    itemsize device to_device""".split()  # noqa: SIM905 - a table of names reads best so


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_an_array(name: str) -> None:
    assert hasattr(np.ndarray, name)
    assert hasattr(tg.Tensor, name)


MEMORY = """base byteswap ctypes data dump dumps flags flat getfield resize setfield setflags strides tobytes tofile
    view""".split()  # noqa: SIM905
"""What an ndarray has besides: about its memory."""


def test_nothing_else_is_missing() -> None:
    public = {name for name in dir(np.ndarray) if not name.startswith("_")}
    assert public - set(dir(tg.Tensor)) <= set(MEMORY)


OPERATORS = {name for name in dir(np.ndarray) if name.startswith("__") and not name.startswith("__array_")}
OPERATORS -= {"__class_getitem__", "__delitem__", "__setstate__", "__buffer__"}
"""An array's operators and conversions; no subscript in types, no deletion, which ndarray refuses too."""


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operators_of_an_array(name: str) -> None:
    assert hasattr(tg.Tensor, name)


def test_public_names_are_meant() -> None:
    """No name is there by accident of an import."""
    modules = {name for name in dir(tg) if inspect.ismodule(getattr(tg, name)) and not name.startswith("_")}
    parts = "autograd data errors fft func linalg memory nn ops optim random study viz kernels replay"
    assert modules <= set(parts.split())
    for name in set(dir(tg)) - modules:
        if not name.startswith("_"):
            home = getattr(getattr(tg, name), "__module__", "numpy") or "numpy"
            assert home.split(".")[0] in ("numpy", "tinygrad_opt", "builtins", "_operator"), name
