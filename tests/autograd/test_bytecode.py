"""A place in a function's bytecode is read as its source says it."""

from __future__ import annotations

import argparse
import ast
import dis
import inspect
import statistics
import textwrap
import types
from collections.abc import Iterator

import pytest

from tinygrad_opt.autograd import bytecode
from tinygrad_opt.autograd.bytecode import DISPLAY, Applied, Expression, Names


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


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Constant, ast.JoinedStr, ast.Lambda, ast.Slice, *COMPREHENSIONS)


def agree(read: Expression, source: ast.expr) -> bool:
    if isinstance(source, ast.Starred):
        return agree(read, source.value)
    if read is DISPLAY:
        source = source.left if isinstance(source, ast.BinOp) else source  # one of constants is a constant
        return isinstance(getattr(source, "slice", source), DISPLAYS)
    if isinstance(read, Applied) and isinstance(source, ast.Call):
        arguments = [*source.args, *(keyword.value for keyword in source.keywords)]
        parts = zip((read.callee, *read.arguments), (source.func, *arguments), strict=True)
        return all(part is None or agree(part, expected) for part, expected in parts)
    return isinstance(read, Names) and (read.root, read.steps) == written(source)


@pytest.mark.parametrize("module", [argparse, statistics, textwrap])
def test_every_call_of_a_module_reads_as_in_its_source(module: types.ModuleType) -> None:
    source = inspect.getsource(module)
    calls = {(n.end_lineno, n.end_col_offset): n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)}
    same = unknown = 0
    for code in code_objects(compile(source, "m", "exec")):
        for i in dis.get_instructions(code):
            place = i.positions and (i.positions.end_lineno, i.positions.end_col_offset)
            if i.opname in ("CALL", "CALL_KW", "CALL_FUNCTION_EX") and place in calls:
                found, call = bytecode.read_site(code, i.offset), calls[place]
                same += agree(found.callee, call.func)
                unknown += not agree(found.callee, call.func)
                assert agree(found.callee, call.func) or not getattr(found.callee, "root", ""), call.lineno
                if call.args and found.callee != Names(steps=("…",)):  # __exit__(None, None, None) at the end of a with
                    assert agree(found.first, call.args[0]) or found.first is None, call.lineno
                for keyword in call.keywords:
                    assert keyword.arg != "key" or agree(found.key, keyword.value), call.lineno
    assert unknown < 0.1 * same  # what with, class and generator expressions are compiled into
