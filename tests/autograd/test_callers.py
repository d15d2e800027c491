"""A Tensor's bare number goes to those who ask for a number, not to NumPy functions that would lose its gradient."""

from __future__ import annotations

import array
import collections
import ctypes
import functools
import heapq
import itertools
import json
import math
import operator
import re
import statistics
import struct
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from math import exp as natural
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError

fill_global = np.zeros(3).fill
from_two = functools.partial(functools.partial(np.fromiter), dtype=float)


class Holder:
    """A user's object, whose own code must not run when a message is made."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array = np.zeros(3)

    runs = 0

    def __getattr__(self, name: str) -> Any:
        if name != "lazy":
            raise AttributeError(name)
        Holder.runs += 1
        return self.array

    @property
    def loud(self) -> Any:
        Holder.runs += 1
        return self.array


class Rows(np.ndarray[Any, Any]):
    """A user's kind of array."""

    def fill(self, value: Any) -> None:
        super().fill(value)


holder, table, options = Holder(), {"a": np.zeros(3)}, {"dtype": float}


def local_name(t: tg.Tensor) -> Any:
    a = np.zeros(3)
    return a.fill(t)


def closure(t: tg.Tensor) -> Any:
    a = np.zeros(3)
    return (lambda: a.fill(t))()


def inside_a_handler(t: tg.Tensor) -> Any:
    try:
        raise KeyError
    except KeyError:
        return np.fromiter([t], float)
    finally:
        math.isnan(t)


def many_names(t: tg.Tensor) -> Any:
    """Names beyond the 256th need a longer instruction."""
    body = "\n".join(f"    v{i} = {i}" for i in range(300)) + "\n    for i in range(20): numpy.fromiter([t], float)"
    return run(f"import numpy\ndef f(t):\n{body}\nf(t)", t)


def run(source: str, t: tg.Tensor) -> Any:
    """Execute code that no file holds."""
    exec(source, {"t": t, "np": np, "math": math})


NUMPYS: dict[str, Callable[[Any], Any]] = {
    "np.fromiter": lambda t: np.fromiter([t, t], float),
    "np.fromiter, dtype=": lambda t: np.fromiter([t], dtype=float),
    "np.fromiter of a generator": lambda t: np.fromiter((x * 2 for x in [t]), float),
    "np.fromiter of map(float)": lambda t: np.fromiter(map(float, [t]), float),
    "np.fromiter(*args)": lambda t: np.fromiter(*([t], float)),
    "np.fromiter(**options)": lambda t: np.fromiter([t], **options),
    "partial": lambda t: from_two([t]),
    "np.float64": lambda t: np.float64(t),
    "np.int64": lambda t: np.int64(t),
    "np.complex128": lambda t: np.complex128(t),
    "dtype.type": lambda t: np.dtype(float).type(t),
    "bound method": lambda t: fill_global(t),
    "local name": local_name,
    "closure": closure,
    "arguments with or": lambda t: np.fromiter(table.get("none") or [t], float),
    "arguments with and": lambda t: np.fromiter(table and [t], float if t.ndim < 1 else int),
    "arguments with if": lambda t: np.fromiter([t] if table else [], float, 1 if 0 <= t.ndim < 2 else -1),
    "arguments with a loop": lambda t: np.fromiter([x * 2 for x in [t, t] if x.ndim == 0], float),
    "arguments with calls": lambda t: np.fromiter(iter(list(reversed([t]))), np.dtype(float), count=len([t])),
    "inside a handler": inside_a_handler,
    "many names": many_names,
    "slot": lambda t: holder.array.fill(t),
    "subscript": lambda t: table["a"].fill(t),
    "result of a call": lambda t: np.zeros(3).fill(t),
    "result of an operator": lambda t: (np.zeros(3) + 1).fill(t),
    "property": lambda t: holder.loud.fill(t),
    "__getattr__": lambda t: holder.lazy.fill(t),
    "attribute of an array": lambda t: table["a"].T.real.fill(t),
    "several lines": lambda t: (
        np.zeros(3)
        .reshape(3, 1)
        .fill(t)
    ),
    "unbound method": lambda t: np.ndarray.fill(np.zeros(3), t),
    "subclass of ndarray": lambda t: np.zeros(3).view(Rows).fill(t),
    "int array": lambda t: np.zeros(3, int).fill(t),
    "array.sum": lambda t: np.zeros(3).sum(initial=t),
    "array.prod": lambda t: np.zeros(3).prod(initial=t),
    "array.max": lambda t: np.zeros(3).max(initial=t),
    "array.min": lambda t: np.zeros(3).min(initial=t),
    "np.sum": lambda t: np.sum(np.zeros(3), initial=t),
    "np.maximum.reduce": lambda t: np.maximum.reduce(np.zeros(3), initial=t),
    "np.interp": lambda t: np.interp(0.5, [1.0, 2.0], [1.0, 2.0], left=t),
    "a[0] = t": lambda t: operator.setitem(np.zeros(3), 0, t),
    "a.__setitem__": lambda t: np.zeros(3).__setitem__(0, t),
    "exec": lambda t: run("for i in range(20): np.zeros(3).fill(t)", t),
    "module of one's own": lambda t: run("f = np.fromiter\nfor i in range(20): f([t], float)", t),
    "a[0] = t, executed": lambda t: run("a = np.zeros(3)\nfor i in range(20): a[0] = t", t),
}  # fmt: skip


