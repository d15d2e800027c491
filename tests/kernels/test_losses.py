import numpy as np
import pytest

losses = pytest.importorskip("tinygrad_opt.kernels.losses")


def expected(x, labels):
    """Loss and gradient by their definitions, in double precision."""
    x = x.astype(float)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    onehot = np.eye(x.shape[1])[labels]
    return -(onehot * np.log(p + 1e-300)).sum() / len(x), (p - onehot) / len(x)


@pytest.mark.parametrize("shape", [(1, 2), (5, 10), (7, 64), (3000, 65), (40, 1)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int32])
def test_is_its_definition(shape, dtype):
    rng = np.random.default_rng(0)
    x = (4 * rng.standard_normal(shape)).astype(np.float32)
    labels = rng.integers(0, shape[1], shape[0]).astype(dtype)
    loss, slope = expected(x, labels)
    np.testing.assert_allclose(losses.cross_entropy(x, labels), loss, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(losses.residual(np.float32(-2), x, labels), -2 * slope, rtol=5e-6, atol=1e-6 / len(x))
    assert losses.cross_entropy(x, labels).dtype == losses.residual(np.float32(1), x, labels).dtype == np.float32


def test_large_and_hidden_logits():
    x = np.array([[1e4, 0, -np.inf], [-1e4, -1e4, -np.inf]], np.float32)
    labels = np.array([1, 0])
    assert losses.cross_entropy(x, labels) == pytest.approx((1e4 + np.log(2)) / 2)
    np.testing.assert_allclose(losses.residual(np.float32(2), x, labels), [[1, -1, 0], [-0.5, 0.5, 0]])


def test_nan_stays():
    x = np.ones((3, 4), np.float32)
    x[1, 2] = np.nan
    labels = np.array([0, 1, 2])
    assert np.isnan(losses.cross_entropy(x, labels))
    assert np.isnan(losses.residual(np.float32(1), x, labels)[1]).all()
    assert np.isfinite(losses.residual(np.float32(1), x, labels)[0]).all()
