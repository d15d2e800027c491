"""Parameters that are computed from others: a module's attribute becomes a function of what is trained.

The module gets a class of its own, under the same name, in which the attribute is a property. It is computed each time
it is read, so nothing can be out of date, and copies of the module work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd.tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = ["is_parametrized", "make_property", "register_parametrization", "remove_parametrizations", "take_parameter"]


def take_parameter(caller: str, module: Module, name: str) -> Parameter:
    """Remove a Parameter from a module and return it.

    Raises
    ------
    AttributeError
        The module has no Parameter of that name.
    """
    parameter = module.__dict__.get(name)
    if not isinstance(parameter, Parameter):
        have = ", ".join(n for n, _ in module.named_parameters(recurse=False)) or "none"
        raise AttributeError(f"{caller}: {module.label} has no parameter '{name}' of its own; it has: {have}.")
    del module.__dict__[name]
    return parameter


def make_property(module: Module, name: str, compute: Callable[[Any], Tensor]) -> None:
    """Let ``module.name`` be ``compute(module)``."""
    kind = type(module)
    own = type(kind.__name__, (kind,), {name: property(compute), "__module__": kind.__module__, "_computed": name})
    object.__setattr__(module, "__class__", own)


def remove_property(module: Module, name: str) -> None:
    """Give the module back the class it had before :func:`make_property`."""
    if type(module).__dict__.get("_computed") != name:
        raise ValueError(f"{module.label}: undo the latest reparametrization first, not that of '{name}'.")
    object.__setattr__(module, "__class__", type(module).__mro__[1])


class ParametrizationList(ModuleList):
    """The Parameter that is trained, and the modules that make the attribute from it, one after the other."""

    def __init__(self, original: Parameter) -> None:
        super().__init__()
        self.original = original

    def forward(self) -> Any:
        """The attribute's value."""
        value: Any = self.original
        for module in self:
            value = module(value)
        return value


def register_parametrization(module: Module, tensor_name: str, parametrization: Module) -> Module:
    """Let a Parameter of a module be computed by another module from an unconstrained one. Returns the module.

    Parameters
    ----------
    module : Module
    tensor_name : str
        E.g. ``weight``; what is trained is then ``parametrizations.weight.original``.
    parametrization : Module
        Maps the trained values to those used; several are applied in the order of registration.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> class Positive(tg.nn.Module):
    ...     def forward(self, x):
    ...         return np.exp(x)
    >>> layer = register_parametrization(tg.nn.Linear(3, 2), "weight", Positive())
    >>> bool((layer.weight.data > 0).all())
    True
    """
    if not is_parametrized(module, tensor_name):
        original = take_parameter("register_parametrization", module, tensor_name)
        if "parametrizations" not in module.__dict__:
            module.register_module("parametrizations", ModuleDict())
        original.name = None
        _lists(module)[tensor_name] = ParametrizationList(original)
        make_property(module, tensor_name, lambda self: _lists(self)[tensor_name]())
    _lists(module)[tensor_name].append(parametrization)
    return module


def _lists(module: Module) -> Any:
    return module.__dict__["parametrizations"]


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether an attribute (or any) of a module is computed by :func:`register_parametrization`."""
    found = module.__dict__.get("parametrizations", ())
    return bool(len(found)) if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make an attribute a Parameter again. Returns the module.

    Parameters
    ----------
    module : Module
    tensor_name : str
    leave_parametrized : bool
        Whether it keeps the computed values, or gets back the original ones.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: '{tensor_name}' of {module.label} is not parametrized.")
    value = getattr(module, tensor_name).data
    remove_property(module, tensor_name)
    original = _lists(module).pop(tensor_name).original
    if leave_parametrized:
        original.write_(value)
    original.name = None
    setattr(module, tensor_name, original)
    return module
