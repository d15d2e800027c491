"""The gradient checker must catch what is wrong: planted errors of every kind."""

import numpy as np
import pytest

import tinygrad_opt as tg
import tinygrad_opt.nn  # its primitives are declared before a test puts the registry back
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.errors import GradientError


@pytest.fixture(autouse=True)
def _leave_no_trace():
    before = dict(primitives)
    yield
    primitives.clear()
    primitives.update(before)


def square(rule):
    return tg.primitive(lambda x: x * x, name="square_with_a_rule", vjp=[rule])


X = np.array([0.3, -1.2, 2.0])


def test_accepts_a_right_rule():
    assert tg.gradcheck(square(lambda g, y, x: g * 2 * x), [X], order=2)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: g * x,  # a factor
        lambda g, y, x: -g * 2 * x,  # a sign
        lambda g, y, x: 2 * x + 0 * g,  # forgets the upstream gradient
        lambda g, y, x: np.where(np.arange(3) == 2, 0.0, g * 2 * x),  # wrong for one element
    ],
)
def test_refuses_a_wrong_rule(rule):
    with pytest.raises(GradientError, match="the rule gives .* the central difference"):
        tg.gradcheck(square(rule), [X])


def test_second_order_finds_a_stashed_intermediate():
    stash = {}

    @tg.primitive(name="stashing")
    def stashing(x):
        stash["twice"] = 2 * x
        return x * x

    stashing.vjp(0)(lambda g, y, _x: g * stash["twice"])
    assert tg.gradcheck(stashing, [X])
    with pytest.raises(GradientError, match="second order"):
        tg.gradcheck(stashing, [X], order=2)


def test_read_only_gradients_find_a_rule_that_writes():
    def rule(g, y, x):
        g *= 2 * x
        return g

    with pytest.raises(ValueError, match="read-only"):
        tg.gradcheck(square(rule), [X], readonly_upstream=True)


def test_several_inputs_and_outputs():
    assert tg.gradcheck(lambda x, y: (x * y, x / y), [X, np.array([1.0, 2.0, 3.0])], order=2)


def test_a_missing_gradient_is_found():
    with pytest.raises(GradientError, match="the rule gives 0"):
        tg.gradcheck(lambda x: x.detach() * 2, [X])


def test_nothing_to_check():
    with pytest.raises(GradientError, match="nothing to check"):
        tg.gradcheck(lambda x: x, [np.array([1, 2])])


def test_the_sweep_tells_a_wrong_rule():
    with pytest.raises(GradientError, match=r"1e-04: .*They settle at .*, so the rule is wrong"):
        tg.gradcheck(square(lambda g, y, x: g * x), [X])


def test_the_sweep_tells_a_kink():
    with pytest.raises(GradientError, match="They do not settle: the function has a kink"):
        tg.gradcheck(lambda x: np.sqrt(np.abs(x)), [np.array([1e-9])])


def test_the_sweep_tells_a_step_that_is_too_small():
    with pytest.raises(GradientError, match="They settle at what the rule gives: pass eps=1e-0"):
        tg.gradcheck(lambda x: x * x, [X], eps=1e-14)


def test_the_dtype_is_advised_on():
    with pytest.raises(GradientError, match=r"computes in float32, .* mostly rounding: .* float64 \(model\.double"):
        tg.gradcheck(lambda x: np.sin(x.astype(np.float32)), [X])


def test_complex_outputs_are_checked():
    assert tg.gradcheck(lambda x: np.exp(x * 1j), [X], order=2)
    wrong = tg.primitive(lambda x: np.exp(1j * x), name="turned", vjp=[lambda g, y, x: np.real(g * y)])
    with pytest.raises(GradientError, match="the rule gives"):
        tg.gradcheck(wrong, [X])