@pytest.fixture
def t() -> tg.Tensor:
    return tg.tensor(np.float64(0.5), requires_grad=True)


def refusal(function: Callable[[Any], Any], t: tg.Tensor) -> BaseException:
    """The DetachError; where NumPy puts an error of its own in front, e.g. "with a sequence", ours is its cause."""
    with pytest.raises((DetachError, ValueError)) as caught:
        function(t)
    error = caught.value if isinstance(caught.value, DetachError) else caught.value.__cause__
    assert isinstance(error, DetachError)
    return error


@pytest.mark.parametrize("function", NUMPYS.values(), ids=NUMPYS)
def test_numpy_gets_no_number_that_would_lose_its_gradient(function: Callable[[Any], Any], t: tg.Tensor) -> None:
    Holder.runs = 0
    for _ in range(20):  # Python puts quicker instructions in the place of those that run often
        assert re.search(r"t\.item\(\)|t\.detach\(\)", str(refusal(function, t)))
    assert Holder.runs in (0, 20)  # once a call, not to find out what was called
    with tg.no_grad():
        function(t)
    function(t.detach())


def test_the_message_names_the_function(t: tg.Tensor) -> None:
    assert str(refusal(NUMPYS["np.fromiter"], t)).startswith("np.fromiter(…) would take the bare number of a Tensor")
    assert str(refusal(NUMPYS["np.sum"], t)).startswith("np.sum(…)")
    assert str(refusal(NUMPYS["array.sum"], t)).startswith("np.sum(…)")
    assert str(refusal(NUMPYS["local name"], t)).startswith("ndarray.fill(…)")
    assert str(refusal(NUMPYS["np.interp"], t)).startswith("np.interp(…)")
    assert str(refusal(NUMPYS["a[0] = t, executed"], t)).startswith("a[…] = t: an array's element")
    for way in ("np.stack", "tg.full", "t.astype", "t.item()", "t.detach()"):
        assert way in str(refusal(NUMPYS["np.fromiter"], t))


def test_the_ways_named_work(t: tg.Tensor) -> None:
    (np.stack([t, t]).sum() + tg.full(3, t).sum() + t.astype(np.float64)).backward()
    assert t.grad.item() == 6.0
    assert np.fromiter([t.item()], float).tolist() == np.fromiter([t.detach()], float).tolist() == [0.5]


