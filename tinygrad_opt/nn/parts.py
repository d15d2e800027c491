"""What the parts of a module must be, and what is said of those that are none or are not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..autograd.tensor import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

__all__ = ["check_name", "check_part", "named", "numbered", "pairs", "several"]


def check_name(holder: Module, name: Any) -> None:
    """Raise for what cannot name a part of a module: TypeError for no text, ValueError for '' and for dots."""
    if not isinstance(name, str):
        raise TypeError(f"{type(holder).__name__}: the name of a part must be a str, got {name!r}.")
    if not name or "." in name:
        raise ValueError(f"{type(holder).__name__}: {name!r} cannot name a part: it must not be empty or contain '.'.")


def check_part(holder: Module, name: Any, value: Any, kind: type) -> str:
    """The name of a part that is to be registered; raises TypeError unless the part is of its kind, or None."""
    check_name(holder, name)
    if value is not None and not isinstance(value, kind):
        mend = " Wrap it: nn.Parameter(values)." if kind is Parameter else ""
        raise TypeError(
            f"{type(holder).__name__}: '{name}' is to be a {kind.__name__} or None, got {type(value).__name__}.{mend}"
        )
    return str(name)


def numbered(holder: Module, entries: Any, index: Any, single: bool = False) -> Any:
    """One entry of a list, or unless `single` a part of it; or an error that says how many there are."""
    entries = list(entries)
    try:
        if single and isinstance(index, slice):
            raise TypeError
        return entries[index]
    except IndexError:
        raise IndexError(f"{holder.label}: there is no entry {index}; it has {len(entries)}.") from None
    except TypeError:
        wanted = "an int" if single else "an int or a slice"
        raise TypeError(f"{holder.label}: entries are numbered; expected {wanted}, got {index!r}.") from None


def named(holder: Module, entries: Any, name: Any) -> Any:
    """One entry of a dictionary, or an error that says which there are."""
    if name not in entries:
        raise KeyError(f"{holder.label}: there is no entry {name!r}; it has: {', '.join(entries) or 'none'}.")
    return entries[name]


def several(holder: Module, values: Any) -> list[Any]:
    """The entries to put into a list."""
    if not isinstance(values, Iterable) or isinstance(values, Tensor):
        kind = type(values).__name__
        raise TypeError(f"{type(holder).__name__}: expected a list of entries, got {kind}; put it in brackets, [...].")
    return list(values)


def pairs(holder: Module, values: Any) -> dict[str, Any]:
    """The entries to put into a dictionary."""
    try:
        return dict(values)
    except (TypeError, ValueError):
        raise TypeError(
            f"{type(holder).__name__}: expected names with their entries, {{'name': entry}} or pairs of them, got "
            f"{type(values).__name__}."
        ) from None
