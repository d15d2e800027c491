"""Sorting agrees with NumPy in value and hands each gradient to the element it came from."""

import numpy as np
import pytest

import tinygrad_opt as tg

ARRAY = np.array([[3.0, -1.0, 2.0, 7.0], [0.5, 4.0, -6.0, 1.5], [9.0, 8.0, -2.0, 5.0]])


@pytest.mark.parametrize("axis", [0, -1, None])
@pytest.mark.parametrize("name", ["sort", "partition"])
def test_sort_and_partition(name, axis):
    args = (2,) if name == "partition" else ()
    found = getattr(np, name)(tg.tensor(ARRAY), *args, axis=axis).numpy()
    expected = getattr(np, name)(ARRAY, *args, axis=axis)
    if name == "partition":
        np.testing.assert_array_equal(np.take(found, 2, axis), np.take(expected, 2, axis))
        found, expected = np.sort(found, axis), np.sort(expected, axis)
    np.testing.assert_array_equal(found, expected)
    tg.gradcheck(lambda x: getattr(tg, name)(x * x * x, *args, axis=axis), [ARRAY], order=2)


def test_equal_values_keep_their_own_gradients():
    x = tg.tensor([2.0, 1.0, 2.0, np.nan], requires_grad=True)
    y = np.sort(x)
    y.backward(np.array([1, 10, 100, 1000], np.float32))
    assert x.grad.tolist() == [10.0, 1.0, 100.0, 1000.0]
    assert np.sort(tg.tensor(np.zeros((0, 2)))).shape == (0, 2)


def test_topk():
    x = tg.tensor(ARRAY, requires_grad=True)
    values, places = tg.topk(x, 2)
    assert values.tolist() == [[7.0, 3.0], [4.0, 1.5], [9.0, 8.0]]
    assert places.tolist() == [[3, 0], [1, 3], [0, 1]]
    values.sum().backward()
    assert x.grad.tolist() == [[1, 0, 0, 1], [0, 1, 0, 1], [1, 1, 0, 0]]
    assert tg.topk(x, 1, axis=0, largest=False).indices.tolist() == [[1, 0, 1, 1]]
    assert tg.topk(tg.tensor([1.0, np.nan, 1.0]), 3).indices.tolist() == [1, 0, 2]
    assert tg.topk(tg.tensor(4.0), 1).values.tolist() == tg.sort(tg.tensor(4.0)).tolist() == 4.0
    assert tg.argsort(tg.tensor(4.0)).tolist() == 0
    assert tg.topk(x, 0).values.shape == (3, 0)
    with pytest.raises(ValueError, match=r"k=5, but axis -1 of shape \(3, 4\) has 4"):
        tg.topk(x, 5)


def test_unique():
    x = tg.tensor([3.0, 1.0, 3.0, 2.0], requires_grad=True)
    values, first, inverse, counts = np.unique(x, True, True, True)
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert (first.tolist(), inverse.tolist(), counts.tolist()) == ([1, 3, 0], [2, 0, 2, 1], [1, 1, 2])
    values.backward(np.array([1, 10, 100], np.float32))
    assert x.grad.tolist() == [100.0, 1.0, 0.0, 10.0]
    rows = tg.tensor([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]])
    assert np.unique(rows, axis=0).tolist() == [[0.0, 5.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (np.argsort, (ARRAY,)),
        (np.argpartition, (ARRAY, 1)),
        (np.argwhere, (ARRAY > 2,)),
        (np.flatnonzero, (ARRAY > 2,)),
        (np.nonzero, (ARRAY > 2,)),
        (np.lexsort, ((ARRAY[0], ARRAY[1]),)),
        (np.digitize, (ARRAY, np.array([0.0, 3.0]))),
        (np.searchsorted, (np.array([0.0, 3.0, 5.0]), ARRAY)),
        (np.unravel_index, (np.array([5, 7]), (3, 4))),
    ],
)
def test_places_are_numpys(function, args):
    wrapped = [tg.Tensor(a, a.dtype.kind == "f") if isinstance(a, np.ndarray) else a for a in args]
    if function is np.lexsort:
        wrapped = [tuple(map(tg.Tensor, args[0]))]
    found, expected = function(*wrapped), function(*args)
    for ours, numpys in zip(
        found if isinstance(found, tuple) else [found],
        expected if isinstance(expected, tuple) else [expected],
        strict=True,
    ):
        assert not ours.requires_grad
        np.testing.assert_array_equal(ours.numpy(), numpys)


def test_methods():
    x = tg.tensor(ARRAY, requires_grad=True)
    np.testing.assert_array_equal(x.argsort(0).numpy(), ARRAY.argsort(0))
    np.testing.assert_array_equal(x.take([1, 5]).detach().numpy(), ARRAY.take([1, 5]))
    assert [part.tolist() for part in (x > 8).nonzero()] == [[2], [0]]
    assert x.compress([False, True], 1).tolist() == [[-1.0], [4.0], [8.0]]
    y = x * 1
    y.sort(0)
    np.testing.assert_array_equal(y.detach().numpy(), np.sort(ARRAY, 0))
    y[0].sum().backward()
    assert x.grad.tolist() == (np.min(ARRAY, 0) == ARRAY).tolist()
    y.partition(1)
    y.put([0, 1], [5.0, 6.0])
    assert y.detach().numpy().reshape(-1)[:2].tolist() == [5.0, 6.0]
    y.fill(2.0)
    assert set(y.detach().numpy().flat) == {2.0}
    with pytest.raises(tg.errors.GradientError, match="leaf"):
        x.sort()
