"""The built-in tasks: from a quadratic with known curvature to a network that reads Shakespeare."""

from __future__ import annotations

import functools
import itertools
import os
from typing import Any

import numpy as np

from .. import data, nn
from ..autograd import as_tensor
from ..nn import functional as F
from .tasks import Problem, task

__all__ = ["FULL", "QUICK"]

QUICK = ("quadratic", "sparse", "spirals", "digits")
FULL = ("quadratic", "sparse", "scales", "spirals", "deep-tanh", "digits-cnn", "autoencoder", "char-rnn")


def argmax_is(outputs: Any, labels: Any) -> Any:
    """Whether the largest output stands at the label."""
    return outputs.argmax(axis=-1) == labels


def sign_is(outputs: Any, labels: Any) -> Any:
    """Whether one output is positive for label 1 and negative for label 0."""
    return (outputs > 0) == (labels > 0.5)


@functools.cache
def _digits(flatten: bool) -> tuple[data.TensorDataset, data.TensorDataset]:
    """What is trained and selected on (split anew for each seed), and the fixed test set."""
    parts = [data.digits(split, flatten=flatten) for split in ("train", "validation")]
    columns = zip(*(part.tensors for part in parts), strict=True)
    pool = data.TensorDataset(*(np.concatenate([t.data for t in column]) for column in columns))
    return pool, data.digits("test", flatten=flatten)


def _split_digits(rng: np.random.Generator, flatten: bool = True) -> tuple[data.Dataset, ...]:
    pool, test = _digits(flatten)
    return *data.random_split(pool, [len(pool) - 300, 300], rng), test


class _Quadratic(nn.Module):
    """The deviation of θ from each noise point, seen through A: ½ mean ‖A(θ − x)‖² has the Hessian AᵀA."""

    def __init__(self, start: Any, a: Any) -> None:
        super().__init__()
        self.theta = nn.Parameter(start)
        self.a_transposed = a.T.copy()

    def forward(self, x: Any) -> Any:
        return (self.theta - x) @ as_tensor(self.a_transposed)


def _half_square(outputs: Any) -> Any:
    return 0.5 * (outputs * outputs).sum() / outputs.shape[0]


def quadratic_problem(rng: np.random.Generator, condition: float, noise: float, samples: int = 2000) -> Problem:
    """A randomly turned quadratic in 50 dimensions, eigenvalues from 10/condition to 10, even in their logarithm.

    The start lies so that each direction adds ½ to the first loss: far away along the flat ones.
    """
    dimensions = 50
    eigenvalues = np.geomspace(10 / condition, 10, dimensions)
    turn, _ = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))
    a = (np.sqrt(eigenvalues)[:, None] * turn.T).astype(np.float32)
    points = data.TensorDataset((noise * rng.standard_normal((samples, dimensions))).astype(np.float32))
    exact = data.TensorDataset(np.zeros((1, dimensions), np.float32))
    start = (turn @ (rng.choice([-1.0, 1.0], dimensions) / np.sqrt(eigenvalues))).astype(np.float32)
    return Problem(_Quadratic(start, a), _half_square, (points, exact, exact))


@task("quadratic", "noisy ill-conditioned quadratic", cost="50 numbers, one matrix product a step")
def quadratic(rng: np.random.Generator) -> Problem:
    """f(θ) = ½ θᵀHθ in 50 dimensions, eigenvalues 0.01 to 10 (κ = 1000) along randomly turned axes, each of which holds
    the same share of the first loss; the gradient is noisy as if H were met through samples (Zhang et al. 2019,
    arXiv 1907.04164). Validation and test: exact f."""
    return quadratic_problem(rng, condition=1e3, noise=0.1)


@task(
    "quadratic-exact",
    "the quadratic without noise",
    batch_size=None,
    cost="50 numbers, one matrix product a step",
    scored=False,
)
def quadratic_exact(rng: np.random.Generator) -> Problem:
    """The task quadratic with exact gradients, for which theory says how many steps it takes. Not scored."""
    return quadratic_problem(rng, condition=1e3, noise=0.0, samples=1)


