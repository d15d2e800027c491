"""Winograd's convolution: the direct sum's values, at every edge, with fewer multiplications."""

import numpy as np
import pytest

from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.nn.convolve import convolve, convolve_transpose

pytest.importorskip("numba")

CASES = {  # x, w, padding
    "even": ((3, 16, 16, 16), (32, 16, 3, 3), ((1, 1), (1, 1))),
    "odd channels": ((2, 27, 15, 14), (22, 27, 3, 3), ((1, 1), (1, 1))),
    "lopsided": ((2, 32, 9, 31), (19, 32, 3, 3), ((0, 2), (2, 0))),
    "bands": ((1, 40, 70, 50), (24, 40, 3, 3), ((1, 1), (1, 1))),
    "one window": ((2, 32, 3, 3), (16, 32, 3, 3), ((0, 0), (0, 0))),
    "cropped": ((1, 24, 12, 18), (24, 24, 3, 3), ((3, -1), (-2, 4))),
}


def test_it_is_for_many_channels_and_filled_vectors():
    from tinygrad_opt.kernels.winograd import pays

    assert pays(64, 64, (16, 16), 4)
    assert not pays(3, 32, (32, 32), 4)
    assert not pays(512, 512, (4, 4), 4)
    assert not pays(64, 64, (5, 5), 4)


@pytest.fixture
def always(monkeypatch):
    """Whatever the shapes, and whatever is chosen afterwards."""
    from tinygrad_opt.kernels import winograd

    monkeypatch.setattr(winograd, "pays", lambda *_: True)
    before = kernels()
    yield
    kernels(before)


def values(choice, x, w, padding):
    kernels(choice)
    geometry = {"stride": (1, 1), "padding": padding, "dilation": (1, 1), "groups": 1}
    y = convolve(x, w, **geometry).data
    return y, convolve_transpose(y, w, size=x.shape[2:], **geometry).data


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", CASES)
def test_is_the_direct_sum(name):
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape) for shape in CASES[name][:2])
    for found, expected in zip(*(values(c, x, w, CASES[name][2]) for c in ("numba", "numpy")), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-14 * np.abs(expected).max())


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", CASES)
def test_single_precision_is_near_the_exact_value(name):
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in CASES[name][:2])
    found = values("numba", x, w, CASES[name][2])[0]
    exact = values("numpy", x.astype(np.float64), w.astype(np.float64), CASES[name][2])[0]
    assert found.dtype == np.float32
    assert np.abs(found - exact).max() <= 4e-6 * np.abs(exact).max()


@pytest.mark.usefixtures("always")
def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((9, 32, 20, 20), (32, 32, 3, 3)))
    found = []
    for count in (1, 4):
        monkeypatch.setattr(threads, "workers", lambda count=count: count)
        threads._forget()
        found.append(values("numba", x, w, ((1, 1), (1, 1))))
    threads._forget()
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