HONEST: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "float": (lambda t: float(t), 0.5),
    "int": (lambda t: int(t), 0),
    "complex": (lambda t: complex(t), 0.5 + 0j),
    "array of floats": (lambda t: np.array([float(v) for v in [t, t]]).tolist(), [0.5, 0.5]),
    "lambda": (lambda t: (lambda x: float(x))(t), 0.5),
    "argument of NumPy": (lambda t: np.full(2, float(t)).tolist(), [0.5, 0.5]),
    "comparison": (lambda t: t > np.float64(0.25), True),
    "isnan": (lambda t: math.isnan(t), False),
    "isinf": (lambda t: math.isinf(t), False),
    "isfinite": (lambda t: math.isfinite(t), True),
    "isclose": (lambda t: math.isclose(t, 0.5), True),
    "floor": (lambda t: math.floor(t), 0),
    "f-string": (lambda t: f"{t:.2f}", "0.50"),
    "percent": (lambda t: "%.2f" % t, "0.50"),  # noqa: UP031
    "format": (lambda t: "{:.2f}".format(t) + format(t, ".1f"), "0.500.5"),  # noqa: UP032
    "text": (lambda t: np.format_float_positional(t, 3) + np.format_float_scientific(t), "0.55.e-01"),
    "round": (lambda t: float(round(t, 0)), 0.0),
    "a list": (lambda t: [0].__setitem__(0, t), None),
}


@pytest.mark.parametrize("name", HONEST)
def test_who_asks_for_a_number_gets_it(name: str, t: tg.Tensor) -> None:
    function, expected = HONEST[name]
    for _ in range(20):
        assert function(t) == expected


MATHS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "exp": (lambda t: math.exp(t), "exp"),
    "imported": (lambda t: natural(t), "exp"),
    "sqrt": (lambda t: math.sqrt(t), "sqrt"),
    "erf": (lambda t: math.erf(t), "erf"),
    "atan2": (lambda t: math.atan2(1.0, t), "atan2"),
    "fsum": (lambda t: math.fsum([t, t]), "sum"),
    "modf": (lambda t: math.modf(t), "modf"),
    "frexp": (lambda t: math.frexp(t), "frexp"),
}


@pytest.mark.parametrize("name", MATHS)
def test_the_functions_of_math_are_warned_of_once_a_line(name: str, t: tg.Tensor) -> None:
    function, ours = MATHS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        values = [function(t) for _ in range(20)]
    assert values[0] == function(t.item())
    (warning,) = caught
    assert warning.filename == __file__
    assert warning.lineno == function.__code__.co_firstlineno
    assert f"Write tg.{ours}(…), which keeps it, or math." in str(warning.message)
    assert hasattr(tg, ours)
    with pytest.warns(UserWarning, match="the gradient that a Tensor among its arguments requires ends there"):
        function(t)


def test_math_without_a_twin_here_is_warned_of(t: tg.Tensor) -> None:
    with pytest.warns(UserWarning, match=r"math\.dist\(…\) gives a Python number, .* Write math\.dist\(t\.item\(\)\)"):
        assert math.dist([t], [0.0]) == 0.5


def test_where_no_gradient_is_at_stake_math_may_do_as_it_likes(t: tg.Tensor) -> None:
    assert math.exp(t.detach()) == math.exp(0.5)
    with tg.no_grad():
        assert math.exp(t) == math.exp(0.5)
    with pytest.warns(UserWarning, match=r"math\.fsum"):
        statistics.fmean([t, t])


def test_the_same_line_may_call_now_one_now_another(t: tg.Tensor) -> None:
    arrays: list[Any] = []
    for function in (float, lambda x: arrays.append(1), float, np.zeros(2).fill, float) * 5:
        try:
            assert function(t) in (0.5, None)
        except ValueError:
            arrays.append(2)
    assert arrays == [1, 2] * 5


