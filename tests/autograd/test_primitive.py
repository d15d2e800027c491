"""Declaring primitives: rules of every form, and what a wrong one is told."""

import copy
import gc
import pickle
import re

import numpy as np
import pytest

import tinygrad_opt as tg
import tinygrad_opt.nn  # its primitives are declared before a test puts the registry back
from tinygrad_opt.autograd.registry import primitives
from tinygrad_opt.errors import GradientError, ShapeError


@pytest.fixture(autouse=True)
def _leave_no_trace():
    before = dict(primitives)
    yield
    primitives.clear()
    primitives.update(before)


def leaf(value):
    return tg.tensor(np.asarray(value, dtype=float), requires_grad=True)


def test_arguments_without_a_default_are_arrays():
    @tg.primitive
    def scaled(x, factor=2.0):
        return x * factor

    @scaled.vjp(0)
    def _(g, y, _x, factor=2.0):
        return g * factor

    x = leaf([1.0, 2.0])
    scaled(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    x.grad = None
    scaled(x, factor=5.0).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    x.grad = None
    scaled(x, 7.0).sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]


def test_a_rule_for_each_of_any_number_of_arrays():
    @tg.primitive
    def weighted_sum(*arrays, weights):
        return sum(w * a for w, a in zip(weights, arrays, strict=True))

    @weighted_sum.vjp_each
    def _(position, g, y, *_arrays, weights):
        return g * weights[position]

    a, b = leaf(1.0), leaf(2.0)
    weighted_sum(a, b, a, weights=[1.0, 10.0, 100.0]).backward()
    assert (a.grad.item(), b.grad.item()) == (101.0, 10.0)


def test_a_joint_rule_is_told_what_is_needed():
    calls = []

    @tg.primitive
    def times(a, b):
        return a * b

    @times.vjp_joint
    def _(needed, g, y, a, b):
        calls.append(needed)
        return (g * b if needed[0] else None, g * a if needed[1] else None)

    a, b = leaf(2.0), leaf(3.0)
    times(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (3.0, 2.0)
    times(a, tg.tensor(5.0)).backward()
    assert calls == [(True, True), (True, False)]
    assert tg.gradcheck(times, [a, b], order=2)


def test_a_joint_rule_with_the_wrong_number_of_gradients():
    @tg.primitive
    def times(a, b):
        return a * b

    times.vjp_joint(lambda needed, g, y, a, b: (g * b,))
    with pytest.raises(GradientError, match="joint gradient rule of times returned 1 gradients for 2 arguments"):
        times(leaf(1.0), leaf(2.0)).backward()


def test_several_outputs():
    @tg.primitive
    def polar(x, y):
        return np.hypot(x, y), np.arctan2(y, x)

    @polar.vjp(0)
    def _(g, out, x, y):
        return g[0] * x / out[0] - g[1] * y / (out[0] * out[0])

    @polar.vjp(1)
    def _(g, out, x, y):
        return g[0] * y / out[0] + g[1] * x / (out[0] * out[0])

    x, y = leaf(3.0), leaf(4.0)
    r, angle = polar(x, y)
    (r + angle * 25).backward()
    assert x.grad.item() == pytest.approx(3 / 5 - 4)
    assert y.grad.item() == pytest.approx(4 / 5 + 3)
    assert tg.gradcheck(polar, [x, y], order=2)


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (lambda g, y, x: None, GradientError, "rule of wrong for argument 0 returned NoneType"),
        (lambda g, y, x: "text", GradientError, "returned str; it must return an array of shape (3,)"),
        (lambda g, y, x: np.ones(4), ShapeError, "returned shape (4,); the argument has shape (3,)"),
        (lambda g, y, x: g[0], ShapeError, "returned shape ()"),
        (lambda g, y, x: g * np.ones((3, 3)), ShapeError, "returned shape (3, 3); the argument has shape (3,)"),
    ],
)
def test_a_wrong_rule_is_named_when_it_runs(rule, error, message):
    wrong = tg.primitive(lambda x: x * 1, name="wrong", vjp=[rule])
    x = leaf([1.0, 2.0, 3.0])
    with pytest.raises(error, match=re.escape(message)):
        wrong(x).sum().backward()
    assert x.grad is None


