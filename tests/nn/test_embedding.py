import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError, StaleValueError
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.embedding import add_rows

F = nn.functional


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


WEIGHT = np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Embedding(-1, 3), ValueError, "Embedding: num_embeddings must be an int >= 0, got -1"),
        (lambda: nn.Embedding(3, 2.5), ValueError, "Embedding: embedding_dim must be an int >= 0, got 2.5"),
        (lambda: nn.Embedding(3, 2, padding_idx=1.5), ValueError, "padding_idx=1.5 is not one of the 3 rows"),
        (lambda: F.embedding([1], np.ones(3)), ShapeError, r"weight of shape \(rows, columns\), got \(3,\)"),
        (lambda: F.embedding([1], WEIGHT, 3), ValueError, "embedding: padding_idx=3"),
        (lambda: F.embedding([1.0], WEIGHT), TypeError, "expected whole numbers, got float32"),
        (lambda: nn.EmbeddingBag(3, -2), ValueError, "EmbeddingBag: embedding_dim must be an int >= 0, got -2"),
        (lambda: nn.EmbeddingBag(3, 2, mode="avg"), ValueError, "EmbeddingBag: mode must be 'mean', 'sum' or 'max'"),
        (
            lambda: nn.EmbeddingBag(3, 2, mode="max", scale_grad_by_freq=True),
            ValueError,
            "EmbeddingBag: scale_grad_by_freq has no meaning",
        ),
        (
            lambda: F.embedding_bag([1, 2], WEIGHT, [[0, 1]]),
            ShapeError,
            r"offsets must have shape \(B,\), got \(1, 2\)",
        ),
        (lambda: F.embedding_bag([1, 2], WEIGHT, 0), ShapeError, r"offsets must have shape \(B,\), got \(\)"),
        (lambda: F.embedding_bag([1, 2], WEIGHT, [0.0, 1.0]), TypeError, "offsets must be whole numbers, got float32"),
        (lambda: F.embedding_bag([[1]], np.ones((3, 2, 2))), ShapeError, r"got \(3, 2, 2\)"),
    ],
)
def test_wrong_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()


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
    np.testing.assert_array_equal(F.embedding_bag([[0, 1], [2, 3]], weight, mode="sum").data, [[2, 4], [10, 12]])
    np.testing.assert_array_equal(F.embedding_bag([0, 3, 1], weight, [0, 2, 2]).data, [[3, 4], [0, 0], [2, 3]])
    np.testing.assert_array_equal(F.embedding_bag([0, 3, 1], weight, [0, 3], mode="max").data, [[6, 7], [0, 0]])
    with pytest.raises(ValueError, match="mode must be"):
        F.embedding_bag([[0]], weight, mode="min")
    with pytest.raises(ValueError, match="offsets must rise"):
        F.embedding_bag([0, 1], weight, [0, 3])
    with pytest.raises(ValueError, match="need mode='sum'"):
        F.embedding_bag([[0]], weight, per_sample_weights=[[1.0]])
