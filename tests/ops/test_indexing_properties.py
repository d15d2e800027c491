"""Any index that NumPy takes, on any shape: the same values, and gradients that go back where they came from.

The examples are the same in every run; with TEST_SEED in the environment they are drawn from that seed.
"""

import os

import numpy as np
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_opt as tg

SEED = os.environ.get("TEST_SEED")


def common(test):
    """The settings of all property tests, and the seed that was asked for."""
    if SEED is not None:
        test = seed(int(SEED))(test)
    return settings(max_examples=120, deadline=None, derandomize=SEED is None, database=None)(test)


SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)


@st.composite
def shape_and_index(draw):
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["basic", "integers", "mask", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "integers":
        count = draw(st.integers(1, len(shape)))
        return shape, draw(
            hnp.integer_array_indices(shape[:count], result_shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
        )
    if kind == "mask":
        count = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(bool, shape[:count]))
    parts = []
    length = draw(st.integers(1, 3))
    for n in shape:
        part = draw(st.sampled_from(["slice", "number", "array", "None and array"]))
        if part == "None and array":
            parts.append(None)
        parts.append(
            draw(st.slices(n))
            if part == "slice"
            else draw(st.integers(-n, n - 1))
            if part == "number"
            else draw(hnp.arrays(np.intp, length, elements=st.integers(-n, n - 1)))
        )
    return shape, tuple(parts)


@common
@given(shape_and_index(), st.booleans())
def test_reading(case, transposed):
    shape, index = case
    array = np.arange(float(np.prod(shape))).reshape(shape)
    if transposed:
        array = np.asfortranarray(array)
    x = tg.tensor(array, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.detach().numpy(), array[index])
    g = np.random.default_rng(0).standard_normal(y.shape)
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    y.backward(g)
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


@common
@given(shape_and_index())
def test_writing(case):
    shape, index = case
    array = np.zeros(shape)
    count = array[index].shape
    value = np.random.default_rng(1).standard_normal(count)
    expected = array.copy()
    expected[index] = value
    base, v = tg.tensor(array, requires_grad=True), tg.tensor(value, requires_grad=True)
    y = base * 1
    y[index] = v
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    g = np.random.default_rng(2).standard_normal(shape)
    y.backward(g)
    written = np.zeros(shape, bool)
    written[index] = True
    np.testing.assert_array_equal(base.grad.numpy(), np.where(written, 0, g))
    if v.grad is not None:  # each written element's gradient went to exactly one value
        np.testing.assert_allclose(v.grad.numpy().sum(), g[written].sum(), atol=1e-12)
