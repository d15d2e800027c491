"""What users do to parameters and optimizers in the middle of training, in the words that both libraries share."""

import copy
import pickle

import numpy as np
from optim_configurations import OWN

import tinygrad_opt as tg
from tinygrad_opt import optim

OPTIMIZERS = {
    "SGD": {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "NAdam": {"lr": 0.01},
    "Adagrad": {"lr": 0.05, "initial_accumulator_value": 0.1},
    "RMSprop": {"lr": 0.01, "centered": True, "momentum": 0.5},
    "ASGD": {"lr": 0.01, "t0": 5.0},
    "Adafactor": {"lr": 0.01},
    "Rprop": {"lr": 0.01},
    "LBFGS": {"lr": 0.1, "max_iter": 3},
}
OPTIONS = {name: found[-1] for name, found in OWN.items()} | {"Prodigy": {"d0": 0.01}} | OPTIMIZERS
SHAPES = [(2, 3), (), (4,), (1, 2, 2)]


class Ours:
    optim = optim

    @staticmethod
    def leaf(array):
        return tg.Tensor(np.array(array), requires_grad=True)

    @staticmethod
    def array(value):
        return np.array(value)

    @staticmethod
    def numbers(p):
        return p.data

    @staticmethod
    def write(p, value):
        if not p.data.flags.writeable:  # a product of no axes is NumPy's scalar
            p.data = np.array(p.data)
        p.data[...] = value

    tensor = staticmethod(tg.Tensor)


class Theirs:
    def __init__(self, torch):
        self.torch, self.optim = torch, torch.optim

    def leaf(self, array):
        return self.torch.nn.Parameter(self.torch.tensor(array))

    def array(self, value):
        return self.torch.tensor(value)

    tensor = array

    def write(self, p, value):
        p.data.copy_(self.torch.tensor(value))

    @staticmethod
    def numbers(p):
        return p.detach().numpy()


def params(lib):
    rng = np.random.default_rng(0)
    return [lib.leaf(np.asarray(rng.standard_normal(s))) for s in SHAPES]


def train(lib, given, optimizer, first, last, without=()):
    """Steps on ½‖p‖² with noise; the parameters at the places `without` get no gradient."""
    for step in range(first, last):
        rng = np.random.default_rng(step)
        noise = [rng.standard_normal(s) for s in SHAPES]

        def closure(noise=noise):
            for i, p in enumerate(given):
                p.grad = None if i in without else lib.tensor(np.asarray(lib.numbers(p) + noise[i]))
            return sum(float(np.sum((lib.numbers(p) + n) ** 2)) / 2 for p, n in zip(given, noise, strict=False))

        optimizer.step(closure)


def make(lib, name, given):
    extra = {"allow_unused": True} if lib is Ours else {}
    return getattr(lib.optim, name)(given, **OPTIONS[name], **extra)


def undisturbed(lib, name):
    given = params(lib)
    train(lib, given, make(lib, name, given), 0, 30)
    return given


def added_group(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given[:2])
    train(lib, given[:2], optimizer, 0, 10)
    optimizer.add_param_group({"params": given[2:3]})
    train(lib, given[:3], optimizer, 10, 20)
    optimizer.add_param_group({"params": given[3:], "lr": 0.002})
    train(lib, given, optimizer, 20, 30)
    return given


def frozen_and_thawed(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 8)
    for i in (0, 2):
        given[i].requires_grad_(False)
    train(lib, given, optimizer, 8, 16, without=(0, 2))
    given[0].requires_grad_(True)
    train(lib, given, optimizer, 16, 24, without=(2,))
    given[2].requires_grad_(True)
    train(lib, given, optimizer, 24, 32)
    return given


def gradients_come_and_go(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    for step in range(30):
        train(lib, given, optimizer, step, step + 1, without={step % 5, (step * 7) % 4} if step % 3 else ())
    return given


def data_replaced(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 7)
    given[0].data = lib.array(np.arange(6.0).reshape(3, 2)).T
    train(lib, given, optimizer, 7, 14)
    given[1].data = lib.array(np.array(3.0))
    given[2].data[...] = 0.25
    train(lib, given, optimizer, 14, 21, without=(1,))
    for p in given:
        p.data = p.data * 0.5
    train(lib, given, optimizer, 21, 30)
    return given


def optimizer_loaded(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10, without=(3,))
    saved = copy.deepcopy(optimizer.state_dict())
    train(lib, given, optimizer, 10, 17)
    optimizer.load_state_dict(copy.deepcopy(saved))  # PyTorch goes on to write into what it is given
    train(lib, given, optimizer, 17, 25)
    others = params(lib)
    fresh = make(lib, name, others)
    fresh.load_state_dict(saved)
    train(lib, others, fresh, 25, 33)
    return [*given, *others]


def optimizer_loaded_with_other_groups_rates(lib, name):
    given = params(lib)
    groups = [{"params": given[:1], "lr": 0.003}, {"params": given[1:]}]
    optimizer = make(lib, name, groups)
    train(lib, given, optimizer, 0, 10)
    optimizer.param_groups[1]["lr"] = 0.02
    saved = copy.deepcopy(optimizer.state_dict())
    others = params(lib)
    fresh = make(lib, name, [{"params": others[:1]}, {"params": others[1:]}])
    fresh.load_state_dict(saved)
    train(lib, others, fresh, 10, 20)
    return others


def copied(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10, without=(1,))
    others, twin = copy.deepcopy((given, optimizer))
    train(lib, given, optimizer, 10, 20)
    train(lib, others, twin, 50, 60)
    return [*given, *others]


def pickled(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10)
    others, twin = pickle.loads(pickle.dumps((given, optimizer)))
    train(lib, others, twin, 10, 20)
    train(lib, given, optimizer, 30, 35)
    return [*given, *others]


def hyperparameters_changed(lib, name):
    given = params(lib)
    optimizer = make(lib, name, given)
    train(lib, given, optimizer, 0, 10)
    optimizer.param_groups[0]["lr"] *= 0.1
    if "weight_decay" in optimizer.param_groups[0]:
        optimizer.param_groups[0]["weight_decay"] = 0.05
    train(lib, given, optimizer, 10, 20)
    return given


SCENARIOS = [
    undisturbed,
    added_group,
    frozen_and_thawed,
    gradients_come_and_go,
    data_replaced,
    optimizer_loaded,
    optimizer_loaded_with_other_groups_rates,
    copied,
    pickled,
    hyperparameters_changed,
]


class Life:
    """Parameters and an optimizer to which anything may happen, drawn from a seed; three are added later."""

    shapes = (*SHAPES, (), (5,), (2, 2))

    def __init__(self, lib, name, seed):
        self.lib, self.name, self.draw = lib, name, np.random.default_rng(seed)
        self.params = [lib.leaf(self.noise(shape)) for shape in self.shapes]
        self.optimizer = make(lib, name, [{"params": self.params[:1], "lr": 0.003}, {"params": self.params[1:4]}])
        self.count, self.saved = 4, None

    def noise(self, shape):
        return np.asarray(self.draw.standard_normal(shape))

    def one(self):
        return self.params[self.draw.integers(self.count)]

    def train(self):
        for _ in range(self.draw.integers(1, 5)):
            without = self.draw.integers(self.count)
            for i, p in enumerate(self.params[: self.count]):
                g = self.lib.numbers(p) + self.noise(self.shapes[i])
                p.grad = self.lib.tensor(np.asarray(g)) if p.requires_grad and i != without else None
            self.optimizer.step()

    def add(self):
        if self.count < len(self.params):
            self.optimizer.add_param_group({"params": [self.params[self.count]], "lr": 0.02})
            self.count += 1

    def freeze(self):
        p = self.one()
        p.grad = None
        p.requires_grad_(False)

    def thaw(self):
        self.one().requires_grad_(True)

    def save(self):
        self.saved = self.count, copy.deepcopy(self.optimizer.state_dict())

    def load(self):
        if self.saved and self.saved[0] == self.count:
            self.optimizer.load_state_dict(copy.deepcopy(self.saved[1]))

    def load_into_another(self):
        others = [self.lib.leaf(self.lib.numbers(p)) for p in self.params]
        groups, start = [], 0
        for group in self.optimizer.param_groups:
            groups.append({"params": others[start : start + len(group["params"])]})
            start += len(group["params"])
        other = make(self.lib, self.name, groups)
        other.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        for p, q in zip(self.params, others, strict=True):
            q.requires_grad_(p.requires_grad)
        self.params, self.optimizer = others, other

    def copy(self):
        self.params, self.optimizer = copy.deepcopy((self.params, self.optimizer))

    def replace(self):
        p = self.one()
        p.data = self.lib.array(self.noise(tuple(p.shape)))

    def halve_all(self):
        for p in self.params:
            p.data = p.data * 0.5

    def transpose(self):
        self.params[0].data = self.lib.array(self.noise((3, 2))).T

    def load_model(self):
        for p, shape in zip(self.params, self.shapes, strict=True):
            self.lib.write(p, self.noise(shape))

    def change_rate(self):
        self.optimizer.param_groups[-1]["lr"] = float(10 ** self.draw.uniform(-3, -1.5))

    def run(self, events=25):
        other = [
            self.add, self.freeze, self.thaw, self.save, self.load, self.load_into_another, self.copy, self.replace,
            self.halve_all, self.transpose, self.load_model, self.change_rate,
        ]  # fmt: skip
        for _ in range(events):
            self.train()
            other[self.draw.integers(len(other))]()
        return self.params
