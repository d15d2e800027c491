"""What a function is calling is read from its bytecode as its source says it."""

from __future__ import annotations

import argparse
import ast
import dis
import inspect
import math
import operator
import statistics
import sys
import textwrap
import types
from collections.abc import Iterator

import numpy as np
import pytest

from tinygrad_opt.autograd import callee
from tinygrad_opt.autograd.callee import Unknown, read_attribute, what_is_called


class Probe:
    """Asks what its caller is calling when NumPy or Python ask for its number."""

    def __float__(self) -> float:
        self.called = what_is_called(sys._getframe(1))
        return 1.0


def test_what_is_called() -> None:
    probe, a = Probe(), np.zeros(2)
    seen = []
    for call in (
        lambda: float(probe),
        lambda: math.sin(probe),
        lambda: np.fromiter([probe], float),
        lambda: operator.setitem(a, 0, probe),
        lambda: {"a": a}.get("a").fill(probe),
        lambda: (float or int)(probe),
    ):
        call()
        seen.append(probe.called)
    assert seen[:3] == [float, math.sin, np.fromiter]
    assert seen[3:] == [operator.setitem, Unknown("fill"), Unknown("…")]


def test_attributes_are_read_without_running_the_users_code() -> None:
    class Loud:
        __slots__ = ("slot",)

        @property
        def alarm(self) -> None:
            raise AssertionError("a property was run")

    loud = Loud()
    assert read_attribute(loud, "alarm") == Unknown("alarm")
    assert read_attribute(loud, "slot") == Unknown("slot")
    loud.slot = 3
    assert read_attribute(loud, "slot") == 3
    assert read_attribute(math, "exp") is math.exp
    assert read_attribute(math, "no") == read_attribute(Unknown("x"), "no") == Unknown("no")
    assert read_attribute(np.float64(2.0), "real") == 2.0


def code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def written(function: ast.expr) -> tuple[str, tuple[str, ...]]:
    """The root and the steps of an expression of names; no root where it starts from another expression."""
    steps: tuple[str, ...] = ()
    while isinstance(function, ast.Attribute):
        steps = (function.attr, *steps)
        function = function.value
    return (function.id, steps) if isinstance(function, ast.Name) else ("", steps or ("…",))


@pytest.mark.parametrize("module", [argparse, statistics, textwrap])
def test_every_call_of_a_module_reads_as_in_its_source(module: types.ModuleType) -> None:
    source = inspect.getsource(module)
    calls = {(n.end_lineno, n.end_col_offset): n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)}
    same = unknown = 0
    for code in code_objects(compile(source, "m", "exec")):
        for i in dis.get_instructions(code):
            place = i.positions and (i.positions.end_lineno, i.positions.end_col_offset)
            if i.opname in ("CALL", "CALL_KW", "CALL_FUNCTION_EX") and place in calls:
                found = callee._read(code, i.offset)
                same += (found.root, found.steps) == written(calls[place].func)
                unknown += found.root == "" and (found.root, found.steps) != written(calls[place].func)
                assert found.root == "" or (found.root, found.steps) == written(calls[place].func), calls[place].lineno
    assert unknown < 0.1 * same  # what with, class and generator expressions are compiled into
