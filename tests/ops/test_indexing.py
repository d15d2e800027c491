"""Indexing reads, writes and differentiates as NumPy reads and writes."""

import numpy as np
import pytest

import tinygrad_opt as tg

INDICES = {
    "integer": 1,
    "negative": (-1, -2),
    "slice": slice(None, None, 2),
    "reversed": (slice(None, None, -1), slice(3, 0, -2)),
    "ellipsis": (..., 0),
    "newaxis": (None, 1, ..., None),
    "mask": np.arange(12).reshape(3, 4) % 3 == 0,
    "row mask": np.array([True, False, True]),
    "empty mask": np.zeros((3, 4), bool),
    "integers": np.array([2, 0, 2]),
    "list": [0, 1],
    "empty list": [],
    "pairs": (np.array([0, 1, 1]), np.array([3, 3, -1])),
    "outer": np.ix_([0, 2], [1, 1, 3]),
    "mixed": (np.array([[0], [2]]), slice(1, 3)),
    "uint8": np.array([2, 1], np.uint8),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("layout", ["plain", "transposed", "broadcast"])
def test_reading_and_its_gradient(index, layout):
    array = {
        "plain": np.arange(12.0).reshape(3, 4),
        "transposed": np.arange(12.0).reshape(4, 3).T,
        "broadcast": np.broadcast_to(np.arange(4.0), (3, 4)),
    }[layout]
    x = tg.tensor(array, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.detach().numpy(), array[index])
    g = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(g)
    expected = np.zeros((3, 4))
    np.add.at(expected, index, g)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_writing_is_numpys_and_keeps_the_old_graph(index):
    x = tg.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    y = x * x
    square = y * y
    expected = (x * x).detach().numpy().copy()
    value = np.random.default_rng(0).standard_normal(expected[index].shape)
    expected[index] = value
    y[index] = value
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    square.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 4 * np.arange(12.0).reshape(3, 4) ** 3)


def test_gradient_of_assignment_goes_to_what_is_left():
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    v = tg.tensor(5.0, requires_grad=True)
    y = x * 2
    y[1:] = v
    (y * tg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]
    assert v.grad.item() == 110.0


def test_only_the_last_of_repeated_writes_has_a_gradient():
    x, v = tg.tensor(np.zeros(3)), tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[np.array([1, 1, 0])] = v
    assert x.tolist() == [3.0, 2.0, 0.0]
    x.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0, 1.0]


def test_tensors_index():
    x = tg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert x[tg.tensor([1, 0]), tg.tensor(2)].tolist() == [5.0, 2.0]
    assert x[x > 3.0].tolist() == [4.0, 5.0]
    assert x[tg.tensor(1)].tolist() == [3.0, 4.0, 5.0]
    assert x[:, [tg.tensor(0), tg.tensor(2)]].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert x[: tg.tensor(1)].shape == (1, 3)


def test_wrong_indices_name_the_mend():
    x = tg.tensor(np.zeros((2, 3)), requires_grad=True)
    with pytest.raises(IndexError, match=r"whole numbers or bool, got a Tensor of float64.*astype"):
        x[tg.tensor(np.ones(2))]
    with pytest.raises(IndexError, match=r"getitem.*out of bounds"):
        x[5]
    with pytest.raises(TypeError, match=r"float64 does not fit.*int64.*astype"):
        tg.tensor([1, 2])[0] = x[0, 0]
    before = x * 1
    with pytest.raises(tg.errors.ShapeError, match="setitem"):
        before[0] = np.zeros(7)
    assert before.tolist() == [[0.0] * 3] * 2


def test_where_blocks_an_infinite_branch_but_not_what_lies_behind_it():
    x = tg.tensor([0.0, 4.0], requires_grad=True)
    np.where(x > 0, x, np.inf).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    x.grad = None
    with np.errstate(divide="ignore", invalid="ignore"):
        np.where(x > 0, np.sqrt(x), 0.0).sum().backward()  # 0 · ∞, as in PyTorch
    assert np.isnan(x.grad.tolist()[0])
    x.grad = None
    np.sqrt(np.where(x > 0, x, 1.0)).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_where_keeps_the_default_dtype_and_finds_indices():
    assert tg.where(np.array([True]), 1.0, 0.0).dtype == np.float32
    assert tg.where(np.array([True]), np.float32([1]), 0.0).dtype == np.float32
    assert [part.tolist() for part in tg.where(tg.tensor([0, 3, 4]))] == [[1, 2]]
    with pytest.raises(TypeError, match="both x and y"):
        tg.where(True, tg.tensor(1.0))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_take_along_axis(axis):
    array = np.random.default_rng(0).standard_normal((3, 4))
    indices = np.argsort(array, axis=axis)
    x = tg.tensor(array, requires_grad=True)
    y = np.take_along_axis(x, tg.tensor(indices), axis)
    np.testing.assert_array_equal(y.detach().numpy(), np.take_along_axis(array, indices, axis))
    tg.gradcheck(lambda t: tg.take_along_axis(t * t, indices, axis), [array], order=2)


def test_take_along_axis_repeats_and_refuses():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    tg.take_along_axis(x, np.array([[0, 0, 0], [1, 0, 1]]), 1).sum().backward()
    assert x.grad.tolist() == [[3.0, 0.0], [1.0, 2.0]]
    with pytest.raises(IndexError, match="as many axes"):
        tg.take_along_axis(x, np.array([0]), 1)


def test_one_hot():
    assert tg.one_hot(tg.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert tg.one_hot(np.array([[1]]), 3).shape == (1, 1, 3)
    assert tg.one_hot(np.array([], int), 4).shape == (0, 4)
    with pytest.raises(ValueError, match=r"0\.\.9; found 10 at index \(1,\)"):
        tg.one_hot([3, 10], 10)
    with pytest.raises(TypeError, match="whole numbers"):
        tg.one_hot([1.0])


def test_gradients_keep_float32():
    x = tg.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = x * 1
    y[0] = 2.0
    (y[np.array([0, 1, 1])].sum() + y[0, 0]).backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert x.grad.tolist() == [[0.0] * 3, [2.0] * 3]


@pytest.mark.parametrize("condition", [True, False, 1, [True, False, True]])
def test_where_of_a_condition_that_is_no_array(condition):
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    tg.where(condition, x, 2 * x).sum().backward()
    assert x.grad.tolist() == np.where(condition, [1.0, 1.0, 1.0], 2.0).tolist()


def test_a_mask_given_as_a_list():
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    np.sum(x, where=[True, False, True]).backward()
    assert x.grad.tolist() == [1.0, 0.0, 1.0]
