"""What a step works on besides its arguments: the modules, optimizers and Tensors it can reach, and their state."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from ..random import get_generator

__all__ = ["Surroundings", "differences"]

_LIBRARIES = {*sys.stdlib_module_names, "builtins", "numpy", "tinygrad_opt"} - {"__main__"}


class Surroundings:
    """The modules, optimizers, schedules, Tensors and generators that a function refers to, directly or not."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self.modules: dict[str, Any] = {}
        self.keepers: dict[str, Any] = {}  # what has a state_dict: optimizers, schedules, the user's own
        self.tensors: dict[str, Tensor] = {}
        self.generators: dict[str, np.random.Generator] = {"the default generator": get_generator()}
        seen: set[int] = set()
        for name, value in _reached(step):
            self._take(name, value, seen)
        self.settle()

    def _take(self, name: str, value: Any, seen: set[int]) -> None:
        from ..nn.module import Module

        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, Module):
            self.modules[name] = value
        elif isinstance(value, Tensor):
            self.tensors[name] = value
        elif isinstance(value, np.random.Generator):
            self.generators[name] = value
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                self._take(f"{name}[{i}]", part, seen)
        elif isinstance(value, dict):
            for key, part in value.items():
                self._take(f"{name}[{key!r}]", part, seen)
        elif isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            for key, part in _reached(value):
                self._take(key, part, seen)
        elif _holds_parts(value):
            if hasattr(value, "state_dict") and hasattr(value, "load_state_dict"):
                self.keepers[name] = value
            for key, part in vars(value).items():
                self._take(f"{name}.{key}", part, seen)

    def _all_tensors(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.tensors.items()
        for name, module in self.modules.items():
            for path, tensor in (*module.named_parameters(), *module.named_buffers()):
                yield f"{name}.{path}", tensor
        for name, optimizer in self._optimizers():
            for group in optimizer.param_groups:
                for i, tensor in enumerate(group["params"]):
                    yield f"{name} parameter {i}", tensor

    def _optimizers(self) -> Iterator[tuple[str, Any]]:
        return ((name, keeper) for name, keeper in self.keepers.items() if hasattr(keeper, "param_groups"))

    def settle(self) -> None:
        """Take the present memory, graph ends and modes as those that a plan relies on."""
        self._memory = [(tensor, tensor.data, tensor._node) for _, tensor in self._all_tensors()]
        self._modes = [(part, part.training) for module in self.modules.values() for _, part in module.named_modules()]
        self._sizes = [
            (group["params"], len(group["params"]))
            for _, optimizer in self._optimizers()
            for group in optimizer.param_groups
        ]

    def unchanged(self) -> bool:
        """Whether a plan made for these is still right."""
        for tensor, data, node in self._memory:
            if tensor.data is not data or tensor._node is not node:
                return False
        for module, training in self._modes:
            if module.training is not training:
                return False
        return all(len(params) == size for params, size in self._sizes)

    def snapshot(self) -> dict[str, Any]:
        """Copies of everything: arrays by name, gradients, states of optimizers and schedules, generators' states."""
        return {
            "arrays": {name: tensor.data.copy() for name, tensor in self._all_tensors()},
            "grads": {name: tensor.grad for name, tensor in self._all_tensors() if tensor.is_leaf},
            "states": {name: copy.deepcopy(keeper.state_dict()) for name, keeper in self.keepers.items()},
            "generators": {name: g.bit_generator.state for name, g in self.generators.items()},
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put everything back, in place."""
        for name, tensor in self._all_tensors():
            tensor.data[...] = snapshot["arrays"][name]
            if tensor.is_leaf and tensor.requires_grad:
                tensor.grad = snapshot["grads"][name]
        for name, keeper in self.keepers.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                keeper.load_state_dict(snapshot["states"][name])
        for name, generator in self.generators.items():
            generator.bit_generator.state = snapshot["generators"][name]


def _holds_parts(value: Any) -> bool:
    """Whether an object is worth a look inside: one of the user's own, an optimizer or a schedule."""
    module = type(value).__module__
    ours = module.startswith("tinygrad_opt.optim")
    return hasattr(value, "__dict__") and (ours or module.partition(".")[0] not in _LIBRARIES)


def _reached(step: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Names and values that a function can refer to: its closure, the globals it names, its object, its defaults."""
    if isinstance(step, functools.partial):
        yield from (("an argument", value) for value in (*step.args, *step.keywords.values()))
        step = step.func
    if hasattr(step, "__self__"):
        yield "self", step.__self__
    function = inspect.unwrap(getattr(step, "__func__", step))
    if not inspect.isfunction(function):
        yield "the step", function
        return
    found = inspect.getclosurevars(function)
    yield from found.nonlocals.items()
    yield from found.globals.items()
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not parameter.empty:
            yield parameter.name, parameter.default


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two snapshots differ by more than rounding."""
    if isinstance(before, dict) and isinstance(after, dict):
        if path.startswith("grads"):
            return []
        wrong = [f"{path}{key} is gone" for key in before if key not in after]
        wrong += [f"{path}{key} is new" for key in after if key not in before]
        for key in before.keys() & after.keys():
            wrong += differences(before[key], after[key], f"{path}{key}: " if not path else f"{path}{key} ")
        return wrong
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        return [w for i, (a, b) in enumerate(zip(before, after, strict=True)) for w in differences(a, b, f"{path}{i} ")]
    if isinstance(before, np.ndarray):
        bound = 1e-5 if before.dtype.itemsize <= 4 else 1e-10
        same = before.shape == after.shape and np.allclose(before, after, rtol=bound, atol=bound, equal_nan=True)
        return [] if same else [f"{path.strip()} differs"]
    return [] if before is after or before == after else [f"{path.strip()} is {after!r} instead of {before!r}"]
