"""What a Tensor shares with an ndarray: options of methods, bits and shifts, rounding; and what to write instead."""

import operator
import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import DetachError, GradientError

X = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -1.0]])


def leaf(value):
    return tg.tensor(value, requires_grad=True)


@pytest.mark.parametrize(
    ("call", "gradient"),
    [
        (lambda t: t.reshape(3, 2, order="F"), [[0, 4, 3], [2, 1, 5]]),
        (lambda t: t.reshape((3, 2), order="C", copy=None), [[0, 1, 2], [3, 4, 5]]),
        (lambda t: t.reshape(-1), [[0, 1, 2], [3, 4, 5]]),
        (lambda t: t.flatten("F"), [[0, 2, 4], [1, 3, 5]]),
        (lambda t: t.flatten(), [[0, 1, 2], [3, 4, 5]]),
        (lambda t: t.ravel(order="F"), [[0, 2, 4], [1, 3, 5]]),
        (lambda t: t.copy("F"), [[0, 1, 2], [3, 4, 5]]),
        (lambda t: t.astype(np.float64, copy=False), [[0, 1, 2], [3, 4, 5]]),
        (lambda t: t.astype(np.float32, casting="same_kind"), [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_options_of_methods(call, gradient):
    t = leaf(X)
    y = call(t)
    plain = call(X)
    assert y.dtype == plain.dtype
    np.testing.assert_array_equal(y.data, plain)
    (y.reshape(-1) * np.arange(6)).sum().backward()
    np.testing.assert_array_equal(t.grad.data, gradient)


def test_astype_refuses_and_shares():
    t = leaf(X)
    assert t.astype(float, copy=False) is t
    assert t.astype(float) is not t
    with pytest.raises(TypeError, match="float64 does not become int64 with casting='safe'"):
        t.astype(int, casting="safe")


@pytest.mark.parametrize("name", ["and_", "or_", "xor", "lshift", "rshift"])
def test_bits(name):
    function, in_place = getattr(operator, name), getattr(operator, "i" + name.rstrip("_"))
    a, b = np.array([12, 7, 1]), np.array([1, 2, 3])
    for mine in (function(tg.Tensor(a), tg.Tensor(b)), function(tg.Tensor(a), b), function(a, tg.Tensor(b))):
        assert isinstance(mine, tg.Tensor)
        np.testing.assert_array_equal(mine.data, function(a, b))
    np.testing.assert_array_equal(function(5, tg.Tensor(b)).data, function(5, b))
    t = tg.Tensor(a.copy())
    same = t
    t = in_place(t, b)
    assert t is same
    np.testing.assert_array_equal(same.data, function(a, b))
    with pytest.raises(TypeError, match="not supported for the input types"):
        function(leaf(X), 1)


def test_rounding():
    t = leaf(X)
    np.testing.assert_array_equal(round(t).data, np.round(X))
    np.testing.assert_array_equal(round(t, 1).data, np.round(X, 1))
    round(t).sum().backward()
    assert not t.grad.data.any()


def test_sizes():
    t = tg.tensor(X)
    assert [t.item(4), t.item(1, 1), t.item((1, 1)), t[1, 1].item()] == [0.5] * 4
    assert (t.itemsize, t.nbytes, t.device) == (8, 48, "cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("view", "write t.reshape(shape), or t.astype(dtype)"),
        ("permute", "write t.transpose(axes)"),
        ("unsqueeze", "write np.expand_dims(t, axis)"),
        ("cuda", "everything is on the CPU"),
        ("flags", "about an array's memory; write t.data.flags"),
        ("flat", "write t.ravel() to read"),
        ("exp", "write np.exp(t) or tg.exp(t)"),
        ("softmax", "write tg.softmax(t)"),
        ("sigmoid", "write tg.sigmoid(t)"),
        ("relu", "write tg.relu(t)"),
        ("nonsense", "a Tensor has no attribute 'nonsense'"),
        ("_nonsense", "a Tensor has no attribute '_nonsense'"),
    ],
)
def test_what_is_absent_names_the_way(name, message):
    with pytest.raises(AttributeError, match=re.escape(message)):
        getattr(tg.tensor(X), name)
    assert not hasattr(tg.Tensor, name)


def test_nothing_is_lost_by_making_a_tensor_of_a_tensor():
    t = leaf(X)
    for make in (tg.tensor, tg.Tensor):
        with pytest.raises(DetachError, match=re.escape("t.clone() for a copy through which gradients flow")):
            make(t)
        assert make(t.detach()).tolist() == X.tolist()
        assert make(t, requires_grad=True).is_leaf
        with tg.no_grad():
            assert not make(t).requires_grad


@pytest.mark.parametrize("dtype", [float, int, complex])
def test_an_elements_gradient_is_not_lost(dtype):
    t, array = leaf(np.float64(2.0)), np.zeros(2, dtype)
    with pytest.raises((ValueError, DetachError)) as caught:  # NumPy makes a ValueError of it for float arrays
        array[0] = t
    assert "Make the array a Tensor first" in str(caught.value.__cause__ or caught.value)
    assert not array.any()
    array[0] = t.item()
    array[1] = dtype(t)
    with tg.no_grad():
        array[0] = t
    assert array.tolist() == [2, 2]


def test_an_arrays_method_meets_a_tensor():
    t = leaf(np.array([0.5, 3.0]))
    np.ones(2).clip(0, t).sum().backward()
    assert t.grad.tolist() == [1.0, 0.0]
    with pytest.raises(DetachError, match="would lose it"):
        np.ones(2).dot(t)


@pytest.mark.parametrize("other", [None, "x"])
def test_what_no_number_can_equal(other):
    t = leaf(X)
    assert (t == other) is False
    assert (t != other) is True
    assert t not in (other,)
    assert (t == X).all()


def test_no_gradient_is_lost_on_the_way_out():
    t = leaf(X)
    for way in (lambda: np.asarray(t), lambda: np.from_dlpack(t), lambda: np.array([t]), t.numpy):
        with pytest.raises((DetachError, GradientError, TypeError, ValueError)):
            way()
