"""Data sets give the examples they were made of, one at a time and many at once."""

import numpy as np
import pytest

from tinygrad_opt.data import DataLoader, Dataset, Subset, TensorDataset, random_split
from tinygrad_opt.errors import ShapeError


class Ragged(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return np.zeros(i + 1)


def test_examples_keep_their_dtype_and_pair_up():
    x, y = np.arange(6, dtype=np.float64).reshape(3, 2), np.array([5, 6, 7])
    data = TensorDataset(x, y)
    assert len(data) == 3
    a, b = data[1]
    assert a.dtype == np.float64
    assert a.tolist() == [2.0, 3.0]
    assert b.item() == 6
    a, b = data.take(np.array([2, 0]))
    assert a.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert b.tolist() == [7, 5]


def test_one_array_gives_bare_tensors():
    assert TensorDataset(np.arange(4))[3].item() == 3


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match=r"\(3,\), \(2,\)"):
        TensorDataset(np.zeros(3), np.zeros(2))
    with pytest.raises(TypeError, match="at least one"):
        TensorDataset()


def test_a_subset_of_a_subset_points_to_the_same_examples():
    data = TensorDataset(np.arange(10) * 10)
    inner = Subset(Subset(data, [1, 3, 5, 7]), [2, 0])
    assert [inner[i].item() for i in range(2)] == [50, 10]
    assert inner.take(slice(None)).tolist() == [50, 10]
    with pytest.raises(IndexError, match=r"0\.\.9"):
        Subset(data, [10])


def test_random_split_is_a_partition_and_repeats_with_its_seed():
    data = TensorDataset(np.arange(11))
    parts = random_split(data, [0.5, 0.3, 0.2], np.random.default_rng(4))
    assert [len(part) for part in parts] == [6, 3, 2]
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(11))
    again = random_split(data, [6, 3, 2], np.random.default_rng(4))
    assert all((a.indices == b.indices).all() for a, b in zip(parts, again, strict=True))


@pytest.mark.parametrize("lengths", [[5, 5], [0.5, 0.4], [12, -1]])
def test_random_split_refuses_lengths_that_do_not_add_up(lengths):
    with pytest.raises(ValueError, match="random_split"):
        random_split(TensorDataset(np.arange(11)), lengths)


def test_examples_of_different_shapes_are_told_apart():
    with pytest.raises(ShapeError, match="padding"):
        next(iter(DataLoader(Ragged(), batch_size=2)))


def test_a_dataset_without_its_two_methods_says_so():
    with pytest.raises(TypeError, match="__len__"):
        len(Dataset())
    with pytest.raises(TypeError, match="__getitem__"):
        Dataset()[0]
