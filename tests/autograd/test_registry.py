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


def test_implements_registers_a_composition():
    def marker(x):
        return x

    try:
        assert tg.autograd.implements(marker)(lambda x: x * 2)(21) == 42
        assert implementations[marker](1) == 2
    finally:
        del implementations[marker]
