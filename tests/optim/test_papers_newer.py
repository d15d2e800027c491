"""Optimizers that PyTorch has not, against their papers written out in plain Python, or in another form."""

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim

STEPS = 200
SCALAR = np.random.default_rng(0).standard_normal((STEPS, 3)) + 0.3


def sign(x):
    return int(x > 0) - int(x < 0)


def nesterov(x, g, eta=0.01):
    y, lam = x, 1.0
    for t in range(STEPS):
        y_next = x - eta * g[t]
        lam_next = (1 + math.sqrt(1 + 4 * lam**2)) / 2
        x = y_next + (lam - 1) / lam_next * (y_next - y)
        y, lam = y_next, lam_next
    return x


def signum(x, g, eta=0.01, beta=0.9, decay=0.1):
    m = 0.0
    for t in range(STEPS):
        m = beta * m + (1 - beta) * g[t]
        x = x - eta * (sign(m) + decay * x)
    return x


def lion(x, g, eta=0.01, b1=0.9, b2=0.99, decay=0.1):
    m = 0.0
    for t in range(STEPS):
        c = b1 * m + (1 - b1) * g[t]
        x = x - eta * (sign(c) + decay * x)
        m = b2 * m + (1 - b2) * g[t]
    return x


def yogi(x, g, eta=0.01, b1=0.9, b2=0.999, eps=1e-3):
    m, v = 0.0, 1e-6
    for t in range(STEPS):
        m = b1 * m + (1 - b1) * g[t]
        v = v - (1 - b2) * sign(v - g[t] ** 2) * g[t] ** 2
        x -= eta * m / (math.sqrt(v) + eps)
    return x


def adabelief(x, g, eta=0.01, b1=0.9, b2=0.999, eps=1e-8, decay=0.1):
    m = s = 0.0
    for t in range(1, STEPS + 1):
        m = b1 * m + (1 - b1) * g[t - 1]
        s = b2 * s + (1 - b2) * (g[t - 1] - m) ** 2 + eps
        x = x - eta * decay * x - eta * (m / (1 - b1**t)) / (math.sqrt(s / (1 - b2**t)) + eps)
    return x


def schedule_free_sgd(x, g, gamma=0.1, beta=0.9, warmup=7, decay=0.1):
    z, y, total = x, x, 0.0
    for t in range(1, STEPS + 1):
        rate = gamma * min(1, t / warmup)
        z = z - rate * (g[t - 1] + decay * y)
        total += rate**2
        c = rate**2 / total
        x = (1 - c) * x + c * z
        y = (1 - beta) * z + beta * x
    return y


def schedule_free_adamw(x, g, gamma=0.01, b1=0.9, b2=0.999, eps=1e-8, warmup=7, decay=0.1):
    z, y, v, total = x, x, 0.0, 0.0
    for t in range(1, STEPS + 1):
        rate = gamma * min(1, t / warmup)
        v = b2 * v + (1 - b2) * g[t - 1] ** 2
        z = z - rate * (g[t - 1] / (math.sqrt(v / (1 - b2**t)) + eps) + decay * y)
        total += rate**2
        x = (1 - rate**2 / total) * x + rate**2 / total * z
        y = (1 - b1) * z + b1 * x
    return y


