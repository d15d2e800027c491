"""Optimizers that PyTorch has not, with optax's of the same algorithm beside them: what the two must agree on.

A case is (ours, theirs): `ours` makes our optimizer from parameters, `theirs` makes optax's transformation. Where optax
differs in a way that our docstring names, its setting or its first state is chosen so that the rest can be compared.
"""

import numpy as np

from tinygrad_opt import optim

SHAPES = ((), (3,), (2, 3), (4, 1, 2))
MATRICES = ((4, 4), (3, 3))
STEPS = 300
CHECKPOINTS = (1, 2, 3, 10, 100, 300)


class Noisy:
    """½ Σ c·x² with curvatures from 1e-2 to 1e1, and noise on its gradients."""

    def __init__(self, shapes=SHAPES):
        rng = np.random.default_rng(4)
        self.curvature = [10.0 ** rng.uniform(-2, 1, shape) for shape in shapes]
        self.start = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
        self.noise = [[np.asarray(rng.standard_normal(shape)) for shape in shapes] for _ in range(STEPS)]

    def gradients(self, values, step):
        rows = zip(self.curvature, values, self.noise[step], strict=True)
        return [np.asarray(c * np.asarray(x) + n) for c, x, n in rows]


def _from_zero_mean(optax, transformation):
    """Yogi with its first moment at 0, where optax has the initial value of the second."""

    def init(params):
        first, *rest = transformation.init(params)
        return (first._replace(mu=[0 * m for m in first.mu]), *rest)

    return optax.GradientTransformation(init, transformation.update)


def _agc(optax):
    """optax takes one set of axes for all parameters; ours are all but the first."""
    kinds = {"vector": None, "matrix": 1, "kernel": (1, 2)}
    clips = {name: optax.adaptive_grad_clip(0.1, axis=axis) for name, axis in kinds.items()}
    return optax.chain(optax.partition(clips, ["vector", "vector", "matrix", "kernel"]), optax.sgd(0.01))


def _belief(optax, decay):
    steps = [optax.scale_by_belief(eps=1e-8, eps_root=1e-8), optax.add_decayed_weights(decay), optax.scale(-0.01)]
    return optax.chain(*steps)


CASES = {
    "Momentum": (
        lambda p: optim.Momentum(p, 0.01, 0.9),
        lambda o: o.chain(o.ema(0.9, debias=False), o.scale(-0.01)),
    ),
    "SignSGD": (lambda p: optim.SignSGD(p, 0.01), lambda o: o.sign_sgd(0.01)),
    "Signum": (lambda p: optim.SignSGD(p, 0.01, momentum=0.9), lambda o: o.signum(0.01, 0.9)),
    "Lion": (
        lambda p: optim.Lion(p, 0.01, betas=(0.95, 0.98), weight_decay=0.1),
        lambda o: o.lion(0.01, 0.95, 0.98, weight_decay=0.1),
    ),
    "Yogi": (
        lambda p: optim.Yogi(p, 0.01, bias_correction=True),
        lambda o: _from_zero_mean(o, o.yogi(0.01)),
    ),
    "AdaBelief": (
        lambda p: optim.AdaBelief(p, 0.01, eps=1e-8),
        lambda o: o.adabelief(0.01, eps=1e-8, eps_root=1e-8),
    ),
    "AdaBelief with decay": (
        lambda p: optim.AdaBelief(p, 0.01, eps=1e-8, weight_decay=0.1),
        lambda o: _belief(o, 0.1),
    ),
    "LARS": (lambda p: optim.LARS(p, 0.1, momentum=0.8, eps=0.0), lambda o: o.lars(0.1, momentum=0.8)),
    "LAMB": (
        lambda p: optim.LAMB(p, 0.01, betas=(0.8, 0.99), weight_decay=0.1),
        lambda o: o.lamb(0.01, 0.8, 0.99, weight_decay=0.1),
    ),
    "NovoGrad": (
        lambda p: optim.NovoGrad(p, 0.01, weight_decay=0.1),
        lambda o: o.novograd(0.01, 0.95, 0.98, 1e-8, weight_decay=0.1),
    ),
    "Prodigy": (
        lambda p: optim.Prodigy(p, eps=0.0, bias_correction=True),
        lambda o: o.contrib.prodigy(eps=0.0),
    ),
    "Prodigy with decay": (
        lambda p: optim.Prodigy(p, 0.5, betas=(0.8, 0.99), eps=0.0, weight_decay=0.1, d0=1e-3, bias_correction=True),
        lambda o: o.contrib.prodigy(0.5, (0.8, 0.99), eps=0.0, weight_decay=0.1, estim_lr0=1e-3),
    ),
    "ScheduleFreeSGD": (
        lambda p: optim.ScheduleFreeSGD(p, 0.05, weight_decay=0.1),
        lambda o: o.contrib.schedule_free_sgd(0.05, weight_decay=0.1),
    ),
    "ScheduleFreeAdamW": (
        lambda p: optim.ScheduleFreeAdamW(p, 0.01, betas=(0.8, 0.99), weight_decay=0.1),
        lambda o: o.contrib.schedule_free_adamw(0.01, b1=0.8, b2=0.99, weight_decay=0.1),
    ),
    "GradientCentralization": (
        lambda p: optim.GradientCentralization(optim.SGD(p, 0.01)),
        lambda o: o.chain(o.centralize(), o.sgd(0.01)),
    ),
    "AGC": (lambda p: optim.AGC(optim.SGD(p, 0.01), clipping=0.1), _agc),
}

