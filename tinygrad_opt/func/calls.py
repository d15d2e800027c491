"""Calling a function or a module otherwise: once an example, or with other parameters."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, as_tensor
from ..errors import ShapeError
from .transforms import Function
from .tree import leaves, tree_map

__all__ = ["functional_call", "vmap"]


def vmap(function: Function, in_axes: Any = 0, out_axes: int = 0) -> Function:
    """A function that maps over an axis of its arguments: per-example gradients are ``vmap(grad(f), (None, 0, 0))``.

    It calls the function once an example and stacks the results: right for every function, and no faster than a loop.

    Parameters
    ----------
    function : callable
    in_axes : int, None, or tuple of them
        The axis of each positional argument (of every Tensor in it) to map over; None passes it whole.
    out_axes : int
        Where the mapped axis goes in every Tensor of the result.
    """

    @functools.wraps(function)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise ValueError(f"vmap: in_axes has {len(axes)} entries for {len(args)} arguments.")
        tensors = [tree_map(as_tensor, arg) for arg in args]
        extents = {
            t.shape[axis] for tree, axis in zip(tensors, axes, strict=True) if axis is not None for t in leaves(tree)
        }
        if len(extents) != 1 or extents == {0}:
            raise ShapeError(f"vmap: the mapped axes must have one extent, and not 0; got {sorted(extents)}.")

        def example(tree: Any, axis: int | None, i: int) -> Any:
            return tree if axis is None else tree_map(lambda t: np.take(t, i, axis=axis), tree)

        results = [
            function(*[example(tree, axis, i) for tree, axis in zip(tensors, axes, strict=True)], **kwargs)
            for i in range(extents.pop())
        ]
        return tree_map(lambda *parts: np.stack([as_tensor(p) for p in parts], axis=out_axes), *results)

    return mapped


def functional_call(
    module: Any, parameters_and_buffers: Mapping[str, Any], args: Any = (), kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Call a module with other Tensors in place of some or all of its parameters and buffers.

    Gradients flow to the Tensors given; the module is as before afterwards, even if the call raises.

    Parameters
    ----------
    module : nn.Module
    parameters_and_buffers : mapping
        By dotted name, as ``named_parameters`` and ``state_dict`` have them. One that the module holds under several
        names is replaced under all of them.
    args : tuple
        Positional arguments; a single one may be given bare.
    kwargs : mapping, optional

    Raises
    ------
    KeyError
        A name that the module does not have.
    ShapeError
        A Tensor of another shape than the one it replaces.
    """
    named = dict(module.named_parameters(remove_duplicate=False))
    named.update(module.named_buffers(remove_duplicate=False))
    replacement: dict[int, Tensor] = {}
    for name, value in parameters_and_buffers.items():
        if name not in named:
            raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer '{name}'.")
        tensor = as_tensor(value)
        if tensor.shape != named[name].shape:
            raise ShapeError(f"functional_call: '{name}' has shape {named[name].shape}, but {tensor.shape} was given.")
        replacement[id(named[name])] = tensor
    swapped: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for part in module.modules():
            for key, value in list(part.__dict__.items()):
                if id(value) in replacement:
                    swapped.append((part.__dict__, key, value))
                    part.__dict__[key] = replacement[id(value)]
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
    finally:
        for attributes, key, value in swapped:
            attributes[key] = value
