"""Every declared operation: its gradients to second order, its samples, its texts, and the purity of its rules.

The samples are drawn from the seed TEST_SEED in the environment, 0 by default.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import os
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import Primitive, gradcheck
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.errors import GradientError

PACKAGE = Path(tg.__file__).parent


def all_primitives() -> list[Primitive]:
    """The package's own operations; those that tests and doctests declare are not among them."""
    for folder in ("ops", "nn"):
        package = importlib.import_module(f"tinygrad_opt.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    ours = [p for p in primitives.values() if not p.__module__.startswith(("test", "__main__"))]
    return sorted(ours, key=str)


def rules_of(op: Primitive) -> list[Any]:
    return [rule for rule in (*op.rules, op.each, op.joint) if rule is not None]


ALL = all_primitives()


SEED = int(os.environ.get("TEST_SEED", "0"))


def check_samples(op: Primitive) -> None:
    """Check each sample to second order, with upstream gradients that nobody may write to."""
    rng = np.random.default_rng(SEED)
    for args, kwargs in op.samples(rng):
        gradcheck(op, args, kwargs, order=2, readonly_upstream=True, rng=rng)


@pytest.mark.parametrize("op", [op for op in ALL if op.differentiable], ids=str)
def test_gradients(op: Primitive) -> None:
    check_samples(op)


@pytest.mark.parametrize("op", ALL, ids=str)
def test_samples_are_declared(op: Primitive) -> None:
    assert op.samples(), f"{op} has no samples: give @primitive(samples=…)"


@pytest.mark.parametrize("op", [op for op in ALL if op.differentiable and ".nn." not in op.__module__], ids=str)
def test_formula_and_gradients_are_told(op: Primitive) -> None:
    assert op.formula
    told = [op.gradient] if isinstance(op.gradient, str) else op.gradient
    assert told, f"{op} tells no gradient: give @primitive(gradient=[…])"
    assert isinstance(op.gradient, str) or len(told) in (1, op.arrays)


@pytest.mark.parametrize("op", [op for op in ALL if not op.differentiable], ids=str)
def test_functions_without_gradient_say_so(op: Primitive) -> None:
    for args, kwargs in op.samples():
        tensors = [_leaf(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
        out = op(*tensors, **kwargs)
        for part in out if isinstance(out, tuple) else (out,):
            assert not part.requires_grad


def _leaf(array: np.ndarray) -> tg.Tensor:
    return tg.Tensor(array, requires_grad=array.dtype.kind == "f")


def test_a_wrong_rule_is_caught() -> None:
    def samples(rng: np.random.Generator) -> Any:
        yield (rng.uniform(0.5, 1.0, 3),)

    wrong_value = Primitive(np.sin, vjp=[lambda g, y, x: g * np.sin(x)], samples=samples)
    with pytest.raises(GradientError, match="input 0, element"):
        check_samples(wrong_value)

    wrong_second = Primitive(np.sin, vjp=[lambda g, y, x: g * np.cos(_constant(x))], samples=samples)
    with pytest.raises(GradientError, match="second order"):
        check_samples(wrong_second)

    def in_place(g: Any, y: Any, x: Any) -> Any:
        g *= np.cos(x)
        return g

    with pytest.raises(ValueError, match="read-only"):
        check_samples(Primitive(np.sin, vjp=[in_place], samples=samples))


def _constant(x: Any) -> Any:
    """What a rule must not do: step out of the graph."""
    return x.detach() if isinstance(x, tg.Tensor) else x


@functools.cache
def _functions_in(path: str) -> dict[int, list[ast.AST]]:
    """All functions and lambdas of a file by the line on which they begin, decorators included."""
    found: dict[int, list[ast.AST]] = {}
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            decorators = getattr(node, "decorator_list", [])
            found.setdefault(min([node.lineno, *(d.lineno for d in decorators)]), []).append(node)
    return found


def impurities(rule: Any) -> list[str]:
    """Where a rule writes into what it was given: ``g *= c``, ``x[i] = …`` or ``out=g``.

    An array that the rule has made itself is its own to fill, as a loop over time steps must. In ops/ not even
    that happens: there a rule is an expression.
    """
    code = inspect.unwrap(rule).__code__
    found = []
    for function in _functions_in(code.co_filename)[code.co_firstlineno]:
        given = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
        for node in ast.walk(function):
            for target in _written(node):
                while isinstance(target, (ast.Subscript, ast.Attribute)):
                    target = target.value
                name = target.id if isinstance(target, ast.Name) else None
                if name is None or name in given or Path(code.co_filename).parent.name == "ops":
                    found.append(f"{Path(code.co_filename).name}:{code.co_firstlineno}: {name}")
    return found


def _written(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.AugAssign):
        return [node.target]
    if isinstance(node, ast.Assign):
        return [target for target in node.targets if isinstance(target, (ast.Subscript, ast.Attribute))]
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("np."):
        return [keyword.value for keyword in node.keywords if keyword.arg == "out"]
    return []


@pytest.mark.parametrize("op", [op for op in ALL if rules_of(op)], ids=str)
def test_rules_write_into_nothing_they_were_given(op: Primitive) -> None:
    for rule in rules_of(op):
        assert not impurities(rule)


def test_a_rule_that_writes_is_found() -> None:
    def augmented(g: Any, y: Any, x: Any) -> Any:
        g *= 2
        return g

    def assigned(g: Any, y: Any, x: Any) -> Any:
        x[0] = 0
        return g

    for rule in (augmented, assigned, lambda g, y, x: np.multiply(g, 2, out=g)):
        assert impurities(rule)
    assert not impurities(lambda g, y, x: g * 2)
