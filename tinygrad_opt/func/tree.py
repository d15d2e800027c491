"""Nested tuples, lists and dicts of Tensors, taken apart into a flat list and put together again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["leaves", "rebuild", "tree_map"]


def leaves(tree: Any) -> list[Any]:
    """Everything in a nest that is not itself a tuple, list, dict or None, in order."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    if isinstance(tree, (tuple, list)):
        return [leaf for value in tree for leaf in leaves(value)]
    return [tree]


def rebuild(tree: Any, values: Iterable[Any]) -> Any:
    """A nest like `tree` with `values` in place of its leaves, in the same order."""
    return _rebuild(tree, iter(values))


def _rebuild(tree: Any, values: Iterator[Any]) -> Any:
    if tree is None:
        return None
    if isinstance(tree, dict):
        made = copy.copy(tree)  # a defaultdict, for one, cannot be made from its items alone
        made.update({key: _rebuild(value, values) for key, value in tree.items()})
        return made
    if isinstance(tree, (tuple, list)):
        parts = [_rebuild(value, values) for value in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(values)


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The nest of ``function(leaf, …)`` over the leaves of one nest, or of several that are built alike."""
    columns = [leaves(tree), *map(leaves, others)]
    return rebuild(tree, [function(*parts) for parts in zip(*columns, strict=True)])
