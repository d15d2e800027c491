"""L-BFGS: the functions and the option combinations in which ours is held against PyTorch's."""

from itertools import product

import numpy as np

START = np.array([-1.2, 1.0, 0.7, -0.5])
STEPS = 8


def rosenbrock(x):
    """The chained Rosenbrock function and its gradient."""
    a, b = x[:-1], x[1:]
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * (1 - a) - 400 * a * (b - a**2)
    gradient[1:] += 200 * (b - a**2)
    return float(np.sum((1 - a) ** 2 + 100 * (b - a**2) ** 2)), gradient


def quadratic(x):
    """½ Σ c·x² with curvatures from 1 to 1000, and its gradient."""
    c = np.geomspace(1.0, 1000.0, x.size)
    return float(np.sum(c * x * x) / 2), c * x


def logistic(x):
    """Logistic regression on 20 points with a small penalty, and its gradient."""
    rng = np.random.default_rng(8)
    points, labels = rng.standard_normal((20, x.size)), rng.integers(0, 2, 20) * 2 - 1.0
    margin = labels * (points @ x)
    gradient = points.T @ (-labels / (1 + np.exp(margin))) / 20 + 0.01 * x
    return float(np.logaddexp(0, -margin).mean() + 0.005 * x @ x), gradient


FUNCTIONS = {"rosenbrock": rosenbrock, "quadratic": quadratic, "logistic": logistic}


def cases():
    """(text, function, options): every combination, without those that diverge."""
    names = ("line_search_fn", "lr", "max_iter", "max_eval", "history_size", "tolerance_grad", "tolerance_change")
    values = (("strong_wolfe", None), (1.0, 0.3), (4, 20), (None, 7), (100, 2), (1e-7, 1e-3), (1e-9, 1e-4))
    for function in FUNCTIONS:
        for combination in product(*values):
            options = dict(zip(names, combination, strict=True))
            if options["line_search_fn"] is None and function == "rosenbrock":
                options["lr"] *= 0.001
            yield function + "".join(f",{k}={v}" for k, v in options.items()), function, options
