"""The made-up problems have the geometry that their names promise."""

import numpy as np
import pytest

from tinygrad_opt.data import spirals, two_moons, xor


def arrays(data):
    return tuple(tensor.data for tensor in data.tensors)


def test_moons_are_half_circles():
    x, y = arrays(two_moons(101, noise=0.0))
    assert np.bincount(y).tolist() == [51, 50]
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1, rtol=1e-6)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1, rtol=1e-6)


def test_spirals_wind_as_far_as_told():
    x, y = arrays(spirals(300, classes=3, turns=0.5, noise=0.0))
    assert np.bincount(y).tolist() == [100, 100, 100]
    rim = x[y == 0][np.hypot(*x[y == 0].T).argmax()]
    np.testing.assert_allclose(rim, [-1, 0], atol=1e-6)


def test_xor_is_a_truth_table():
    x, y = arrays(xor(4, noise=0.0))
    table = {(a > 0, b > 0): label for (a, b), label in zip(x, y, strict=True)}
    assert table == {(False, False): 0, (False, True): 1, (True, False): 1, (True, True): 0}


@pytest.mark.parametrize("make", [two_moons, spirals, xor])
def test_a_seed_fixes_the_points(make):
    a, b = (arrays(make(30, generator=np.random.default_rng(5))) for _ in range(2))
    np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(a[1], b[1])
    assert a[0].dtype == np.float32
    assert a[1].dtype == np.int64
    assert (arrays(make(30, generator=np.random.default_rng(6)))[0] != a[0]).any()


@pytest.mark.parametrize("make", [two_moons, spirals, xor])
def test_wrong_arguments_are_refused(make):
    with pytest.raises(ValueError, match="n must be at least"):
        make(1)
    with pytest.raises(ValueError, match="noise"):
        make(10, noise=-0.1)
