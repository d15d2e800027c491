"""What stands for which NumPy function."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd.registry import implementations, lookup
from tinygrad_opt.errors import DetachError


def test_lookup_names_the_function_and_the_ways_out():
    with pytest.raises(DetachError, match=r"np.random.rand is not defined on Tensors.*@tg.primitive.*detach"):
        lookup(np.random.rand)
    with pytest.raises(DetachError, match="is not defined"):
        lookup([])


def test_lookup_knows_ours_for_a_function_of_scipy_of_the_same_name():
    special = pytest.importorskip("scipy.special")
    with pytest.raises(DetachError, match=r"^erfcx is not defined on Tensors, and would lose their gradient. Write it"):
        special.erfcx(tg.tensor(1.0, requires_grad=True))
    with pytest.raises(DetachError, match=r"^erf is not defined on Tensors, .*\. Use tg\.erf, write it with"):
        special.erf(tg.tensor(1.0, requires_grad=True))


def test_implements_registers_a_composition():
    def marker(x):
        return x

    try:
        assert tg.autograd.implements(marker)(lambda x: x * 2)(21) == 42
        assert implementations[marker](1) == 2
    finally:
        del implementations[marker]
