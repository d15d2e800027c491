"""Weight and spectral normalization, as parametrizations under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.tensor import Tensor
from ...random import get_generator
from ..module import Module
from ..sizes import check_sizes
from .parametrize import is_parametrized, own_parameter, register_parametrization

__all__ = ["spectral_norm", "weight_norm"]


def norm_except(v: Any, axis: int | None) -> Any:
    """The norm of v over all axes but one, kept for broadcasting; over all of them for None."""
    axes = tuple(i for i in range(v.ndim) if axis is None or i != axis % v.ndim)
    return np.sqrt(np.sum(v * v, axis=axes, keepdims=axis is not None))


def as_matrix(weight: Any, axis: int) -> Any:
    """The weight with one axis first and all others in one."""
    return np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)


def unit(vector: Any, eps: float) -> Any:
    """The vector at length 1."""
    return vector / max(float(np.linalg.norm(vector)), eps)


def parameter_to_norm(caller: str, module: Module, name: str, dim: int | None) -> Any:
    """The Tensor that is to be normalized, after checking that it is there and has the axis `dim`, if one is given.

    Raises
    ------
    AttributeError
        The module has no Parameter of that name.
    numpy.exceptions.AxisError
        The Parameter has no such axis.
    """
    computed = isinstance(module, Module) and is_parametrized(module, name)
    weight: Any = getattr(module, name) if computed else own_parameter(caller, module, name)
    if dim is not None and not (hasattr(dim, "__index__") and -weight.ndim <= dim < weight.ndim):
        raise np.exceptions.AxisError(
            f"{caller}: dim must be an axis of '{name}', whose shape is {weight.shape}, got {dim!r}."
        )
    return weight


def output_axis(module: Module, dim: int | None) -> int:
    """`dim`, or by default the axis of the outputs: 1 for transposed convolutions, else 0."""
    return dim if dim is not None else int(type(module).__name__.startswith("ConvTranspose"))


def power_iteration(matrix: Any, u: Any, v: Any, steps: int, eps: float) -> None:
    """Turn u and v, in place, towards the singular vectors of the greatest singular value."""
    for _ in range(steps):
        v[...] = unit(matrix.T @ u, eps)
        u[...] = unit(matrix @ v, eps)


class WeightNorm(Module):
    """g · v / ‖v‖: a weight from lengths and directions."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, g: Any, v: Any) -> Any:
        """The weight."""
        return v * (g / norm_except(v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Any, Any]:
        """The lengths and directions of a weight."""
        return np.asarray(norm_except(weight.data, self.dim)), weight.data.copy()


class SpectralNorm(Module):
    """A weight divided by its greatest singular value; its singular vectors are the buffers ``_u`` and ``_v``."""

    def __init__(self, weight: Any, n_power_iterations: int, eps: float, dim: int, generator: Any) -> None:
        super().__init__()
        self.n_power_iterations, self.eps, self.dim = n_power_iterations, eps, dim
        matrix = as_matrix(weight, dim)
        draw = get_generator(generator).standard_normal
        for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
            self.register_buffer(name, unit(draw(size), eps).astype(weight.dtype))
        power_iteration(matrix.T, self._v.data, self._u.data, 15, eps)

    def forward(self, weight: Any) -> Any:
        """The weight, divided; in training the singular vectors take a step first."""
        if self.training:  # u first, then v: the newer form's order
            matrix = as_matrix(weight.data, self.dim)
            power_iteration(matrix.T, self._v.data, self._u.data, self.n_power_iterations, self.eps)
        u, v = self._u.data.copy(), self._v.data.copy()
        return weight / np.dot(u, np.matmul(as_matrix(weight, self.dim), v))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a weight as length and direction: w = g · v / ‖v‖ (Salimans & Kingma 2016, arXiv:1602.07868).

    Parameters
    ----------
    module : Module
        Gets Parameters ``parametrizations.weight.original0`` (g) and ``original1`` (v) instead of ``weight``.
    name : str
    dim : int or None
        The axis along which each slice has a length of its own; None: one length for the whole weight.

    Returns
    -------
    Module
        The same module.

    Raises
    ------
    AttributeError
        The module has no Parameter of that name.
    numpy.exceptions.AxisError
        The Parameter has no axis `dim`.
    """
    parameter_to_norm("weight_norm", module, name, dim)
    return register_parametrization(module, name, WeightNorm(dim))


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Module:
    """Divide a weight by its greatest singular value, by power iteration (Miyato et al. 2018, arXiv:1802.05957).

    Parameters
    ----------
    module : Module
        Gets a Parameter ``parametrizations.weight.original`` instead of ``weight``, and buffers with the singular
        vectors, which move on each time the weight is read in training.
    name : str
    n_power_iterations : int
        Steps of the power iteration at each reading.
    eps : float
        The least norm to divide by.
    dim : int, optional
        The axis of the outputs: by default 0, for transposed convolutions 1.
    generator : numpy.random.Generator, optional
        For the first singular vectors.

    Returns
    -------
    Module
        The same module.

    Raises
    ------
    AttributeError
        The module has no Parameter of that name.
    numpy.exceptions.AxisError
        The Parameter has no axis `dim`.
    ValueError
        `n_power_iterations` is less than 1.
    """
    check_sizes("spectral_norm", 1, n_power_iterations=n_power_iterations)
    axis = output_axis(module, dim)
    weight = parameter_to_norm("spectral_norm", module, name, axis)
    return register_parametrization(
        module, name, SpectralNorm(weight.data, n_power_iterations, eps, axis, generator).train(module.training)
    )
