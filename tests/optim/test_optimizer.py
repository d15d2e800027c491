"""The base class: groups, what a wrong call is told, and that nothing is ever half updated."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError, ShapeError, StaleValueError


def leaf(*values, dtype=np.float64, name=None):
    return tg.Tensor(np.array(values, dtype), requires_grad=True, name=name)


def give(*params, value=1.0):
    for p in params:
        p.grad = tg.Tensor(np.full(p.shape, value, p.dtype))


class TestConstruction:
    def test_three_ways_to_give_parameters(self):
        a, b = leaf(1.0), leaf(2.0)
        assert len(optim.SGD([a, b]).param_groups[0]["params"]) == 2
        named = optim.SGD([("fc.weight", a), ("fc.bias", b)])
        assert named.param_groups[0]["param_names"] == ["fc.weight", "fc.bias"]
        grouped = optim.SGD([{"params": [a], "lr": 0.5}, {"params": b}], lr=0.1, momentum=0.9)
        assert [g["lr"] for g in grouped.param_groups] == [0.5, 0.1]
        assert all(g["momentum"] == 0.9 for g in grouped.param_groups)

    def test_generator(self):
        assert len(optim.SGD(p for p in [leaf(1.0)]).param_groups) == 1

    @pytest.mark.parametrize(
        ("make", "error", "text"),
        [
            (lambda: optim.Adam([], 0.1), ValueError, "empty"),
            (lambda: optim.Adam(leaf(1.0)), TypeError, r"Adam\(\[w\]"),
            (lambda: optim.Adam({leaf(1.0)}), TypeError, "set"),
            (lambda: optim.Adam(3), TypeError, "int"),
            (lambda: optim.Adam([np.ones(2)]), TypeError, "parameter 0 is a ndarray"),
            (lambda: optim.Adam([leaf(1.0)], beta=(0.9, 0.99)), TypeError, "did you mean 'betas'"),
            (lambda: optim.Adam([leaf(1.0)], learning_rate=1.0), TypeError, "'learning_rate'; did you mean 'lr'"),
            (lambda: optim.Adam([leaf(1.0)], fused=True), TypeError, "leave out 'fused'"),
            (lambda: optim.Adam([leaf(1.0)], -0.1), ValueError, r"lr must lie in \[0, inf\), got -0.1"),
            (lambda: optim.Adam([leaf(1.0)], float("nan")), ValueError, "lr"),
            (lambda: optim.Adam([leaf(1.0)], float("inf")), ValueError, "lr"),
            (lambda: optim.Adam([leaf(1.0)], "0.1"), TypeError, "lr must be a number"),
            (lambda: optim.Adam([leaf(1.0)], betas=(0.9, 1.0)), ValueError, "betas"),
            (lambda: optim.Adam([leaf(1.0)], betas=0.9), TypeError, "betas must be 2 numbers"),
            (lambda: optim.Adam([leaf(1.0)], amsgrad=1), TypeError, "amsgrad must be True or False"),
            (lambda: optim.Momentum([leaf(1.0)]), TypeError, "needs a value for lr"),
            (lambda: optim.SGD([leaf(1.0)], 0.1, nesterov=True), ValueError, "nesterov"),
            (lambda: optim.SGD([leaf(1.0)], 0.1, lr=0.1), TypeError, "two values for lr"),
            (lambda: optim.SGD([tg.Tensor(np.ones(2))], 0.1), GradientError, "requires a gradient"),
            (lambda: optim.SGD([leaf(1.0) * 2], 0.1), GradientError, "computed from other"),
            (lambda: optim.SGD([tg.Tensor(np.ones(2, int))], 0.1), TypeError, "int64"),
            (lambda: optim.SGD([{"lr": 0.1}]), ValueError, "params"),
            (lambda: optim.SGD([{"params": [leaf(1.0)], "momentun": 0.1}]), TypeError, "'momentum'"),
        ],
    )
    def test_a_wrong_call_says_so(self, make, error, text):
        with pytest.raises(error, match=text):
            make()

    def test_the_same_tensor_twice(self):
        a = leaf(1.0)
        with pytest.raises(ValueError, match="parameters 0 and 1 are the same"):
            optim.SGD([a, a])
        optimizer = optim.SGD([a])
        with pytest.raises(ValueError, match="the same"):
            optimizer.add_param_group({"params": [a]})
        assert len(optimizer.param_groups) == 1

    def test_two_tensors_on_one_memory(self):
        a = leaf(1.0, 2.0)
        b = tg.Tensor(a.data, requires_grad=True, name="copy")
        with pytest.raises(ValueError, match="share memory"):
            optim.SGD([a, b])

    def test_a_model_instead_of_its_parameters(self):
        class Model:
            def parameters(self):
                return []

        with pytest.raises(TypeError, match=r"model.parameters\(\)"):
            optim.SGD(Model())
        with pytest.raises(TypeError, match=r"model.parameters\(\)"):
            optim.SGD(tg.nn.Sequential(tg.nn.Linear(2, 2)))

    def test_the_signature_is_shown(self):
        import inspect

        assert list(inspect.signature(optim.Adam).parameters)[:3] == ["params", "lr", "betas"]
        assert inspect.signature(optim.Momentum).parameters["lr"].default is inspect.Parameter.empty

    def test_repr(self):
        text = repr(optim.Adam([leaf(1.0, 2.0)], 0.1))
        assert "√v̂ + ε" in text
        assert "lr=0.1" in text
        assert "2 numbers" in text


ALL = sorted(
    name
    for name, cls in vars(optim).items()
    if isinstance(cls, type) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer
)


@pytest.mark.parametrize("name", ALL)
def test_every_hyperparameter_is_checked(name):
    """NaN, text and numbers below the range are refused by name; so is a misspelling, with a suggestion."""
    cls = getattr(optim, name)
    w = tg.Tensor(np.ones((2, 2)), requires_grad=True)
    for key, default in cls.defaults.items():
        for bad in (float("nan"), "much", -1.5 if key != "beta2_decay" else 0.5):
            if key == "ns_coefficients" and bad == -1.5:
                continue
            value = (bad,) * len(default) if isinstance(default, tuple) else bad
            with pytest.raises((TypeError, ValueError), match=rf"{cls.__name__}: {key} "):
                cls([w], **{"lr": 0.1, key: value})
        if isinstance(default, int) and not isinstance(default, bool):
            with pytest.raises(TypeError, match=f"{key} must be a whole number"):
                cls([w], **{"lr": 0.1, key: 2.5})
        if len(key) > 2:
            with pytest.raises(TypeError, match=f"did you mean '{key}'"):
                cls([w], **{"lr": 0.1, key[:1] + key[2:] + key[1]: default})


def test_a_misspelling_written_into_a_group_is_told():
    """Assigned later, as in ``group["learning_rate"] = 0.1``, it would change nothing and say nothing."""
    w = leaf(3.0)
    optimizer = optim.Adam([w], 0.5)
    give(w)
    optimizer.step()
    value = w.data.copy()
    optimizer.param_groups[0]["learning_rate"] = 0.1
    with pytest.raises(TypeError, match="'learning_rate'; did you mean 'lr'"):
        optimizer.step()
    np.testing.assert_array_equal(w.data, value)
    del optimizer.param_groups[0]["learning_rate"]
    optimizer.step()
    assert optimizer.state[w]["step"] == 2


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
        optimizer = optim.Adam([{"params": [c]}, {"params": [a, b]}], 0.1)
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

    def test_nonfinite_may_be_let_through(self):
        a = leaf(1.0)
        give(a, value=np.inf)
        optim.SGD([a], 0.1, error_if_nonfinite=False).step()
        assert a.data[0] == -np.inf

    def test_a_large_finite_gradient_is_finite(self):
        a = leaf(1.0, dtype=np.float32)
        give(a, value=1e30)
        optim.SGD([a], 1e-30).step()
        assert a.data[0] == 0

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
