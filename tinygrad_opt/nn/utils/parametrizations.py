"""Weight normalization and spectral normalization of a layer's weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.tensor import Tensor
from ...random import get_generator
from ..module import Module
from ..parameter import Parameter
from .parametrize import make_property, remove_property, take_parameter

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def _norm_except(v: Any, axis: int | None) -> Any:
    """The norm of v over all axes but one, kept for broadcasting; over all of them for None."""
    axes = tuple(i for i in range(v.ndim) if axis is None or i != axis % v.ndim)
    return np.sqrt(np.sum(v * v, axis=axes, keepdims=axis is not None))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a weight as length and direction: w = g · v / ‖v‖ (Salimans & Kingma 2016, arXiv:1602.07868).

    Parameters
    ----------
    module : Module
        Gets Parameters ``weight_g`` and ``weight_v`` instead of ``weight``.
    name : str
    dim : int or None
        The axis along which each slice has a length of its own; None: one length for the whole weight.

    Returns
    -------
    Module
        The same module.
    """
    weight = take_parameter("weight_norm", module, name)
    setattr(module, f"{name}_g", Parameter(np.asarray(_norm_except(weight.data, dim))))
    setattr(module, f"{name}_v", Parameter(weight.data))

    def compute(self: Any) -> Any:
        g, v = getattr(self, f"{name}_g"), getattr(self, f"{name}_v")
        return v * (g / _norm_except(v, dim))

    make_property(module, name, compute)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the computed weight a Parameter again. Returns the module."""
    return _restore(module, name, f"{name}_g", f"{name}_v")


def _restore(module: Module, name: str, *parts: str) -> Module:
    value = getattr(module, name).data
    remove_property(module, name)
    for part in parts:
        del module.__dict__[part]
    setattr(module, name, Parameter(np.array(value)))
    return module


def _as_matrix(weight: Any, dim: int) -> Any:
    """The weight with one axis first and all others in one."""
    return np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


def _unit(vector: Any, eps: float) -> Any:
    return vector / max(float(np.linalg.norm(vector)), eps)


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
        Gets a Parameter ``weight_orig`` and buffers ``weight_u`` and ``weight_v``, the singular vectors, which move on
        at each call in training.
    name : str
    n_power_iterations : int
        Steps of the power iteration at each call.
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
    """
    weight = take_parameter("spectral_norm", module, name)
    axis = dim if dim is not None else int(type(module).__name__.startswith("ConvTranspose"))
    setattr(module, f"{name}_orig", Parameter(weight.data))
    draw = get_generator(generator).standard_normal
    for suffix, size in zip("uv", _as_matrix(weight.data, axis).shape, strict=True):
        module.register_buffer(f"{name}_{suffix}", _unit(draw(size), eps).astype(weight.dtype))

    def iterate(self: Any, args: Any) -> None:
        if self.training:
            matrix = _as_matrix(getattr(self, f"{name}_orig").data, axis)
            u, v = getattr(self, f"{name}_u").data, getattr(self, f"{name}_v").data
            for _ in range(n_power_iterations):
                v[...] = _unit(matrix.T @ u, eps)
                u[...] = _unit(matrix @ v, eps)

    def compute(self: Any) -> Any:
        original: Tensor = getattr(self, f"{name}_orig")
        u, v = getattr(self, f"{name}_u").data.copy(), getattr(self, f"{name}_v").data.copy()
        return original / np.dot(u, np.matmul(_as_matrix(original, axis), v))

    make_property(module, name, compute)
    module._get_hooks().before[f"spectral_norm.{name}"] = iterate
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the computed weight a Parameter again. Returns the module."""
    module._get_hooks().before.pop(f"spectral_norm.{name}", None)
    buffers = {key: kept for key, kept in module._buffers.items() if key not in (f"{name}_u", f"{name}_v")}
    object.__setattr__(module, "_buffers", buffers)
    return _restore(module, name, f"{name}_orig", f"{name}_u", f"{name}_v")
