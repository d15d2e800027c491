"""Modules that hold others: in a chain, a list or a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..autograd.tensor import Tensor
from .module import Module
from .parameter import Parameter
from .parts import check_name, named, numbered, pairs, several

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class Container(Module):
    """A module whose children are entries rather than attributes; the base of the containers."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, Module] = {}

    def _own_modules(self) -> Iterator[tuple[str, Module]]:
        yield from super()._own_modules()
        yield from self.__dict__.get("_items", {}).items()

    def __len__(self) -> int:
        return len(self._items)

    def _put(self, name: str, module: Any) -> None:
        self._put_all({name: module})

    def _put_all(self, modules: dict[str, Any]) -> None:
        """Add or replace entries: all of them, or none if one cannot be one."""
        for name, module in modules.items():
            if not isinstance(module, Module):
                raise TypeError(
                    f"{type(self).__name__}: entry '{name}' must be a Module, got {type(module).__name__}. "
                    f"A layer is an object, e.g. nn.ReLU() with parentheses; for a plain function write a small Module."
                )
            check_name(self, name)
        for name, module in modules.items():
            self._items[name] = module
            module._set_path(f"{self._path}.{name}" if self._path else name)


class ListContainer(Container):
    """A container whose entries are numbered."""

    def append(self, module: Module) -> Any:
        """Add a module at the end. Returns self."""
        self._put(str(len(self._items)), module)
        return self

    def extend(self, modules: Any) -> Any:
        """Add modules at the end. Returns self."""
        self._put_all({str(i): module for i, module in enumerate(several(self, modules), len(self._items))})
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before the one at `index`. Returns self."""
        entries = list(self._items.values())
        entries.insert(index, module)
        self._renumber(entries)
        return self

    def _renumber(self, entries: list[Any]) -> None:
        before, self._items = self._items, {}
        try:
            self._put_all({str(position): entry for position, entry in enumerate(entries)})
        except TypeError:
            self._items = before
            raise

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            part = type(self).__new__(type(self))
            Container.__init__(part)
            part._items = dict(list(self._items.items())[index])
            return part
        return numbered(self, self._items.values(), index)

    def __setitem__(self, index: int, module: Module) -> None:
        self._put(numbered(self, self._items, index, single=True), module)

    def __delitem__(self, index: int | slice) -> None:
        numbered(self, self._items, index)  # raises
        entries = list(self._items.values())
        del entries[index]
        self._renumber(entries)


class Sequential(ListContainer):
    """Modules in a chain, each applied to what the one before it returned.

    Parameters
    ----------
    *layers : Module or dict of str to Module
        A single dictionary gives the layers names of their own.

    Raises
    ------
    TypeError, ValueError
        A layer that is no Module, such as ``nn.ReLU`` without parentheses; a name that is empty or contains a dot.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> model = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.Linear(4, 2))
    >>> model(np.zeros((3, 2, 2), np.float32)).shape
    (3, 2)
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        named = layers[0] if len(layers) == 1 and isinstance(layers[0], dict) else dict(enumerate(layers))
        self._put_all({str(name): layer for name, layer in named.items()})

    def forward(self, x: Any) -> Any:
        """The layers' functions, one after the other."""
        for layer in self._items.values():
            x = layer(x)
        return x


class ModuleList(ListContainer):
    """A list of modules whose parameters are found; in a plain Python list they would not be.

    Parameters
    ----------
    modules : iterable of Module

    Raises
    ------
    TypeError
        An entry that is no Module, or a Module that is in no list.
    NotImplementedError
        When it is called.
    """

    def __init__(self, modules: Iterable[Module] | None = ()) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Not defined: a list has no order of computation."""
        raise NotImplementedError(f"{self.label} cannot be called: loop over it, or use nn.Sequential for a chain.")


class ModuleDict(Container):
    """A dictionary of modules whose parameters are found, in insertion order.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of pairs

    Raises
    ------
    TypeError, ValueError
        An entry that is no Module, or has no name; a name that is empty or contains a dot.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> heads = tg.nn.ModuleDict({"mean": tg.nn.Linear(8, 1), "scale": tg.nn.Linear(8, 1)})
    >>> [name for name, _ in heads["mean"].named_parameters()]
    ['weight', 'bias']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = ()) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace entries."""
        self._put_all(pairs(self, modules))

    def pop(self, name: str) -> Module:
        """Take an entry out and return it."""
        module: Module = named(self, self._items, name)
        del self._items[name]
        return module

    def clear(self) -> None:
        """Take all entries out."""
        self._items.clear()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._items.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._items.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """The names with their modules."""
        return self._items.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __getitem__(self, name: str) -> Any:
        return named(self, self._items, name)

    def __setitem__(self, name: str, module: Module) -> None:
        self._put(name, module)

    def __delitem__(self, name: str) -> None:
        self.pop(name)


class _Parameters(Module):
    """What the containers of Parameters share."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Parameter] = {}

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        yield from super()._own_parameters()
        yield from self.__dict__.get("_values", {}).items()

    def _put(self, name: str, value: Any) -> None:
        self._put_all({name: value})

    def _put_all(self, values: dict[str, Any]) -> None:
        """Add or replace entries: all of them, or none if one cannot be one."""
        made = {name: value if isinstance(value, Parameter) else Parameter(value) for name, value in values.items()}
        for name in made:
            check_name(self, name)
        for name, parameter in made.items():
            self._values[name] = parameter
            if parameter.name is None:
                parameter.name = f"{self._path}.{name}" if self._path else name

    def __len__(self) -> int:
        return len(self._values)

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(f"({name}): {parameter.shape}" for name, parameter in self._values.items())


class ParameterList(_Parameters):
    """A list of Parameters that a module finds.

    Parameters
    ----------
    values : iterable of Parameter or array_like
        What is no Parameter becomes one.

    Raises
    ------
    GradientError, TypeError
        Values that are whole numbers, or no numbers at all; a single Parameter instead of a list.
    """

    def __init__(self, values: Iterable[Parameter | Tensor] | None = ()) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def append(self, value: Any) -> ParameterList:
        """Add one at the end. Returns self."""
        self._put(str(len(self._values)), value)
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add several at the end. Returns self."""
        self._put_all({str(i): value for i, value in enumerate(several(self, values), len(self._values))})
        return self

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._values.values())

    def __getitem__(self, index: int | slice) -> Any:
        return numbered(self, self._values.values(), index)

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(numbered(self, self._values, index, single=True), value)


class ParameterDict(_Parameters):
    """A dictionary of Parameters that a module finds, in insertion order.

    Parameters
    ----------
    values : mapping of str to Parameter or array_like, or iterable of pairs

    Raises
    ------
    TypeError, ValueError
        A value without a name; a name that is empty or contains a dot; values as in :class:`ParameterList`.
    """

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self._put_all(pairs(self, () if values is None else values))

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._values.keys()

    def values(self) -> Iterable[Parameter]:
        """The Parameters."""
        return self._values.values()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """The names with their Parameters."""
        return self._values.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> Parameter:
        return named(self, self._values, name)  # type: ignore[no-any-return]

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        named(self, self._values, name)  # raises
        del self._values[name]