MATRIX_CASES = {
    "Muon": (
        lambda p: optim.Muon(p, 0.003, nesterov=False, eps=0.0),
        lambda o: o.contrib.muon(0.003, nesterov=False, eps=0.0, weight_decay=0.1),
    ),
    "Muon, as large as AdamW": (
        lambda p: optim.Muon(p, 0.003, nesterov=False, eps=0.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        lambda o: o.contrib.muon(0.003, nesterov=False, eps=0.0, consistent_rms=0.2),
    ),
}


def compiled(optax, transformation):
    """A step as one compiled function."""
    import jax

    def advance(gradients, state, params):
        updates, state = transformation.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    return jax.jit(advance)


def lookahead(optax, problem):
    """optax keeps slow and fast parameters as a pair."""
    tx = optax.lookahead(optax.sgd(0.05, momentum=0.9), 5, 0.3)
    params = optax.LookaheadParams.init_synced(problem.start)
    state, advance = tx.init(params), compiled(optax, tx)
    for step in range(STEPS):
        params, state = advance(problem.gradients(params.fast, step), state, params)
        yield params.fast


def sam(optax, problem):
    """The gradient at the worst point sees the same noise as the first."""
    worst = optax.chain(optax.contrib.normalize(), optax.sgd(0.1))
    tx = optax.contrib.sam(optax.sgd(0.02, momentum=0.9), worst, opaque_mode=True)
    params = problem.start
    state = tx.init(params)
    for step in range(STEPS):

        def again(values, _, step=step):
            return problem.gradients(values, step)

        updates, state = tx.update(problem.gradients(params, step), state, params, grad_fn=again)
        params = optax.apply_updates(params, updates)
        yield params


def accumulate(optax, problem):
    """Four gradients make one step."""
    tx = optax.MultiSteps(optax.adam(0.01), 4, accumulator_dtype=np.float64)
    params = problem.start
    state, advance = tx.init(params), compiled(optax, tx)
    for step in range(STEPS):
        params, state = advance(problem.gradients(params, step), state, params)
        yield params


def average(optax, problem):
    """The average of the parameters of plain descent, not the parameters."""
    tx = optax.sgd(0.05)
    params = mean = problem.start
    state, advance = tx.init(params), compiled(optax, tx)
    for step in range(STEPS):
        params, state = advance(problem.gradients(params, step), state, params)
        mean = optax.incremental_update(params, mean, 0.1)
        yield mean


WRAPPERS = {"Lookahead": lookahead, "SAM": sam, "Accumulate": accumulate, "EMA": average}


def plain(optax, problem, transformation):
    """The parameters after each step."""
    params = problem.start
    state, advance = transformation.init(params), compiled(optax, transformation)
    for step in range(STEPS):
        params, state = advance(problem.gradients(params, step), state, params)
        yield params


def trajectory(optax, name):
    """optax's path in a case: the parameters at the checkpoints, end to end."""
    if name in WRAPPERS:
        return checkpoints(WRAPPERS[name](optax, Noisy()))
    problem = Noisy() if name in CASES else Noisy(MATRICES)
    return checkpoints(plain(optax, problem, {**CASES, **MATRIX_CASES}[name][1](optax)))


def checkpoints(run):
    """The points of a path at the checkpoints."""
    rows = [
        np.concatenate([np.asarray(x).reshape(-1) for x in values])
        for step, values in enumerate(run, 1)
        if step in CHECKPOINTS
    ]
    return np.stack(rows)
