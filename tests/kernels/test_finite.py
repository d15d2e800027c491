"""The quick look for NaN and infinity: it misses none, and names the parameter in the end."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GradientError
from tinygrad_opt.kernels import kernels
from tinygrad_opt.kernels.places import address_of

LARGE = 300_000  # two of these are looked at by the compiled sum, one by a dot product
finite = pytest.importorskip("tinygrad_opt.kernels.finite")


def not_finite(arrays):
    places = np.array([[array.size, address_of(array)] for array in arrays])
    return finite.perhaps_not_finite(places, 1, sum(array.size for array in arrays), arrays[0].dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, LARGE // 2, LARGE - 1])
def test_every_place_is_seen(dtype, bad, place):
    arrays = [np.ones(LARGE, dtype), np.ones(3, dtype), np.ones(LARGE, dtype)]
    assert not not_finite(arrays)
    for i in (0, 2):
        arrays[i][place] = bad
        assert not_finite(arrays)
        assert not_finite([arrays[i][: place + 1]])
        arrays[i][place] = 1
    arrays[1][2] = bad
    assert not_finite(arrays)


def test_infinities_of_both_signs_do_not_cancel():
    x = np.zeros(LARGE, np.float32)
    x[3], x[5] = np.inf, -np.inf
    assert not_finite([x])


def large_parameters(names):
    return {name: tg.tensor(np.ones(LARGE, np.float32), requires_grad=True, name=name) for name in names}


@pytest.fixture
def numba_rules():
    before = kernels()
    kernels("numba")
    yield
    kernels(before)


def test_nothing_is_updated_when_the_last_parameter_has_nan(numba_rules):
    parameters = large_parameters(["first", "last"])
    optimizer = tg.optim.Adam(parameters.values(), error_if_nonfinite=True)
    for p in parameters.values():
        p.grad = np.ones(LARGE, np.float32)
    parameters["last"].grad.data[7] = np.nan
    with pytest.raises(GradientError, match=r"last.* 1 of 300000 .* nan at \(7,\)"):
        optimizer.step()
    assert (parameters["first"].data == 1).all()


def test_a_step_that_failed_leaves_nothing_for_the_next(numba_rules):
    parameters = large_parameters(["first", "last"]).values()
    optimizer = tg.optim.SGD(parameters, 1, error_if_nonfinite=True)
    for p in parameters:
        p.grad = np.full(LARGE, np.nan, np.float32)
    with pytest.raises(GradientError):
        optimizer.step()
    kernels("numpy")
    for p in parameters:
        p.grad = np.full(LARGE, 2, np.float32)
    optimizer.step()
    for p in parameters:
        assert (p.data == -1).all()


@pytest.mark.parametrize("names", [["alone"], ["first", "last"]])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, LARGE // 4, LARGE // 2, LARGE - 1])
def test_a_large_step_tells_of_what_it_met(numba_rules, names, bad, place):
    """The loop that updates looks at the gradients on its way."""
    parameters = large_parameters(names)
    optimizer = tg.optim.Adam(parameters.values())
    for p in parameters.values():
        p.grad = np.ones(LARGE, np.float32)
    optimizer.step()
    parameters[names[-1]].grad.data[place] = bad
    with pytest.warns(tg.optim.OptimizerWarning, match=rf"{names[-1]}.* 1 of {LARGE} .* at \({place},\)"):
        optimizer.step()
    for p in parameters.values():
        assert np.isnan(p.data).sum() == (p is parameters[names[-1]])
    optimizer.step()


@pytest.mark.parametrize("names", [["alone"], ["first", "last"]])
@pytest.mark.parametrize("strict", [False, True])
def test_finite_gradients_with_an_infinite_sum_are_used(numba_rules, names, strict):
    parameters = large_parameters(names).values()
    for p in parameters:
        p.grad = np.full(LARGE, 1e38, np.float32)
    tg.optim.SGD(parameters, 1e-38, error_if_nonfinite=strict).step()
    for p in parameters:
        np.testing.assert_allclose(p.data, 0, atol=1e-6)
