"""Parameters that are computed from others: a module's attribute becomes a function of what is trained.

It is computed each time it is read, so nothing can be out of date; the module remembers how (``Module._computed``), by
objects that can be copied and pickled with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autograd.tensor import Tensor
from ...errors import ShapeError
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "is_parametrized",
    "own_parameter",
    "register_parametrization",
    "remove_parametrizations",
    "set_computed",
    "take_parameter",
]


def own_parameter(caller: str, module: Module, name: str) -> Parameter:
    """A module's Parameter of a name.

    Raises
    ------
    TypeError
        What should be a module is none.
    AttributeError
        The module has no Parameter of that name.
    """
    if not isinstance(module, Module):
        raise TypeError(f"{caller}: expected a Module, got {type(module).__name__}.")
    parameter = module.__dict__.get(name)
    if not isinstance(parameter, Parameter):
        have = ", ".join(n for n, _ in module.named_parameters(recurse=False)) or "none"
        raise AttributeError(f"{caller}: {module.label} has no parameter '{name}' of its own; it has: {have}.")
    return parameter


def take_parameter(caller: str, module: Module, name: str) -> Parameter:
    """Remove a Parameter from a module and return it; raises as :func:`own_parameter`."""
    parameter = own_parameter(caller, module, name)
    del module.__dict__[name]
    parameter.name = None
    return parameter


def set_computed(module: Module, name: str, compute: Callable[[Any], Any] | None) -> None:
    """Let ``module.name`` be ``compute(module)``, or with None an ordinary attribute again."""
    others = {key: value for key, value in module._computed.items() if key != name}
    object.__setattr__(module, "_computed", others if compute is None else {**others, name: compute})


class ParametrizationList(ModuleList):
    """The Parameters that are trained, and the modules that make the attribute from them, one after the other.

    The Parameter is ``original``; or there are ``original0``, ``original1`` and so on, where the first module takes
    several.
    """

    def __init__(self, values: Any) -> None:
        super().__init__()
        self.several = isinstance(values, (tuple, list))
        names = [f"original{i}" for i in range(len(values))] if self.several else ["original"]
        for name, value in zip(names, values if self.several else [values], strict=True):
            setattr(self, name, value if isinstance(value, Parameter) else Parameter(value))

    def forward(self) -> Any:
        """The attribute's value."""
        first, *others = self
        value = first(*(parameter for _, parameter in self._own_parameters()))
        for module in others:
            value = module(value)
        return value

    def extra_repr(self) -> str:
        """Nothing: the parts say it."""
        return ""


class Parametrized:
    """How a module computes an attribute that :func:`register_parametrization` has taken over."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module) -> Any:
        return _lists(module)[self.name]()


def register_parametrization(module: Module, tensor_name: str, parametrization: Module) -> Module:
    """Let a Parameter of a module be computed by another module from an unconstrained one. Returns the module.

    Parameters
    ----------
    module : Module
    tensor_name : str
        E.g. ``weight``; what is trained is then ``parametrizations.weight.original``.
    parametrization : Module
        Maps the trained values to those used; several are applied in the order of registration. If it has a method
        ``right_inverse``, that gives the values to begin with; a tuple of them is trained under the names
        ``original0``, ``original1`` and so on.

    Raises
    ------
    TypeError
        `module` or `parametrization` is no Module.
    AttributeError
        The module has no Parameter of that name.
    ShapeError
        The parametrization changes the Parameter's shape, or its ``right_inverse`` does so with a single array.

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
    caller = "register_parametrization"
    further = isinstance(module, Module) and is_parametrized(module, tensor_name)
    before: Any = getattr(module, tensor_name) if further else own_parameter(caller, module, tensor_name)
    if not isinstance(parametrization, Module):
        raise TypeError(
            f"{caller}: the parametrization must be a Module, got {type(parametrization).__name__}. A layer is an "
            f"object, e.g. nn.Tanh() with parentheses; for a plain function write a small Module."
        )
    start: Any = before
    if hasattr(parametrization, "right_inverse"):
        start = parametrization.right_inverse(before.detach())
    several = isinstance(start, (tuple, list))
    if not several and start.shape != before.shape:
        raise ShapeError(
            f"{caller}: right_inverse of {type(parametrization).__name__} makes {start.shape} of '{tensor_name}', "
            f"whose shape is {before.shape}. Return a tuple of one: it is trained as original0, in any shape."
        )
    made = parametrization(*start) if several else parametrization(start)
    if made.shape != before.shape:
        raise ShapeError(
            f"{caller}: {type(parametrization).__name__} makes {made.shape} of '{tensor_name}', whose "
            f"shape is {before.shape}; it must keep the shape."
        )
    if not further:
        original = take_parameter(caller, module, tensor_name)
        if several:
            start = [
                Parameter(part.data if isinstance(part, Tensor) else part, original.requires_grad) for part in start
            ]
        elif start is not before:
            original.write_(start)
        if "parametrizations" not in module.__dict__:
            module.register_module("parametrizations", ModuleDict())
        _lists(module)[tensor_name] = ParametrizationList(start if several else original)
        set_computed(module, tensor_name, Parametrized(tensor_name))
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

    Raises
    ------
    ValueError
        It is not parametrized; or the original values are wanted, and it is computed from several Parameters.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: '{tensor_name}' of {module.label} is not parametrized.")
    parts = _lists(module)[tensor_name]
    if parts.several and not leave_parametrized:
        raise ValueError(
            f"remove_parametrizations: '{tensor_name}' is computed from several parameters, so there is no original to "
            f"go back to. Use leave_parametrized=True."
        )
    value = getattr(module, tensor_name).data
    set_computed(module, tensor_name, None)
    _lists(module).pop(tensor_name)
    if not len(_lists(module)):
        del module.__dict__["parametrizations"]
    original = Parameter(value.copy()) if parts.several else parts.original
    if leave_parametrized and not parts.several:
        original.write_(value)
    original.name = None
    setattr(module, tensor_name, original)
    return module
