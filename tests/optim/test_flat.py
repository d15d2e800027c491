"""Flat buffers survive what users do to parameters: written, replaced, frozen, added, copied, of another dtype."""

import copy
import pickle

import numpy as np
import pytest
from optim_helpers import give, leaf

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import ShapeError


class TestFlatBuffers:
    def test_parameters_are_views_of_one_buffer(self):
        a, b = leaf(1.0, 2.0), leaf(3.0)
        optim.SGD([a, b])
        assert a.data.base is b.data.base is not None

    def test_data_written_in_place(self):
        a, b = leaf(1.0), leaf(2.0)
        optimizer = optim.SGD([a, b], 1.0)
        a.data[...] = 5.0
        give(a, b)
        optimizer.step()
        assert (a.data[0], b.data[0]) == (4.0, 1.0)

    def test_data_replaced(self):
        a, b = leaf(1.0), leaf(2.0)
        optimizer = optim.SGD([a, b], 1.0, momentum=0.5)
        give(a, b)
        optimizer.step()
        mine = np.array([10.0])
        a.data = mine
        optimizer.step()
        assert (a.data[0], b.data[0]) == (8.5, -0.5)
        assert mine[0] == 10.0

    def test_rebound_under_no_grad(self):
        a = leaf(1.0)
        optimizer = optim.SGD([a], 1.0)
        with tg.no_grad():
            a += 4.0
        give(a)
        optimizer.step()
        assert a.data[0] == 4.0

    @pytest.mark.parametrize("make", [optim.SGD, optim.LAMB])
    def test_another_shape_is_refused(self, make):
        a, b = leaf(1.0, 2.0), leaf(3.0)
        optimizer = make([a, b], 1.0)
        give(a, b)
        optimizer.step()
        before = b.data.copy()
        a.data = np.ones((2, 2))
        give(a, b)
        with pytest.raises(ShapeError, match=r"had shape \(2,\) and now has \(2, 2\)"):
            optimizer.step()
        np.testing.assert_array_equal(b.data, before)
        np.testing.assert_array_equal(a.data, 1.0)

    @pytest.mark.parametrize("make", [optim.Adam, optim.NAdam, optim.LAMB, optim.Adafactor])
    def test_another_dtype_takes_the_state_along(self, make):
        """The same as a float64 optimizer that was given the float32 numbers and states."""
        a, b = leaf(1.0, 2.0, dtype=np.float32), leaf(3.0, dtype=np.float32)
        optimizer = make([a, b], 0.1)
        for _ in range(3):
            give(a, b)
            optimizer.step()
        c, d = leaf(*a.data.astype(float)), leaf(*b.data.astype(float))
        other = make([c, d], 0.1)
        other.load_state_dict(optimizer.state_dict())
        a.data = a.data.astype(np.float64)
        for step in range(4):
            if step == 2:
                b.data = b.data.astype(np.float64)
            a.grad, b.grad = (tg.Tensor(np.full(p.shape, 0.3 + step, p.dtype)) for p in (a, b))
            c.grad, d.grad = (tg.Tensor(np.full(p.shape, 0.3 + step)) for p in (c, d))
            optimizer.step()
            other.step()
        np.testing.assert_array_equal(a.data, c.data)
        np.testing.assert_allclose(b.data, d.data, rtol=1e-6)
        assert (a.dtype, b.dtype) == (np.float64, np.float64)
        assert optimizer.state[b]["step"] == 7

    def test_frozen_and_thawed(self):
        a, b = leaf(1.0), leaf(1.0)
        optimizer = optim.SGD([a, b], 0.5)
        b.requires_grad_(False)
        give(a)
        optimizer.step()
        b.requires_grad_(True)
        give(b)
        optimizer.step()
        assert (a.data[0], b.data[0]) == (0.0, 0.5)

    def test_steps_are_counted_per_parameter(self):
        a, b = leaf(1.0), leaf(1.0)
        optimizer = optim.Adam([a, b], 0.1, allow_unused=True)
        give(a)
        optimizer.step()
        give(b)
        optimizer.step()
        assert (optimizer.state[a]["step"], optimizer.state[b]["step"]) == (2, 1)

    def test_added_group(self):
        a, b = leaf(1.0), leaf(1.0)
        optimizer = optim.SGD([a], 0.5)
        give(a, b)
        optimizer.step()
        optimizer.add_param_group({"params": [b], "lr": 0.25})
        optimizer.step()
        assert (a.data[0], b.data[0]) == (0.0, 0.75)

    def test_mixed_dtypes(self):
        a, b = leaf(1.0), leaf(1.0, dtype=np.float32)
        optimizer = optim.Adam([a, b], 0.5)
        give(a, b)
        optimizer.step()
        assert (a.dtype, b.dtype) == (np.float64, np.float32)
        assert a.data[0] == pytest.approx(0.5)
        assert b.data[0] == pytest.approx(0.5)

    def test_half_precision(self):
        a = leaf(1.0, 2.0, dtype=np.float16)
        give(a, value=300.0)
        optim.SGD([a], 0.001).step()
        assert a.dtype == np.float16
        np.testing.assert_allclose(a.data, [0.7, 1.7], rtol=1e-3)

    def test_two_optimizers_in_turn(self):
        a = leaf(1.0)
        one, other = optim.SGD([a], 0.25), optim.SGD([a], 0.5)
        for optimizer in (one, other, one):
            give(a)
            optimizer.step()
        assert a.data[0] == 0.0

    def test_gradient_in_any_layout(self):
        a = leaf([1.0, 2.0], [3.0, 4.0])
        optimizer = optim.SGD([a, leaf(1.0)], 1.0, allow_unused=True)
        a.grad = tg.Tensor(np.asfortranarray([[1.0, 0.0], [2.0, 0.0]]))
        optimizer.step()
        np.testing.assert_array_equal(a.data, [[0.0, 2.0], [1.0, 4.0]])

    @pytest.mark.parametrize("copier", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
    def test_copy_of_parameters_and_optimizer(self, copier):
        a, b = leaf(1.0), leaf(2.0, 3.0)
        optimizer = optim.Adam([a, b], 0.1)
        give(a, b)
        optimizer.step()
        (c, d), other = copier(([a, b], optimizer))
        assert other.param_groups[0]["params"][0] is c
        for step in range(3):
            give(a, b, c, d, value=step)
            optimizer.step()
            other.step()
        np.testing.assert_array_equal(a.data, c.data)
        np.testing.assert_array_equal(b.data, d.data)
        assert not np.shares_memory(a.data, c.data)