def test_a_rule_may_use_tensors_and_our_functions():
    f = tg.primitive(lambda x: np.sin(x), name="sine", vjp=[lambda g, y, x: g * tg.cos(x)])
    x = leaf([0.3, 0.4])
    f(x).sum().backward()
    np.testing.assert_allclose(x.grad.data, np.cos(x.data))
    assert type(x.grad.data) is np.ndarray
    assert tg.gradcheck(f, [x], order=2)


def test_an_argument_without_a_rule():
    f = tg.primitive(lambda x, y: x * np.round(y), name="rounded", vjp=[lambda g, out, _x, y: g * np.round(y)])
    x, y = leaf(2.0), leaf(3.2)
    f(x, y.detach()).backward()
    assert x.grad.item() == 3.0
    with pytest.raises(GradientError, match="rounded has no gradient with respect to argument 1"):
        f(x, y)


def test_an_option_that_requires_a_gradient_is_refused():
    f = tg.primitive(lambda x, scale=1.0: x * scale, name="scaled", vjp=[lambda g, y, _x, scale=1.0: g * scale])
    with pytest.raises(GradientError, match="no gradient flows through the option scale"):
        f(leaf(1.0), scale=leaf(2.0))
    assert f(leaf(1.0), scale=tg.tensor(2.0)).item() == 2.0


def test_functions_without_a_gradient():
    assert not (leaf(1.0) > 0).requires_grad


def test_vjp_position_out_of_range():
    with pytest.raises(ValueError, match="it has array arguments 0 to 0"):
        tg.primitive(lambda x: x, name="one").vjp(1)


def test_lists_and_numbers_alone_become_the_default_dtype():
    assert tg.exp(1.0).dtype == np.float32
    assert tg.add([1.0], 2.0).dtype == np.float32
    assert tg.add(1, 2).dtype == np.int64


def test_samples_come_as_args_and_kwargs():
    f = tg.primitive(lambda x: x, name="identity", samples=lambda rng: [(1.0,), ((2.0,), {"axis": 0})])
    assert f.samples() == [((1.0,), {}), ((2.0,), {"axis": 0})]


def test_declaring_registers():
    assert primitives["multiply"].formula == "a · b"
    f = tg.primitive(lambda x: x, name="declared_here")
    assert primitives["declared_here"] is f


def test_arrays_given_by_name():
    x = leaf([1.0, 2.0, 6.0])
    np.mean(a=x).backward()
    np.testing.assert_allclose(x.grad.data, [1 / 3] * 3)
    assert np.transpose(a=leaf([[1.0, 2.0]]), axes=(1, 0)).shape == (2, 1)


def test_a_list_takes_the_precision_of_the_array_beside_it():
    assert (leaf([1.0, 2.0]) * [0.1, 0.2]).tolist() == [0.1, 0.4]
    assert (tg.tensor([1.0, 2.0]) * [0.1, 0.2]).dtype == np.float32
    assert (tg.tensor([1, 2]) * [0.5, 0.5]).dtype == np.float64  # as NumPy promotes int64 with float32


def test_copies_and_pickles_of_a_primitive_are_the_primitive():
    relu = tg.nn.functional.relu
    assert copy.deepcopy(relu) is copy.copy(relu) is pickle.loads(pickle.dumps(relu)) is relu
    with pytest.raises(LookupError, match="no primitive 'unheard_of' is declared: import the module"):
        pickle.loads(pickle.dumps(tg.autograd.Primitive(lambda x: x, name="unheard_of", arrays=1)))


def test_no_primitive_hides_another_of_its_name():
    made = [o for o in gc.get_objects() if issubclass(type(o), tg.autograd.Primitive)]  # isinstance asks proxies
    own = [o for o in made if o.__module__.startswith(("tinygrad_opt", "numpy"))]
    registered = tg.autograd.registry.primitives
    ours = [o for o in own if o.name in registered]  # other tests make some that they do not register
    assert len(ours) > 150
    assert [o for o in ours if registered[o.name] is not o] == []
