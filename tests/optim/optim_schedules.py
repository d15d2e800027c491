"""Schedules that are held against PyTorch's: functions of (its or our lr_scheduler module, an optimizer)."""

import math

SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda t: 0.95**t),
    "lambda per group": lambda s, o: s.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 1.0]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda t: 0.9 + 0.1 * math.sin(t)),
    "step": lambda s, o: s.StepLR(o, 7, 0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [30, 10, 60, 60], 0.3),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 8),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.7, 20),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "polynomial": lambda s, o: s.PolynomialLR(o, 40, 2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 30, 0.001),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7, 2, 0.001),
    "equal restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 9),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=101),
    "one cycle, three phases": lambda s, o: s.OneCycleLR(
        o, [0.3, 0.1], epochs=10, steps_per_epoch=11, three_phase=True, anneal_strategy="linear", pct_start=0.2
    ),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=8, step_size_down=5),
    "cyclic 2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=8, mode="triangular2", cycle_momentum=False),
    "cyclic exp": lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.1, step_size_up=8, mode="exp_range", gamma=0.97),
    "cyclic own": lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4, scale_fn=lambda c: 1 / c),
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 10), s.ExponentialLR(o, 0.9), s.ConstantLR(o, 0.5, 5)], [10, 40]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 5), s.ExponentialLR(o, 0.95), s.StepLR(o, 20)]),
}

EPOCHS = 100


def measurement(t):
    """A loss that falls, stalls and falls again."""
    return 1 / (1 + min(t, 20)) - 0.001 * max(0, t - 70)


PLATEAUS = [
    {"patience": 3, "factor": 0.5},
    {"patience": 2, "cooldown": 4, "threshold": 0.1, "min_lr": 0.01},
    {"mode": "max", "patience": 5, "threshold_mode": "abs", "threshold": 0.01, "min_lr": [0.01, 0.001]},
]
