"""L-BFGS: the functions and the option combinations in which ours is held against PyTorch's."""

from itertools import product

import numpy as np
from optim_problems import CHECKPOINTS, Network, Quadratic, Rows

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


PROBLEMS = {"quadratic": Quadratic, "network": Network, "rows": Rows}


def long_cases():
    """(text, problem, options) for runs of 500 steps: several shapes, None gradients, minibatches, exact zeros."""
    for problem in PROBLEMS:
        for search, lr in (("strong_wolfe", 1.0), ("strong_wolfe", 0.1), (None, 0.1), (None, 0.01)):
            for iterations, history in ((1, 5), (4, 100), (20, 10)):
                options = {"line_search_fn": search, "lr": lr, "max_iter": iterations, "history_size": history}
                yield problem + "".join(f",{k}={v}" for k, v in options.items()), problem, options


def long_run(make, problem, options, steps, noise=None):
    """The parameters at the checkpoints, and after each step.

    `make` takes starts and options; it gives arrays that show the parameters, and a function that makes a step with
    what computes (loss, gradients). With `noise`, a generator, every gradient is wrong in its last bits.
    """
    problem = PROBLEMS[problem]()
    values, advance = make(problem.start, options)
    points = []
    for step in range(steps):

        def evaluate(step=step):
            now = values()
            found = problem.gradients(now, step)
            if noise is not None:
                found = [g if g is None else g * (1 + 4e-16 * noise.uniform(-1, 1, np.shape(g))) for g in found]
            return problem.loss(now, step), [g if g is None else np.asarray(g) for g in found]

        advance(evaluate)
        points.append(np.concatenate([x.reshape(-1) for x in values()]))
    return np.array(points)


def distances(one, other):
    """How far two paths are apart after each step, relative to the size of the parameters."""
    return np.abs(one - other).max(1) / np.maximum(np.abs(other).max(1), 1e-3)


def horizon(paths, tolerance=1e-10):
    """For how many steps all paths stay together."""
    apart = np.any([~(distances(path, paths[0]) < tolerance) for path in paths[1:]], axis=0)
    return int(np.argmax(apart)) if apart.any() else len(apart)


def at_checkpoints(points):
    """The rows of a path that are frozen, those it reached."""
    return points[[at - 1 for at in CHECKPOINTS if at <= len(points)]]
