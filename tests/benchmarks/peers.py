"""Some of the workloads for other libraries: jax.jit, autograd and MyGrad, where they are installed.

They have no layers or optimizers of the same kind, so each step is written out in the library's own manner.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import Step, labels, random

PEERS = ("jax", "autograd", "mygrad")
NETS = {"moons": ([2, 16, 16, 1], 100, "relu"), "deep": ([32] * 20 + [10], 64, "tanh")}
NETS["mlp"] = ([784, 256, 128, 10], 128, "relu")
SHARED = (*NETS, "chain600")
"""The workloads that all of them can do."""


def build(side: str, name: str) -> Step:
    """One step of a workload by one of the peers."""
    return {"jax": _jax, "autograd": _autograd, "mygrad": _mygrad}[side](name)


def _start(sizes: list[int]) -> list[Any]:
    rng = np.random.default_rng(0)
    made: list[Any] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        bound = fan_in**-0.5
        made += [rng.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32), np.zeros(fan_out, np.float32)]
    return made


def _net_loss(xp: Any, sizes: list[int], activation: str, x: Any, y: Any) -> Callable[[Any], Any]:
    """Loss of the parameters: logistic for one output, else cross-entropy."""

    def loss(parameters: Any) -> Any:
        h = x
        for i in range(0, len(parameters), 2):
            h = xp.matmul(h, parameters[i]) + parameters[i + 1]
            if i + 2 < len(parameters):
                h = xp.maximum(h, 0) if activation == "relu" else xp.tanh(h)
        if sizes[-1] == 1:
            return xp.mean(xp.logaddexp(h, 0) - h * y)
        h = h - xp.max(h, axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(h), axis=1)) - h[np.arange(len(y)), y])

    return loss


def _data(sizes: list[int], batch: int) -> tuple[Any, Any]:
    x = random(batch, sizes[0])
    return (x, labels(2, batch, 1).astype(np.float32)) if sizes[-1] == 1 else (x, labels(sizes[-1], batch))


def _adam(xp: Any, p: Any, g: Any, m: Any, v: Any, t: Any) -> tuple[Any, Any, Any]:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return p - 0.001 * (m / (1 - 0.9**t)) / (xp.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def _chain(xp: Any, x: Any) -> Any:
    for _ in range(200):
        x = xp.tanh(x * np.float32(0.999) + np.float32(0.001))
    return xp.sum(x)


def _jax(name: str) -> Step:
    import jax
    import jax.numpy as jnp

    if name == "chain600":
        gradient = jax.jit(jax.grad(lambda x: _chain(jnp, x)))
        x = jnp.linspace(-1, 1, 32, dtype=jnp.float32)
        return lambda: gradient(x).block_until_ready()
    sizes, batch, activation = NETS[name]
    loss = _net_loss(jnp, sizes, activation, *map(jnp.asarray, _data(sizes, batch)))

    @jax.jit
    def update(parameters: Any, moments: Any, t: Any) -> Any:
        gradients = jax.grad(loss)(parameters)
        if name == "moons":
            return [p - 0.01 * g for p, g in zip(parameters, gradients, strict=True)], moments
        new = [_adam(jnp, p, g, *mv, t) for p, g, mv in zip(parameters, gradients, moments, strict=True)]
        return [p for p, _, _ in new], [(m, v) for _, m, v in new]

    start = [jnp.asarray(p) for p in _start(sizes)]
    state = [start, [(jnp.zeros_like(p), jnp.zeros_like(p)) for p in start], 0]

    def step() -> None:
        state[2] += 1
        state[0], state[1] = update(state[0], state[1], np.float32(state[2]))
        jax.block_until_ready(state[0])

    return step


def _descend(name: str, parameters: list[Any], gradients: Callable[[], list[Any]]) -> Step:
    """Steps on plain arrays, in place."""
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    steps = itertools.count(1)

    def step() -> None:
        t = np.float32(next(steps))
        for p, g, (m, v) in zip(parameters, gradients(), moments, strict=True):
            if name == "moons":
                p -= np.float32(0.01) * g
            else:
                p[...], m[...], v[...] = _adam(np, p, g, m, v, t)

    return step


def _autograd(name: str) -> Step:
    import autograd.numpy as anp
    from autograd import grad

    if name == "chain600":
        gradient, x = grad(lambda x: _chain(anp, x)), np.linspace(-1, 1, 32, dtype=np.float32)
        return lambda: gradient(x)
    sizes, batch, activation = NETS[name]
    parameters = _start(sizes)
    gradient = grad(_net_loss(anp, sizes, activation, *_data(sizes, batch)))
    return _descend(name, parameters, lambda: gradient(parameters))


def _mygrad(name: str) -> Step:
    import mygrad as mg

    if name == "chain600":
        x = mg.tensor(np.linspace(-1, 1, 32, dtype=np.float32))

        def step() -> None:
            x.null_grad()
            _chain(mg, x).backward()

        return step
    sizes, batch, activation = NETS[name]
    parameters = [mg.tensor(p) for p in _start(sizes)]
    loss = _net_loss(mg, sizes, activation, *_data(sizes, batch))

    def gradients() -> list[Any]:
        for p in parameters:
            p.null_grad()
        loss(parameters).backward()
        return [p.grad for p in parameters]

    return _descend(name, [p.data for p in parameters], gradients)
