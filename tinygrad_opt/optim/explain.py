"""An optimizer explained: its formula with the present numbers, and each term of a step."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from ..errors import GradientError
from ..kernels.rules import reason
from ..kernels.trace import CannotCompile, trace
from .groups import many
from .rule import RULE_CODES, UpdateRule
from .state import places

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["document", "executions", "explanation", "formula", "summary", "terms"]

GREEK = {
    "lr": "ηγ", "betas": ("β₁, β₂",), "beta": "β", "eps": "ε", "weight_decay": "λ", "momentum": "μ", "rho": "ρ",
    "alpha": "α", "lambd": "λ", "dampening": "τ", "trust_coefficient": "τ", "etas": ("η⁻, η⁺",), "t0": ("t₀",),
    "hessian_power": "k",
}  # fmt: skip
"""Hyperparameter → the symbols that may stand for it in a formula."""

NEUTRAL = (
    (r" [+-] 0 \* (\w+′*|\([^()]*\))(?= [+-]|\)|$)", ""),
    (r" \* 1(?![\w.])", ""),
    (r"(?<![\w.])(?<!/ )(?<!\*\* )1 \* ", ""),
    (r"(?<!\w)\((\w+′*)\)", r"\1"),
)
"""What changes nothing in a line of the rule, such as a weight decay of 0 → what to write instead."""


def summary(optimizer: Optimizer) -> str:
    """The rule in a line, and the groups with their hyperparameters."""
    lines = [f"{type(optimizer).__name__}: {formula(type(optimizer))}".removesuffix(": ")]
    for index, group in enumerate(optimizer.param_groups):
        hyper = ", ".join(f"{key}={group[key]!r}" for key in optimizer.defaults)
        numbers = sum(p.size for p in group["params"])
        lines.append(f"  group {index}: {many(group['params'], 'parameter')}, {numbers:,} numbers; {hyper}")
    return "\n".join(lines)


def explanation(optimizer: Optimizer) -> str:
    """The rule as mathematics, the present hyperparameters, and the rule for one number with them filled in."""
    cls, rule = type(optimizer), getattr(optimizer, "rule", None)
    lines = [(cls.__doc__ or cls.__name__).strip().splitlines()[0]]
    if text := formula(cls):
        lines += ["", f"  {text}"]
    for index, group in enumerate(optimizer.param_groups):
        lines += ["", f"group {index}, {many(group['params'], 'parameter')}:"]
        symbols = _symbols(optimizer.defaults, text)
        lines += [f"  {key}{symbols.get(key, '')} = {group[key]!r}" for key in optimizer.defaults]
        if rule is not None and rule.elementwise:
            for executor in optimizer._executors[index]:
                executor.settle()
            reached = [pair for e in optimizer._executors[index] for pair in zip(e.steps, e.clocks, strict=True)]
            steps, clock = max(reached, key=lambda pair: pair[0])
            lines += [f"  For one number, at step t = {steps + 1}:"]
            lines += [f"    {line}" for line in numbers(rule, optimizer._values(index), steps + 1, clock)]
    return "\n".join([*lines, "", *executions(optimizer)])


def executions(optimizer: Optimizer) -> list[str]:
    """In which of the three ways the rule runs, and why not in the others."""
    from .functional import Functional  # it is made from optimizers

    rule = getattr(optimizer, "rule", None)
    group = optimizer.param_groups[0]
    try:
        Functional(type(optimizer), **{key: group[key] for key in optimizer.defaults})
        tensors = "yes, by optim.Functional"
    except (TypeError, GradientError) as error:
        tensors = "no: " + str(error).removeprefix("Functional: ")
    if rule is None:
        return ["Runs", "  on NumPy arrays: yes", "  compiled: no: it is no update rule", f"  on Tensors: {tensors}"]
    executor = optimizer._executors[0][0]
    hyper, _ = executor.hyper(optimizer._values(0), executor.steps[0], executor.clocks[0])
    why = reason(rule, hyper)
    return [
        "Runs",
        f"  on NumPy arrays: yes, {'blocks of a flat buffer' if rule.elementwise else 'each parameter by itself'}",
        f"  compiled: {'yes, where Numba is installed and the size pays' if why is None else f'no: {why}'}",
        f"  on Tensors: {tensors}",
    ]


def document(cls: type[Optimizer]) -> None:
    """Put the formula, which the rule's docstring holds, into the class's docstring before its source."""
    text, equation = cls.__dict__.get("__doc__") or "", formula(cls)
    if equation and "Equation:" not in text:
        cls.__doc__ = re.sub(
            r"^( *)Source:", lambda m: f"{m[1]}Equation: {equation}\n\n{m[0]}", text, count=1, flags=re.M
        )


def _symbols(names: Iterable[str], text: str) -> dict[str, str]:
    """The symbols of hyperparameters that a formula has, each given once; none where it has the name itself."""
    found: dict[str, str] = {}
    for name in names:
        for symbol in () if re.search(rf"\b{name}[/·]", text) else GREEK.get(name, ()):
            shown = f" ({symbol})"
            if re.search(symbol.split(", ")[0] + "(?![⁺⁻'])", text) and shown not in found.values():
                found.setdefault(name, shown)
    return found


def formula(cls: type[Optimizer]) -> str:
    """The mathematics of an optimizer: its own text where it has one, else its rule's."""
    rule = getattr(cls, "rule", None)
    return cls.formula or (rule.formula if rule is not None else "")


