"""Whatever has a state goes on from it bit for bit: every optimizer, wrapper, average and schedule of the package.

They are found in the package, not listed here: a new one that forgets something fails without a line being written.
"""

import inspect

import numpy as np
import pytest
from optim_configurations import CONFIGURATIONS, MUON, OWN

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.optim import lr_scheduler

pytestmark = pytest.mark.filterwarnings("ignore::tinygrad_opt.optim.OptimizerWarning")

PUBLIC = [value for name, value in sorted(vars(optim).items()) if name in optim.__all__ and isinstance(value, type)]
OPTIMIZERS = [cls for cls in PUBLIC if issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer]
WRAPPERS = [cls for cls in PUBLIC if issubclass(cls, optim.Wrapper) and cls is not optim.Wrapper]
AVERAGES = [cls for cls in PUBLIC if hasattr(cls, "swapped")]
SCHEDULES = [getattr(lr_scheduler, name) for name in lr_scheduler.__all__ if name != "LRScheduler"]

OPTIONS = {**CONFIGURATIONS, **OWN, "Muon": MUON}
MORE_OPTIONS = {
    "LBFGS": [
        {"lr": 0.5, "max_iter": 3, "history_size": 4, "line_search_fn": "strong_wolfe"},
        {"lr": 0.01, "max_iter": 2},
    ],
    "Prodigy": [{"lr": 1.0, "bias_correction": True, "d0": 1e-2}],
    "AdaHessian": [{"lr": 0.1, "hessian_power": 0.5}],
}
REQUIRED = {"Accumulate": {"every": 4}, "Lookahead": {"k": 4}, "SGD": {"lr": 0.01}}


def through_memory(state, folder):
    return state


def through_npz(state, folder):
    np.savez(folder / "state.npz", **optim.pack_state(state))
    with np.load(folder / "state.npz", allow_pickle=False) as loaded:
        return optim.unpack_state(loaded)


def through_safetensors(state, folder):
    files = pytest.importorskip("safetensors.numpy")
    files.save_file(optim.pack_state(state), folder / "state.safetensors")
    return optim.unpack_state(files.load_file(folder / "state.safetensors"))


WAYS = pytest.mark.parametrize("through", [through_memory, through_npz, through_safetensors], ids=lambda f: f.__name__)


class Training:
    """Parameters with something that changes them, and whatever else has a state, made anew by `make(params)`.

    The second parameter is not used in the first steps, so that step counts differ.
    """

    def __init__(self, make, shapes=((3, 2), (4, 3))):
        rng = np.random.default_rng(0)
        self.params = [tg.Tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]
        self.optimizer, *self.others = make(self.params)

    def steps(self, first, last):
        for step in range(first, last):
            rng = np.random.default_rng(step)
            noise = [tg.Tensor(0.1 * rng.standard_normal(p.shape)) for p in self.params]

            def closure(step=step, noise=noise):
                self.optimizer.zero_grad()
                used = [*zip(self.params, noise, strict=True)][: 1 if step < 3 else None]
                loss = sum(((p - n) ** 2 + 0.1 * np.cos(3 * p)).sum() for p, n in used)
                if self.optimizer.backward_in_closure:
                    loss.backward()
                return loss

            loss = self.optimizer.step(closure)
            for other in self.others:
                if hasattr(other, "update"):
                    other.update()
                else:
                    other.step(*[loss] * isinstance(other, lr_scheduler.ReduceLROnPlateau))

    def state(self):
        return {
            "params": [p.data.copy() for p in self.params],
            "optimizer": self.optimizer.state_dict(),
            "others": [other.state_dict() for other in self.others],
        }

    def load(self, state):
        for p, value in zip(self.params, state["params"], strict=True):
            p.data[...] = value
        self.optimizer.load_state_dict(state["optimizer"])
        for other, saved in zip(self.others, state["others"], strict=True):
            other.load_state_dict(saved)


def assert_goes_on(make, through, folder):
    """Saved after 6 of 13 steps, and loaded into one that is new and into one that has been used."""
    whole = Training(make)
    whole.steps(0, 6)
    saved = through(whole.state(), folder)
    whole.steps(6, 13)
    expected = optim.pack_state(whole.state())
    for used in (0, 3):
        again = Training(make)
        again.steps(50, 50 + used)
        again.load(saved)
        again.steps(6, 13)
        got = optim.pack_state(again.state())
        assert got.keys() == expected.keys()
        for key, array in expected.items():
            np.testing.assert_array_equal(got[key], array, err_msg=f"{key}, {used} steps before loading")


