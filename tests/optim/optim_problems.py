"""Problems with gradients in plain NumPy, so that any framework can be driven with the same numbers.

Values may have an axis more in front, for many copies of a problem at once; the gradients then have it too, save where
they do not depend on the values.
"""

import numpy as np

SHAPES = [(), (3,), (2, 3), (4, 1, 2), (1,)]


class Quadratic:
    """½ Σ c·x², curvatures from 1e-2 to 1e1, several shapes; some gradients are None at some steps."""

    shapes = SHAPES

    def __init__(self):
        rng = np.random.default_rng(1)
        self.curvature = [10.0 ** rng.uniform(-2, 1, shape) for shape in SHAPES]
        self.start = [rng.standard_normal(shape) for shape in SHAPES]

    def gradients(self, values, step):
        found = [c * x for c, x in zip(self.curvature, values, strict=True)]
        if step % 7 == 3:
            found[1] = None
        if step < 5:
            found[3] = None
        if step % 50 == 0:
            found[4] = None
        return found

    def loss(self, values, step):
        return sum(float(np.sum(c * x * x)) / 2 for c, x in zip(self.curvature, values, strict=True))


class Rows:
    """½ Σ c·x² over the rows of tables, of which a step sees a few: the gradients of the others are exactly 0."""

    shapes = ((6, 3), (8, 2))

    def __init__(self):
        rng = np.random.default_rng(6)
        self.curvature = [10.0 ** rng.uniform(-2, 1, shape) for shape in self.shapes]
        self.start = [rng.standard_normal(shape) for shape in self.shapes]
        self.seen = [[rng.choice(shape[0], 2, replace=False) for shape in self.shapes] for _ in range(500)]

    def gradients(self, values, step):
        found = []
        for c, x, rows in zip(self.curvature, values, self.seen[step], strict=True):
            g = np.zeros_like(x)
            g[..., rows, :] = c[rows] * x[..., rows, :]
            found.append(g)
        return found

    def loss(self, values, step):
        parts = zip(self.curvature, values, self.seen[step], strict=True)
        return sum(float(np.sum(c[rows] * x[rows] ** 2)) / 2 for c, x, rows in parts)


class Matrices:
    """½ Σ c·x² over matrices of several forms, and a 3-5-1 tanh network without biases on minibatches of 8.

    Some gradients are None at some steps, some are exactly 0 in some rows or all over.
    """

    shapes = ((4, 4), (2, 5), (6, 3), (5, 3), (1, 5))

    def __init__(self):
        rng = np.random.default_rng(7)
        self.curvature = [10.0 ** rng.uniform(-2, 1, shape) for shape in self.shapes[:3]]
        self.start = [rng.standard_normal(shape) for shape in self.shapes]
        self.x = rng.standard_normal((64, 3))
        self.y = np.sin(self.x.sum(1, keepdims=True))

    def gradients(self, values, step):
        found = [c * x for c, x in zip(self.curvature, values, strict=False)]
        if step % 7 == 3:
            found[1] = None
        found[2][..., step % 5 :, :] = 0
        w1, w2 = values[3:]
        rows = (np.arange(8) + 8 * step) % 64
        h = np.tanh(self.x[rows] @ w1.swapaxes(-1, -2))
        e = (h @ w2.swapaxes(-1, -2) - self.y[rows]) * (2 / 8)
        return [*found, (e @ w2 * (1 - h * h)).swapaxes(-1, -2) @ self.x[rows], e.swapaxes(-1, -2) @ h]


class Network:
    """Mean squared error of a 3-5-1 tanh network on minibatches of 8."""

    shapes = ((5, 3), (5,), (1, 5), (1,))

    def __init__(self):
        rng = np.random.default_rng(2)
        self.start = [rng.standard_normal(shape) * 0.5 for shape in self.shapes]
        self.x = rng.standard_normal((64, 3))
        self.y = np.sin(self.x.sum(1, keepdims=True))

    def gradients(self, values, step):
        w1, b1, w2, b2 = values
        rows = (np.arange(8) + 8 * step) % 64
        x, y = self.x[rows], self.y[rows]
        h = np.tanh(x @ w1.swapaxes(-1, -2) + b1[..., None, :])
        e = (h @ w2.swapaxes(-1, -2) + b2[..., None, :] - y) * (2 / 8)
        dh = e @ w2 * (1 - h * h)
        return [dh.swapaxes(-1, -2) @ x, dh.sum(-2), e.swapaxes(-1, -2) @ h, e.sum(-2)]

    def loss(self, values, step):
        w1, b1, w2, b2 = values
        rows = (np.arange(8) + 8 * step) % 64
        return float(np.mean((np.tanh(self.x[rows] @ w1.T + b1) @ w2.T + b2 - self.y[rows]) ** 2))


class Sparse:
    """Noise that each step shows in a few coordinates: the other gradients are exactly 0.

    The gradients do not depend on the parameters. Near a minimum, steps of a fixed size make rounding errors grow
    (normalized descent is chaotic there), which would say nothing about the formula.
    """

    shapes = ((6,), (3, 4))

    def __init__(self):
        rng = np.random.default_rng(3)
        self.start = [rng.standard_normal(shape) for shape in self.shapes]
        masks = [rng.uniform(size=(500, *shape)) < 0.3 for shape in self.shapes]
        self.all = [(0.2 + rng.standard_normal(mask.shape)) * mask for mask in masks]

    def gradients(self, values, step):
        return [g[step] for g in self.all]

    def loss(self, values, step):
        return sum(float(np.sum(g[step] * x)) for g, x in zip(self.all, values, strict=True))


PROBLEMS = {"quadratic": Quadratic, "network": Network, "sparse": Sparse}

CHECKPOINTS = (1, 2, 3, 10, 50, 100, 200, 500)


def deviation(got, expected):
    """The largest difference, relative to the size of the parameter."""
    return max(
        np.max(np.abs(a - b), initial=0.0) / max(np.max(np.abs(b), initial=0.0), 1e-3)
        for a, b in zip(got, expected, strict=True)
    )