class Iterable:
    """What it gives is made elsewhere."""

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers

    def __iter__(self) -> Any:
        return self.numbers


class Numbers(list[Any]):
    """A list that gives something else than it holds."""

    def __iter__(self) -> Any:
        return map(np.float64, self[:])


def by_name(name: str) -> Any:
    return getattr(np, name)


DETOURS: dict[str, Callable[[Any], Any]] = {
    "subscript": lambda t: [np.fromiter][0]([t], float),
    "getattr": lambda t: getattr(np.zeros(2), "fi" + "ll")(t),
    "dict": lambda t: {"f": np.float64}["f"](t),
    "and": lambda t: (table and np.float64)(t),
    "function of a function": lambda t: by_name("float64")(t),
    "operator.methodcaller": lambda t: operator.methodcaller("fill", t)(np.zeros(2)),
    "operator.call": lambda t: operator.call(np.float64, t),
    "functools.reduce": lambda t: functools.reduce(np.float64, [t]) + functools.reduce(max, map(np.float64, [t, t])),
    "functools.cache": lambda t: functools.cache(np.float64)(t),
    "max": lambda t: max(map(np.float64, [t, t])),
    "min": lambda t: min(map(np.float64, [t, t])),
    "max by key": lambda t: max(map(np.float64, [t, t]), key=float),
    "sorted": lambda t: sorted(map(np.float64, [t, t])),
    "sorted, iterator in a name": lambda t: (lambda numbers: sorted(numbers, key=float))(map(np.float64, [t, t])),
    "deque": lambda t: collections.deque(map(np.float64, [t])),
    "array.array": lambda t: array.array("d", map(np.float64, [t])),
    "dict of zip": lambda t: dict(zip("a", map(np.float64, [t]), strict=True)),
    "list.extend": lambda t: [].extend(map(np.float64, [t])),
    "+=": lambda t: run("a = []; a += map(np.float64, [t])", t),
    "yield from": lambda t: run("def f():\n    yield from map(np.float64, [t])\nlist(f())", t),
    "arguments": lambda t: print(*map(np.float64, [t])),
    "either": lambda t: list(map(float, [t]) if t.ndim else map(np.float64, [t])),
    "or": lambda t: list(t.shape or map(np.float64, [t])),
    "chain": lambda t: list(itertools.chain(map(float, [t]), map(np.float64, [t]))),
    "zip": lambda t: list(zip(map(float, [t]), map(np.float64, [t]), strict=True)),
    "zip in a name": lambda t: (lambda pairs: [pair for pair in pairs])(zip(map(np.float64, [t]))),  # noqa: C416
    "enumerate": lambda t: [number for _, number in enumerate(map(np.float64, [t]))],
    "filter": lambda t: list(filter(None, map(np.float64, [t]))),
    "map of map": lambda t: list(map(float, map(np.float64, [t]))),
    "max of all arguments": lambda t: max(*map(np.float64, [t, t])),
    "max of either": lambda t: max(map(np.float64, [t, t]) if table else [0.0], key=float),
    "a user's iterable": lambda t: max(Iterable(map(np.float64, [t, t])), key=float),
    "a user's list": lambda t: (lambda numbers: max(numbers, key=float))(Numbers([t])),
    "a key in a list": lambda t: max(filter(float, [t, t]), key=[np.zeros(2).fill][0]),
    "__init__": lambda t: type("Filling", (float,), {"__init__": np.zeros(2).fill})(t),
    "__call__ of a metaclass": lambda t: type("Kind", (type,), {"__call__": np.float64})("Number", (float,), {})(t),
    "__lt__": lambda t: type("Less", (), {"__lt__": staticmethod(np.float64)})() < t,
    "__round__": lambda t: round(type("Round", (), {"__round__": staticmethod(np.float64)})(), t),
    "array.flat": lambda t: run("a = np.zeros(2); a.flat = t", t),
    "array.real": lambda t: run("a = np.zeros(2); a.real = t", t),
}


