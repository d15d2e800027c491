"""What the tests of optimizers share: small parameters, the list of all optimizers, and how a rule is executed."""

import contextlib

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.kernels import kernels, rules
from tinygrad_opt.optim import flat

ALL = sorted(
    name
    for name, cls in vars(optim).items()
    if isinstance(cls, type) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer
)


def elementwise(names):
    """Those of the named optimizers whose rule runs on flat buffers."""
    return [
        name
        for name in names
        if name in ALL
        and getattr(getattr(optim, name), "rule", None) is not None
        and getattr(optim, name).rule.elementwise
    ]


def leaf(*values, dtype=np.float64, name=None):
    return tg.Tensor(np.array(values, dtype), requires_grad=True, name=name)


def give(*params, value=1.0):
    for p in params:
        p.grad = tg.Tensor(np.full(p.shape, value, p.dtype))


@contextlib.contextmanager
def executing(how, monkeypatch, size=2, least=1):
    """Rules run "whole", in "blocks" of some elements, or "compiled" from some elements on."""
    if how == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(flat, "LEAST", least)
        monkeypatch.setattr(rules, "LEAST", least)
    if how == "blocks":
        monkeypatch.setattr(flat, "LARGE", size)
        monkeypatch.setattr(flat, "BLOCK", size)
    before = kernels()
    kernels("numba" if how == "compiled" else "numpy")
    try:
        yield
    finally:
        kernels(before)
