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

__all__ = ["StateMapping", "load", "regroup", "save"]


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
    name = type(optimizer).__name__
    problems: list[str] = []
    if not isinstance(saved, Mapping) or "state" not in saved or "param_groups" not in saved:
        raise ValueError(f"load_state_dict: expected the dict that {name}.state_dict() gives, got {_keys(saved)}.")
    own_groups, groups = optimizer.param_groups, saved["param_groups"]
    if len(own_groups) != len(groups):
        problems.append(f"{len(groups)} groups were saved, this optimizer has {len(own_groups)}")
    matched = _match(own_groups, groups, problems)
    rule = getattr(optimizer, "rule", None) or _NO_RULE
    clock = rule.first_clock()
    restored = []
    for index, (tensor, executor, position) in enumerate(places(optimizer)):
        entry = saved["state"].get(matched.get(index), saved["state"].get(str(matched.get(index))))
        if entry is None:
            continue
        label = executor.labels[position]
        arrays = {key: _array(value) for key, value in entry.items() if key != "step" and key not in clock}
        steps = int(_array(entry.get("step", 0)))
        problems += [
            f"missing for {label}: {key}" for key in rule.state if key not in arrays and not rule.optional(key)
        ]
        problems += [f"unexpected for {label}: {key}" for key in arrays if key not in rule.state]
        problems += [
            f"{key} of {label} is {array.shape}, it should be {_first_shape(rule, key, tensor)}"
            for key, array in arrays.items()
            if key in rule.state and array.shape != _first_shape(rule, key, tensor)
        ]
        restored.append((executor, position, steps, {k: float(entry[k]) for k in clock if k in entry}, arrays))
    fresh = []
    if hyperparameters:
        fresh = [
            {k: given.plain(v) for k, v in group.items() if k not in ("params", "param_names")} for group in groups
        ]
        for group in fresh:
            problems += [
                f"unexpected hyperparameter {k}" for k in group if k not in optimizer.defaults and k != "initial_lr"
            ]
            problems += [f"missing hyperparameter {key}" for key in optimizer.defaults if key not in group]
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
    for index, (group, new) in enumerate(zip(own_groups, fresh, strict=False)):
        if "lr" in new and new["lr"] != group["lr"] and new.get("initial_lr") != group["lr"]:
            changed.append(f"lr of group {index}: {new['lr']:g}, where it was {group['lr']:g}")
        group.update(new)
    return changed


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


def _keys(value: Any) -> str:
    return f"a mapping with {sorted(map(str, value))}" if isinstance(value, Mapping) else type(value).__name__
