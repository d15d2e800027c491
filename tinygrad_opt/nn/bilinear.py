"""Bilinear maps: a product of two vectors through a trained matrix for each output."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..autograd.dtypes import get_default_dtype
from ..autograd.tensor import as_tensor
from ..errors import ShapeError
from . import init
from .module import Module
from .parameter import Parameter
from .sizes import check_sizes

__all__ = ["Bilinear", "bilinear"]


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Any:
    """y[k] = x1ᵀ weight[k] x2 + bias[k].

    Parameters
    ----------
    x1 : array_like, shape (..., in1)
    x2 : array_like, shape (..., in2)
        With the same leading axes.
    weight : array_like, shape (out, in1, in2)
    bias : array_like, shape (out,), optional

    Returns
    -------
    Tensor, shape (..., out)

    Raises
    ------
    ShapeError
        The inputs do not end in in1 and in2, or differ in their leading axes; weight or bias have other axes.
    """
    x1, x2, weight = as_tensor(x1), as_tensor(x2), as_tensor(weight)
    if weight.ndim != 3 or (bias is not None and np.shape(bias) != weight.shape[:1]):
        raise ShapeError(
            f"bilinear: expected a weight of shape (out, in1, in2) and a bias of shape (out,) or None, got "
            f"{weight.shape} and {None if bias is None else np.shape(bias)}."
        )
    outputs, first, second = weight.shape
    if x1.shape[:-1] != x2.shape[:-1] or x1.shape[-1:] != (first,) or x2.shape[-1:] != (second,):
        raise ShapeError(
            f"bilinear: weight {weight.shape} wants inputs (..., {first}) and (..., {second}) with equal leading axes, "
            f"got {x1.shape} and {x2.shape}."
        )
    rows = x2.reshape(-1, second)
    pulled = np.matmul(rows, weight.reshape(outputs * first, second).T).reshape(-1, outputs, first)
    y = np.matmul(pulled, x1.reshape(-1, first, 1)).reshape(*x1.shape[:-1], outputs)
    return y if bias is None else y + bias


class Bilinear(Module):
    """y = x1ᵀ A x2 + b, with a trained A for each output.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool
        Whether there is a b.
    dtype : dtype, optional
    generator : numpy.random.Generator, optional
        For the initial values: U(−k, k), k = 1/√in1_features, as in PyTorch.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in1_features, in2_features)
    bias : Parameter, shape (out_features,), or None

    Raises
    ------
    ShapeError
        When called with inputs that do not end in the two sizes, or differ in their leading axes.
    ValueError
        Sizes that are negative or no whole numbers, or no `in1_features` at all.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes("Bilinear", 1, in1_features=in1_features)
        check_sizes("Bilinear", in2_features=in2_features, out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        dtype = get_default_dtype() if dtype is None else dtype
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw new initial values."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def forward(self, x1: Any, x2: Any) -> Any:
        """x1ᵀ A x2 + b."""
        return bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
