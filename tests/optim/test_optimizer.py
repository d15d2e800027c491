"""The base class: the step, what a wrong use is told, and that nothing is ever half updated."""

import copy
import warnings

import numpy as np
import pytest
from optim_helpers import give, leaf

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError, StaleValueError


class TestStep:
    def test_closure(self):
        w = leaf(3.0)
        optimizer = optim.SGD([w], 0.5)

        def closure():
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            return loss

        with tg.no_grad():
            assert optimizer.step(closure).item() == 9.0
        assert w.data[0] == 0.0

    @pytest.mark.parametrize(
        "make",
        [
            optim.SGD, optim.Prodigy, lambda p: optim.Lookahead(optim.SGD(p)), lambda p: optim.AGC(optim.SGD(p)),
            lambda p: optim.Accumulate(optim.SGD(p), 2),
        ],
    )  # fmt: skip
    def test_a_loss_in_place_of_a_closure(self, make):
        w = leaf(3.0)
        give(w)
        with pytest.raises(TypeError, match=r"step takes a function.*got Tensor.*loss.backward\(\), then step\(\)"):
            make([w]).step((w * w).sum())
        assert w.data.tolist() == [3.0]

    @pytest.mark.parametrize("name", ["SGD", "Adafactor", "LAMB", "LARS", "Muon", "NovoGrad", "SOAP", "Shampoo"])
    def test_a_parameter_of_no_elements(self, name):
        """It has a gradient of no elements, and nothing to update."""
        params = [tg.Tensor(np.ones(shape), requires_grad=True) for shape in ((0, 3), (2, 3))]
        give(*params)
        getattr(optim, name)(params, lr=0.1).step()
        assert params[0].shape == (0, 3)
        assert np.all(params[1].data < 1)

    def test_gradients_are_left_alone(self):
        w = leaf(1.0, 2.0)
        for make in (optim.Adam, optim.SGD, optim.Adagrad, optim.RMSprop):
            w.grad = None
            give(w)
            kept = w.grad
            make([w], 0.1, maximize=True, weight_decay=0.1).step()
            assert w.grad is kept
            np.testing.assert_array_equal(kept.data, [1.0, 1.0])

    def test_a_nan_names_the_parameter_and_nothing_moves(self):
        a, b, c = leaf(1.0, name="fc.weight"), leaf(2.0, 3.0, name="fc.bias"), leaf(1.0)
        optimizer = optim.Adam([{"params": [c]}, {"params": [a, b]}], 0.1, error_if_nonfinite=True)
        give(a, b, c)
        optimizer.step()
        before = [p.data.copy() for p in (a, b, c)]
        saved = optimizer.state_dict()
        give(a, c)
        b.grad = tg.Tensor(np.array([1.0, np.nan]))
        with pytest.raises(GradientError, match=r"'fc.bias' has 1 of 2 .* nan at \(1,\)"):
            optimizer.step()
        for p, old in zip((a, b, c), before, strict=True):
            np.testing.assert_array_equal(p.data, old)
        assert_same_state(saved, optimizer.state_dict())

    @pytest.mark.parametrize("kind", [optim.SGD, optim.LARS])
    def test_by_default_a_step_with_nan_is_made_whole_and_told_of_once(self, kind):
        a, b = leaf(1.0, name="fc.weight"), leaf(2.0, 3.0, name="fc.bias")
        optimizer = kind([a, b], 0.1)
        give(a)
        b.grad = tg.Tensor(np.array([1.0, np.nan]))
        with pytest.warns(optim.OptimizerWarning, match=r"'fc.bias' has 1 of 2 .* nan at \(1,\).*error_if_nonfinite"):
            optimizer.step()
        assert a.data[0] < 1
        assert np.isnan(b.data[1])
        optimizer.step()

    def test_an_infinity_does_as_in_pytorch(self):
        a = leaf(1.0)
        give(a, value=np.inf)
        with pytest.warns(optim.OptimizerWarning, match="inf at"):
            optim.SGD([a], 0.1).step()
        assert a.data[0] == -np.inf

    @pytest.mark.parametrize("strict", [False, True])
    def test_a_large_finite_gradient_is_finite(self, strict):
        a = leaf(1.0, dtype=np.float32)
        give(a, value=1e30)
        optim.SGD([a], 1e-30, error_if_nonfinite=strict).step()
        assert a.data[0] == 0

    @pytest.mark.parametrize("kind", [optim.SGD, optim.LARS])
    def test_what_the_user_does_about_overflow_does_not_stop_a_step(self, kind):
        a, b = leaf(1.0, dtype=np.float32), leaf(1.0, dtype=np.float32)
        give(a, b, value=1e30)
        with np.errstate(all="raise"):
            kind([a, b], 1e30).step()
        assert a.data[0] == b.data[0]

    def test_no_gradient_at_all(self):
        with pytest.raises(GradientError, match=r"none of the 1 parameters .* loss.backward\(\)"):
            optim.SGD([leaf(1.0)]).step()
        a = leaf(1.0)
        optimizer = optim.SGD([a])
        a.requires_grad_(False)
        with pytest.raises(GradientError, match="frozen"):
            optimizer.step()
        optim.SGD([leaf(1.0)], allow_unused=True).step()

    def test_some_without_gradient_are_named_once(self):
        a, b = leaf(1.0, name="used"), leaf(1.0, name="head.weight")
        optimizer = optim.SGD([a, b], 0.1)
        give(a)
        with pytest.warns(optim.OptimizerWarning, match="1 of 2 parameters have no gradient.*head.weight") as told:
            optimizer.step()
        assert told[0].filename == __file__
        optimizer.step()
        assert b.data[0] == 1.0
        assert a.data[0] == pytest.approx(0.8)

    def test_summed_gradients_are_told_once(self):
        a = leaf(1.0, name="w")
        optimizer = optim.SGD([a], 0.1)
        for _ in range(2):
            (a * 2).sum().backward()
        with pytest.warns(optim.OptimizerWarning, match=r"summed over 2 backward\(\) calls .*'w'"):
            optimizer.step()
        optimizer.step()
        assert a.data[0] == pytest.approx(1 - 0.4 - 0.4)

    def test_accumulating_on_purpose(self):
        a = leaf(1.0)
        for _ in range(2):
            (a * 2).sum().backward()
        optim.SGD([a], 0.1, accumulates=True).step()

    def test_zero_grad(self):
        a = leaf(1.0)
        give(a)
        kept = a.grad
        optimizer = optim.SGD([a])
        optimizer.zero_grad(set_to_none=False)
        assert a.grad.data[0] == 0.0
        assert kept.data[0] == 1.0
        optimizer.zero_grad()
        assert a.grad is None

    def test_a_graph_from_before_the_step_is_stale(self):
        a = leaf(2.0)
        loss = (a * a).sum()
        give(a)
        optim.SGD([a], 0.1).step()
        with pytest.raises(StaleValueError):
            loss.backward()

    def test_hyperparameters_may_change_and_are_checked(self):
        a = leaf(1.0)
        optimizer = optim.SGD([a], 0.1)
        give(a)
        optimizer.param_groups[0]["lr"] = np.float64(0.5)
        optimizer.step()
        assert a.data[0] == 0.5
        optimizer.param_groups[0]["lr"] = -1
        with pytest.raises(ValueError, match="lr"):
            optimizer.step()

    def test_a_numpy_number_does_not_promote(self):
        a = leaf(1.0, dtype=np.float32)
        give(a)
        optimizer = optim.Adam([a], np.float64(0.1))
        optimizer.step()
        assert a.dtype == np.float32

    def test_the_users_errstate_is_no_trap(self):
        a = leaf(1.0, 1.0, dtype=np.float32)
        a.grad = tg.Tensor(np.array([1e-30, 1e30], np.float32))
        with np.errstate(all="raise"):
            optim.Adam([a], 0.1).step()
        assert np.isfinite(a.data).all()

    def test_a_gradient_of_another_dtype_is_converted(self):
        a = leaf(1.0, dtype=np.float32)
        a.grad = tg.Tensor(np.ones(1))
        optim.SGD([a], 0.5).step()
        assert a.dtype == np.float32
        assert a.data[0] == 0.5