def arguments(cls, **given):
    """What a class must be given, with a generator of its own where it draws random numbers."""
    own = {"generator": np.random.default_rng(3)} if "generator" in inspect.signature(cls).parameters else {}
    return {**REQUIRED.get(cls.__name__, {}), **given, **own}


def optimizer_cases():
    for cls in OPTIMIZERS:
        found = [*MORE_OPTIONS.get(cls.__name__, []), *OPTIONS.get(cls.__name__, [])[-2:]] or [{}]
        yield from [pytest.param(cls, options, id=f"{cls.__name__} {options}") for options in found]


@WAYS
@pytest.mark.parametrize(("cls", "options"), list(optimizer_cases()))
def test_every_optimizer(cls, options, through, tmp_path):
    assert_goes_on(lambda params: [cls(params, **arguments(cls, **options))], through, tmp_path)


@WAYS
@pytest.mark.parametrize("inner", [optim.Adam, optim.NAdam, optim.LAMB], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("cls", WRAPPERS, ids=lambda cls: cls.__name__)
def test_every_wrapper(cls, inner, through, tmp_path):
    assert_goes_on(lambda params: [cls(inner(params, lr=0.01), **arguments(cls))], through, tmp_path)


@WAYS
def test_wrappers_around_wrappers(through, tmp_path):
    def make(params):
        optimizer = optim.Adam(params, lr=0.01)
        for cls in (optim.GradientNoise, optim.SAM, optim.Lookahead):
            optimizer = cls(optimizer, **arguments(cls))
        return [optimizer, *[cls(params) for cls in AVERAGES], lr_scheduler.StepLR(optimizer, 4, 0.5)]

    assert_goes_on(make, through, tmp_path)


@WAYS
@pytest.mark.parametrize("cls", AVERAGES, ids=lambda cls: cls.__name__)
def test_every_average(cls, through, tmp_path):
    assert_goes_on(lambda params: [optim.SGD(params, lr=0.01), cls(params)], through, tmp_path)


def schedule(cls, optimizer):
    """A schedule of this class that changes something at every few steps."""
    parts = {
        "LambdaLR": lambda: cls(optimizer, lambda t: 1 / (1 + t)),
        "MultiplicativeLR": lambda: cls(optimizer, lambda t: 0.9),
        "StepLR": lambda: cls(optimizer, 3),
        "MultiStepLR": lambda: cls(optimizer, [2, 5, 8]),
        "ExponentialLR": lambda: cls(optimizer, 0.9),
        "CosineAnnealingLR": lambda: cls(optimizer, 11),
        "CosineAnnealingWarmRestarts": lambda: cls(optimizer, 4),
        "CyclicLR": lambda: cls(optimizer, 0.001, 0.1, step_size_up=5),
        "OneCycleLR": lambda: cls(optimizer, 0.1, total_steps=20),
        "ReduceLROnPlateau": lambda: cls(optimizer, patience=1, threshold=0.5),
        "SequentialLR": lambda: cls(
            optimizer, [lr_scheduler.ConstantLR(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.8)], [4]
        ),
        "ChainedScheduler": lambda: cls(
            [lr_scheduler.ConstantLR(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.8)]
        ),
        "WarmupLR": lambda: cls(optimizer, 4, lr_scheduler.ExponentialLR(optimizer, 0.8)),
        "WarmupStableDecayLR": lambda: cls(optimizer, 3, 4, 5),
    }
    return parts.get(cls.__name__, lambda: cls(optimizer))()


@WAYS
@pytest.mark.parametrize("cls", SCHEDULES, ids=lambda cls: cls.__name__)
def test_every_schedule(cls, through, tmp_path):
    def make(params):
        groups = [{"params": params[:1], "lr": 0.02}, {"params": params[1:]}]
        optimizer = optim.SGD(groups, lr=0.01, momentum=0.9)
        return [optimizer, schedule(cls, optimizer)]

    assert_goes_on(make, through, tmp_path)


def test_there_is_something_to_find():
    assert len(OPTIMIZERS) >= 34
    assert len(WRAPPERS) >= 6
    assert len(SCHEDULES) >= 17
    assert {cls.__name__ for cls in AVERAGES} == {"EMA", "SWA"}
