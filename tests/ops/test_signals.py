"""Convolution, correlation and interpolation agree with NumPy, in value and in slope."""

import numpy as np
import pytest

import tinygrad_opt as tg

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(5, 2), (5, 3), (2, 5), (3, 6), (4, 4), (1, 3)])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_convolve_and_correlate(name, n, m, mode):
    function = getattr(np, name)
    a, v = RNG.standard_normal(n), RNG.standard_normal(m)
    found = function(tg.tensor(a), tg.tensor(v), mode)
    np.testing.assert_allclose(found.numpy(), function(a, v, mode), rtol=1e-12, atol=1e-14)
    tg.gradcheck(lambda a, v: function(a, v, mode=mode), [a, v], order=2, readonly_upstream=True)


def test_complex_correlation():
    a, v = RNG.standard_normal(4) + 1j, RNG.standard_normal(3) * 1j
    np.testing.assert_allclose(np.correlate(tg.tensor(a), v, "full").numpy(), np.correlate(a, v, "full"))
    np.testing.assert_allclose(np.correlate(tg.tensor(v), a, "full").numpy(), np.correlate(v, a, "full"))


@pytest.mark.parametrize(
    "options", [{}, {"left": -7.0}, {"right": 9.0}, {"left": 0.0, "right": 0.0}, {"period": 2.5}, {"period": 10.0}]
)
def test_interp(options):
    xp, fp = np.array([0.0, 0.5, 2.0, 3.0]), RNG.standard_normal(4)
    x = np.array([[-1.0, 0.0, 0.2, 0.5], [1.9, 3.0, 3.5, np.nan]])
    if "period" in options:
        xp = xp[:3]
        fp = fp[:3]
    found = np.interp(tg.tensor(x), xp, tg.tensor(fp), **options)
    np.testing.assert_allclose(found.numpy(), np.interp(x, xp, fp, **options), rtol=1e-12)
    inside = np.array([0.2, 1.9, 3.6, -1.3])
    tg.gradcheck(lambda x, xp, fp: np.interp(x, xp, fp, **options) ** 2, [inside, xp, fp], order=2)


def test_interp_at_a_point_and_through_one_point():
    x = tg.tensor([0.0, 1.0, 2.0], requires_grad=True)
    np.interp(x, np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 13.0])).sum().backward()
    assert x.grad.tolist() == [10.0, 3.0, 0.0]
    assert np.interp(tg.tensor([0.0, 5.0]), [1.0], [4.0]).tolist() == [4.0, 4.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.convolve(np.ones((2, 2)), np.ones(2)), r"non-empty vectors, got shapes \(2, 2\)"),
        (lambda: tg.convolve(np.ones(2), np.ones(0)), "non-empty"),
        (lambda: tg.correlate(np.ones(2), np.ones(2), "most"), "mode must be 'full', 'same' or 'valid', got 'most'"),
        (lambda: tg.interp(1.0, [1.0, 2.0], [1.0]), r"got \(2,\) and \(1,\)"),
    ],
)
def test_wrong_calls_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
