"""Each optimizer against its paper, written out again for one number in plain Python."""

import math

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim

STEPS = 500
GRADIENT = np.random.default_rng(0).standard_normal((STEPS, 3)) + 0.3


def gradient_descent(x, g, eta=0.01):
    for t in range(STEPS):
        x = x - eta * g[t]
    return x


def momentum(x, g, eta=0.01, beta=0.9):
    v = 0.0
    for t in range(STEPS):
        v = beta * v + (1 - beta) * g[t]
        x = x - eta * v
    return x


def adagrad(x, g, eta=0.01, eps=1e-10):
    total = 0.0
    for t in range(STEPS):
        total += g[t] ** 2
        x -= eta * g[t] / (math.sqrt(total) + eps)
    return x


def rmsprop(x, g, eta=0.01, alpha=0.99, eps=1e-8):
    mean_square = 0.0
    for t in range(STEPS):
        mean_square = alpha * mean_square + (1 - alpha) * g[t] ** 2
        x -= eta * g[t] / (math.sqrt(mean_square) + eps)
    return x


def adam(x, g, eta=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0
    for t in range(1, STEPS + 1):
        m = beta1 * m + (1 - beta1) * g[t - 1]
        v = beta2 * v + (1 - beta2) * g[t - 1] ** 2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        x -= eta * m_hat / (math.sqrt(v_hat) + eps)
    return x


@pytest.mark.parametrize(
    ("make", "paper"),
    [
        (lambda p: optim.SGD(p, 0.01), gradient_descent),
        (lambda p: optim.Momentum(p, 0.01), momentum),
        (lambda p: optim.AdaGrad(p), adagrad),
        (lambda p: optim.RMSProp(p), rmsprop),
        (lambda p: optim.Adam(p), adam),
    ],
    ids=["gradient descent", "momentum", "adagrad", "rmsprop", "adam"],
)
def test_follows_the_paper(make, paper):
    start = np.array([1.0, -2.0, 0.5])
    p = tg.Tensor(start.copy(), requires_grad=True)
    optimizer = make([p])
    for g in GRADIENT:
        p.grad = tg.Tensor(g)
        optimizer.step()
    expected = [paper(x, GRADIENT[:, i]) for i, x in enumerate(start)]
    np.testing.assert_allclose(p.data, expected, rtol=1e-12)


def test_momentum_is_not_pytorchs_sum():
    averaged, summed = (tg.Tensor(np.ones(1), requires_grad=True) for _ in range(2))
    one, other = optim.Momentum([averaged], 1.0, 0.9), optim.SGD([summed], 1.0, momentum=0.9)
    for optimizer, p in ((one, averaged), (other, summed)):
        p.grad = tg.Tensor(np.ones(1))
        optimizer.step()
    np.testing.assert_allclose(averaged.data, [0.9])
    np.testing.assert_allclose(summed.data, [0.0])
