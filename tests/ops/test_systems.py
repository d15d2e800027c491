"""Linear systems: NumPy's values, gradients at full rank and below, complex matrices, messages."""

import numpy as np
import pytest

import tinygrad_opt as tg

RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 3)) + 3 * np.eye(3)


def test_lstsq_returns_what_numpy_returns():
    for a, b in [((4, 2), (4,)), ((4, 2), (4, 3)), ((2, 4), (2,)), ((3, 3), (3, 1))]:
        x, y = RNG.standard_normal(a), RNG.standard_normal(b)
        ours, numpys = np.linalg.lstsq(tg.tensor(x), tg.tensor(y)), np.linalg.lstsq(x, y)
        for part, expected in zip(ours, numpys, strict=True):
            assert part.shape == np.shape(expected)
            np.testing.assert_allclose(part.numpy(), expected, rtol=1e-10)
    tg.gradcheck(lambda a, b: tg.linalg.lstsq(a, b)[:2], [RNG.standard_normal((4, 2)), RNG.standard_normal(4)], order=2)
    with pytest.raises(tg.errors.ShapeError, match=r"\(4, 2\) and \(3,\) do not fit"):
        tg.linalg.lstsq(np.ones((4, 2)), np.ones(3))


def test_tensor_equations():
    a, b = RNG.standard_normal((2, 3, 6)), RNG.standard_normal((2, 3))
    np.testing.assert_allclose(np.linalg.tensorsolve(tg.tensor(a), b).numpy(), np.linalg.tensorsolve(a, b))
    moved = np.moveaxis(a, 2, 0)
    np.testing.assert_allclose(
        np.linalg.tensorsolve(tg.tensor(moved), b, (0,)).numpy(), np.linalg.tensorsolve(moved, b, (0,))
    )
    np.testing.assert_allclose(np.linalg.tensorinv(tg.tensor(a)).numpy(), np.linalg.tensorinv(a), rtol=1e-9)
    tg.gradcheck(tg.linalg.tensorsolve, [a, b])
    tg.gradcheck(tg.linalg.tensorinv, [a])
    with pytest.raises(tg.errors.ShapeError, match="not square"):
        tg.linalg.tensorsolve(a, np.ones(3))
    with pytest.raises(tg.errors.ShapeError, match="square matrix"):
        tg.linalg.tensorinv(np.ones((2, 3)), 1)


@pytest.mark.parametrize("p", [None, 2, -2, 1, np.inf, "fro"])
def test_cond(p):
    np.testing.assert_allclose(np.linalg.cond(tg.tensor(A), p).numpy(), np.linalg.cond(A, p))
    tg.gradcheck(lambda a: tg.linalg.cond(a, p), [A])


def test_rank_is_a_number_without_gradient():
    x = tg.tensor(np.outer([1.0, 2.0], [1.0, 1.0]), requires_grad=True)
    rank = np.linalg.matrix_rank(x)
    assert rank.item() == 1
    assert not rank.requires_grad


def test_complex_systems():
    c = A + 1j * RNG.standard_normal((3, 3))
    b = RNG.standard_normal(3)

    def measure(re, im):
        m = re + 1j * im
        return (np.abs(np.linalg.solve(m, b)) ** 2).sum() + np.real(np.linalg.inv(m)).sum() + np.imag(np.linalg.det(m))

    tg.gradcheck(measure, [c.real.copy(), c.imag.copy()], order=2)


def test_expm():
    t = tg.tensor(np.array([[0.0, -1.0], [1.0, 0.0]]) * (np.pi / 3))
    np.testing.assert_allclose(tg.linalg.expm(t).numpy(), [[0.5, -np.sqrt(0.75)], [np.sqrt(0.75), 0.5]], atol=1e-14)


def test_slogdet_fields():
    sign, logabsdet = tg.linalg.slogdet(-np.eye(3))
    assert (sign.item(), logabsdet.item()) == (-1, 0)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tg.linalg.inv(np.zeros((2, 2))), np.linalg.LinAlgError, r"inv\(\(2, 2\).*Singular matrix; .* pinv"),
        (lambda: tg.linalg.det(np.zeros((2, 3))), np.linalg.LinAlgError, r"det\(\(2, 3\) float64\): .* square"),
        (lambda: tg.linalg.solve(np.eye(2), np.ones(3)), tg.errors.ShapeError, "have 2 columns, .* 3 rows"),
        (lambda: tg.linalg.svd(np.ones(2)), np.linalg.LinAlgError, r"svd\(\(2,\)"),
        (lambda: tg.fft.fft(1.0), np.exceptions.AxisError, "axis -1 is out of bounds"),
        (lambda: tg.take(np.ones(2), 0, 3), np.exceptions.AxisError, "axis 3 is out of bounds"),
    ],
)
def test_wrong_calls_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