@task(
    "sparse", "logistic regression on sparse features", cost="501 weights, 32 examples a step", metrics="loss, accuracy"
)
def sparse(rng: np.random.Generator) -> Problem:
    """500 binary features; the j-th is present in a share 5/(5 + j) of the examples, so most are rare, and the rarer
    one is, the more it tells where it is present: all tell alike over the whole. Made up: labels drawn from a logistic
    model. 4,000 training, 1,000 validation and 1,000 test examples."""
    count, features = 6000, 500
    frequency = 5 / (5 + np.arange(1, features + 1))
    x = (rng.random((count, features), np.float32) < frequency).astype(np.float32)
    weight = 0.4 * rng.standard_normal(features) / np.sqrt(frequency)
    logits = (x - frequency) @ weight
    labels = (rng.random(count) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    parts = data.random_split(data.TensorDataset(x, labels[:, None]), [4000, 1000, 1000], rng)
    model = nn.Linear(features, 1)
    model.weight.data[:] = 0
    return Problem(model, F.binary_cross_entropy_with_logits, parts, correct=sign_is)


@task("scales", "badly scaled regression", cost="8 weights, 32 examples a step")
def scales(rng: np.random.Generator) -> Problem:
    """Miles a gallon of 392 cars (Auto MPG, UCI) from seven measures, centred and all divided by 100, but each in its
    own unit: standard deviations from 0.008 to 8.5. Linear regression, mean squared error; 236 training, 78 validation
    and 78 test examples."""
    x, mpg = (tensor.data for tensor in data.auto_mpg().tensors)
    whole = data.TensorDataset((x - x.mean(axis=0)) / 100, (mpg - mpg.mean())[:, None])
    parts = data.random_split(whole, [236, 78, 78], rng)
    return Problem(nn.Linear(7, 1), F.mse_loss, parts)


@task("spirals", "network on three spirals", cost="1,251 weights, 32 examples a step", metrics="loss, accuracy")
def spirals(rng: np.random.Generator) -> Problem:
    """900 points on three interleaved spirals in the plane; 2-32-32-3 network with tanh, cross-entropy.
    300 points each for training, validation and test."""
    parts = data.random_split(data.spirals(900, 3, 0.75, 0.03, rng), [300, 300, 300], rng)
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 3))
    return Problem(model, F.cross_entropy, parts, correct=argmax_is)


