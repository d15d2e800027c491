"""What an optimizer is given: parameters in groups, and hyperparameters with their ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..autograd.graph import Leaf
from ..errors import GradientError

__all__ = [
    "REQUIRED",
    "as_groups",
    "bind_arguments",
    "check_distinct",
    "check_hyperparameters",
    "check_keys",
    "complete",
    "many",
    "named_tensors",
    "plain",
    "spread",
    "table",
    "unknown",
]


def table(**items: Any) -> Mapping[str, Any]:
    """A read-only mapping, in the order of its arguments: what an optimizer declares about itself."""
    return MappingProxyType(items)


class _Required:
    def __repr__(self) -> str:
        return "<required>"


REQUIRED: Any = _Required()
"""The default of a hyperparameter that must be given."""

_AT_LEAST_0 = (0.0, math.inf, "[)")
_POSITIVE = (0.0, math.inf, "()")
_DECAY = (0.0, 1.0, "[)")
_SHARE = (0.0, 1.0, "[]")

RANGES: dict[str, Any] = {
    "lr": _AT_LEAST_0,
    "alpha": _SHARE,
    "beta": _DECAY,
    "betas": _DECAY,
    "dampening": _SHARE,
    "eps": _AT_LEAST_0,
    "eps_root": _AT_LEAST_0,
    "initial_accumulator_value": _AT_LEAST_0,
    "lr_decay": _AT_LEAST_0,
    "max_eval": (1.0, math.inf, "[)"),
    "momentum": _AT_LEAST_0,
    "momentum_decay": _AT_LEAST_0,
    "ns_coefficients": (-math.inf, math.inf, "()"),
    "ns_steps": (1.0, math.inf, "[)"),
    "rho": _SHARE,
    "t0": _AT_LEAST_0,
    "tolerance_change": _AT_LEAST_0,
    "tolerance_grad": _AT_LEAST_0,
    "trust_coefficient": _AT_LEAST_0,
    "warmup_steps": _AT_LEAST_0,
    "weight_decay": _AT_LEAST_0,
}
"""Hyperparameter → (low, high, brackets), where a square bracket includes the end."""

_SWITCHES = ("foreach", "fused", "capturable", "differentiable")


_SYNONYMS = {
    "learning_rate": "lr",
    "eta": "lr",
    "epsilon": "eps",
    "beta1": "betas",
    "beta2": "betas",
    "l2": "weight_decay",
    "wd": "weight_decay",
}
"""What other libraries call a hyperparameter → what it is called here."""


def bind_arguments(
    name: str,
    defaults: Mapping[str, Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    groups: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The hyperparameters of a call, by name; unknown and missing ones raise TypeError."""
    if len(args) > len(defaults):
        raise TypeError(f"{name} takes the parameters and at most {len(defaults)} hyperparameters, got {len(args)}.")
    given = dict(zip(defaults, args, strict=False))
    for key, value in kwargs.items():
        if key in given:
            raise TypeError(f"{name} got two values for {key}.")
        if key not in defaults:
            raise TypeError(unknown(name, key, defaults))
        given[key] = value
    bound = {**defaults, **given}
    for key, value in bound.items():
        if value is REQUIRED and not all(key in group for group in groups):
            raise TypeError(f"{name} needs a value for {key}, e.g. {name}(model.parameters(), {key}=0.01).")
    return bound


def unknown(name: str, key: str, known: Iterable[str]) -> str:
    """The message for a hyperparameter that does not exist."""
    if key == "differentiable":
        return f"{name}: leave out '{key}'. To differentiate through training, use optim.Functional and optim.unroll."
    if key in _SWITCHES:
        return f"{name}: leave out '{key}'. It chooses among PyTorch's implementations; here each step is fused."
    known = list(known)
    meant = _SYNONYMS.get(key)
    close = [meant] if meant in known else difflib.get_close_matches(key, known, 1, 0.5)
    mean = f"; did you mean '{close[0]}'?" if close else "."
    return f"{name} has no hyperparameter '{key}'{mean} It takes {', '.join(known)}."


