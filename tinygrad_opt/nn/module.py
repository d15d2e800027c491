"""Module: what a layer is, so that its parameters can be found, named, saved and trained.

A module's parameters, buffers and children are simply its attributes, in the order in which they were first
assigned; there is no second list that could disagree with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..autograd.graph import Leaf, next_number
from ..autograd.modes import begin, current
from ..autograd.overwrite import overwrite
from ..autograd.tensor import Tensor
from .hooks import Hookable
from .parameter import Parameter
from .parts import check_name, check_part
from .state import IncompatibleKeys, check_state
from .text import missing_attribute, module_text, plain_options, warn_of_hidden_parts

__all__ = ["Module", "Parameter"]

_M = TypeVar("_M", bound="Module")


class Module(Hookable):
    """A layer or a model: subclass it, assign Parameters and other Modules as attributes, define ``forward``.

    Attributes
    ----------
    training : bool
        Set by :meth:`train` and :meth:`eval`; Dropout, BatchNorm and their kin behave by it.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> class Scale(tg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = tg.nn.Parameter(np.ones(3))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> model = tg.nn.Sequential(Scale(), tg.nn.Linear(3, 2))
    >>> [name for name, _ in model.named_parameters()]
    ['0.factor', '1.weight', '1.bias']
    """

    training: bool = True
    _path: str = ""
    _buffers: dict[str, bool] = {}  # noqa: RUF012  name → persistent; replaced, never changed, by register_buffer
    _computed: dict[str, Callable[[Any], Any]] = {}  # noqa: RUF012  what nn.utils.parametrize computes; replaced likewise

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it, and users call the module itself."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward(self, ...), so it cannot be called.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        here = current(None) or begin()
        outer, here.module = here.module, self._path
        try:
            if self._hooks is not None:
                return self._hooks.call(self, args, kwargs)
            return self.forward(*args, **kwargs)
        finally:
            here.module = outer

    # What a module is made of

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            check_name(self, name)
            value._set_path(_join(self._path, name))
        elif name in self._computed:
            raise AttributeError(
                f"{type(self).__name__}.{name} is computed from other parameters (nn.utils.parametrize): change those, "
                f"or remove the parametrization first.",
            )
        elif isinstance(value, Parameter):
            check_name(self, name)
            if value.name is None:
                value.name = _join(self._path, name)
        elif value is not None and isinstance(self.__dict__.get(name), Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter and cannot become {type(value).__name__}: it would no "
                f"longer be trained or saved. Assign nn.Parameter(values), or write values by {name}.write_(values)."
            )
        elif value is not None and name in self._buffers and not isinstance(value, Tensor):
            raise TypeError(f"{type(self).__name__}.{name} is a buffer: assign a Tensor, not {type(value).__name__}.")
        elif isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
            warn_of_hidden_parts(f"{type(self).__name__}.{name}", value)
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        compute = self.__dict__.get("_computed", {}).get(name)
        if compute is None:
            raise AttributeError(missing_attribute(self, name), name=name, obj=self)
        return compute(self)

    def _set_path(self, path: str) -> None:
        """Name this module and everything in it by where it stands."""
        for name, module in self.named_modules():
            object.__setattr__(module, "_path", _join(path, name))
        for name, parameter in self.named_parameters():
            parameter.name = _join(path, name)

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, value) for name, value in self.__dict__.items() if isinstance(value, Parameter))

    def _own_modules(self) -> Iterator[tuple[str, Module]]:
        return ((name, value) for name, value in self.__dict__.items() if isinstance(value, Module))

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Assign a Parameter, or None where a layer may have one and this one does not; others raise TypeError."""
        setattr(self, check_part(self, name, parameter, Parameter), parameter)

    def register_buffer(self, name: str, tensor: Tensor | ArrayLike | None, persistent: bool = True) -> None:
        """Assign a Tensor that belongs to the module's state but is not trained, such as a running mean.

        Parameters
        ----------
        name : str
        tensor : Tensor, array_like or None
        persistent : bool
            Whether ``state_dict`` holds it.
        """
        check_name(self, name)
        value = tensor if tensor is None or isinstance(tensor, Tensor) else Tensor(tensor)
        object.__setattr__(self, "_buffers", {**self._buffers, name: persistent})
        object.__setattr__(self, name, value)

    def register_module(self, name: str, module: Module | None) -> None:
        """Assign a child module, or None, under a name; others raise TypeError."""
        setattr(self, check_part(self, name, module, Module), module)

    add_module = register_module

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all modules in it, outer before inner, with their dotted paths."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate:
                if id(module) in seen:
                    continue
                seen.add(id(module))
            yield path, module
            if children := list(module._own_modules()):
                stack.extend((_join(path, name), child) for name, child in reversed(children))

    def modules(self) -> Iterator[Module]:
        """This module and all modules in it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one, each once, with their names."""
        seen: set[int] = set()
        for name, module in self._own_modules():
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly in this one, each once."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters in definition order with their dotted names; a shared one once, under its first name."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, parameter in module._own_parameters():
                if remove_duplicate:
                    if id(parameter) in seen:
                        continue
                    seen.add(id(parameter))
                yield _join(path, name), parameter

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters in definition order, each once."""
        modules = self.modules() if recurse else (self,)
        return iter({id(p): p for module in modules for _, p in module._own_parameters()}.values())

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their dotted names."""
        return ((name, value) for name, value, _ in self._all_buffers(prefix, recurse, remove_duplicate))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _all_buffers(self, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Tensor, bool]]:
        for path, module in self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, persistent in module._buffers.items():
                value = getattr(module, name, None)
                if isinstance(value, Tensor):
                    yield _join(path, name), value, persistent

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path, e.g. ``encoder.layers.1``."""
        for path, module in self.named_modules(remove_duplicate=False):
            if path == target:
                return module
        raise AttributeError(f"{type(self).__name__} has no module at '{target}'.")

    def get_parameter(self, target: str) -> Parameter:
        """The Parameter at a dotted path, e.g. ``encoder.layers.1.weight``."""
        for path, parameter in self.named_parameters(remove_duplicate=False):
            if path == target:
                return parameter
        raise AttributeError(f"{type(self).__name__} has no parameter '{target}'.")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path, e.g. ``encoder.norm.running_mean``."""
        for path, buffer in self.named_buffers(remove_duplicate=False):
            if path == target:
                return buffer
        raise AttributeError(f"{type(self).__name__} has no buffer '{target}'.")

    # Training, evaluation, gradients

    def train(self: _M, mode: bool = True) -> _M:
        """Put this module and all in it into training mode (or, with False, evaluation mode). Returns self."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self: _M) -> _M:
        """Put this module and all in it into evaluation mode. Returns self."""
        return self.train(False)

    def requires_grad_(self: _M, requires_grad: bool = True) -> _M:
        """Freeze (False) or unfreeze all parameters. Returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or with ``set_to_none=False`` set them to zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = Tensor(np.zeros_like(parameter.data))
                parameter._node.passes = 0  # type: ignore[union-attr]

    def apply(self: _M, function: Callable[[Module], Any]) -> _M:
        """Call a function on every module, inner before outer, e.g. to initialise weights. Returns self."""
        for module in self.children():
            module.apply(function)
        function(self)
        return self

    def astype(self: _M, dtype: DTypeLike) -> _M:
        """Convert floating-point parameters and buffers, in new memory; gradients are forgotten. Returns self."""
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.data.dtype.kind == "f" and tensor.data.dtype != np.dtype(dtype):
                tensor.data = tensor.data.astype(dtype)
                if isinstance(tensor._node, Leaf):
                    tensor.grad = None
                    tensor._node.written = next_number()
        return self

    def double(self: _M) -> _M:
        """Convert to float64. Returns self."""
        return self.astype(np.float64)

    def float(self: _M) -> _M:
        """Convert to float32. Returns self."""
        return self.astype(np.float32)

    # Saving and loading

    def state_dict(self, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all parameters and persistent buffers, by PyTorch's names.

        Unlike PyTorch's, the arrays are a snapshot: training on does not change them.
        """
        return {prefix + name: tensor.data.copy() for name, tensor in self._state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and buffers of the same names; their dtypes stay as they are.

        Parameters
        ----------
        state_dict : mapping of str to array_like
            ndarrays, Tensors, or PyTorch's tensors.
        strict : bool
            Whether a missing or unexpected name is an error.

        Returns
        -------
        IncompatibleKeys
            ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        ValueError
            Lists all missing, unexpected and mis-shaped names, and what is no numbers; then nothing has been changed.
        TypeError
            `state_dict` is no mapping.
        """
        own = dict(self._state())
        values, result = check_state(type(self).__name__, own, state_dict, strict)
        for name, array in values.items():
            overwrite(own[name], array)
        return result

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self.named_modules(remove_duplicate=False):
            yield from module.named_parameters(path, recurse=False)
            for name, value, persistent in module._all_buffers(path, False, True):
                if persistent:
                    yield name, value

    def extra_repr(self) -> str:
        """The options that ``repr`` shows: by default all public attributes that are numbers, texts or tuples."""
        return plain_options(self)

    def __repr__(self) -> str:
        return module_text(self)

    def summary(self, *inputs: Any) -> Any:
        """A table of output shapes, parameters and memory, for an input or its shape: :func:`~.summary.summary`."""
        from .summary import summary

        return summary(self, *inputs)

    @property
    def label(self) -> str:
        """How messages name this module: its path and class, e.g. ``encoder.0 (Linear)``."""
        kind = type(self).__name__
        return f"{self._path} ({kind})" if self._path else kind


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
