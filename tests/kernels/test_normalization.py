"""The compiled normalization: equal to its definition, and the same for any number of threads."""

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.nn.normalize import moments, naive_normalize, normalize
from tinygrad_opt.nn.root_mean_square import naive_rms_normalize, rms_normalize

pytest.importorskip("numba")

VIEWS = {
    "batch": ((6, 5, 24), True),
    "one row": ((1, 7, 40), True),
    "layer": ((1, 30, 17), False),
    "short rows": ((9, 4, 3), True),
    "many": ((16, 24, 1024), True),
    "many rows": ((1, 4096, 96), False),
}


@pytest.fixture(autouse=True)
def _compiled():
    before = kernels()
    kernels("numba")
    yield
    kernels(before)


def arrays(name, dtype, mean=0.0, weights=True):
    view, by_slice = VIEWS[name]
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, *view))
    w, b = rng.standard_normal((2, view[1] if by_slice else view[2]))
    made = [x + mean, w, b, g] if weights else [x + mean, np.ones(1), np.zeros(1), g]
    return [a.astype(dtype) for a in made], view, by_slice


def results(function, x, w, b, g, view, by_slice):
    """The output, dx, and dw and db where there is a weight for each slice or feature."""
    leaves = [Tensor(a, requires_grad=a is x or a.size > 1) for a in (x, w, b)]
    y = function(*leaves, view, by_slice, 1e-5)
    y.backward(g)
    return [y.data, *(leaf.grad.data for leaf in leaves if leaf.requires_grad)]


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("name", VIEWS)
def test_is_its_definition(name, weights):
    (x, w, b, g), view, by_slice = arrays(name, np.float64, 2.0, weights)
    expected = results(naive_normalize, x, w, b, g, view, by_slice)
    for found, wanted in zip(results(normalize, x, w, b, g, view, by_slice), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", VIEWS)
def test_single_precision_is_near_the_exact_value(name):
    (x, w, b, g), view, by_slice = arrays(name, np.float32)
    exact = results(naive_normalize, *(a.astype(np.float64) for a in (x, w, b, g)), view, by_slice)
    for found, wanted in zip(results(normalize, x, w, b, g, view, by_slice), exact, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - wanted).max() <= 4e-6 * np.abs(wanted).max()


def test_a_large_mean_takes_nothing_from_the_variance():
    (x, *_), view, _ = arrays("many", np.float32, mean=3000.0)
    found = moments(x.reshape(view), 0.0)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(found.mean[:, 0], exact.mean((0, 2)), rtol=1e-7)
    np.testing.assert_allclose(found.rate[:, 0], exact.var((0, 2)) ** -0.5, rtol=1e-6)


@pytest.mark.parametrize("name", ["many", "many rows"])
def test_any_number_of_threads_gives_the_same_bits(name, monkeypatch):
    made, view, by_slice = arrays(name, np.float32)
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(threads, "workers", lambda count=count: count)
        threads._forget()
        found.append(results(normalize, *made, view, by_slice))
    threads._forget()
    for one, *others in zip(*found, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_not_a_number_stays_in_its_slice():
    (x, w, b, g), view, by_slice = arrays("batch", np.float64)
    x[2, 1, 3] = np.nan
    y, dx, *_ = results(normalize, x, w, b, g, view, by_slice)
    bad = np.zeros(view, bool)
    bad[:, 1] = True
    np.testing.assert_array_equal(np.isnan(y), bad)
    np.testing.assert_array_equal(np.isnan(dx), bad)


def rms_results(function, x, w, g):
    leaves = [Tensor(a, requires_grad=True) for a in (x, w)]
    y = function(*leaves, eps=1e-3)
    y.backward(g)
    return [y.data, *(leaf.grad.data for leaf in leaves)]


@pytest.mark.parametrize(("shape", "features"), [((30, 17), (17,)), ((3, 50, 4, 6), (4, 6)), ((40,), (40,))])
def test_root_mean_square_is_its_definition(shape, features):
    rng = np.random.default_rng(0)
    arrays = 1 + rng.standard_normal(shape), rng.standard_normal(features), rng.standard_normal(shape)
    exact = rms_results(naive_rms_normalize, *arrays)
    for found, wanted in zip(rms_results(rms_normalize, *arrays), exact, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    single = [a.astype(np.float32) for a in arrays]
    for found, wanted in zip(rms_results(rms_normalize, *single), exact, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - wanted).max() <= 4e-6 * np.abs(wanted).max()
