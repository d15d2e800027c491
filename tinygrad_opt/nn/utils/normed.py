"""The older forms of weight and spectral normalization, whose names in a state are ``weight_g``, ``weight_orig`` …"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...random import get_generator
from ..hooks import Entry
from ..module import Module
from ..parameter import Parameter
from ..sizes import check_sizes
from .parametrizations import as_matrix, norm_except, output_axis, parameter_to_norm, power_iteration, unit
from .parametrize import set_computed, take_parameter

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class _Scaled:
    """weight_v at the length weight_g."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def __call__(self, module: Any) -> Any:
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / norm_except(v, self.dim))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a weight as length and direction: w = g · v / ‖v‖ (Salimans & Kingma 2016, arXiv:1602.07868).

    PyTorch's newer form is ``nn.utils.parametrizations.weight_norm``, which differs by the names in a state.

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

    Raises
    ------
    AttributeError
        The module has no Parameter of that name.
    numpy.exceptions.AxisError
        The Parameter has no axis `dim`.
    """
    parameter_to_norm("weight_norm", module, name, dim)
    weight = take_parameter("weight_norm", module, name)
    setattr(module, f"{name}_g", Parameter(np.asarray(norm_except(weight.data, dim))))
    setattr(module, f"{name}_v", Parameter(weight.data))
    set_computed(module, name, _Scaled(name, dim))
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the computed weight a Parameter again. Returns the module.

    Raises
    ------
    ValueError
        The weight is not normalized by :func:`weight_norm`.
    """
    return _restore("remove_weight_norm", module, name, _Scaled, f"{name}_g", f"{name}_v")


def _restore(caller: str, module: Module, name: str, kind: type, *parts: str) -> Module:
    if not isinstance(module._computed.get(name), kind):
        raise ValueError(f"{caller}: '{name}' of {module.label} is not normalized that way.")
    value = getattr(module, name).data
    set_computed(module, name, None)
    for part in parts:
        del module.__dict__[part]
    setattr(module, name, Parameter(np.array(value)))
    return module


class _Divided:
    """weight_orig divided by its greatest singular value, which weight_u and weight_v find."""

    def __init__(self, name: str, steps: int, eps: float, axis: int) -> None:
        self.name, self.steps, self.eps, self.axis = name, steps, eps, axis

    def vectors(self, module: Any) -> tuple[Any, Any]:
        """The arrays of the singular vectors."""
        return getattr(module, f"{self.name}_u").data, getattr(module, f"{self.name}_v").data

    def __call__(self, module: Any) -> Any:
        original = getattr(module, f"{self.name}_orig")
        u, v = (vector.copy() for vector in self.vectors(module))
        return original / np.dot(u, np.matmul(as_matrix(original, self.axis), v))

    def iterate(self, module: Any, args: Any) -> None:
        """The hook before each call: in training, a step of the power iteration."""
        if module.training:
            matrix = as_matrix(getattr(module, f"{self.name}_orig").data, self.axis)
            power_iteration(matrix, *self.vectors(module), self.steps, self.eps)


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

    PyTorch's newer form is ``nn.utils.parametrizations.spectral_norm``, which differs by the names in a state and
    iterates each time the weight is read.

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
    shape = as_matrix(parameter_to_norm("spectral_norm", module, name, axis).data, axis).shape
    draw = get_generator(generator).standard_normal
    vectors = [unit(draw(size), eps) for size in shape]  # what can fail comes before the module changes
    weight = take_parameter("spectral_norm", module, name)
    setattr(module, f"{name}_orig", Parameter(weight.data))
    for suffix, vector in zip("uv", vectors, strict=True):
        module.register_buffer(f"{name}_{suffix}", vector.astype(weight.dtype))
    compute = _Divided(name, n_power_iterations, eps, axis)
    set_computed(module, name, compute)
    module._get_hooks().before[f"spectral_norm.{name}"] = Entry(compute.iterate)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the computed weight a Parameter again. Returns the module.

    Raises
    ------
    ValueError
        The weight is not normalized by :func:`spectral_norm`.
    """
    _restore("remove_spectral_norm", module, name, _Divided, f"{name}_orig", f"{name}_u", f"{name}_v")
    module._get_hooks().before.pop(f"spectral_norm.{name}", None)
    buffers = {key: kept for key, kept in module._buffers.items() if key not in (f"{name}_u", f"{name}_v")}
    object.__setattr__(module, "_buffers", buffers)
    return module
