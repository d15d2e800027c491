"""Linear: the fused operation is its definition; messages for inputs that do not fit; initial values."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn.linear import affine, linear, naive_linear


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 5, 3), (0, 3)])
def test_the_fused_form_is_its_definition(shape):
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal(shape), rng.standard_normal((2, 3)), rng.standard_normal(2)
    results = []
    for function in (linear, naive_linear):
        leaves = [tg.Tensor(a, requires_grad=True) for a in arrays]
        out = function(*leaves)
        first = tg.autograd.grad((out**2).sum(), leaves, create_graph=True)
        second = tg.autograd.grad(sum((g**2).sum() for g in first), leaves)
        results.append([out.data, *(t.data for t in first + second)])
    for fused, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-12, atol=1e-12)
    assert linear(*leaves)._node.primitive is affine


def test_gradients_by_finite_differences():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s) for s in ((2, 4, 3), (2, 3), (2,))]
    assert gradcheck(linear, arrays, order=2, readonly_upstream=True)


@pytest.mark.parametrize(
    ("shape", "mend"),
    [
        ((32, 28, 28), "Flatten first"),
        ((784, 10), r"pass x\.T"),
        ((28, 28), r"x\.reshape\(1, 784\)"),
        ((5, 3), r"Linear\(3, 10\)"),
    ],
)
def test_an_input_that_does_not_fit(shape, mend):
    with pytest.raises(ShapeError, match=rf"Linear\(in_features=784\) got x of shape .*last axis must be 784.*{mend}"):
        nn.Linear(784, 10)(np.zeros(shape, np.float32))


def test_initial_values_have_pytorchs_distribution():
    layer = nn.Linear(400, 300, generator=np.random.default_rng(0))
    bound = 1 / 20
    for p in layer.parameters():
        assert abs(p.data).max() <= bound
        assert abs(p.data).max() > 0.98 * bound
        np.testing.assert_allclose(p.data.std(), bound / np.sqrt(3), rtol=0.1)


def test_initial_values_are_reproducible():
    tg.random.manual_seed(3)
    one = nn.Linear(4, 3).state_dict()
    tg.random.manual_seed(3)
    two = nn.Linear(4, 3).state_dict()
    assert all((one[k] == two[k]).all() for k in one)


def test_dtypes():
    assert nn.Linear(2, 3).weight.dtype == np.float32
    layer = nn.Linear(2, 3, dtype=np.float64)
    assert layer(np.ones((1, 2))).dtype == np.float64


@pytest.mark.parametrize("sizes", [(-1, 2), (2, 3.0), ("a", 1)])
def test_sizes_that_are_none(sizes):
    with pytest.raises(ValueError, match="Linear: in_features and out_features are numbers of features, got"):
        nn.Linear(*sizes)
