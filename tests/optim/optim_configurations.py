"""Option combinations in which our optimizers are held against PyTorch's of the same name."""

from itertools import product


def grid(**options):
    """All combinations, as dicts without the entries that are None."""
    for values in product(*options.values()):
        yield {k: v for k, v in zip(options, values, strict=True) if v is not None}


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
    "Adagrad": list(
        grid(
            lr=(0.05,), lr_decay=(0.0, 0.01), weight_decay=(0.0, 0.01), initial_accumulator_value=(0.0, 0.1),
            maximize=(False, True),
        )
    ),
    "RMSprop": list(
        grid(
            lr=(0.003,), alpha=(0.9,), momentum=(0.0, 0.9), centered=(False, True), weight_decay=(0.0, 0.01),
            maximize=(False, True),
        )
    ),
    "Adam": [*list(grid(lr=(0.01,), amsgrad=(False, True), weight_decay=(0.0, 0.01), maximize=(False, True))), {"lr": 0.01, "betas": (0.8, 0.99), "eps": 0.001}],
}  # fmt: skip


def label(name, options):
    """A short text for a configuration, which is also its key in the frozen file."""
    return name + "".join(f",{k}={v}" for k, v in options.items())


def cases():
    """(label, name, options) for all of them."""
    return [
        (label(name, options), name, options) for name, all_options in CONFIGURATIONS.items() for options in all_options
    ]