@pytest.mark.parametrize("function", DETOURS.values(), ids=DETOURS)
def test_numpy_gets_no_number_by_a_detour(function: Callable[[Any], Any], t: tg.Tensor) -> None:
    for _ in range(20):
        assert re.search(r"t\.item\(\)|t\.detach\(\)", str(refusal(function, t)))


def test_the_message_says_what_cannot_be_told(t: tg.Tensor) -> None:
    message = str(refusal(DETOURS["subscript"], t))
    assert message.startswith("…(…) would take the bare number of a Tensor that requires a gradient, and it is not")
    assert "Write …(t.item()) if it is meant ([t.item() for t in …] for an iterator)" in message
    assert str(refusal(lambda t: array.array("d", map(float, [t])), t)).startswith(
        "array(…) would take the bare number of a Tensor"
    )
    message = str(refusal(lambda t: max({"losses": [t, t]}["losses"], key=float), t))
    assert message.startswith("max(…, key=float)")
    assert "Write key=lambda t: t.item()" in message
    assert str(refusal(lambda t: run("a = []; a += t.shape or map(float, [t])", t), t)).startswith(
        "an iterator such as map(np.float64, …) would take the bare"
    )


def test_a_new_function_at_an_old_address(t: tg.Tensor) -> None:
    """What is remembered of one function is not believed of another that is made where that one was."""
    for i in range(200):
        space: dict[str, Any] = {"np": np}
        exec(f"def f(t):\n    return {'float(t)' if i % 2 else 'np.zeros(1).fill(t)'}", space)
        if i % 2:
            assert space["f"](t) == 0.5
        else:
            refusal(space["f"], t)


def test_threads(t: tg.Tensor) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for name in NUMPYS:
                refusal(NUMPYS[name], t)
                assert float(t) == 0.5
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@pytest.mark.parametrize("flags", [["-X", "no_debug_ranges"], ["-OO"], ["-W", "error"]])
def test_python_without_positions_or_docstrings(flags: list[str]) -> None:
    program = """
        import numpy as np, tinygrad_opt as tg
        t, got = tg.tensor(0.5, requires_grad=True), []
        for i in range(20):
            got.append(float(t))
            try:
                np.zeros(3).fill(t)
            except ValueError as error:
                got.append(type(error.__cause__).__name__)
        print(got == [0.5, "DetachError"] * 20)
    """
    done = subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def in_loops(kind: Any, tensors: list[tg.Tensor]) -> Any:
    """After loops and in both branches, where the bytecode before the iterator is a jump."""
    found = []
    for _ in (1, 2):
        pass
    first, second = map(kind, tensors)
    if first:
        for number in map(kind, tensors):
            found += [number]
    else:
        found += [second]
    for number in map(kind, tensors):
        assert number in found
    return found


def in_a_name(kind: Any, tensors: list[tg.Tensor]) -> Any:
    numbers = map(kind, tensors)
    return [*numbers]


