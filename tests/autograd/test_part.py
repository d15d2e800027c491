"""Gradients that come in parts: the same sums as of whole arrays, and nobody's array is written into."""

import numpy as np
import pytest

import tinygrad_opt as tg

START = np.arange(12.0).reshape(3, 4)
READS = [
    [0, 1, -1],
    [slice(0, 2), slice(1, 3)],
    [(slice(None), 1), (1, slice(None)), (..., 0)],
    [(None, 2), np.array([True, False, True]), np.array([0, 0, 2])],
    [np.array([0, 0, 2]), 0, 0],
    [(0, 0)],
]


def weights(shape):
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape) + 2


def expected(reads):
    total = np.zeros_like(START)
    for read in reads:
        np.add.at(total, read, weights(START[read].shape))
    return total


def read_all(x, reads):
    return sum((x[read] * weights(START[read].shape)).sum() for read in reads)


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("computed", [False, True])
def test_reads_of_a_leaf_and_of_a_computed_array(reads, computed):
    x = tg.tensor(START, requires_grad=True)
    read_all(x * 2 if computed else x, reads).backward()
    np.testing.assert_allclose(x.grad.data, expected(reads) * (2 if computed else 1), rtol=1e-14)


@pytest.mark.parametrize("first", [True, False])
def test_parts_meet_whole_gradients_in_either_order(first):
    x = tg.tensor(START, requires_grad=True)
    y = x * 1
    parts, whole = read_all(y, [0, 0, 2]), (y * y).sum()
    (parts + whole if first else whole + parts).backward()
    np.testing.assert_allclose(x.grad.data, 2 * START + expected([0, 0, 2]), rtol=1e-14)


def test_the_gradient_that_came_first_is_not_written_into():
    seen = tg.tensor(np.ones((3, 4)))
    x = tg.tensor(START, requires_grad=True)
    y = x * 1
    tg.autograd.backward([y[0].sum(), y], [None, seen])
    np.testing.assert_array_equal(seen.data, 1)
    np.testing.assert_array_equal(x.grad.data, 1 + (np.arange(3) == 0)[:, None] * np.ones((3, 4)))


def test_hooks_and_retained_gradients_see_arrays():
    x = tg.tensor(START, requires_grad=True)
    y = x * 1
    y.retain_grad()
    shapes = []
    x.register_hook(lambda g: shapes.append(g.shape))
    (y[1].sum() + y[2].sum()).backward()
    assert shapes == [(3, 4)]
    np.testing.assert_array_equal(y.grad.data.sum(1), [0, 4, 4])


def test_named_inputs_and_higher_orders():
    x = tg.tensor(START, requires_grad=True)
    y = x * x
    (g,) = tg.autograd.grad([y[0].sum() + y[0, 1] * y[2, 1]], [x], create_graph=True)
    (second,) = tg.autograd.grad([g.sum()], [x])
    (plain,) = tg.autograd.grad([(x * x)[0].sum() + (x * x)[0, 1] * (x * x)[2, 1]], [x])
    np.testing.assert_allclose(g.data, plain.data)
    by_hand = np.zeros((3, 4))
    by_hand[0] = 2
    a, b = START[0, 1], START[2, 1]
    by_hand[0, 1] += 2 * b * b + 4 * a * b
    by_hand[2, 1] += 2 * a * a + 4 * a * b
    np.testing.assert_allclose(second.data, by_hand)


def test_a_loop_over_rows_takes_no_array_of_the_whole_size_for_each():
    x = tg.tensor(np.ones((200, 50)), requires_grad=True)
    made = []
    usual = tg.autograd.part.Part.whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tg.autograd.part.Part, "whole", lambda self: made.append(1) or usual(self))
        sum((x[i] * i).sum() for i in range(200)).backward()
    assert len(made) == 1
    np.testing.assert_array_equal(x.grad.data[:, 0], np.arange(200))
