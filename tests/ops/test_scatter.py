"""Adding at an index does what np.add.at does."""

import numpy as np
import pytest

from tinygrad_opt.ops.scatter import add_at, last_writers

CASES = {
    "rows": ((5, 3), np.array([4, 0, 4, -1])),
    "uint8 rows of a long array": ((300, 2), np.array([255, 3, 255], np.uint8)),
    "stack of rows": ((4, 2, 2), np.array([[0, 0], [3, -4]])),
    "vector": ((6,), np.array([1, 1, 5])),
    "pairs": ((3, 3), (np.array([0, 0]), np.array([-1, 2]))),
    "split": ((2, 3, 4), (np.array([0, 0, 1]), slice(1, None), np.array([3, 3, 3]))),
    "transposed index": ((4,), np.array([[0, 1], [1, 2], [2, 0]]).T),
    "rows and a slice": ((4, 3, 2), (np.array([1, 1, -1]), slice(None))),
    "pairs of rows": ((3, 2, 2), (np.array([[0], [-1]]), np.array([1, 1]))),
    "number and array": ((3, 4), (-1, np.array([0, 0, 3]))),
    "new axis": ((3, 4), (np.array([1, 1]), None)),
    "bool and array": ((3, 4), (True, np.array([1, 1]))),
    "one-tuple": ((3, 2), (np.array([1, 1]),)),
    "mask": ((2, 2), np.array([[True, False], [True, True]])),
    "slice": ((4, 2), slice(None, None, -2)),
    "empty": ((3, 2), np.zeros(0, int)),
    "no rows": ((0, 2), np.zeros(0, int)),
}


@pytest.mark.parametrize(("shape", "index"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_add_at(shape, index, dtype):
    count = np.empty(shape)[index]
    values = np.random.default_rng(0).standard_normal(count.shape).astype(dtype)
    expected = np.zeros(shape, dtype)
    np.add.at(expected, index, values)
    found = add_at(values, index, shape)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype != np.float16 else 1e-2)


@pytest.mark.parametrize(("shape", "index"), CASES.values(), ids=CASES)
def test_last_writers_are_what_is_read_back(shape, index):
    written = np.full(shape, -1)
    values = np.arange(written[index].size).reshape(written[index].shape)
    written[index] = values
    kept = last_writers(index, shape)
    np.testing.assert_array_equal(np.ones(values.shape, bool) if kept is None else kept, written[index] == values)
