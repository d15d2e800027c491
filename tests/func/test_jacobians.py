"""Jacobians, Hessians and Hessian-vector products against closed forms."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import func

RNG = np.random.default_rng(0)
A = RNG.standard_normal((4, 3))
V = tg.tensor(RNG.standard_normal(3))


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian(mode):
    found = func.jacobian(lambda v: np.sin(A @ v), mode=mode)(V)
    np.testing.assert_allclose(found.numpy(), np.cos(A @ V.numpy())[:, None] * A, rtol=1e-13)
    assert func.jacobian(lambda x: x.sum(), mode=mode)(tg.tensor(np.ones((2, 3)))).shape == (2, 3)
    assert func.jacobian(lambda x: x[:0], mode=mode)(V).shape == (0, 3)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_of_nests(mode):
    def f(p, q):
        return {"a": p["x"] * q, "c": (p["x"].sum(), q * q)}

    point = {"x": tg.tensor([1.0, 2.0])}, tg.tensor(3.0)
    found = func.jacobian(f, argnums=(0, 1), mode=mode)(*point)
    assert found["a"][0]["x"].tolist() == [[3, 0], [0, 3]]
    assert found["a"][1].tolist() == [1, 2]
    assert found["c"][0][0]["x"].tolist() == [1, 1]
    assert found["c"][1][0]["x"].tolist() == [0, 0]
    assert found["c"][1][1].item() == 6
    only, aux = func.jacobian(lambda p: (p["x"] * 2, p["x"]), mode=mode, has_aux=True)(point[0])
    assert only["x"].tolist() == [[2, 0], [0, 2]]
    assert not aux.requires_grad


def test_hessian_and_hvp():
    s = A.T @ A

    def f(v):
        return v @ s @ v / 2 + np.sum(v**3)

    expected = s + np.diag(6 * V.numpy())
    np.testing.assert_allclose(func.hessian(f)(V).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(func.jacfwd(func.jacrev(f))(V).numpy(), expected, rtol=1e-12)
    t = RNG.standard_normal(3)
    value, product = func.hvp(f, V, tg.tensor(t))
    np.testing.assert_allclose(value.item(), f(V).item())
    np.testing.assert_allclose(product.numpy(), expected @ t, rtol=1e-12)


def test_hvp_of_several_arguments():
    value, (pa, pb) = func.hvp(
        lambda a, b: (a * a * b).sum(), (tg.tensor([2.0]), tg.tensor([5.0])), (tg.tensor([1.0]), tg.tensor([10.0]))
    )
    assert (value.item(), pa.item(), pb.item()) == (20, 2 * 5 * 1 + 2 * 2 * 10, 2 * 2 * 1)


def test_a_jacobian_can_be_differentiated():
    trace = func.grad(lambda v: np.trace(func.jacobian(lambda u: u**3)(v)))(V)
    np.testing.assert_allclose(trace.numpy(), 6 * V.numpy())
    forward = func.grad(lambda v: func.jacfwd(lambda u: u**3)(v).sum())(V)
    np.testing.assert_allclose(forward.numpy(), 6 * V.numpy())


def test_wrong_mode():
    with pytest.raises(ValueError, match="'reverse' or 'forward', got 'both'"):
        func.jacobian(lambda x: x, mode="both")
