"""Choosing and replacing elements, against NumPy's values and hand-made gradients."""

import numpy as np
import pytest

import tinygrad_opt as tg

ARRAY = np.arange(12.0).reshape(3, 4) - 4.5


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.take, lambda x: (x, [2, 0, 2])),
        (np.take, lambda x: (x, [[2, 0]], 0)),
        (np.take, lambda x: (x, 1, -1)),
        (np.take, lambda x: (x, [5, -7], 1, None, "wrap")),
        (np.take, lambda x: (x, [5, -7], 1, None, "clip")),
        (np.compress, lambda x: ([True, False, True], x, 0)),
        (np.compress, lambda x: ([False, True], x)),
        (np.extract, lambda x: (ARRAY > 0, x)),
        (np.select, lambda x: ([ARRAY < 0, ARRAY < 3], [x, x * x], 7.0)),
        (np.choose, lambda x: (np.array([[0, 1, 1, 0]] * 3), [x, x * x])),
        (np.choose, lambda x: (np.array([-1, 5, 1, 0]), [x, x * x, x], None, "clip")),
        (np.bincount, lambda x: (np.array([0, 2, 2, 5]), x[0], 8)),
    ],
)
def test_reading_functions(function, arguments):
    expected = function(*arguments(ARRAY))
    found = function(*arguments(tg.tensor(ARRAY)))
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.numpy(), expected)
    tg.gradcheck(lambda x: function(*arguments(x * x)), [ARRAY], order=2)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.put_along_axis, (np.array([[0], [3], [3]]), 7.0, 1)),
        (np.put_along_axis, (np.array([[0, 1, 2, 0]]), np.array([[1.0, 2, 3, 4]]), 0)),
        (np.put_along_axis, (np.array([0, 7]), np.array([1.0, 2.0]), None)),
        (np.put, ([0, -1, 5], [1.0, 2.0])),
        (np.put, ([0, 30], 1.0, "clip")),
        (np.fill_diagonal, (9.0,)),
        (np.fill_diagonal, (np.array([1.0, 2.0]),)),
        (np.putmask, (ARRAY > 2, np.array([1.0, 2.0, 3.0]))),
        (np.place, (ARRAY > 2, [1.0, 2.0])),
        (np.copyto, (np.array([1.0, 2, 3, 4]),)),
    ],
)
def test_writing_functions(function, arguments):
    expected = ARRAY.copy()
    function(expected, *arguments)
    x = tg.tensor(ARRAY, requires_grad=True)
    y = x * 2 / 2
    assert function(y, *arguments) is None
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    y.sum().backward()
    marked = np.full(ARRAY.shape, np.nan)  # what is still NaN afterwards was not written
    function(marked, *arguments)
    np.testing.assert_array_equal(x.grad.numpy(), np.isnan(marked))


def test_written_values_have_their_gradient():
    y, v = tg.tensor(np.zeros((2, 3))), tg.tensor([1.0, 2.0], requires_grad=True, dtype=np.float64)
    np.put(y, [0, 1, 5], v)
    assert y.tolist() == [[1.0, 2.0, 0.0], [0.0, 0.0, 1.0]]
    y.backward(np.array([[1.0, 10, 0], [0, 0, 100]]))
    assert v.grad.tolist() == [101.0, 10.0]
    z, d = tg.tensor(np.zeros((4, 2))), tg.tensor([5.0], requires_grad=True)
    np.fill_diagonal(z, d, wrap=True)
    assert z.tolist() == [[5.0, 0.0], [0.0, 5.0], [0.0, 0.0], [5.0, 0.0]]
    c = tg.tensor(np.zeros(3))
    np.copyto(c, d, where=np.array([True, False, True]))
    assert c.tolist() == [5.0, 0.0, 5.0]


def test_a_plain_array_cannot_take_a_gradient():
    with pytest.raises((TypeError, tg.errors.DetachError)):
        np.put_along_axis(np.zeros(2), np.array([0]), tg.tensor([1.0], requires_grad=True), 0)


