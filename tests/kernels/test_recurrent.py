import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.nn.sequence import define_lstm, lstm_sequence

sharing = pytest.importorskip("tinygrad_opt.kernels.sharing")


def results(function, args, seen):
    """Outputs and gradients, when the hidden states alone are looked at, or the cells as well."""
    inputs = [Tensor(a, requires_grad=True) for a in args]
    h, c, gates = function(*inputs)
    weights = np.random.default_rng(5).standard_normal(h.shape).astype(h.dtype)
    loss = (h * weights).sum() if seen == "h" else (h * weights).sum() + (c * c).sum()
    loss.backward()
    return [h.data, c.data, gates.data, *(t.grad.data for t in inputs)]


@pytest.mark.parametrize("seen", ["h", "h and c"])
@pytest.mark.parametrize("sizes", [(1, 1, 3, 1), (5, 3, 4, 5), (3, 9, 2, 16), (2, 4, 1, 70)])
@pytest.mark.parametrize("parts", [1, 3])
def test_lstm_is_its_definition(sizes, seen, parts, monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: parts)
    monkeypatch.setattr(sharing, "parts_of", lambda count, work, least: threads.parts_of(count, work, 1))
    threads._forget()
    t, b, i, h = sizes
    rng = np.random.default_rng(0)
    shapes = (t, b, i), (b, h), (b, h), (4 * h, i), (4 * h, h), (4 * h,)
    args = [rng.standard_normal(shape) / np.sqrt(shape[-1]) for shape in shapes]
    before = kernels("numba") and "auto"
    try:
        found = results(lstm_sequence, [a.astype(np.float32) for a in args], seen)
    finally:
        kernels(before)
        threads._forget()
    for a, expected in zip(found, results(define_lstm, args, seen), strict=True):
        assert a.dtype == np.float32
        assert np.abs(a - expected).max() <= 3e-6 * max(1, np.abs(expected).max())


def test_double_precision_is_left_to_numpy():
    from tinygrad_opt.nn.sequence import _lstm_twin

    assert _lstm_twin(1 << 14, np.zeros(8, np.float32)) is not None
    assert _lstm_twin(1 << 14, np.zeros(8)) is None