class TestBadRules:
    def make(self, rule, **defaults):
        return type("Bad", (optim.Optimizer,), {"rule": rule, "defaults": {"lr": 0.1, **defaults}})

    def test_wrong_number_of_results(self):
        @optim.update_rule(state=("m",))
        def forgets_its_state(p, g, m, *, lr):
            return p - lr * g

        a = leaf(1.0)
        give(a)
        with pytest.raises(TypeError, match="returned 1 values"):
            self.make(forgets_its_state)([a]).step()
        assert a.data[0] == 1.0

    def test_wrong_shape(self):
        @optim.update_rule()
        def sums(p, g, *, lr):
            return (p - lr * g).sum()

        a = leaf(1.0, 2.0)
        give(a)
        with pytest.raises(TypeError, match=r"of shape \(\)"):
            self.make(sums)([a]).step()

    def test_wrong_signature(self):
        with pytest.raises(TypeError, match="hyperparameters go behind"):

            @optim.update_rule()
            def no_star(p, g, lr):
                return p - lr * g

    def test_a_hyperparameter_without_a_default(self):
        @optim.update_rule()
        def half(p, g, *, lr, share):
            return p - lr * share * g

        w = leaf(1.0)
        give(w)
        self.make(half, share=0.0)([w]).step()
        with pytest.raises(TypeError, match=r"half takes share, which Bad does not.*optim.table\(…, share=…\)"):
            self.make(half)([w]).step()
        assert w.data.tolist() == [1.0]

    def test_a_norm_in_a_rule_that_is_declared_elementwise(self):
        """It would be taken over the flat buffer, that is, over several parameters, or a block of one."""

        def normalized(p, g, v, *, lr):
            return p - lr * g / np.sqrt(np.sum(g * g)), v

        a, b = leaf(1.0, 2.0), leaf(3.0)
        give(a, b)
        with pytest.raises(TypeError, match="an element depends on the others.*elementwise=False"):
            self.make(optim.update_rule(state=("v",))(normalized))([a, b]).step()
        assert [a.data.tolist(), b.data.tolist()] == [[1.0, 2.0], [3.0]]
        self.make(optim.update_rule(state=("v",), elementwise=False)(normalized))([a, b]).step()
        np.testing.assert_allclose(b.data, [2.9])

    def test_a_state_passed_on_as_another(self):
        @optim.update_rule(state=("last", "last_but_one", "p_before"))
        def shifts(p, g, last, last_but_one, p_before, *, lr):
            return p - lr * g, g, last, p

        a = leaf(10.0)
        optimizer = self.make(shifts)([a], lr=1.0)
        for value in (1.0, 2.0, 4.0):
            give(a, value=value)
            optimizer.step()
        state = optimizer.state[a]
        assert [state[k][0] for k in ("last", "last_but_one", "p_before")] == [4.0, 2.0, 7.0]


