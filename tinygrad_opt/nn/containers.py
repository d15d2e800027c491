"""Modules that hold others: in a chain, a list or a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .module import Module

__all__ = ["Sequential"]


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
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: entry '{name}' must be a Module, got {type(module).__name__}. "
                f"A layer is an object, e.g. nn.ReLU() with parentheses; for a plain function write a small Module."
            )
        self._check_name(name)
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
        for module in modules:
            self.append(module)
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
            for position, entry in enumerate(entries):
                self._put(str(position), entry)
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
        return list(self._items.values())[index]

    def __setitem__(self, index: int, module: Module) -> None:
        self._put(list(self._items)[index], module)

    def __delitem__(self, index: int | slice) -> None:
        entries = list(self._items.values())
        del entries[index]
        self._renumber(entries)


class Sequential(ListContainer):
    """Modules in a chain, each applied to what the one before it returned.

    Parameters
    ----------
    *layers : Module or dict of str to Module
        A single dictionary gives the layers names of their own.

    Examples
    --------
    >>> import numpy as np, tinygrad_opt as tg
    >>> model = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.Linear(4, 2))
    >>> model(np.zeros((3, 2, 2), np.float32)).shape
    (3, 2)
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        named = layers[0] if len(layers) == 1 and isinstance(layers[0], dict) else None
        for name, layer in named.items() if named is not None else enumerate(layers):
            self._put(str(name), layer)

    def forward(self, x: Any) -> Any:
        """The layers' functions, one after the other."""
        for layer in self._items.values():
            x = layer(x)
        return x
