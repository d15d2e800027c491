import warnings

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor, grad, gradcheck
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.sequence import define_gru, define_lstm, define_rnn, gru_sequence, lstm_sequence, rnn_sequence

PAIRS = {"rnn": (rnn_sequence, define_rnn), "lstm": (lstm_sequence, define_lstm), "gru": (gru_sequence, define_gru)}


@pytest.fixture(params=["numpy", "numba"])
def choice(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    before = kernels()
    yield kernels(request.param)
    kernels(before)


def as_list(outputs):
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


@pytest.mark.parametrize("name", PAIRS)
def test_fused_is_the_definition(name, choice):
    fused, definition = PAIRS[name]
    rng = np.random.default_rng(0)
    for args, _ in fused.samples(rng):
        found = []
        upstream = None
        for form in (fused, definition):
            inputs = [Tensor(a, requires_grad=True) for a in args]
            outputs = as_list(form(*inputs))
            upstream = upstream or [rng.standard_normal(y.shape) for y in outputs]
            found.append([y.data for y in outputs])
            for count in (1, len(outputs)):  # a gradient from the states alone, and from everything
                slopes = grad(outputs[:count], inputs, upstream[:count], retain_graph=True, allow_unused=True)
                found[-1] += [np.zeros(1) if g is None else g.data for g in slopes]
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


def test_relu_network():
    rng = np.random.default_rng(1)
    args = [rng.standard_normal(shape) for shape in ((3, 2, 2), (2, 3), (3, 2), (3, 3), (3,))]
    states = define_rnn(*map(Tensor, args), relu=True)
    np.testing.assert_allclose(rnn_sequence(*args, relu=True).data, states.data, atol=1e-14)
    gradcheck(rnn_sequence, args, {"relu": True}, order=2)


def test_the_same_tensor_as_both_states():
    rng = np.random.default_rng(0)
    x, h, _, w_ih, w_hh, bias = lstm_sequence.samples(rng)[0][0]
    gradcheck(lambda state: lstm_sequence(x, state, state, w_ih, w_hh, bias)[0], [h], order=2)


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gates_that_are_shut_or_wide_open(name, dtype):
    """exp(−a) overflows for a gate that is shut; σ is 0 there, its slope too, and nobody is warned."""
    fused, definition = PAIRS[name]
    args = [a.astype(dtype) for a in fused.samples(np.random.default_rng(0))[0][0]]
    size = args[1].shape[1]
    shut = np.repeat(np.resize([1e4, -1e4], len(args[-1]) // size), size).astype(dtype)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in (fused, definition):
            inputs = [Tensor(a, requires_grad=True) for a in (*args[:-1], shut)]
            states = form(*inputs)[0]
            (states * states).sum().backward()
            found.append([states.data, *(t.grad.data for t in inputs)])
    for a, b in zip(*found, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_compiled_agrees_in_single_precision():
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    shapes = (20, 4, 8), (4, 16), (4, 16), (64, 8), (64, 16), (64,)
    args = [0.5 * rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    before, found = kernels(), []
    for choice in ("numpy", "numba"):
        kernels(choice)
        inputs = [Tensor(a, requires_grad=True) for a in args]
        h, c, _ = lstm_sequence(*inputs)
        (h.sum() + (c * c).sum()).backward()
        found.append([h.data, c.data, *(t.grad.data for t in inputs)])
    kernels(before)
    for a, b in zip(*found, strict=True):
        assert np.abs(a - b).max() <= 1e-5 * np.abs(a).max()