def plain(value: Any) -> Any:
    """A hyperparameter as plain Python numbers: a NumPy float64 would promote float32 parameters."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item() if value.ndim == 0 else tuple(value.tolist())
    if isinstance(value, (tuple, list)):
        return tuple([plain(item) for item in value])
    return value


def check_hyperparameters(
    name: str, values: Mapping[str, Any], defaults: Mapping[str, Any], ranges: Mapping[str, Any]
) -> None:
    """Raise TypeError or ValueError for a hyperparameter of the wrong kind or out of its range."""
    for key, value in values.items():
        default = defaults.get(key)
        if isinstance(default, tuple) and (not isinstance(value, tuple) or len(value) != len(default)):
            raise TypeError(f"{name}: {key} must be {len(default)} numbers, e.g. {default}; got {value!r}.")
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise TypeError(f"{name}: {key} must be True or False, got {value!r}.")
            continue
        allowed = ranges.get(key, RANGES.get(key))
        if allowed is None or value is REQUIRED:
            continue
        for position, number in enumerate(value if isinstance(value, tuple) else (value,)):
            low, high, ends = allowed[position] if isinstance(allowed, list) else allowed
            if number is None and default is not REQUIRED and (default is None or isinstance(default, tuple)):
                continue
            if not isinstance(number, (int, float)) or isinstance(number, bool):
                raise TypeError(f"{name}: {key} must be a number, got {value!r}.")
            above = number > low or (number == low and ends[0] == "[")
            below = number < high or (number == high and ends[1] == "]")
            if not (above and below):
                raise ValueError(f"{name}: {key} must lie in {ends[0]}{low:g}, {high:g}{ends[1]}, got {value!r}.")
            if isinstance(default, int) and not isinstance(number, int):
                raise TypeError(f"{name}: {key} must be a whole number, got {value!r}.")


def as_groups(params: Any, name: str) -> list[dict[str, Any]]:
    """The given parameters as a list of group dicts, each with a list under "params"."""
    if isinstance(params, Tensor):
        raise TypeError(f"{name} expected an iterable of Tensors, got one Tensor; write {name}([w], …).")
    if isinstance(params, Mapping):
        return [dict(params)] if "params" in params else [{"params": list(params.items())}]
    if isinstance(params, (set, frozenset)):
        raise TypeError(
            f"{name} got a set of parameters, whose order changes from run to run, while state is kept by "
            f"position; pass a list."
        )
    if hasattr(params, "parameters") or not isinstance(params, Iterable):
        hint = f"; pass .parameters(): {name}(model.parameters(), …)" if hasattr(params, "parameters") else ""
        raise TypeError(f"{name} expected an iterable of Tensors, got {type(params).__name__}{hint}.")
    items = list(params)
    if not items:
        raise ValueError(
            f"{name} got an empty list of parameters: does the model have any, or was a generator used up already?"
        )
    if all(isinstance(item, Mapping) for item in items):
        return [dict(item) for item in items]
    return [{"params": items}]


def named_tensors(group: Mapping[str, Any], name: str) -> tuple[list[Tensor], list[str | None]]:
    """A group's Tensors and their names, checked to be leaves that can be trained."""
    if "params" not in group:
        raise ValueError(f"{name}: a parameter group is a dict with the key 'params'; got {sorted(group)}.")
    params = group["params"]
    items = [params] if isinstance(params, Tensor) else as_groups(params, name)[0]["params"]
    tensors: list[Tensor] = []
    names: list[str | None] = []
    for position, item in enumerate(items):
        label, tensor = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
        if not isinstance(tensor, Tensor):
            hint = " Give every group as a dict, or none." if isinstance(tensor, Mapping) else ""
            raise TypeError(f"{name}: parameter {position} is a {type(tensor).__name__}, not a Tensor.{hint}")
        label = label or tensor.name
        where = f"parameter {position}" + (f" ('{label}')" if label else "")
        if not tensor.is_leaf:
            raise GradientError(
                f"{name}: {where} was computed from other Tensors, so no gradient stops at it; optimize those, or "
                f"a copy of it: t.detach().clone().requires_grad_()."
            )
        if tensor.dtype.kind != "f":
            raise TypeError(f"{name}: {where} is {tensor.dtype}; only real floating-point Tensors can be optimized.")
        tensors.append(tensor)
        names.append(label)
    return tensors, names


def complete(
    groups: Sequence[Mapping[str, Any]],
    present: Sequence[Mapping[str, Any]],
    defaults: Mapping[str, Any],
    name: str,
    check: Callable[[Mapping[str, Any]], None],
) -> list[dict[str, Any]]:
    """Groups with every hyperparameter and name, checked against each other and against those that are there."""
    ready = []
    for group in groups:
        tensors, names = named_tensors(group, name)
        check_keys(name, group, defaults)
        full = {**defaults, **{key: plain(value) for key, value in group.items() if key != "params"}}
        check(full)
        for key, value in full.items():
            if value is REQUIRED:
                raise TypeError(f"{name}: every group needs a value for {key}.")
        ready.append({"params": tensors, **full, "param_names": names})
    check_distinct([tensor for group in (*present, *ready) for tensor in group["params"]], name)
    position = sum(len(group["params"]) for group in present)
    for made in ready:
        made["param_names"] = [label or str(position + i) for i, label in enumerate(made["param_names"])]
        position += len(made["params"])
    return ready


def check_keys(name: str, group: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Raise TypeError for a key of a group that is no hyperparameter."""
    for key in group:
        if key not in (*defaults, "params", "param_names", "initial_lr"):
            raise TypeError(unknown(name, key, defaults))


def many(things: Sequence[Any], what: str) -> str:
    """How many there are, in words: "1 parameter", "3 parameters"."""
    return f"{len(things)} {what}{'s' * (len(things) != 1)}"


def spread(values: Mapping[str, Any], tuples: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Tuples taken apart: betas=(0.9, 0.999) becomes beta1=0.9, beta2=0.999."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key in tuples:
            flat.update(zip(tuples[key], value, strict=True))
        else:
            flat[key] = value
    return flat


def check_distinct(tensors: Sequence[Tensor], name: str) -> None:
    """Raise ValueError when a Tensor appears twice, GradientError when none wants a gradient."""
    seen: dict[int, int] = {}
    for position, tensor in enumerate(tensors):
        if id(tensor) in seen:
            raise ValueError(
                f"{name}: parameters {seen[id(tensor)]} and {position} are the same Tensor; it would be updated twice "
                f"a step. Give each once."
            )
        seen[id(tensor)] = position
    if not any(isinstance(tensor._node, Leaf) for tensor in tensors):
        raise GradientError(f"{name}: none of the {len(tensors)} parameters requires a gradient; see requires_grad_().")
