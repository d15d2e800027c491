"""What the benchmarks run: each workload twice, written the same way for tinygrad_opt and for PyTorch (eager).

A workload is a pair of functions, ``name_tinygrad_opt`` and ``name_torch``; each sets up and returns the step to time.
"""

from __future__ import annotations

import itertools

import numpy as np

NAMES = ["moons", "chain600", "deep", "mlp"]


def _data(rows: int, columns: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, columns), dtype=np.float32), rng.integers(0, classes, rows)


def _training_step(model, optimizer, loss_function, x, y):
    def step():
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()

    return step


def _sequential(nn, sizes, activation):
    layers = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        layers += [activation()] * (i > 0) + [nn.Linear(fan_in, fan_out)]
    return nn.Sequential(*layers)


def moons_tinygrad_opt():
    """2-16-16-1 with ReLU on 100 points, plain SGD."""
    import tinygrad_opt as tg
    from tinygrad_opt import nn, optim

    x, y = _data(100, 2, 2)
    model = _sequential(nn, [2, 16, 16, 1], nn.ReLU)
    target = tg.tensor(y[:, None].astype(np.float32))
    loss = nn.functional.binary_cross_entropy_with_logits
    return _training_step(model, optim.SGD(model.parameters(), lr=0.01), loss, tg.tensor(x), target)


def moons_torch():
    """The same in PyTorch."""
    import torch
    from torch import nn

    x, y = _data(100, 2, 2)
    model = _sequential(nn, [2, 16, 16, 1], nn.ReLU)
    target = torch.tensor(y[:, None].astype(np.float32))
    loss = nn.functional.binary_cross_entropy_with_logits
    return _training_step(model, torch.optim.SGD(model.parameters(), lr=0.01), loss, torch.tensor(x), target)


def deep_tinygrad_opt():
    """Twenty tanh layers of width 32, batch 64, Adam."""
    import tinygrad_opt as tg
    from tinygrad_opt import nn, optim

    x, y = _data(64, 32, 10)
    model = _sequential(nn, [32] * 20 + [10], nn.Tanh)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    return _training_step(model, optimizer, nn.functional.cross_entropy, tg.tensor(x), tg.tensor(y))


def deep_torch():
    """The same in PyTorch."""
    import torch
    from torch import nn

    x, y = _data(64, 32, 10)
    model = _sequential(nn, [32] * 20 + [10], nn.Tanh)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return _training_step(model, optimizer, nn.functional.cross_entropy, torch.tensor(x), torch.tensor(y))


def mlp_tinygrad_opt():
    """784-256-128-10 with ReLU, batch 128, Adam."""
    import tinygrad_opt as tg
    from tinygrad_opt import nn, optim

    x, y = _data(128, 784, 10)
    model = _sequential(nn, [784, 256, 128, 10], nn.ReLU)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    return _training_step(model, optimizer, nn.functional.cross_entropy, tg.tensor(x), tg.tensor(y))


def mlp_torch():
    """The same in PyTorch."""
    import torch
    from torch import nn

    x, y = _data(128, 784, 10)
    model = _sequential(nn, [784, 256, 128, 10], nn.ReLU)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return _training_step(model, optimizer, nn.functional.cross_entropy, torch.tensor(x), torch.tensor(y))


def chain600_tinygrad_opt():
    """A chain of 600 operations on 32 numbers, forward and backward."""
    import tinygrad_opt as tg

    x = tg.tensor(np.linspace(-1, 1, 32, dtype=np.float32), requires_grad=True)
    scale, shift = tg.tensor(np.full(32, 0.999, np.float32)), tg.tensor(np.full(32, 0.001, np.float32))
    return _chain(x, scale, shift, np.tanh)


def chain600_torch():
    """The same in PyTorch."""
    import torch

    x = torch.linspace(-1, 1, 32, requires_grad=True)
    return _chain(x, torch.full((32,), 0.999), torch.full((32,), 0.001), torch.tanh)


def _chain(x, scale, shift, tanh):
    def step():
        y = x
        for _ in range(200):
            y = tanh(y * scale + shift)
        x.grad = None
        y.sum().backward()

    return step
