"""Norms of every order agree with NumPy; wrong orders and axes are named."""

import itertools

import numpy as np
import pytest

import tinygrad_opt as tg

X = np.random.default_rng(0).standard_normal((2, 3, 4))


@pytest.mark.parametrize("order", [None, 2, 1, 3, 0.5, 0, -1, -2, np.inf, -np.inf])
@pytest.mark.parametrize(("axis", "keepdims"), list(itertools.product([0, -1, (1,)], [False, True])))
def test_vector_norms(order, axis, keepdims):
    plain = axis[0] if isinstance(axis, tuple) else axis
    found = np.linalg.norm(tg.tensor(X), order, axis, keepdims)
    np.testing.assert_allclose(found.numpy(), np.linalg.norm(X, order, plain, keepdims))


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize(("axis", "keepdims"), list(itertools.product([(0, 1), (2, 0), (-1, -2)], [False, True])))
def test_matrix_norms(order, axis, keepdims):
    found = np.linalg.norm(tg.tensor(X), order, axis, keepdims)
    np.testing.assert_allclose(found.numpy(), np.linalg.norm(X, order, axis, keepdims))
    if not keepdims:
        tg.gradcheck(lambda x: tg.linalg.norm(x, order, axis), [X[:, :, :2]])


def test_the_array_api_forms():
    for options in ({}, {"axis": (0, 2)}, {"axis": None, "ord": 3}, {"axis": 1, "keepdims": True, "ord": np.inf}):
        np.testing.assert_allclose(
            np.linalg.vector_norm(tg.tensor(X), **options).numpy(), np.linalg.vector_norm(X, **options)
        )
    np.testing.assert_allclose(
        np.linalg.matrix_norm(tg.tensor(X), ord="nuc").numpy(), np.linalg.matrix_norm(X, ord="nuc")
    )


def test_whole_arrays_and_whole_numbers():
    assert np.linalg.norm(tg.tensor([3, 4])).item() == 5
    np.testing.assert_allclose(np.linalg.norm(tg.tensor(X)).item(), np.linalg.norm(X))
    assert np.linalg.norm(tg.tensor(-2.0)).item() == 2
    assert np.linalg.norm(tg.tensor(np.zeros(0))).item() == 0


def test_complex_norm():
    z = np.array([3 + 4j, 0])
    t = tg.tensor(z, requires_grad=True)
    np.linalg.norm(t).backward()
    np.testing.assert_allclose(t.grad.numpy(), [0.6 + 0.8j, 0])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X, 2), r"1-D or 2-D or axis given; got shape \(2, 3, 4\)"),
        ((X, "fro", 0), "defined for matrices only"),
        ((X, 2, (0, 0)), "two different ones"),
        ((X, 7, (0, 1)), "ord=7 is not defined for matrices"),
    ],
)
def test_wrong_calls_are_named(args, message):
    with pytest.raises(ValueError, match=message):
        tg.linalg.norm(*args)