def numbers(rule: UpdateRule, values: Mapping[str, Any], t: int, clock: Mapping[str, float]) -> list[str]:
    """The rule as straight-line code on one number, with the hyperparameters' values in it."""
    known: dict[str, Any] = {**values, "t": t}
    if rule.advance is not None:
        known |= rule.advance(**{**known, **clock})
    known = {name: known[name] for name in rule.hyper}
    try:
        loop = trace(rule.function, rule.hyper, lambda test, names: bool(eval(test, dict(names), known)))
    except CannotCompile as error:
        return [f"(not shown: {error})"]
    constants = [eval(text, dict(loop.names), known) for text in loop.constants]
    results = zip(("p", *rule.state), loop.results, strict=True)
    lines = [*loop.body, *(f"{name}_i = {text}" for name, text in results if text is not None)]
    seen: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name, number = match.group(1), match.group(2)
        if number == "i":
            return name
        if name == "c":
            return f"{constants[int(number)]:.6g}"
        taken = sum(1 for text in seen.values() if text.rstrip("′") == name) + (name in ("p", "g", *rule.state))
        return seen.setdefault(match.group(0), name + "′" * taken)

    named = [re.sub(r"\b([A-Za-z]\w*?)_(\d+|i)\b", rename, line) for line in lines]
    plain = [re.sub(r"\bp\b", "θ", line.replace("np.", "")) for line in named]
    for pattern, shorter in NEUTRAL:
        plain = [re.sub(pattern, shorter, line) for line in plain]
    return plain


def terms(optimizer: Optimizer, p: Tensor) -> dict[str, Any]:
    """Every named quantity of the step that the optimizer would take for p now; nothing changes.

    The rule runs on copies, and what its local variables hold when it returns is kept. "decay" is the part of Δ that
    there would not be without weight decay.
    """
    if not hasattr(optimizer, "rule"):
        raise TypeError(f"trace: {type(optimizer).__name__} is not one formula a step, so it has no terms to show.")
    for index, group in enumerate(optimizer.param_groups):
        if any(one is p for one in group["params"]):
            values = optimizer._values(index)
            break
    else:
        raise ValueError("trace: this Tensor is none of the optimizer's parameters.")
    if p.grad is None:
        raise GradientError("trace: the parameter has no gradient; call backward() first.")
    executor, position = next((e, i) for tensor, e, i in places(optimizer) if tensor is p)
    rule = optimizer.rule
    executor.settle()
    # before the first step a state may have been placed already, as AdaHessian does
    known = executor.steps[position] > 0
    saved = {name: array for name, array in executor.read(position).items() if known or name not in rule.init}
    hyper, _ = executor.hyper(values, executor.steps[position], executor.clocks[position])
    states: list[Any] = []
    for name, wanted in zip(rule.state, rule.active(values), strict=True):
        first = rule.init.get(name, 0.0)
        if not wanted:
            states.append(None)
        elif name in saved:
            states.append(np.array(saved[name]))
        elif callable(first):
            states.append(first(p.data))
        else:
            states.append(np.full_like(p.data, values[first] if isinstance(first, str) else first))
    found: dict[str, Any] = {}

    def observe(frame: types.FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code in RULE_CODES:
            for name, value in frame.f_locals.items():
                found.setdefault(name, value)

    gradient, before = p.grad.data.copy(), p.data.copy()
    previous = sys.getprofile()
    sys.setprofile(observe)
    try:
        new = rule.function(before.copy(), gradient.copy(), *states, **hyper)
    finally:
        sys.setprofile(previous)
    shown = {k: v for k, v in found.items() if k not in (*hyper, "p", "g") and not isinstance(v, (bool, type(None)))}
    if "g" in found and not np.array_equal(found["g"], gradient):
        shown = {"gradient used": found["g"], **shown}
    after = new[0] if isinstance(new, tuple) else new
    if hyper.get("weight_decay"):
        bare = rule.function(before.copy(), gradient.copy(), *states, **{**hyper, "weight_decay": 0.0})
        shown["decay"] = after - (bare[0] if isinstance(bare, tuple) else bare)
    return {"gradient": gradient, **shown, "Δ": after - before, "t": executor.steps[position] + 1}
