"""From an update rule's own source to a loop over elements.

The rule is executed symbolically, statement by statement. What depends on hyperparameters alone (``1 - beta1**t``) is
left to Python, in double precision, and enters the loop as a constant of the arrays' dtype, as it does in the NumPy
form; branches on hyperparameters are decided; rules and helper functions that the rule calls are followed. What is
left is straight-line code on one element.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CannotCompile", "Loop", "trace"]


class CannotCompile(Exception):
    """The rule uses something that has no place in a loop over elements; the text says what and where."""


class Value(NamedTuple):
    """An expression, known by its hyperparameters alone or belonging to one element."""

    code: ast.expr
    element: bool


class Loop(NamedTuple):
    """A rule as a loop: the result of :func:`trace`."""

    body: list[str]
    constants: list[str]
    names: dict[str, Any]
    results: list[str | None]
    reads: set[str]
    exact: bool


EXACT = frozenset(("sqrt", "abs", "absolute", "sign", "maximum", "minimum", "square", "where", "negative"))
"""Functions whose result is the same to the last bit under NumPy and under Numba."""

FUNCTIONS = EXACT | {"exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "arctan2", "arctan", "power", "cbrt"}

_BUILTINS = {"abs", "max", "min", "float", "int", "bool", "round", "pow"}


def trace(function: Callable[..., Any], hyper: Sequence[str], decide: Callable[[str, dict[str, Any]], bool]) -> Loop:
    """Execute a rule symbolically.

    Parameters
    ----------
    function : callable
        Takes arrays by position and hyperparameters by keyword.
    hyper : sequence of str
        The names of the hyperparameters.
    decide : callable
        ``decide(test, names)`` gives the outcome of a branch: a Python expression over the hyperparameters, and the
        modules that occur in it.

    Raises
    ------
    CannotCompile
        With the line that stands in the way.
    """
    return _Tracer(decide).run(function, hyper)


class _Tracer:
    def __init__(self, decide: Callable[[str, dict[str, Any]], bool]) -> None:
        self.decide = decide
        self.body: list[str] = []
        self.constants: list[str] = []
        self.names: dict[str, Any] = {}
        self.reads: set[str] = set()
        self.exact = True
        self.depth = 0

    def run(self, function: Callable[..., Any], hyper: Sequence[str]) -> Loop:
        arrays = [name for name in inspect.signature(function).parameters if name not in hyper]
        env = {name: Value(ast.Name(f"{name}_i"), True) for name in arrays}
        env |= {name: Value(ast.Name(name), False) for name in hyper}
        returned = self.call(function, env)
        values = returned if isinstance(returned, list) else [returned]
        states = [arrays[0], *arrays[2:]]
        if len(values) != len(states):
            raise CannotCompile(f"it returns {len(values)} values for {states}")
        results: list[str | None] = []
        for name, value in zip(states, values, strict=True):
            text = ast.unparse(self.local(value))
            results.append(None if text in (f"{name}_i", "None") else text)
        used = " ".join([*self.body, *filter(None, results)])
        self.reads = {name for name in arrays if f"{name}_i" in used}
        return Loop(self.body, self.constants, self.names, results, self.reads, self.exact)

    def call(self, function: Callable[..., Any], env: dict[str, Value]) -> Any:
        """Follow a function with these arguments; returns a Value or a list of them."""
        self.depth += 1
        if self.depth > 20:
            raise CannotCompile("functions call each other more than 20 deep")
        try:
            source = textwrap.dedent(inspect.getsource(function))
            tree = ast.parse(source).body[0]
        except (OSError, TypeError, SyntaxError, IndentationError):
            raise CannotCompile(f"the source of {function.__name__} is not at hand") from None
        if not isinstance(tree, ast.FunctionDef):
            raise CannotCompile(f"{function.__name__} is not a plain function")
        scope = inspect.getclosurevars(function)
        outside = {**scope.builtins, **scope.globals, **scope.nonlocals}
        result = self.block(tree.body, env, outside)
        self.depth -= 1
        if result is None:
            raise CannotCompile(f"{function.__name__} returns nothing")
        return result

    def block(self, statements: Sequence[ast.stmt], env: dict[str, Value], outside: dict[str, Any]) -> Any:
        """Run statements; the value of the first return among them, or None."""
        for statement in statements:
            match statement:
                case ast.Return(value=ast.Tuple(elts=items)):
                    return [self.expression(item, env, outside) for item in items]
                case ast.Return(value=ast.expr() as value):
                    return self.expression(value, env, outside)
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, value, env, outside)
                case ast.If(test=test, body=body, orelse=orelse):
                    branch = body if self.outcome(test, env, outside) else orelse
                    result = self.block(branch, env, outside)
                    if result is not None:
                        return result
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    pass
                case _:
                    raise self.refusal(statement)
        return None

    def assign(self, target: ast.expr, value: ast.expr, env: dict[str, Value], outside: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            env[target.id] = self.bind(target.id, self.single(value, env, outside))
            return
        if not isinstance(target, ast.Tuple) or not all(isinstance(item, ast.Name) for item in target.elts):
            raise self.refusal(target)
        if isinstance(value, ast.Tuple):
            values = [self.single(item, env, outside) for item in value.elts]
        else:
            values = self.expression(value, env, outside)
        if not isinstance(values, list) or len(values) != len(target.elts):
            raise self.refusal(value)
        for item, one in zip(target.elts, values, strict=True):
            env[item.id] = self.bind(item.id, one)  # type: ignore[attr-defined]

    def bind(self, name: str, value: Value) -> Value:
        """Give an element's expression a variable of its own."""
        if not value.element or isinstance(value.code, ast.Name):
            return value
        local = f"{name}_{len(self.body)}"
        self.body.append(f"{local} = {ast.unparse(value.code)}")
        return Value(ast.Name(local), True)

    def outcome(self, test: ast.expr, env: dict[str, Value], outside: dict[str, Any]) -> bool:
        value = self.single(test, env, outside)
        if value.element:
            raise CannotCompile(f"a branch on an element, 'if {ast.unparse(test)}': write np.where")
        return self.decide(ast.unparse(value.code), self.names)

    def local(self, value: Value) -> ast.expr:
        """An expression for use inside the loop: hyperparameters become constants."""
        if value.element:
            return value.code
        text = ast.unparse(value.code)
        if text == "None":
            return value.code
        if text not in self.constants:
            self.constants.append(text)
        return ast.Name(f"c_{self.constants.index(text)}")

    def single(self, node: ast.expr, env: dict[str, Value], outside: dict[str, Any]) -> Value:
        value = self.expression(node, env, outside)
        if not isinstance(value, Value):
            raise self.refusal(node)
        return value

    def expression(self, node: ast.expr, env: dict[str, Value], outside: dict[str, Any]) -> Any:
        def ask(part: ast.expr) -> Value:
            return self.single(part, env, outside)

        match node:
            case ast.Constant():
                return Value(node, False)
            case ast.Name(id=name):
                return self.name(name, env, outside)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(ask(left), op, ask(right))
            case ast.UnaryOp(op=op, operand=operand):
                value = ask(operand)
                return Value(ast.UnaryOp(op, value.code), value.element)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                a, b = ask(left), ask(right)
                if not (a.element or b.element):
                    return Value(ast.Compare(a.code, [op], [b.code]), False)
                return Value(ast.Compare(self.local(a), [op], [self.local(b)]), True)
            case ast.BoolOp(op=op, values=parts):
                values = [ask(part) for part in parts]
                if any(value.element for value in values):
                    raise CannotCompile(f"'{ast.unparse(node)}' on elements: write & or |, or np.where")
                return Value(ast.BoolOp(op, [value.code for value in values]), False)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.expression(body if self.outcome(test, env, outside) else orelse, env, outside)
            case ast.Call(func=called, args=args, keywords=keywords):
                return self.function(called, args, keywords, env, outside)
        raise self.refusal(node)

    def name(self, name: str, env: dict[str, Value], outside: dict[str, Any]) -> Value:
        if name in env:
            return env[name]
        value = outside.get(name)
        if isinstance(value, (bool, int, float)):
            return Value(ast.Constant(value), False)
        raise CannotCompile(f"'{name}' is not a number")

    def binary(self, a: Value, op: ast.operator, b: Value) -> Value:
        if not (a.element or b.element):
            return Value(ast.BinOp(a.code, op, b.code), False)
        if isinstance(op, ast.Pow):
            if isinstance(b.code, ast.Constant) and b.code.value == 2 and isinstance(b.code.value, int):
                base = self.bind("base", a).code
                return Value(ast.BinOp(base, ast.Mult(), base), True)
            self.exact = False
        elif isinstance(op, (ast.Mod, ast.FloorDiv)):
            self.exact = False
        return Value(ast.BinOp(self.local(a), op, self.local(b)), True)

    def function(
        self,
        called: ast.expr,
        args: Sequence[ast.expr],
        keywords: Sequence[ast.keyword],
        env: dict[str, Value],
        outside: dict[str, Any],
    ) -> Any:
        values = [self.single(arg, env, outside) for arg in args]
        target = self.resolve(called, outside)
        text = ast.unparse(called)
        module = text.split(".")[0]
        known = getattr(np, called.attr, None) is target if isinstance(called, ast.Attribute) else False
        if not keywords and not any(value.element for value in values) and not inspect.isfunction(target):
            if module in outside and self.names.setdefault(module, outside[module]) is not outside[module]:
                raise CannotCompile(f"'{module}' means two things")
            if known or module == "math" or text in _BUILTINS:
                return Value(ast.Call(called, [value.code for value in values], []), False)
        if known and not keywords and called.attr in FUNCTIONS:  # type: ignore[attr-defined]
            self.exact = self.exact and called.attr in EXACT  # type: ignore[attr-defined]
            parts = [self.local(value) for value in values]
            if called.attr == "where" and len(parts) == 3:  # type: ignore[attr-defined]
                return Value(ast.IfExp(parts[0], parts[1], parts[2]), True)
            if called.attr == "square":  # type: ignore[attr-defined]
                base = self.bind("base", values[0]).code
                return Value(ast.BinOp(base, ast.Mult(), base), True)
            return Value(ast.Call(ast.parse(f"np.{called.attr}", mode="eval").body, parts, []), True)  # type: ignore[attr-defined]
        inner = getattr(target, "function", target)
        if inspect.isfunction(inner) and not inner.__module__.startswith("numpy"):
            return self.follow(inner, values, keywords, env, outside)
        raise CannotCompile(f"'{text}' has no form for one element")

    def follow(
        self,
        function: Callable[..., Any],
        values: Sequence[Value],
        keywords: Sequence[ast.keyword],
        env: dict[str, Value],
        outside: dict[str, Any],
    ) -> Any:
        """Trace a call of another Python function in place."""
        named = {word.arg: self.single(word.value, env, outside) for word in keywords if word.arg is not None}
        if len(named) != len(keywords):
            raise CannotCompile(f"a call of {function.__name__} with **")
        try:
            bound = inspect.signature(function).bind(*values, **named)
        except TypeError as error:
            raise CannotCompile(f"the call of {function.__name__}: {error}") from None
        bound.apply_defaults()
        inner = {
            name: self.bind(name, value) if isinstance(value, Value) else Value(ast.Constant(value), False)
            for name, value in bound.arguments.items()
        }
        return self.call(function, inner)

    def resolve(self, node: ast.expr, outside: dict[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return outside.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            return getattr(self.resolve(node.value, outside), node.attr, None)
        return None

    def refusal(self, node: ast.AST) -> CannotCompile:
        return CannotCompile(f"'{ast.unparse(node)}' has no form for one element")