READERS: dict[str, Callable[[Any, Any], Any]] = {
    "list": lambda kind, tensors: list(map(kind, tensors)),
    "tuple": lambda kind, tensors: tuple(map(kind, tensors)),
    "sorted": lambda kind, tensors: sorted(map(kind, tensors)),
    "min and max": lambda kind, tensors: [min(map(kind, tensors)), max(map(kind, tensors), default=3.0)],
    "sum": lambda kind, tensors: [1.0, sum(map(kind, tensors), 0.0) - 1.0],
    "display": lambda kind, tensors: [*map(kind, tensors)],
    "comprehension": lambda kind, tensors: [number for number in map(kind, tensors)],  # noqa: C416
    "generator": lambda kind, tensors: list(number for number in map(kind, tensors)),  # noqa: C400
    "next": lambda kind, tensors: [next(map(kind, tensors)), next(map(kind, tensors[1:]))],
    "slice": lambda kind, tensors: list(map(kind, tensors[:1] + tensors[1:])),
    "dict of zip": lambda kind, tensors: dict(zip("ab", map(kind, tensors), strict=True)).values(),
    "enumerate": lambda kind, tensors: [number for _, number in enumerate(map(kind, tensors), start=1)],
    "zip": lambda kind, tensors: [a + 0 * b for a, b in zip(map(kind, tensors), tensors, strict=True)],
    "filter": lambda kind, tensors: list(filter(None, map(kind, tensors))),
    "map of map": lambda kind, tensors: list(map(lambda x: x, map(kind, tensors))),  # noqa: C417
    "all arguments": lambda kind, tensors: [min(*map(kind, tensors)), max(*map(kind, tensors))],
    "deque": lambda kind, tensors: collections.deque(map(kind, tensors), maxlen=2),
    "extend": lambda kind, tensors: (lambda found: found.extend(map(kind, tensors)) or found)([]),
    "print": lambda kind, tensors: [print(*map(kind, tensors), sep=", "), 1.0, 2.0][1:],
    "in loops": in_loops,
    "in a name": in_a_name,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_an_iterator_gives_numbers_where_it_is_seen_to_ask_for_them(read: Callable[[Any, Any], Any]) -> None:
    tensors = [tg.tensor(np.float64(v), requires_grad=True) for v in (1.0, 2.0)]
    for _ in range(20):
        assert list(read(float, tensors)) == [1.0, 2.0]
        with pytest.raises(DetachError, match=r"\[t\.item\(\) for t in …\]|t\.detach\(\)"):
            read(np.float64, tensors)


ORDERS: dict[str, Callable[[list[tg.Tensor]], Any]] = {
    "sorted": lambda tensors: sorted(tensors, key=float)[1],
    "reverse": lambda tensors: sorted(tensors, key=float, reverse=True)[0],
    "max": lambda tensors: max(tensors, key=float),
    "arguments": lambda tensors: max(tensors[0], tensors[1], key=float),
    "display": lambda tensors: max([tensors[1], tensors[0]], key=float),
    "comprehension": lambda tensors: max([t for t in tensors], key=float),  # noqa: C416
    "generator": lambda tensors: max((t for t in tensors), key=float),
    "lambda": lambda tensors: max(iter(tensors), key=lambda t: float(t)),
    "slices": lambda tensors: max(max(tensors[:2], key=float), *tensors[::1], key=lambda t: float(t)),
    "values": lambda tensors: (lambda losses: max(losses.values(), key=float))(dict(enumerate(tensors))),
    "heap": lambda tensors: heapq.nlargest(1, tensors, key=float)[0],
    "filter": lambda tensors: max(filter(float, tensors), key=float),
    "results": lambda tensors: max(map(lambda t: t, tensors), key=float),  # noqa: C417
    "list.sort": lambda tensors: (lambda ordered: ordered.sort(key=float) or ordered[1])(list(tensors)),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_an_order_by_numbers_loses_nothing(order: Callable[[list[tg.Tensor]], Any]) -> None:
    tensors = [tg.tensor(2.0, requires_grad=True), tg.tensor(1.0, requires_grad=True)]
    for _ in range(20):
        assert order(tensors) is tensors[0]


def test_python_s_own_functions_that_want_numbers(t: tg.Tensor) -> None:
    class Metres(float):
        pass

    assert Metres(t) == 0.5
    assert struct.pack("d", t) == struct.pack("d", 0.5)
    assert ctypes.c_double(t).value == 0.5  # type: ignore[arg-type]
    assert json.dumps({"loss": t}, default=float) == '{"loss": 0.5}'
    assert all(map(math.isfinite, [t])) and not any(map(math.isnan, [t]))  # noqa: PT018
    assert list(filter(math.isfinite, [t])) == [t]
    assert statistics.fmean([t.item()]) == 0.5