@pytest.mark.parametrize(
    ("make", "paper"),
    [
        (lambda p: optim.Nesterov(p, 0.01), nesterov),
        (lambda p: optim.SignSGD(p, 0.01, momentum=0.9, weight_decay=0.1), signum),
        (lambda p: optim.Lion(p, 0.01, weight_decay=0.1), lion),
        (lambda p: optim.Yogi(p, 0.01), yogi),
        (lambda p: optim.AdaBelief(p, 0.01, eps=1e-8, weight_decay=0.1), adabelief),
        (lambda p: optim.ScheduleFreeSGD(p, 0.1, warmup_steps=7, weight_decay=0.1), schedule_free_sgd),
        (lambda p: optim.ScheduleFreeAdamW(p, 0.01, warmup_steps=7, weight_decay=0.1), schedule_free_adamw),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_follows_the_paper(make, paper):
    start = np.array([1.0, -2.0, 0.5])
    p = tg.Tensor(start.copy(), requires_grad=True)
    optimizer = make([p])
    for g in SCALAR:
        p.grad = tg.Tensor(g)
        optimizer.step()
    np.testing.assert_allclose(p.data, [paper(x, SCALAR[:, i]) for i, x in enumerate(start)], rtol=1e-10)


MATRICES = np.random.default_rng(1).standard_normal((30, 4, 6))
START = np.random.default_rng(2).standard_normal((4, 6))


def train(optimizer, w):
    for g in MATRICES:
        w.grad = tg.Tensor(g)
        optimizer.step()
    return w.data


def lars(w, eta=0.1, momentum=0.9, decay=0.01, trust=1e-3, eps=1e-8):
    v = np.zeros_like(w)
    for g in MATRICES:
        local = trust * np.linalg.norm(w) / (np.linalg.norm(g) + decay * np.linalg.norm(w) + eps)
        v = momentum * v + eta * local * (g + decay * w)
        w = w - v
    return w


def lamb(w, eta=0.01, b1=0.9, b2=0.999, eps=1e-6, decay=0.1):
    m = v = np.zeros_like(w)
    for t, g in enumerate(MATRICES, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        u = (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps) + decay * w
        w = w - eta * np.linalg.norm(w) / np.linalg.norm(u) * u
    return w


def novograd(w, eta=0.01, b1=0.95, b2=0.98, eps=1e-8, decay=0.1):
    v = np.linalg.norm(MATRICES[0]) ** 2
    m = MATRICES[0] / (np.sqrt(v) + eps) + decay * w
    w = w - eta * m
    for g in MATRICES[1:]:
        v = b2 * v + (1 - b2) * np.linalg.norm(g) ** 2
        m = b1 * m + (g / (np.sqrt(v) + eps) + decay * w)
        w = w - eta * m
    return w


def shampoo(w, eta=0.1, eps=1e-3):
    """By the Kronecker product itself: vec(W) ← vec(W) − η (L ⊗ R)^(−¼) vec(G)."""
    left, right = np.zeros((4, 4)), np.zeros((6, 6))
    for g in MATRICES:
        left, right = left + g @ g.T, right + g.T @ g
        product = np.kron(left + eps * np.eye(4), right + eps * np.eye(6))
        values, vectors = np.linalg.eigh(product)
        w = w - eta * (vectors @ (values**-0.25 * (vectors.T @ g.reshape(-1)))).reshape(w.shape)
    return w


@pytest.mark.parametrize(
    ("make", "paper", "rtol"),
    [
        (lambda p: optim.LARS(p, 0.1, weight_decay=0.01), lars, 1e-12),
        (lambda p: optim.LAMB(p, 0.01, weight_decay=0.1), lamb, 1e-12),
        (lambda p: optim.NovoGrad(p, 0.01, weight_decay=0.1), novograd, 1e-12),
        (lambda p: optim.Shampoo(p, 0.1, eps=1e-3), shampoo, 1e-9),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_whole_matrices(make, paper, rtol):
    w = tg.Tensor(START.copy(), requires_grad=True)
    np.testing.assert_allclose(train(make([w]), w), paper(START.copy()), rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_muon_steps_along_the_polar_factor(shape):
    """With enough iterations of the classical coefficients the step is U·Vᵀ of the gradient's SVD."""
    g = np.random.default_rng(3).standard_normal(shape)
    w = tg.Tensor(np.zeros(shape), requires_grad=True)
    w.grad = tg.Tensor(g)
    optim.Muon([w], 0.5, weight_decay=0.0, ns_coefficients=(1.875, -1.25, 0.375), ns_steps=40).step()
    u, _, v = np.linalg.svd(g, full_matrices=False)
    np.testing.assert_allclose(w.data, -0.5 * max(1, shape[0] / shape[1]) ** 0.5 * (u @ v), atol=1e-10)


def test_muon_is_for_matrices():
    w, b = (tg.Tensor(np.zeros(shape), requires_grad=True) for shape in ((3, 3), (3,)))
    with pytest.raises(tg.errors.ShapeError, match=r"matrices, and parameter 'fc.bias' has shape \(3,\)"):
        optim.Muon({"fc.weight": w, "fc.bias": b})
    optimizer = optim.Muon([w])
    with pytest.raises(tg.errors.ShapeError, match="matrices"):
        optimizer.add_param_group({"params": [b]})
    assert len(optimizer.param_groups) == 1
    with pytest.raises(ValueError, match="adjust_lr_fn"):
        optim.Muon([w], adjust_lr_fn="mine")


def test_identities():
    def end(make):
        w = tg.Tensor(START.copy(), requires_grad=True)
        return train(make([w]), w)

    np.testing.assert_allclose(
        end(lambda p: optim.AdamW(p, 0.01, weight_decay=0.0)), end(lambda p: optim.Adam(p, 0.01))
    )
    np.testing.assert_array_equal(end(optim.AMSGrad), end(lambda p: optim.Adam(p, amsgrad=True)))
    np.testing.assert_array_equal(
        end(lambda p: optim.AdamW(p, 0.01, weight_decay=0.1)),
        end(lambda p: optim.Adam(p, 0.01, weight_decay=0.1, decoupled_weight_decay=True)),
    )
    np.testing.assert_allclose(
        end(lambda p: optim.SignSGD(p, 0.01)), end(lambda p: optim.Lion(p, 0.01, betas=(0.0, 0.0)))
    )


def test_schedule_free_answer_is_the_average():
    w = tg.Tensor(np.array([1.0]), requires_grad=True)
    optimizer = optim.ScheduleFreeSGD([w], 0.5)
    for _ in range(60):
        w.grad = tg.Tensor(w.data.copy())
        optimizer.step()
    inside = w.data.copy()
    with optimizer.averaged():
        answer = w.data.copy()
        np.testing.assert_array_equal(answer, optimizer.state[w]["x"])
    np.testing.assert_array_equal(w.data, inside)
    assert abs(answer[0]) < 0.05


def test_soap_is_adam_in_another_basis():
    """With the basis of the first gradient kept, SOAP's steps are Adam's on the rotated problem."""
    w = tg.Tensor(START.copy(), requires_grad=True)
    optimizer = optim.SOAP([w], 0.01, betas=(0.9, 0.99), weight_decay=0.0, every=1000)
    got = train(optimizer, w)
    left, right = optimizer.state[w]["q_l"], optimizer.state[w]["q_r"]
    for q, covariance in ((left, MATRICES[0] @ MATRICES[0].T), (right, MATRICES[0].T @ MATRICES[0])):
        turned = q.T @ covariance @ q
        np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-12)
    x, m, v = left.T @ START @ right, 0.0, 0.0
    for t, g in enumerate(MATRICES, 1):
        g = left.T @ g @ right
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        x = x - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    np.testing.assert_allclose(got, left @ x @ right.T, rtol=1e-7, atol=1e-8)


def test_soap_keeps_an_orthogonal_basis():
    w = tg.Tensor(START.copy(), requires_grad=True)
    optimizer = optim.SOAP([w], every=3)
    train(optimizer, w)
    for name in ("q_l", "q_r"):
        q = optimizer.state[w][name]
        np.testing.assert_allclose(q.T @ q, np.eye(len(q)), atol=1e-12)


def prodigy(x, curvature, steps, d0=1e-6, b1=0.9, b2=0.999, eps=1e-8):
    """Algorithm 4 with a quadratic's gradient, a vector at a time."""
    x0, m, v, s, r, d = x.copy(), 0.0, 0.0, 0.0, 0.0, d0
    b3 = math.sqrt(b2)
    for _ in range(steps):
        g = curvature * x
        m, v = b1 * m + (1 - b1) * d * g, b2 * v + (1 - b2) * d**2 * g**2
        r = b3 * r + (1 - b3) * d**2 * float(g @ (x0 - x))
        s = b3 * s + (1 - b3) * d**2 * g
        x = x - d * m / (np.sqrt(v) + d * eps)
        d = max(d, r / np.abs(s).sum())
    return x, d


def test_prodigy():
    start, curvature = np.array([3.0, -2.0]), np.array([1.0, 0.3])
    w = tg.Tensor(start.copy(), requires_grad=True)
    optimizer = optim.Prodigy([w])
    for _ in range(60):
        w.grad = tg.Tensor(curvature * w.data)
        optimizer.step()
    expected, d = prodigy(start, curvature, 60)
    np.testing.assert_allclose(w.data, expected, rtol=1e-9)
    assert optimizer.d == pytest.approx(d, rel=1e-9)
    assert d > 1e-3


def test_adahessian_on_a_quadratic_follows_its_algorithm():
    """The Hessian of a separable quadratic is diagonal, so that z·Hz is exact."""
    curvature = np.array([1.0, 0.1, 30.0])
    w = tg.Tensor(np.array([1.0, -2.0, 0.5]), requires_grad=True)
    optimizer = optim.AdaHessian([w], 0.1, weight_decay=0.01)
    x, m, v = w.data.copy(), 0.0, 0.0
    for t in range(1, 41):
        optimizer.step(lambda: (tg.Tensor(curvature) * w * w).sum() / 2)
        m = 0.9 * m + 0.1 * curvature * x
        v = 0.999 * v + 0.001 * curvature**2
        x = x - 0.1 * 0.01 * x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-4)
    np.testing.assert_allclose(w.data, x, rtol=1e-9)
    with pytest.raises(TypeError, match="closure"):
        optimizer.step()


def test_adahessian_of_a_linear_loss_has_no_curvature():
    w = tg.Tensor(np.ones(2), requires_grad=True)
    optim.AdaHessian([w], 1e-6).step(lambda: w.sum())
    assert np.isfinite(w.data).all()
