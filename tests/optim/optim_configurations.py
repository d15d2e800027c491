"""Option combinations in which our optimizers are held against PyTorch's of the same name."""

from itertools import product


def grid(**options):
    """All combinations, as dicts without the entries that are None."""
    for values in product(*options.values()):
        yield {k: v for k, v in zip(options, values, strict=True) if v is not None}


def seldom(configurations, **usual):
    """Those that have the usual values, and the last one, which has others."""
    found = list(configurations)
    return [c for c in found if all(c[key] == value for key, value in usual.items())] + found[-1:]


def sgd():
    for options in grid(
        momentum=(0.0, 0.9),
        dampening=(0.0, 0.3),
        weight_decay=(0.0, 0.01),
        nesterov=(False, True),
        maximize=(False, True),
    ):
        if not (options["nesterov"] and (options["dampening"] or not options["momentum"])):
            yield {"lr": 0.003, **options}


CONFIGURATIONS = {
    "SGD": list(sgd()),
    "Adagrad": seldom(
        grid(
            lr=(0.05,), lr_decay=(0.0, 0.01), weight_decay=(0.0, 0.01), initial_accumulator_value=(0.0, 0.1),
            eps=(1e-10, 1e-3), maximize=(False, True),
        ),
        eps=1e-10,
    ),
    "RMSprop": seldom(
        grid(
            lr=(0.003,), alpha=(0.9,), eps=(1e-8, 1e-3), momentum=(0.0, 0.9), centered=(False, True),
            weight_decay=(0.0, 0.01),
            maximize=(False, True),
        ),
        eps=1e-8,
    ),
    "Adam": [
        *grid(
            lr=(0.01,), amsgrad=(False, True), weight_decay=(0.0, 0.01), decoupled_weight_decay=(False, True),
            maximize=(False, True),
        ),
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 0.001},
    ],
    "AdamW": [
        *grid(lr=(0.01,), amsgrad=(False, True), weight_decay=(0.0, 0.1), maximize=(False, True)),
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 0.001},
    ],
    "Adadelta": seldom(
        grid(
            lr=(1.0, 0.5), rho=(0.9, 0.8), eps=(1e-6, 1e-3), weight_decay=(0.0, 0.01), maximize=(False, True),
        ),
        lr=1.0, eps=1e-6,
    ),
    "Adamax": seldom(
        grid(
            lr=(0.002,), betas=((0.9, 0.999), (0.95, 0.995)), eps=(1e-8, 1e-3), weight_decay=(0.0, 0.01),
            maximize=(False, True),
        ),
        eps=1e-8,
    ),
    "NAdam": [
        *seldom(
            grid(
                lr=(0.002,), eps=(1e-8, 1e-3), weight_decay=(0.0, 0.01), momentum_decay=(0.004, 0.1),
                decoupled_weight_decay=(False, True),
                maximize=(False, True),
            ),
            eps=1e-8,
        ),
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 0.001},
    ],
    "RAdam": seldom(
        grid(
            lr=(0.002,), betas=((0.9, 0.999), (0.9, 0.7)), eps=(1e-8, 1e-3), weight_decay=(0.0, 0.01),
            decoupled_weight_decay=(False, True), maximize=(False, True),
        ),
        eps=1e-8,
    ),
    "ASGD": list(
        grid(lr=(0.01,), lambd=(1e-4, 0.1), alpha=(0.75, 0.5), t0=(1e6, 100.0), weight_decay=(0.0, 0.01),
            maximize=(False, True))
    ),
    "Rprop": list(
        grid(
            lr=(0.01,), etas=((0.5, 1.2), (0.3, 1.5)), step_sizes=((1e-6, 50.0), (1e-4, 0.02)),
            maximize=(False, True),
        )
    ),
    "Adafactor": seldom(
        grid(
            lr=(0.01,), beta2_decay=(-0.8, -0.5), eps=((None, 1e-3), (1e-6, 0.1)), d=(1.0, 2.0),
            weight_decay=(0.0, 0.01), maximize=(False, True),
        ),
        beta2_decay=-0.8,
    ),
}  # fmt: skip


def label(name, options):
    """A short text for a configuration, which is also its key in the frozen file."""
    return name + "".join(f",{k}={v}" for k, v in options.items())


def cases():
    """(label, name, options) for all of them."""
    return [
        (label(name, options), name, options) for name, all_options in CONFIGURATIONS.items() for options in all_options
    ]


MUON = seldom(
    grid(
        lr=(1e-3,), weight_decay=(0.0, 0.1), momentum=(0.95, 0.5), nesterov=(False, True), ns_steps=(5, 3),
        adjust_lr_fn=(None, "original", "match_rms_adamw"),
    ),
    momentum=0.95, ns_steps=5,
)  # fmt: skip

SPARSE_ADAM = list(grid(lr=(0.01,), betas=((0.9, 0.999), (0.8, 0.99)), eps=(1e-8, 1e-3), maximize=(False, True)))

OWN = {
    "GradientDescent": [{"lr": 0.1}],
    "Momentum": [{"lr": 0.1, "beta": 0.8}],
    "Nesterov": [{"lr": 0.01}],
    "SignSGD": [{"lr": 0.01}, {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}],
    "Lion": [{"lr": 0.01, "weight_decay": 0.1}],
    "Yogi": [{"lr": 0.01}],
    "AdaBelief": [{"lr": 0.01, "weight_decay": 0.1, "eps": 1e-8}],
    "LARS": [{"lr": 0.1, "weight_decay": 0.01}],
    "LAMB": [{"lr": 0.01, "weight_decay": 0.1}],
    "NovoGrad": [{"lr": 0.01, "weight_decay": 0.1}],
    "Shampoo": [{"lr": 0.1, "eps": 1e-3}],
    "SOAP": [{"lr": 0.01, "every": 3}],
    "ScheduleFreeSGD": [{"lr": 0.1}, {"lr": 0.1, "warmup_steps": 7, "weight_decay": 0.1}],
    "ScheduleFreeAdamW": [{"lr": 0.01, "warmup_steps": 7, "weight_decay": 0.1}],
    "AMSGrad": [{"lr": 0.01}],
    "SparseAdam": [{"lr": 0.01}],
}
"""Those that PyTorch has not, or has for another kind of gradient."""


def all_cases():
    """Like cases(), with our own."""
    return cases() + [(label(name, options), name, options) for name, found in OWN.items() for options in found]
