"""What an optimizer is given: parameters, groups, hyperparameters, and what a wrong call is told."""

import numpy as np
import pytest
from optim_helpers import ALL, give, leaf

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.errors import GradientError


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
            (lambda: optim.Adam([leaf(1.0), {"params": [leaf(1.0)]}]), TypeError, "is a dict.*every group as a dict"),
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
