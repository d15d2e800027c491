import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.nn.attend import attend, naive_attend, self_attend

attention = pytest.importorskip("tinygrad_opt.kernels.attention")
sharing = pytest.importorskip("tinygrad_opt.kernels.sharing")
PLAIN = {"mask": None, "keep": None, "causal": False, "scale": 0.4}
RNG = np.random.default_rng(0)

CASES = {
    "one head": ((), 5, 7, 3, 2, PLAIN),
    "heads": ((2, 3), 6, 6, 4, 4, PLAIN | {"causal": True}),
    "several blocks": ((2,), 150, 150, 16, 24, PLAIN | {"causal": True}),
    "fewer keys than queries": ((2,), 70, 9, 30, 1, PLAIN | {"causal": True}),
    "mask": ((2, 2), 5, 9, 3, 8, PLAIN | {"mask": np.where(RNG.random((2, 1, 5, 9)) < 0.4, -np.inf, 0.3)}),
    "mask of all heads": ((3,), 65, 40, 3, 8, PLAIN | {"mask": RNG.standard_normal((65, 40))}),
    "dropout": ((2, 2), 66, 9, 3, 8, PLAIN | {"keep": (RNG.random((2, 2, 66, 9)) < 0.5) * 2.0}),
}


def results(function, arrays, options, dtype):
    inputs = [Tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    options = {key: x.astype(dtype) if isinstance(x, np.ndarray) else x for key, x in options.items()}
    y, p = function(*inputs, **options)
    y.backward(np.random.default_rng(1).standard_normal(y.shape).astype(dtype))
    return [y.data, p.data, *(t.grad.data for t in inputs)]


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(threads, "workers", lambda: 2)
    monkeypatch.setattr(sharing, "parts_of", lambda count, work, least: threads.parts_of(count, work, 1))
    threads._forget()
    before = kernels()
    kernels("numba")
    yield
    kernels(before)
    threads._forget()


@pytest.mark.parametrize("name", CASES)
def test_is_its_definition(name, compiled):
    lead, queries, keys, width, wide, options = CASES[name]
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((*lead, n, w)) for n, w in ((queries, width), (keys, width), (keys, wide))]
    assert attention.forward(*(a.astype(np.float32) for a in arrays), None, None, False, 1.0) is not None
    found = results(attend, arrays, options, np.float32)
    kernels("numpy")
    for a, expected in zip(found, results(naive_attend, arrays, options, float), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, expected, rtol=1e-5, atol=3e-6)


def test_parts_of_one_projection(compiled):
    """Strided heads, as a projection gives them; the result lies in memory as they do."""
    qkv = np.random.default_rng(0).standard_normal((2, 5, 3 * 2 * 4)).astype(np.float32)
    options = PLAIN | {"causal": True}
    found = results(self_attend, [qkv], options | {"heads": 2}, np.float32)
    kernels("numpy")
    for a, expected in zip(found, results(self_attend, [qkv], options | {"heads": 2}, float), strict=True):
        np.testing.assert_allclose(a, expected, rtol=1e-5, atol=1e-6)
    q = np.transpose(qkv.reshape(2, 5, 3, 2, 4), (2, 0, 3, 1, 4))[0]
    y, _ = attention.forward(q, q, q, None, None, False, 1.0)
    assert np.transpose(y, (0, 2, 1, 3)).flags.c_contiguous


def test_a_query_that_may_look_nowhere(compiled):
    mask = np.zeros((3, 3))
    mask[1] = -np.inf
    arrays = np.random.default_rng(0).standard_normal((3, 3, 2))
    y, p, *slopes = results(attend, arrays, PLAIN | {"mask": mask}, np.float32)
    assert not y[1].any()
    assert not p[1].any()
    assert all(np.isfinite(g).all() for g in slopes)


def test_nan_stays(compiled):
    x = np.random.default_rng(0).standard_normal((9, 20)).astype(np.float32)
    x[3, 5] = np.nan
    y, p = attention.forward(x, x, x, None, None, False, 1.0)
    assert np.isnan(y).all()
    assert np.isnan(p).all()


def test_unfit_arrays_are_left_to_numpy():
    single = np.ones((2, 3, 4), np.float32)
    for q, k in ((single.astype(float), single), (single[0], single), (single[None, None], single[None, None])):
        assert attention.forward(q, k, single, None, None, False, 1.0) is None