def test_parameters_that_left_the_model():
    class Model:
        def __init__(self):
            self.parts = {"fc.weight": leaf(1.0, name="fc.weight"), "fc.bias": leaf(1.0, name="fc.bias")}

        def named_parameters(self):
            return self.parts.items()

    model = Model()
    optimizer = optim.SGD(model.named_parameters(), 0.1)
    optimizer.check(model)
    model.parts["fc.weight"] = leaf(2.0)
    with pytest.warns(
        optim.OptimizerWarning, match=r"holds 1 parameter no longer .*fc.weight.*; the optimizer lacks 1"
    ):
        optimizer.check(model)


@pytest.mark.parametrize("make", [optim.Prodigy, lambda p: optim.LBFGS(p, lr=0.01), optim.LAMB])
def test_copies_of_optimizers_with_a_state_of_their_own(make):
    a = leaf(1.0, 2.0)
    optimizer = make([a])

    def closure(w):
        w.grad = tg.Tensor(w.data.copy())
        return tg.Tensor(np.sum(w.data**2) / 2)

    optimizer.step(lambda: closure(a))
    b, other = copy.deepcopy((a, optimizer))
    for _ in range(3):
        optimizer.step(lambda: closure(a))
        other.step(lambda: closure(b))
    np.testing.assert_array_equal(a.data, b.data)


def assert_same_state(one, other):
    assert one["param_groups"] == other["param_groups"]
    assert one["state"].keys() == other["state"].keys()
    for key, entry in one["state"].items():
        assert entry.keys() == other["state"][key].keys()
        for name, value in entry.items():
            np.testing.assert_array_equal(value, other["state"][key][name])


def test_no_warning_in_an_ordinary_loop():
    w = leaf(1.0, 2.0)
    optimizer = optim.Adam([w], 0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