@task("digits", "network on handwritten digits", cost="2,410 weights, 32 images a step", metrics="loss, accuracy")
def digits(rng: np.random.Generator) -> Problem:
    """1,797 handwritten digits of 8×8 pixels (UCI); 64-32-10 network with ReLU, cross-entropy.
    1,197 images for training and 300 for validation, split anew for each seed; 300 for test, fixed."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return Problem(model, F.cross_entropy, _split_digits(rng), correct=argmax_is)


@task("moons", "network on two moons", cost="354 weights, 32 points a step", metrics="loss, accuracy")
def moons(rng: np.random.Generator) -> Problem:
    """900 points on two interleaving half circles; 2-16-16-2 network with ReLU, cross-entropy.
    300 points each for training, validation and test."""
    parts = data.random_split(data.two_moons(900, 0.15, rng), [300, 300, 300], rng)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    return Problem(model, F.cross_entropy, parts, correct=argmax_is)


@task(
    "deep-tanh", "ten-layer tanh network on digits", cost="11,914 weights, 32 images a step", metrics="loss, accuracy"
)
def deep_tanh(rng: np.random.Generator) -> Problem:
    """Handwritten digits as in the task digits; ten layers of 32 tanh units each, initialised by PyTorch's rule for
    linear layers, under which signals shrink from layer to layer; cross-entropy."""
    widths = [64, *[32] * 10]
    layers = [part for a, b in itertools.pairwise(widths) for part in (nn.Linear(a, b), nn.Tanh())]
    model = nn.Sequential(*layers, nn.Linear(32, 10))
    return Problem(model, F.cross_entropy, _split_digits(rng), correct=argmax_is)


@task(
    "digits-cnn",
    "convolutional network on digits",
    batch_size=16,
    cost="2,650 weights, 16 images a step",
    metrics="loss, accuracy",
)
def digits_cnn(rng: np.random.Generator) -> Problem:
    """Handwritten digits as in the task digits; conv 3×3 with stride 2 (6 channels), conv 3×3 (12 channels), linear;
    ReLU, cross-entropy."""
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(6, 12, 3, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(192, 10)),
    )
    return Problem(model, F.cross_entropy, _split_digits(rng, flatten=False), correct=argmax_is)


class _Images(data.Dataset):
    """The images of a labelled data set as their own targets."""

    def __init__(self, labelled: data.Dataset) -> None:
        self.labelled = labelled

    def __len__(self) -> int:
        return len(self.labelled)

    def take(self, indices: Any) -> Any:
        images, _ = self.labelled.take(indices)
        return images, images


@task("autoencoder", "autoencoder of digits", cost="4,744 weights, 32 images a step")
def autoencoder(rng: np.random.Generator) -> Problem:
    """Handwritten digits as in the task digits, squeezed through eight numbers and restored: 64-32-8-32-64 network with
    tanh inside and a sigmoid at the end; mean squared error."""
    inner = [nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 8), nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 64)]
    parts = [_Images(part) for part in _split_digits(rng)]
    return Problem(nn.Sequential(*inner, nn.Sigmoid()), F.mse_loss, parts)


class _CharacterRNN(nn.Module):
    """Characters (batch, time) to the logits of each next one (batch, time, vocabulary)."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.rnn = nn.RNN(width, width, batch_first=True)
        self.readout = nn.Linear(width, vocabulary)

    def forward(self, x: Any) -> Any:
        return self.readout(self.rnn(self.embedding(x))[0])


@functools.cache
def _windows() -> data.CharacterText:
    return data.CharacterText(data.shakespeare(), 16)


def _next_character(outputs: Any, targets: Any) -> Any:
    return F.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), targets.reshape(-1))


@task(
    "char-rnn",
    "character RNN on Shakespeare",
    batch_size=16,
    cost="5,947 weights, 16 windows of 16 characters a step",
    metrics="loss, accuracy",
)
def char_rnn(rng: np.random.Generator) -> Problem:
    """The beginning of Coriolanus; an Elman network with 32 tanh units predicts each next character in windows of 16.
    300 windows each, drawn at random, for validation and test; cross-entropy in nats a character."""
    windows = _windows()
    parts = data.random_split(windows, [len(windows) - 600, 300, 300], rng)
    model = _CharacterRNN(windows.vocabulary, 32)
    return Problem(model, _next_character, parts, correct=argmax_is)


@task(
    "mnist",
    "network on MNIST",
    batch_size=64,
    cost="101,770 weights, 64 images a step; needs TINYGRAD_OPT_DATA",
    metrics="loss, accuracy",
)
def mnist(rng: np.random.Generator) -> Problem:
    """MNIST from the folder mnist in the one that the environment variable TINYGRAD_OPT_DATA names; where it holds the
    test files only, those are divided. 784-128-10 network with ReLU, cross-entropy."""
    folder = os.path.join(os.environ.get("TINYGRAD_OPT_DATA", ""), "mnist")
    test = data.mnist(folder, "test", flatten=True)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    try:
        pool = data.mnist(folder, "train", flatten=True)
    except FileNotFoundError:
        return Problem(model, F.cross_entropy, data.random_split(test, [0.8, 0.1, 0.1], rng), argmax_is)
    parts = data.random_split(pool, [len(pool) - 10_000, 10_000], rng)
    return Problem(model, F.cross_entropy, [*parts, test], argmax_is)
