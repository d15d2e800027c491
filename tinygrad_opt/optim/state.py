"""Saving and loading what an optimizer remembers, checked in full before anything changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from . import groups as given
from .rule import UpdateRule

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["StateMapping", "check_kind", "load", "regroup", "save"]


_NO_RULE = UpdateRule(lambda p, g: p)
"""Stands for the rule of an optimizer that keeps its state itself."""


class StateMapping(Mapping[Any, Any]):
    """``optimizer.state[p]``: the step count and views of the state arrays of one parameter."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def __getitem__(self, p: Tensor) -> dict[str, Any]:
        for tensor, executor, position in places(self._optimizer):
            if tensor is p:
                return read(executor, position)
        raise KeyError("this Tensor is none of the optimizer's parameters")

    def __iter__(self) -> Iterator[Tensor]:
        return (tensor for tensor, executor, position in places(self._optimizer) if read(executor, position))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<state of {len(self)} parameters>"


def places(optimizer: Optimizer) -> list[tuple[Tensor, Any, int]]:
    """Every parameter in the order of the groups, with its executor and its position there."""
    found = []
    for group, executors in zip(optimizer.param_groups, optimizer._executors, strict=True):
        where = {id(p): (executor, i) for executor in executors for i, p in enumerate(executor.params)}
        found += [(p, *where[id(p)]) for p in group["params"] if id(p) in where]
    return found


def read(executor: Any, position: int) -> dict[str, Any]:
    """What is remembered of one parameter; empty before its first step."""
    executor.settle()
    steps = executor.steps[position]
    if not steps:
        return {}
    return {"step": steps, **executor.clocks[position], **executor.read(position)}


def save(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's ``state_dict``."""
    state = {}
    for index, (_, executor, position) in enumerate(places(optimizer)):
        found = read(executor, position)
        if found:
            state[index] = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in found.items()}
    groups = []
    start = 0
    for group in optimizer.param_groups:
        count = len(group["params"])
        saved = {key: value for key, value in group.items() if key != "params"}
        saved["param_names"] = list(group["param_names"])
        groups.append({**saved, "params": list(range(start, start + count))})
        start += count
    return {"state": state, "param_groups": groups}


def regroup(optimizer: Optimizer, index: int) -> list[Any]:
    """New executors for a group whose parameters have taken another dtype; their states go along, converted."""
    group, executors = optimizer.param_groups[index], optimizer._executors[index]
    remembered = {}
    for executor in executors:
        executor.check_shapes()
        executor.settle()
        for position, p in enumerate(executor.params):
            if p.dtype.kind != "f":
                raise TypeError(f"step(): {executor.labels[position]} has become {p.dtype}, which has no gradient.")
            remembered[id(p)] = (executor.steps[position], executor.clocks[position], executor.read(position))
    new = optimizer._make_executors(group)
    for executor in new:
        for position, p in enumerate(executor.params):
            executor.restore(position, *remembered[id(p)])
    optimizer._executors[index] = new
    return new


def load(optimizer: Optimizer, saved: Mapping[str, Any], hyperparameters: bool) -> list[str]:
    """Restore a state, or raise ValueError with everything that does not fit; returns the changes of lr."""
    check_kind(optimizer, saved)
    name, own, groups = type(optimizer).__name__, optimizer.param_groups, saved["param_groups"]
    problems: list[str] = []
    if len(own) != len(groups):
        problems.append(f"{len(groups)} groups were saved, this optimizer has {len(own)}")
    restored = _entries(optimizer, saved["state"], _match(own, groups, problems), problems)
    listed = {str(place) for group in groups for place in group["params"]}
    problems += [
        f"unexpected: a state of parameter {key}, which is in no group"
        for key in saved["state"]
        if str(key) not in listed
    ]
    fresh = _hyperparameters(optimizer, groups, problems) if hyperparameters else []
    if problems:
        if any("foreach" in group for group in groups):
            problems.append("It looks like PyTorch's; convert it: optim.from_torch(optimizer, state_dict).")
        raise ValueError(
            f"load_state_dict: the state does not fit this {name}, and nothing was loaded.\n  " + "\n  ".join(problems)
        )
    for group in fresh:
        optimizer._check(group)
    for _, executor, position in places(optimizer):
        executor.forget(position)
    for executor, position, steps, ticks, arrays in restored:
        executor.restore(position, steps, ticks, arrays)
    changed = []
    for index, (group, new) in enumerate(zip(own, fresh, strict=False)):
        if "lr" in new and new["lr"] != group["lr"] and _unscheduled(new) != _unscheduled(group):
            changed.append(f"lr of group {index}: {new['lr']:g}, where it was {group['lr']:g}")
        group.update(new)
    return changed