def test_gather_and_scatter_as_in_pytorch():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = tg.gather(x, 1, np.array([[0, 0], [1, 0]]))  # the example in torch.gather's documentation
    assert y.tolist() == [[1.0, 1.0], [4.0, 3.0]]
    y.sum().backward()
    assert x.grad.tolist() == [[2.0, 0.0], [1.0, 1.0]]
    assert tg.gather(x, 0, np.array([[1]])).tolist() == [[3.0]]
    z = tg.scatter(tg.tensor(np.zeros((2, 3))), 0, np.array([[0, 1, 0]]), tg.tensor([[1.0, 2.0, 3.0]]))
    assert z.tolist() == [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0]]
    places = np.array([[0, 1, 0]])
    w = tg.scatter_add(tg.tensor(np.ones((2, 3))), 0, places, np.array([[1.0, 2.0, 3.0], [9.0, 9.0, 9.0]]))
    assert w.tolist() == [[2.0, 1.0, 4.0], [1.0, 3.0, 1.0]]
    tg.gradcheck(
        lambda a, b: tg.scatter_add(a * a, 1, np.array([[0, 0], [1, 1]]), b * b),
        [np.ones((2, 3)), ARRAY[:2, :2]],
        order=2,
    )
    with pytest.raises(tg.errors.ShapeError, match="must have 2 axes"):
        tg.gather(x, 0, np.array([1]))


def test_index_functions_of_pytorch():
    x = np.arange(6.0).reshape(3, 2)
    added = tg.index_add(tg.tensor(x), 0, np.array([0, 0, 2]), np.ones((3, 2)), alpha=10)
    assert added.tolist() == [[20.0, 21.0], [2.0, 3.0], [14.0, 15.0]]
    assert tg.index_copy(tg.tensor(x), 1, [1], np.zeros((3, 1))).tolist() == [[0, 0], [2, 0], [4, 0]]
    assert tg.index_fill(tg.tensor(x), 0, [0, 2], -1.0).tolist() == [[-1, -1], [2, 3], [-1, -1]]
    assert tg.index_select(tg.tensor(x), 1, tg.tensor([1, 1])).tolist() == [[1, 1], [3, 3], [5, 5]]
    tg.gradcheck(
        lambda a, b: tg.index_add(a * a, -1, np.array([1, 1]), b * b, alpha=0.5), [x, np.ones((3, 2))], order=2
    )


def test_masked_functions():
    x = tg.tensor(np.arange(4.0).reshape(2, 2), requires_grad=True)
    y = tg.masked_fill(x, np.array([True, False]), -np.inf)
    assert y.tolist() == [[-np.inf, 1.0], [-np.inf, 3.0]]
    assert tg.masked_select(x, np.array([False, True])).tolist() == [1.0, 3.0]
    y[:, 1].sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.take(ARRAY, [0.5]), "whole numbers, got float64"),
        (lambda: tg.choose(np.array([3]), [ARRAY, ARRAY]), r"must be 0\.\.1, got 3"),
        (lambda: tg.select([ARRAY > 0], []), "1 conditions for 0 choices"),
        (lambda: np.fill_diagonal(tg.tensor(np.zeros(3)), 1.0), r"got shape \(3,\)"),
    ],
)
def test_wrong_calls_are_named(call, message):
    with pytest.raises((ValueError, IndexError), match=message):
        call()


def test_masked_scatter():
    x, mask = np.zeros((2, 3)), np.array([True, False, True])
    source = np.arange(1.0, 6.0)
    assert tg.masked_scatter(tg.tensor(x), mask, tg.tensor(source)).tolist() == [[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]
    tg.gradcheck(lambda x, s: tg.masked_scatter(x, mask, s) ** 2, [x + 0.5, source], order=2)
    with pytest.raises(tg.errors.ShapeError, match="the mask holds 4 times, the source has 2 elements"):
        tg.masked_scatter(tg.tensor(x), mask, source[:2])
