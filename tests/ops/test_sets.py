"""Set operations give NumPy's values, and each value keeps its gradient."""

import numpy as np
import pytest

import tinygrad_opt as tg

A, B = np.array([3.0, 1.0, 2.0, 3.0, 7.0]), np.array([2.0, 9.0, 3.0])


@pytest.mark.parametrize("function", [np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d])
def test_two_sets(function):
    expected = function(A, B)
    a, b = tg.tensor(A, requires_grad=True), tg.tensor(B, requires_grad=True)
    found = function(a, b)
    np.testing.assert_array_equal(found.detach().numpy(), expected)
    (found * found).sum().backward()  # d/dx x² = 2x, once for each value that is there
    total = sum(g.grad.numpy().sum() for g in (a, b) if g.grad is not None)
    assert total == 2 * expected.sum()


def test_one_set():
    x = tg.tensor(A)
    assert np.unique_values(x).tolist() == [1, 2, 3, 7]
    assert np.unique_counts(x).counts.tolist() == [1, 1, 2, 1]
    assert np.unique_inverse(x).inverse_indices.tolist() == np.unique_inverse(A).inverse_indices.tolist()
    assert [part.tolist() for part in np.unique_all(x)] == [part.tolist() for part in np.unique_all(A)]


def test_places_and_order():
    values, in_a, in_b = np.intersect1d(tg.tensor(A), B, return_indices=True)
    assert (values.tolist(), in_a.tolist(), in_b.tolist()) == ([2, 3], [2, 0], [0, 2])
    assert np.setdiff1d(tg.tensor([5.0, 1.0]), [2.0], assume_unique=True).tolist() == [5, 1]
