"""The special functions: the accuracy their table states, their limits, and what happens without SciPy."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import MissingExtraError

RNG = np.random.default_rng(0)
SPREAD = np.concatenate([RNG.uniform(-6, 6, 2000), RNG.uniform(-1, 1, 1000), 10.0 ** RNG.uniform(-30, 0, 200)])


def relative(found: Any, expected: list[float]) -> float:
    wanted = np.array(expected)
    return float(np.max(np.abs(np.asarray(found.data, np.float64) - wanted) / np.abs(wanted)))


def test_erf_is_as_accurate_as_stated() -> None:
    assert relative(tg.erf(tg.Tensor(SPREAD)), [math.erf(v) for v in SPREAD]) < 5e-16
    single = SPREAD.astype(np.float32)
    assert relative(tg.erf(tg.Tensor(single)), [math.erf(float(v)) for v in single]) < 5e-7
    half = np.array([-2.0, 0.25, 1.0], np.float16)
    assert tg.erf(tg.Tensor(half)).dtype == np.float16
    np.testing.assert_allclose(tg.erf(tg.Tensor(half)).data, [math.erf(v) for v in half], rtol=1e-3)


def test_erfc_is_as_accurate_as_stated() -> None:
    x = np.concatenate([RNG.uniform(-6, 26, 2000), RNG.uniform(-1, 1, 500)])
    assert relative(tg.erfc(tg.Tensor(x)), [math.erfc(v) for v in x]) < 1e-15
    single = x[x < 9].astype(np.float32)
    assert relative(tg.erfc(tg.Tensor(single)), [math.erfc(float(v)) for v in single]) < 1e-7


def test_erfinv_is_as_accurate_as_stated() -> None:
    special = pytest.importorskip("scipy.special")
    p = np.concatenate([RNG.uniform(-1, 1, 1000), 1 - 10.0 ** RNG.uniform(-15, -1, 300)])
    assert relative(tg.erfinv(tg.Tensor(p)), list(special.erfinv(p))) < 1e-15


def test_erfinv_undoes_erf() -> None:
    x = RNG.uniform(-2, 2, 500)
    np.testing.assert_allclose(tg.erfinv(tg.erf(tg.Tensor(x))).data, x, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits(dtype: Any) -> None:
    x = tg.Tensor(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 40.0], dtype))
    np.testing.assert_array_equal(tg.erf(x).data, [1, -1, np.nan, 0, 0, 1])
    assert np.signbit(tg.erf(x).data[4])
    np.testing.assert_array_equal(tg.erfc(x).data, [0, 2, np.nan, 1, 1, 0])
    p = tg.Tensor(np.array([1.0, -1.0, 0.0, 1.5, np.nan], dtype))
    np.testing.assert_array_equal(tg.erfinv(p).data, [np.inf, -np.inf, 0, np.nan, np.nan])


def test_large_arrays_go_in_blocks() -> None:
    x = RNG.uniform(-3, 3, (300, 70))
    np.testing.assert_array_equal(tg.erf(tg.Tensor(x.T)).data, np.stack([tg.erf(tg.Tensor(row)).data for row in x.T]))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "lgamma", "digamma", "i0"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_stays_also_without_axes(name: str, dtype: Any) -> None:
    if name in ("lgamma", "digamma", "i0"):
        pytest.importorskip("scipy.special")
    row = getattr(tg, name)(tg.tensor(np.array([0.25, 0.5], dtype)))
    for i, value in enumerate((0.25, 0.5)):
        x = tg.tensor(np.array(value, dtype), requires_grad=True)
        out = getattr(tg, name)(x)
        assert (out.shape, out.dtype) == ((), row.dtype) == ((), dtype)
        assert out.item() == row.data[i]
        out.backward()
        assert x.grad is not None
        assert (x.grad.shape, x.grad.dtype) == ((), dtype)


def test_integers_become_floats() -> None:
    np.testing.assert_allclose(tg.erf(tg.tensor([0, 1])).data, [0, math.erf(1)], rtol=1e-15)


def test_gamma_functions() -> None:
    assert tg.lgamma(tg.tensor([-np.inf, np.inf])).tolist() == [np.inf, np.inf]
    x = tg.Tensor(np.array([0.5, 1.0, 4.0]), requires_grad=True)
    y = tg.lgamma(x)
    np.testing.assert_allclose(y.data, [0.5 * math.log(math.pi), 0.0, math.log(6.0)], atol=1e-15)
    first = tg.autograd.grad(y.sum(), x, create_graph=True)
    euler = 0.5772156649015329
    np.testing.assert_allclose(first.data, [-euler - 2 * math.log(2), -euler, 11 / 6 - euler], rtol=1e-14)
    second = tg.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(second.data[1], math.pi**2 / 6, rtol=1e-14)
    np.testing.assert_allclose(tg.polygamma(2, x).data[1], -2 * 1.2020569031595942, rtol=1e-14)


def test_ndtr_and_its_tail() -> None:
    x = tg.Tensor(np.array([0.0, -10.0]), requires_grad=True)
    y = tg.ndtr(x)
    np.testing.assert_allclose(y.data, [0.5, 7.619853024160527e-24], rtol=1e-13)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.data, [1, math.exp(-50)] / np.sqrt(2 * math.pi), rtol=1e-12)


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"gamma and Bessel functions needs? scipy.*tinygrad-opt\[scipy\]"):
        tg.lgamma(tg.tensor([1.0]))
    assert tg.erf(tg.tensor([1.0])).shape == (1,)
