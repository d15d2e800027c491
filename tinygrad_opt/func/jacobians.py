"""Whole Jacobians and Hessians, block by block over nested arguments and values, and Hessian-vector products."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from .transforms import Forward, Function, Run, jvp, value_and_grad, zeros
from .tree import leaves, rebuild

__all__ = ["hessian", "hvp", "jacfwd", "jacobian", "jacrev"]


def _basis(like: Tensor) -> Any:
    """One array of zeros with a single 1 for each element of a Tensor."""
    for position in range(like.size):
        unit = np.zeros(like.size, like.dtype)
        unit[position] = 1
        yield Tensor(unit.reshape(like.shape))


def _gather(rows: Sequence[Sequence[Tensor]], position: int, shape: tuple[int, ...], last: bool, like: Tensor) -> Any:
    """The blocks of a Jacobian that belong to one Tensor, stacked along new leading (or trailing) axes."""
    parts = [row[position] for row in rows]
    if not parts:
        return Tensor(np.zeros(like.shape + shape if last else shape + like.shape, like.dtype))
    stacked: Any = np.stack(parts, axis=-1 if last else 0)
    return stacked.reshape(like.shape + shape if last else shape + like.shape)


def jacobian(
    function: Function, argnums: int | Sequence[int] = 0, *, mode: str = "reverse", has_aux: bool = False
) -> Function:
    """All derivatives of all outputs with respect to the chosen arguments.

    Parameters
    ----------
    function : callable
    argnums : int or sequence of int
    mode : {"reverse", "forward"}
        One backward pass for each number that comes out, or one product for each number that goes in.
    has_aux : bool
        The function returns ``(value, aux)``; the result is ``(jacobian, aux)``.

    Returns
    -------
    callable
        Takes the same arguments; returns a nest like the function's value that holds nests like the chosen
        argument, of Tensors of shape ``value.shape + argument.shape``.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.func.jacobian(lambda x: x * x)(tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if mode not in ("reverse", "forward"):
        raise ValueError(f"jacobian: mode must be 'reverse' or 'forward', got {mode!r}.")

    @functools.wraps(function)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        run = Run(function, args, kwargs, argnums, "jacobian")
        value, aux = run.output if has_aux else (run.output, None)
        outputs = leaves(value)
        run.track(outputs)
        forward = Forward(run, outputs) if mode == "forward" else None
        blocks: list[list[Any]] = [[None] * len(run.inputs) for _ in outputs]
        for i, tensor in enumerate(run.inputs if forward else outputs):
            columns = []
            for unit in _basis(tensor):
                seeds = zeros(run.inputs if forward else outputs)
                seeds[i] = unit
                if forward:
                    columns.append(forward.push(seeds, run.tracked))
                else:
                    columns.append(run.pull(outputs, seeds, run.tracked))
            for j, like in enumerate(outputs if forward else run.inputs):
                block = _gather(columns, j, tensor.shape, forward is not None, like)
                blocks[j if forward else i][i if forward else j] = block
        nested = rebuild(value, [_Nest(rebuild(run.chosen, row)) for row in blocks])
        result = run.release(_opened(nested))
        return (result, run.release(aux)) if has_aux else result

    return evaluate


class _Nest:
    """Keeps a nest together as one leaf of another."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree


def _opened(nested: Any) -> Any:
    return rebuild(nested, [nest.tree for nest in leaves(nested)])


jacrev = jacobian


def jacfwd(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """:func:`jacobian` in forward mode: for functions with fewer numbers going in than coming out."""
    return jacobian(function, argnums, mode="forward", has_aux=has_aux)


def hessian(function: Function, argnums: int | Sequence[int] = 0) -> Function:
    """All second derivatives: the Jacobian of the Jacobian.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.func.hessian(lambda x: (x**3).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(jacobian(function, argnums), argnums)


def hvp(function: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of a scalar function and its Hessian times a vector, without the Hessian.

    Parameters
    ----------
    primals, tangents : Tensor, or a tuple of the function's arguments
        Nested and shaped alike.

    Returns
    -------
    (value, product)
        The product is nested like `primals`.
    """
    single = not isinstance(primals, tuple)
    arguments, directions = ((primals,), (tangents,)) if single else (primals, tangents)
    places = tuple(range(len(arguments)))

    def gradient(*inner: Any) -> Any:
        value, found = value_and_grad(function, places)(*inner)
        return found, value

    _, product, value = jvp(gradient, arguments, directions, has_aux=True)
    return value, product[0] if single else product
