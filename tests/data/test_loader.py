"""The loader shows each example once an epoch, in an order that its seed fixes."""

import numpy as np
import pytest

from tinygrad_opt.data import DataLoader, TensorDataset
from tinygrad_opt.random import manual_seed


def numbers(loader):
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize(
    ("size", "drop_last", "batches"),
    [
        (None, False, [[0, 1, 2, 3, 4]]),
        (5, True, [[0, 1, 2, 3, 4]]),
        (1, False, [[0], [1], [2], [3], [4]]),
        (2, False, [[0, 1], [2, 3], [4]]),
        (2, True, [[0, 1], [2, 3]]),
        (7, False, [[0, 1, 2, 3, 4]]),
        (7, True, []),
    ],
)
def test_batches_and_their_number(size, drop_last, batches):
    loader = DataLoader(TensorDataset(np.arange(5)), size, drop_last=drop_last)
    assert numbers(loader) == batches
    assert len(loader) == len(batches)


def test_an_empty_data_set_has_no_batch():
    for size in (None, 3):
        loader = DataLoader(TensorDataset(np.zeros((0, 2))), size)
        assert len(loader) == 0
        assert numbers(loader) == []


def test_shuffling_shows_every_example_once_and_epochs_differ():
    loader = DataLoader(TensorDataset(np.arange(40)), 7, shuffle=True, generator=np.random.default_rng(0))
    first, second = (np.concatenate(numbers(loader)) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(40))
    assert list(first) != list(second) != list(range(40))


def test_a_seed_fixes_all_epochs_even_after_one_is_broken_off():
    def third_epoch(break_off):
        loader = DataLoader(TensorDataset(np.arange(20)), 3, shuffle=True, generator=np.random.default_rng(8))
        for _ in range(2):
            for _ in loader:
                if break_off:
                    break
        return numbers(loader)

    assert third_epoch(False) == third_epoch(True)


def test_the_default_generator_is_the_package_own():
    def epoch():
        manual_seed(3)
        return numbers(DataLoader(TensorDataset(np.arange(9)), 4, shuffle=True))

    assert epoch() == epoch()


def test_pairs_stay_together():
    data = TensorDataset(np.arange(9), np.arange(9) * 2)
    for x, y in DataLoader(data, 4, shuffle=True, generator=np.random.default_rng(1)):
        assert (x.data * 2 == y.data).all()


def test_shuffled_batches_do_not_share_memory_with_the_data():
    data = TensorDataset(np.zeros(4))
    batch = next(iter(DataLoader(data, None, shuffle=True)))
    batch.data[:] = 1
    assert data.tensors[0].data.sum() == 0


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("all", TypeError)])
def test_a_wrong_batch_size_is_refused(size, error):
    with pytest.raises(error, match="batch_size"):
        DataLoader(TensorDataset(np.arange(3)), size)


def test_a_seed_in_place_of_a_generator_is_refused():
    with pytest.raises(TypeError, match="default_rng"):
        DataLoader(TensorDataset(np.arange(3)), 1, generator=0)
