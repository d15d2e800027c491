import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import StaleValueError
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.embedding import add_rows


def test_numbers_out_of_range_are_named():
    model = nn.Sequential(nn.Embedding(10, 3))
    with pytest.raises(IndexError, match=r"numbers must be 0..9; found 10 at \(1, 0\)"):
        model(np.array([[1], [10]]))
    with pytest.raises(IndexError, match="found -1"):
        model(np.array([-1]))
    with pytest.raises(TypeError, match="expected whole numbers, got float64"):
        model(np.array([1.0]))
    with pytest.raises(ValueError, match="padding_idx=10"):
        nn.Embedding(10, 3, padding_idx=10)


def test_the_padding_row_begins_as_zeros_and_stays():
    layer = nn.Embedding(5, 3, padding_idx=-1)
    assert not layer.weight.data[4].any()
    layer(np.array([4, 4, 1])).sum().backward()
    assert not layer.weight.grad.data[4].any()
    np.testing.assert_array_equal(layer.weight.grad.data[1], np.ones(3))


def test_rows_that_are_read_are_shortened_in_place():
    layer = nn.Embedding(6, 4, max_norm=0.5)
    before = layer.weight.data.copy()
    early = (layer.weight * layer.weight).sum()
    layer(np.array([2, 2, 5]))
    norms = np.linalg.norm(layer.weight.data, axis=1)
    assert (norms[[2, 5]] <= 0.5 + 1e-6).all()
    np.testing.assert_array_equal(layer.weight.data[[0, 1, 3, 4]], before[[0, 1, 3, 4]])
    with pytest.raises(StaleValueError):
        early.backward()


def test_from_pretrained_is_frozen():
    table = np.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    np.testing.assert_array_equal(layer([2, 0]).data, table[[2, 0]])
    table[0] = 9
    assert layer.weight.data[0, 0] == 0


@pytest.mark.parametrize("choice", ["numpy", "numba"])
def test_repeated_rows_add_up(choice):
    if choice == "numba":
        pytest.importorskip("numba")
    before = kernels()
    kernels(choice)
    rng = np.random.default_rng(0)
    g, index = rng.standard_normal((40, 7)), rng.integers(0, 9, 40)
    expected = np.zeros((9, 7))
    np.add.at(expected, index, g)
    table = add_rows(g, index, 9, None).data
    kernels(before)
    np.testing.assert_allclose(table, expected, atol=1e-13)


def test_bags():
    weight = tg.tensor(np.arange(8.0).reshape(4, 2))
    F = nn.functional
    np.testing.assert_array_equal(F.embedding_bag([[0, 1], [2, 3]], weight, mode="sum").data, [[2, 4], [10, 12]])
    np.testing.assert_array_equal(F.embedding_bag([0, 3, 1], weight, [0, 2, 2]).data, [[3, 4], [0, 0], [2, 3]])
    np.testing.assert_array_equal(F.embedding_bag([0, 3, 1], weight, [0, 3], mode="max").data, [[6, 7], [0, 0]])
    with pytest.raises(ValueError, match="mode must be"):
        F.embedding_bag([[0]], weight, mode="min")
    with pytest.raises(ValueError, match="offsets must rise"):
        F.embedding_bag([0, 1], weight, [0, 3])
    with pytest.raises(ValueError, match="need mode='sum'"):
        F.embedding_bag([[0]], weight, per_sample_weights=[[1.0]])
