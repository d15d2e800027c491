"""What the benchmarks run: training steps, each written once and given tinygrad_opt or PyTorch to run on.

A workload takes a library (``import tinygrad_opt as lib`` or ``import torch as lib``) and returns the step to time.
That the same lines serve both is the point of bearing PyTorch's names.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], None]
WORKLOADS: dict[str, Callable[[Any], Step]] = {}


def workload(build: Callable[[Any], Step]) -> Callable[[Any], Step]:
    """Add a workload under its function's name."""
    WORKLOADS[build.__name__] = build
    return build


def load(side: str) -> Any:
    """The library of one side."""
    if side == "torch":
        import torch

        return torch
    import tinygrad_opt

    return tinygrad_opt


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def labels(classes: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, classes, shape)


def training_step(model, optimizer, loss_function, x, y) -> Step:
    def step() -> None:
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()

    return step


def perceptron(nn, sizes, activation):
    layers = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        layers += [activation()] * (i > 0) + [nn.Linear(fan_in, fan_out)]
    return nn.Sequential(*layers)


@workload
def moons(lib: Any) -> Step:
    """2-16-16-1 with ReLU on 100 points, plain SGD."""
    model = perceptron(lib.nn, [2, 16, 16, 1], lib.nn.ReLU)
    x, y = lib.tensor(random(100, 2)), lib.tensor(labels(2, 100, 1).astype(np.float32))
    loss = lib.nn.functional.binary_cross_entropy_with_logits
    return training_step(model, lib.optim.SGD(model.parameters(), lr=0.01), loss, x, y)


@workload
def deep(lib: Any) -> Step:
    """Twenty tanh layers of width 32, batch 64, Adam."""
    model = perceptron(lib.nn, [32] * 20 + [10], lib.nn.Tanh)
    x, y = lib.tensor(random(64, 32)), lib.tensor(labels(10, 64))
    return training_step(model, lib.optim.Adam(model.parameters()), lib.nn.functional.cross_entropy, x, y)


@workload
def mlp(lib: Any) -> Step:
    """784-256-128-10 with ReLU, batch 128, Adam."""
    model = perceptron(lib.nn, [784, 256, 128, 10], lib.nn.ReLU)
    x, y = lib.tensor(random(128, 784)), lib.tensor(labels(10, 128))
    return training_step(model, lib.optim.Adam(model.parameters()), lib.nn.functional.cross_entropy, x, y)


@workload
def cnn(lib: Any) -> Step:
    """1×28×28, conv 16 – pool – conv 32 – pool – linear, batch 64, Adam."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )
    x, y = lib.tensor(random(64, 1, 28, 28)), lib.tensor(labels(10, 64))
    return training_step(model, lib.optim.Adam(model.parameters()), nn.functional.cross_entropy, x, y)


@workload
def cnn_wide(lib: Any) -> Step:
    """3×32×32, conv 32, strided conv 64, conv 64, global pool, batch 32, Adam."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    x, y = lib.tensor(random(32, 3, 32, 32)), lib.tensor(labels(10, 32))
    return training_step(model, lib.optim.Adam(model.parameters()), nn.functional.cross_entropy, x, y)


@workload
def conv_bn(lib: Any) -> Step:
    """1×28×28, 5×5 conv, batch norm, average pool, twice, batch 64, SGD with momentum."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = lib.tensor(random(64, 1, 28, 28)), lib.tensor(labels(10, 64))
    return training_step(model, optimizer, nn.functional.cross_entropy, x, y)


@workload
def lstm(lib: Any) -> Step:
    """Batch 32, length 64, hidden 128: the next of 64 characters, Adam."""
    nn = lib.nn

    class CharacterModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(64, 32)
            self.lstm = nn.LSTM(32, 128, batch_first=True)
            self.head = nn.Linear(128, 64)

        def forward(self, x):
            return self.head(self.lstm(self.embedding(x))[0]).reshape(-1, 64)

    model = CharacterModel()
    x, y = lib.tensor(labels(64, 32, 64)), lib.tensor(labels(64, 32 * 64))
    return training_step(model, lib.optim.Adam(model.parameters()), nn.functional.cross_entropy, x, y)


@workload
def gpt(lib: Any) -> Step:
    """Width 64, 4 heads, 2 layers, length 64, batch 16: a causal Transformer, AdamW."""
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(64), nn.LayerNorm(64)
            self.qkv, self.out = nn.Linear(64, 192), nn.Linear(64, 64)
            self.up, self.gelu, self.down = nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64)

        def forward(self, x):
            qkv = self.qkv(self.norm1(x)).reshape(16, 64, 3, 4, 16)
            q, k, v = (qkv[:, :, i].swapaxes(1, 2) for i in range(3))
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.swapaxes(1, 2).reshape(16, 64, 64))
            return x + self.down(self.gelu(self.up(self.norm2(x))))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(64, 64), nn.Embedding(64, 64)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 64)
            self.places = lib.tensor(np.arange(64))

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.token(x) + self.place(self.places)))).reshape(-1, 64)

    model = Model()
    x, y = lib.tensor(labels(64, 16, 64)), lib.tensor(labels(64, 16 * 64))
    return training_step(model, lib.optim.AdamW(model.parameters()), functional.cross_entropy, x, y)


@workload
def chain600(lib: Any) -> Step:
    """A chain of 600 operations on 32 numbers, forward and backward."""
    x = lib.tensor(np.linspace(-1, 1, 32, dtype=np.float32), requires_grad=True)
    scale, shift = lib.tensor(np.full(32, 0.999, np.float32)), lib.tensor(np.full(32, 0.001, np.float32))

    def step() -> None:
        y = x
        for _ in range(200):
            y = lib.tanh(y * scale + shift)
        x.grad = None
        y.sum().backward()

    return step


FIVE_MILLION = [(1000, 1000)] * 5


def _adam(lib: Any, shapes: list[tuple[int, ...]], theirs: str, **options: Any) -> Step:
    """A step of Adam, with these options, against the named form of PyTorch's."""
    parameters = [lib.tensor(random(*shape), requires_grad=True) for shape in shapes]
    for p in parameters:
        p.grad = lib.tensor(random(*p.shape))
    return lib.optim.Adam(parameters, **({theirs: True} if lib.__name__ == "torch" else options)).step


@workload
def adam_5m(lib: Any) -> Step:
    """One step of Adam over 5 million numbers, against PyTorch's fused one."""
    return _adam(lib, FIVE_MILLION, "fused")


@workload
def adam_5m_strict(lib: Any) -> Step:
    """The same, and ours looks for NaN in all gradients before it writes anything, which PyTorch's does not."""
    return _adam(lib, FIVE_MILLION, "fused", error_if_nonfinite=True)


@workload
def adam_5m_foreach(lib: Any) -> Step:
    """The same as the first, against PyTorch's form of one array call for each term: the measure for NumPy alone."""
    return _adam(lib, FIVE_MILLION, "foreach")


@workload
def adam_40_small(lib: Any) -> Step:
    """One step of Adam over 40 small tensors, against PyTorch's foreach."""
    return _adam(lib, [(16, 16), (16,)] * 20, "foreach")
