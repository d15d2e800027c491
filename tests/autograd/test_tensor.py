"""Tensor: construction, NumPy's protocols, writing, conversion, copies."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError, GradientError, ShapeError


def leaf(value, **options):
    return tg.tensor(np.asarray(value, dtype=float), requires_grad=True, **options)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, np.float32),
        (1, np.int64),
        (True, np.bool_),
        (1j, np.complex64),
        ([1.0, 2], np.float32),
        ([[1, 2]], np.int64),
        (np.float64(1.0), np.float64),
        (np.array([1.0]), np.float64),
        (np.array([1.0], np.float16), np.float16),
        ([np.float64(1.0)], np.float64),
        ([], np.float32),
    ],
)
def test_dtype_of_what_it_is_made_from(data, dtype):
    assert tg.tensor(data).dtype == dtype


@pytest.mark.parametrize("dtype", [None, np.float32])
def test_lists_that_make_no_array_are_refused(dtype):
    with pytest.raises(
        ValueError, match="got a list that NumPy makes no array of; nested lists need rows of one length"
    ):
        tg.tensor([[1.0], [1.0, 2.0]], dtype=dtype)


def test_default_dtype():
    tg.set_default_dtype(np.float64)
    try:
        assert tg.tensor(1.0).dtype == np.float64
        assert tg.get_default_dtype() == np.float64
    finally:
        tg.set_default_dtype(np.float32)
    with pytest.raises(TypeError, match="floating-point"):
        tg.set_default_dtype(int)


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2)
    copied, shared = tg.tensor(array), tg.from_numpy(array)
    array[0] = 1
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [1, 0]
    with pytest.raises(TypeError, match="expected an ndarray, got list"):
        tg.from_numpy([1.0])


def test_as_tensor_returns_tensors_as_they_are():
    x = leaf(1.0)
    assert tg.as_tensor(x) is x
    assert tg.as_tensor([1.0], dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("data", ["abc", [object()], [[1.0], [2.0, 3.0]]])
def test_what_is_not_numbers(data):
    with pytest.raises((TypeError, ValueError)):
        tg.tensor(data)


@pytest.mark.parametrize("data", [1, True, [1, 2]])
def test_integers_cannot_require_a_gradient(data):
    with pytest.raises(GradientError, match=re.escape("e.g. tg.tensor(3.0) instead of tg.tensor(3)")):
        tg.tensor(data, requires_grad=True)


def test_numpy_functions_stay_tensors():
    x = leaf([1.0, 2.0])
    assert isinstance(np.sin(x), tg.Tensor)
    assert isinstance(np.sum(x, axis=0), tg.Tensor)
    assert isinstance(np.concatenate([x, x]), tg.Tensor)
    assert isinstance(np.ones(2) * x, tg.Tensor)
    assert isinstance(np.float64(2.0) * x, tg.Tensor)
    assert isinstance(np.ones((2, 2)) @ x, tg.Tensor)
    assert isinstance(np.add.reduce(x), tg.Tensor)


def test_no_silent_detour_to_arrays():
    x = leaf([1.0, 2.0])
    array = np.ones(2)
    with pytest.raises(DetachError, match=re.escape("t.detach().numpy()")):
        np.array(x)
    with pytest.raises(DetachError):
        np.asarray(x)
    with pytest.raises(DetachError):
        x.numpy()
    with pytest.raises(DetachError, match=re.escape("a = a + t")):
        array += x
    with pytest.raises(DetachError, match=r"np\.savetxt is not defined on Tensors, and would lose"):
        np.savetxt("nowhere", x)
    with pytest.raises(DetachError):
        np.add.at(array, [0, 1], x)
    with pytest.raises(DetachError):
        np.sum(x, out=array)
    with pytest.raises(ShapeError, match="exactly one element"):
        float(x)
    assert array.tolist() == [1.0, 1.0]


def test_arrays_where_no_gradient_is_at_stake():
    x = tg.tensor([1.0, 2.0])
    assert np.array(x).tolist() == [1.0, 2.0]
    assert np.asarray(x) is x.data
    with tg.no_grad():
        assert np.asarray(leaf([1.0])).tolist() == [1.0]


def test_numbers():
    x = leaf(2.5)
    assert float(x) == 2.5
    assert int(x) == 2
    assert bool(x)
    assert x.item() == 2.5
    assert f"{x:.2f}" == "2.50"
    assert [10, 20, 30][tg.tensor(1)] == 20
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf([1.0, 2.0]))


def test_in_place_operators_rebind_the_same_object():
    x = leaf([1.0, 2.0])
    y = x * 1
    alias = y
    y += 1
    y *= 3
    assert alias is y
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_writing_never_corrupts_what_a_graph_has_saved():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    z = (y * y).sum()
    y[1] = 100.0
    y += 5
    z.backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_assignment_is_differentiable():
    x, v = leaf([1.0, 2.0, 3.0]), leaf(7.0)
    y = x * 2
    y[1:] = v
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]
    assert v.grad.item() == 110.0


def test_writing_into_a_leaf_needs_no_grad():
    x = leaf([1.0, 2.0])
    with pytest.raises(GradientError, match="leaf that requires a gradient"):
        x += 1
    with pytest.raises(GradientError, match="tg.no_grad"):
        x[0] = 3.0
    with tg.no_grad():
        x -= 0.5
        x[0] = 9.0
    assert x.tolist() == [9.0, 1.5]
    assert x.requires_grad
    assert x.is_leaf


def test_in_place_keeps_shape_and_dtype():
    x = tg.tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=re.escape("the result has shape (3, 2)")):
        x += np.ones((3, 1))
    i = tg.tensor([1, 2])
    with pytest.raises(TypeError, match="does not fit"):
        i += 0.5
    x += np.ones(2)
    assert x.dtype == np.float32


def test_methods_ndarray_lacks_are_pointed_to():
    with pytest.raises(AttributeError, match=re.escape("write np.exp(t) or tg.exp(t)")):
        leaf(1.0).exp()
    with pytest.raises(AttributeError, match="no attribute 'foo'"):
        leaf(1.0).foo


def test_requires_grad_can_be_taken_away_from_leaves_only():
    x = leaf(1.0)
    y = x * 2
    with pytest.raises(GradientError, match="detach"):
        y.requires_grad_(False)
    x.backward()
    x.requires_grad = False
    assert not x.requires_grad
    assert x.grad is None


def test_detach_shares_memory_and_cuts_the_graph():
    x = leaf([1.0])
    assert x.detach().data is x.data
    assert not (x.detach() * 2).requires_grad


def test_clone_passes_gradients():
    x = leaf([1.0])
    y = x.clone()
    assert y.data is not x.data
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3.0]


def test_assigning_grad():
    x = leaf([1.0, 2.0])
    x.grad = np.ones(2)
    assert x.grad.tolist() == [1.0, 1.0]
    with pytest.raises(ShapeError, match="the gradient has shape"):
        x.grad = np.ones(3)
    with pytest.raises(GradientError, match="only a leaf"):
        (x * 2).grad = np.ones(2)
    x.grad = None
    assert x.grad is None


def test_astype():
    x = leaf([1.5, 2.5])
    y = x.astype(np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float64
    assert not x.astype(int).requires_grad


def test_iteration_and_length():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.sum().item() for row in x] == [3.0, 7.0]
    a, b = x
    (a * b).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    for call in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            call(leaf(1.0))
    assert 3.0 in x
    assert 5.0 not in x


def test_hash_and_equality():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert len({x, y, x}) == 2
    assert x.detach() == pytest.approx([1.0, 2.0 + 1e-12])
    assert x.detach() != pytest.approx([1.0, 2.1])
    with pytest.raises(DetachError, match=r"t\.detach\(\)"):
        assert leaf(1.0) == pytest.approx(1.0)


def test_repr():
    assert repr(tg.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(leaf(1.0, name="w")) == "tensor(1., dtype=float64, name='w', requires_grad=True)"
    assert repr(tg.tensor(1.0, requires_grad=True) * 2) == "tensor(2., made by multiply)"
    assert "..." in repr(tg.tensor(np.zeros(10_000)))


def test_deepcopy_and_pickle_of_leaves():
    x = leaf([1.0, 2.0], name="w")
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    assert y.name == "w"
    assert y.grad.tolist() == [2.0, 2.0]
    y.data[0] = 5
    assert x.tolist() == [1.0, 2.0]
    z = pickle.loads(pickle.dumps(x))
    assert z.requires_grad
    assert z.tolist() == [1.0, 2.0]
    with pytest.raises(GradientError, match="apart from its graph"):
        copy.deepcopy(x * 2)


def test_names_reach_the_graph():
    x = leaf(1.0)
    x.name = "weight"
    assert x._node.name == "weight"
    y = x * 2
    y.name = "twice"
    assert y._node.extras.name == "twice"


def test_python_numbers_do_not_change_the_dtype():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for y in (x * 2.0, 2.0 * x, x + 1, 1 - x, x / 3, 3 / x, x**2, 2.0**x, x @ x * 1.5):
        assert y.dtype == np.float32


@pytest.mark.parametrize("other", ["text", None, object()])
def test_operators_refuse_what_is_not_numbers(other):
    with pytest.raises(TypeError):
        leaf(1.0) + other
