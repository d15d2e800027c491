"""Optimizers that PyTorch has not follow optax's, where it has them: frozen, and live where optax is installed."""

from pathlib import Path

import numpy as np
import pytest
from optim_optax import CASES, MATRICES, MATRIX_CASES, STEPS, WRAPPERS, Noisy, checkpoints, trajectory

import tinygrad_opt as tg
from tinygrad_opt import optim

FROZEN = np.load(Path(__file__).parent / "reference" / "optax_trajectories.npz")


def leaves(problem):
    return [tg.Tensor(np.array(x), requires_grad=True) for x in problem.start]


def give(problem, params, step):
    for p, g in zip(params, problem.gradients([p.data for p in params], step), strict=True):
        p.grad = tg.Tensor(np.asarray(g))


def plain(make, problem):
    params = leaves(problem)
    optimizer = make(params)
    for step in range(STEPS):
        give(problem, params, step)
        optimizer.step()
        yield [p.data for p in params]


def sam(problem):
    params = leaves(problem)
    optimizer = optim.SAM(optim.SGD(params, 0.02, momentum=0.9), rho=0.1)
    for step in range(STEPS):
        optimizer.step(lambda step=step: give(problem, params, step))
        yield [p.data for p in params]


def average(problem):
    params = leaves(problem)
    optimizer, mean = optim.SGD(params, 0.05), optim.EMA(params, 0.9)
    for step in range(STEPS):
        give(problem, params, step)
        optimizer.step()
        mean.update()
        yield mean.values


def accumulate(problem):
    params = leaves(problem)
    optimizer = optim.Accumulate(optim.Adam(params, 0.01), 4)
    for step in range(STEPS):
        optimizer.zero_grad()
        for p, g in zip(params, problem.gradients([p.data for p in params], step), strict=True):
            p.grad = tg.Tensor(np.asarray(g)) if p.grad is None else p.grad + tg.Tensor(np.asarray(g))
        optimizer.step()
        yield [p.data for p in params]


def lookahead(problem):
    return plain(lambda p: optim.Lookahead(optim.SGD(p, 0.05, momentum=0.9), 5, 0.3), problem)


OURS = {
    **{name: lambda make=make: plain(make, Noisy()) for name, (make, _) in CASES.items()},
    **{name: lambda make=make: plain(make, Noisy(MATRICES)) for name, (make, _) in MATRIX_CASES.items()},
    "Lookahead": lambda: lookahead(Noisy()),
    "SAM": lambda: sam(Noisy()),
    "Accumulate": lambda: accumulate(Noisy()),
    "EMA": lambda: average(Noisy()),
}


@pytest.mark.parametrize("name", OURS)
def test_follows_optax(name):
    np.testing.assert_allclose(checkpoints(OURS[name]()), FROZEN[name], rtol=1e-10, atol=1e-13)


def test_every_case_is_frozen():
    assert {*CASES, *MATRIX_CASES, *WRAPPERS} == set(OURS) == set(FROZEN) - {"optax"}


@pytest.fixture
def optax():
    pytest.importorskip("jax")
    pytest.importorskip("optax")
    import jax
    import optax
    import optax.contrib

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield optax
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", ["Lion", "LAMB", "Prodigy", "Lookahead"])
def test_the_frozen_paths_are_those_of_the_installed_optax(optax, name):
    np.testing.assert_allclose(trajectory(optax, name), FROZEN[name], rtol=1e-9, atol=1e-12)


def test_gradient_noise_is_as_large_as_optaxs(optax):
    w = tg.Tensor(np.zeros(20000), requires_grad=True)
    ours = optim.GradientNoise(optim.SGD([w], 1.0), eta=0.3, gamma=0.55, generator=np.random.default_rng(0))
    theirs = optax.noisy_sgd(1.0, 0.3, 0.55, key=0)
    state = theirs.init(np.zeros(20000))
    for _ in range(4):
        w.data[...] = 0
        w.grad = tg.Tensor(np.zeros(20000))
        ours.step()
        update, state = theirs.update(np.zeros(20000), state)
        assert np.var(w.data) == pytest.approx(np.var(np.asarray(update)), rel=0.06)
