import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor, grad
from tinygrad_opt.nn.attend import attend, naive_attend, self_attend


@pytest.mark.parametrize("number", range(4))
def test_fused_is_the_definition(number):
    rng = np.random.default_rng(0)
    args, options = attend.samples(rng)[number]
    found, upstream = [], None
    for form in (attend, naive_attend):
        inputs = [Tensor(a, requires_grad=True) for a in args]
        outputs = form(*inputs, **options)
        upstream = upstream or [rng.standard_normal(y.shape) for y in outputs]
        slopes = grad(list(outputs), inputs, upstream)
        found.append([*(y.data for y in outputs), *(g.data for g in slopes)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-13)


def test_packed_heads_are_the_same():
    rng = np.random.default_rng(0)
    qkv = rng.standard_normal((2, 5, 3 * 2 * 4))
    options = {"mask": None, "keep": None, "causal": True, "scale": 0.5}
    q, k, v = np.transpose(qkv.reshape(2, 5, 3, 2, 4), (2, 0, 3, 1, 4))
    y, p = attend(q, k, v, **options)
    packed, weights = self_attend(qkv, heads=2, **options)
    np.testing.assert_allclose(packed.data, np.transpose(y.data, (0, 2, 1, 3)).reshape(2, 5, 8), atol=1e-14)
    np.testing.assert_allclose(weights.data, p.data, atol=1e-14)


def test_a_query_that_may_look_nowhere_gets_zeros_and_finite_gradients():
    rng = np.random.default_rng(0)
    q, k, v = (Tensor(rng.standard_normal((3, 2)), requires_grad=True) for _ in range(3))
    mask = np.zeros((3, 3))
    mask[1] = -np.inf
    y, p = attend(q, k, v, mask=mask, keep=None, causal=False, scale=1.0)
    assert not y.data[1].any()
    assert not p.data[1].any()
    y.sum().backward()
    assert all(np.isfinite(t.grad.data).all() for t in (q, k, v))
    assert not q.grad.data[1].any()


def test_large_scores_do_not_overflow():
    q = np.array([[1000.0, 0.0]], np.float32)
    y, p = attend(
        q,
        np.eye(2, dtype=np.float32) * 1000,
        np.eye(2, dtype=np.float32),
        mask=None,
        keep=None,
        causal=False,
        scale=1.0,
    )
    np.testing.assert_array_equal(p.data, [[1, 0]])
    np.testing.assert_array_equal(y.data, [[1, 0]])