def _unscheduled(group: Mapping[str, Any]) -> Any:
    """The learning rate before any schedule, which it is that a user has chosen."""
    return group.get("initial_lr", group["lr"])


def check_kind(optimizer: Optimizer, saved: Any) -> None:
    """Raise ValueError for what is no state of an optimizer at all."""
    whole = isinstance(saved, Mapping) and isinstance(saved.get("state"), Mapping) and "param_groups" in saved
    if not (whole and all(isinstance(group, Mapping) and "params" in group for group in saved["param_groups"])):
        got = f"a mapping with {sorted(map(str, saved))}" if isinstance(saved, Mapping) else type(saved).__name__
        raise ValueError(
            f"load_state_dict: expected the dict that {type(optimizer).__name__}.state_dict() gives, got {got}."
        )


def _entries(
    optimizer: Optimizer, saved: Mapping[Any, Any], matched: Mapping[int, int], problems: list[str]
) -> list[tuple[Any, int, int, dict[str, float], dict[str, Any]]]:
    """What each executor is to restore: position, step count, clock, arrays; adds what does not fit to `problems`."""
    rule = getattr(optimizer, "rule", None) or _NO_RULE
    clock = rule.first_clock()
    entries = {str(place): entry for place, entry in saved.items()}  # JSON makes texts of numbers
    restored = []
    for index, (tensor, executor, position) in enumerate(places(optimizer)):
        entry = entries.get(str(matched.get(index)))
        if entry is None:
            continue
        label = executor.labels[position]
        if not isinstance(entry, Mapping):
            problems.append(f"the state of {label} is a {type(entry).__name__}, it should be a dict")
            continue
        arrays = {key: _array(value) for key, value in entry.items() if key != "step" and key not in clock}
        wanted = [key for key in rule.state if not rule.optional(key)]
        problems += [f"missing for {label}: {key}" for key in ("step", *wanted) if key not in entry]
        problems += [f"unexpected for {label}: {key}" for key in arrays if key not in rule.state]
        problems += [
            f"{key} of {label} is {array.shape}, it should be {_first_shape(rule, key, tensor)}"
            for key, array in arrays.items()
            if key in rule.state and array.shape != _first_shape(rule, key, tensor)
        ]
        steps = _array(entry.get("step", 0))
        if steps.ndim or steps.dtype.kind not in "iuf" or not (steps >= 0 and steps % 1 == 0):
            problems.append(f"step of {label} is {entry['step']!r}, it should be a whole number from 0")
            continue
        restored.append((executor, position, int(steps), {k: float(entry[k]) for k in clock if k in entry}, arrays))
    return restored


def _hyperparameters(optimizer: Optimizer, groups: Any, problems: list[str]) -> list[dict[str, Any]]:
    """The saved hyperparameters of each group; adds what does not fit to `problems`."""
    fresh = [{k: given.plain(v) for k, v in group.items() if k not in ("params", "param_names")} for group in groups]
    for group in fresh:
        problems += [
            f"unexpected hyperparameter {k}" for k in group if k not in optimizer.defaults and k != "initial_lr"
        ]
        problems += [f"missing hyperparameter {key}" for key in optimizer.defaults if key not in group]
    return fresh


def _match(own: Any, groups: Any, problems: list[str]) -> dict[int, int]:
    """Position here → position in the saved state: by name where both sides have them, else by order."""
    ours = [name for group in own for name in group["param_names"]]
    theirs = [place for group in groups for place in group["params"]]
    names = [name for group in groups for name in group.get("param_names") or [None] * len(group["params"])]
    named = all(name and not name.isdigit() for name in (*ours, *names)) and len(set(names)) == len(names)
    if named and len(set(ours)) == len(ours):
        where = dict(zip(names, theirs, strict=True))
        problems += [f"missing parameter '{name}'" for name in ours if name not in where]
        problems += [f"unexpected parameter '{name}'" for name in names if name not in ours]
        return {i: where[name] for i, name in enumerate(ours) if name in where}
    if len(ours) != len(theirs):
        problems.append(f"{len(theirs)} parameters were saved, this optimizer has {len(ours)}")
    return dict(enumerate(theirs))


def _first_shape(rule: UpdateRule, key: str, tensor: Tensor) -> Any:
    """The shape of a state; None where the rule keeps none for this parameter."""
    init = rule.init.get(key)
    return getattr(init(tensor.data), "shape", None) if callable(init) else tensor.shape


def _array(value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, Tensor):
        return value.data
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
