"""A gradient rule that returns the wrong number, shape or dtype of gradients is named when it runs."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import GradientError, ShapeError


def twice(rule):
    op = tg.Primitive(lambda a: a * 2, name="twice")
    op.vjp(0)(rule)
    return op


def times(rule):
    op = tg.Primitive(lambda a, b: a * b, name="times")
    op.vjp_joint(rule)
    return op


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("rule", "kind", "message"),
    [
        (lambda g, y, x: np.ones(5), ShapeError, r"twice for argument 0 returned shape \(5,\).*has shape \(2, 3\)"),
        (lambda g, y, x: np.ones((4, 2, 1)), ShapeError, r"returned shape \(4, 2, 1\)"),
        (lambda g, y, x: np.ones((4, 2, 3)), ShapeError, r"returned shape \(4, 2, 3\)"),
        (lambda g, y, x: None, GradientError, r"twice for argument 0 returned NoneType; .* shape \(2, 3\)"),
        (lambda g, y, x: (g, g), GradientError, "returned tuple"),
        (lambda g, y, x: 3.0, GradientError, "returned float"),
        (lambda g, y, x: np.ones((2, 3), bool), GradientError, "returned an array of bool; .* as float64"),
        (lambda g, y, x: np.ones((2, 3), int), GradientError, "returned an array of int[0-9]*; .* as float64"),
        (lambda g, y, x: np.full((2, 3), "a"), GradientError, "returned an array of <U1"),
        (lambda g, y, x: np.ones((2, 3), object), GradientError, "returned an array of object"),
    ],
)
def test_one_rule(rule, kind, message, create_graph):
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(kind, match=message):
        twice(rule)(x).sum().backward(create_graph=create_graph)
    assert x.grad is None


@pytest.mark.parametrize(
    ("rule", "kind", "message"),
    [
        (lambda needed, g, y, a, b: (g,), GradientError, "joint gradient rule of times returned 1 gradients for 2"),
        (lambda needed, g, y, a, b: (g, g, g), GradientError, "returned 3 gradients for 2"),
        (lambda needed, g, y, a, b: g, GradientError, "returned ndarray for 2 arguments; it must return a tuple"),
        (lambda needed, g, y, a, b: None, GradientError, "rule of times returned NoneType for 2 arguments"),
        (lambda needed, g, y, a, b: (g, g[0, :2]), ShapeError, r"times for argument 1 returned shape \(2,\)"),
        (lambda needed, g, y, a, b: (None, g), GradientError, "times for argument 0 returned NoneType"),
    ],
)
def test_joint_rules(rule, kind, message):
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(kind, match=message):
        times(rule)(x, x).sum().backward()
    assert x.grad is None


def test_what_fits_after_all_is_fitted():
    x = tg.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    twice(lambda g, y, x: np.ones((2, 3)))(x).sum().backward()  # the dtype is brought back
    assert x.grad.dtype == np.float32
    times(lambda needed, g, y, a, b: (g * b, g * a))(x, np.ones((5, 2, 3))).sum().backward()  # broadcasting is undone
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [[6.0] * 3] * 2
    z = tg.tensor(2.0, requires_grad=True)
    twice(lambda g, y, x: 2.0)(z).backward()
    assert z.grad.item() == 2


def test_a_wrong_rule_of_a_ufunc_is_named_in_the_middle_of_a_chain_every_time():
    op = tg.Primitive(np.exp, name="shortened", vjp=[lambda g, y, _x: (g * y)[:2]])
    x = tg.tensor(np.ones(3), requires_grad=True)
    for _ in range(2):
        with pytest.raises(ShapeError, match="rule of shortened for argument 0 returned shape"):
            op(x * 1).sum().backward()
    op.vjp(0)(lambda g, y, _x: g * y)
    op(x * 1).sum().backward()
    np.testing.assert_allclose(x.grad.data, np.e)
    op.vjp(0)(lambda g, y, _x: (g * y)[:2])
    with pytest.raises(ShapeError, match="rule of shortened"):
        op(x * 1).sum().backward()
