"""Gradients through complex numbers: ∂L/∂a + i ∂L/∂b of a real loss, as PyTorch defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg

Z = np.array([0.8 + 0.3j, -0.4 + 0.9j, 1.2 - 0.7j])
W = np.array([1.0 - 0.5j, 0.3 + 0.2j, -0.6 + 1.1j])

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": lambda z: z * W,
    "square": np.square,
    "divide": lambda z: W / z,
    "divide by a number": lambda z: z / (2 + 1j),
    "power": lambda z: z**3,
    "power of arrays": lambda z: np.power(z, z),
    "reciprocal": np.reciprocal,
    "add real": lambda z: z + 1.5,
    "conjugate": lambda z: np.conjugate(z) * W,
    "absolute": np.abs,
    "sign": np.sign,
    "angle": np.angle,
    "real": np.real,
    "imag": np.imag,
    "sum": lambda z: np.sum(z * W),
    "mean": np.mean,
    "prod": np.prod,
    "cumprod": np.cumprod,
    "var": np.var,
    "where": lambda z: np.where(np.array([True, False, True]), z, 2 * z),
    "concatenate": lambda z: np.concatenate([z * z, z]),
    **{
        name: getattr(np, name)
        for name in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan")
    },
    **{name: getattr(np, name) for name in ("arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh")},
    **{name: getattr(np, name) for name in ("arccosh", "arctanh")},
}


def loss(function: Callable[..., Any], z: Any) -> Any:
    """A real number that depends on real and imaginary parts in different ways."""
    y = function(z)
    weights = np.cos(1.0 + np.arange(np.size(y))).reshape(np.shape(y))
    return np.sum(weights * np.real(y)) + 0.7 * np.sum(weights[::-1] * np.imag(y) ** 2 if weights.ndim else np.imag(y))


def numerical(function: Callable[[np.ndarray], Any], z: np.ndarray) -> np.ndarray:
    h = 1e-6
    found = np.zeros_like(z)
    for i in range(z.size):
        for unit in (1.0, 1j):
            step = np.zeros_like(z)
            step[i] = h * unit
            found[i] += unit * (function(z + step) - function(z - step)) / (2 * h)
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name: str) -> None:
    function = FUNCTIONS[name]
    z = tg.Tensor(Z, requires_grad=True)
    gradient = tg.autograd.grad(loss(function, z), z)
    expected = numerical(lambda values: loss(function, values), Z)
    np.testing.assert_allclose(gradient.data, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_second_order(name: str) -> None:
    function = FUNCTIONS[name]
    z = tg.Tensor(Z, requires_grad=True)

    def length(values: np.ndarray) -> float:
        leaf = tg.Tensor(values, requires_grad=True)
        return float(np.sum(np.abs(tg.autograd.grad(loss(function, leaf), leaf).data) ** 2))

    first = tg.autograd.grad(loss(function, z), z, create_graph=True)
    if not first.requires_grad:
        return
    found = tg.autograd.grad(np.sum(np.real(first) ** 2 + np.imag(first) ** 2), z, allow_unused=True)
    expected = numerical(length, Z)
    np.testing.assert_allclose(0 * Z if found is None else found.data, expected, rtol=1e-5, atol=1e-6)


def test_real_inputs_get_real_gradients() -> None:
    x = tg.Tensor(np.array([0.5, -1.5]), requires_grad=True)
    y = np.abs(x * (3 + 4j))
    y.sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad.data, [5.0, -5.0])


def test_absolute_value_at_zero() -> None:
    z = tg.Tensor(np.array([0j, 3 + 4j]), requires_grad=True)
    np.abs(z).sum().backward()
    np.testing.assert_allclose(z.grad.data, [0, 0.6 + 0.8j])


def test_real_if_close():
    z = tg.tensor(np.array([1.0 + 1e-15j, 2.0]), requires_grad=True)
    found = np.real_if_close(z)
    assert found.dtype == np.float64
    found.sum().backward()
    assert z.grad.tolist() == [1.0, 1.0]
    assert np.real_if_close(z, tol=1e-16) is z
    x = tg.tensor([1.0])
    assert np.real_if_close(x) is x
