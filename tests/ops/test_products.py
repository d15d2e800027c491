"""Every product agrees with NumPy's, and its gradient with central differences."""

import numpy as np
import pytest

import tinygrad_opt as tg

CASES = [
    (np.dot, [(), (2, 3)], {}),
    (np.dot, [(3,), (3,)], {}),
    (np.dot, [(2, 3), (3,)], {}),
    (np.dot, [(2, 3), (3, 2)], {}),
    (np.dot, [(2, 3), (2, 3, 2)], {}),
    (np.dot, [(2, 2, 3), (3,)], {}),
    (np.vdot, [(3,), (3,)], {}),
    (np.vdot, [(2, 2), (4,)], {}),
    (np.inner, [(), (3,)], {}),
    (np.inner, [(3,), (3,)], {}),
    (np.inner, [(2, 3), (2, 2, 3)], {}),
    (np.outer, [(3,), (2,)], {}),
    (np.outer, [(2, 2), ()], {}),
    (np.tensordot, [(2, 3), (2, 3)], {}),
    (np.tensordot, [(2, 3), (3, 2)], {"axes": ([0, 1], [1, 0])}),
    (np.tensordot, [(2, 3, 2), (3, 2)], {"axes": (1, 0)}),
    (np.tensordot, [(2,), (3,)], {"axes": 0}),
    (np.tensordot, [(2, 0), (0, 3)], {"axes": 1}),
    (np.vecdot, [(2, 3), (3,)], {}),
    (np.vecdot, [(3, 2), (3, 1)], {"axis": 0}),
    (np.matvec, [(2, 3), (4, 3)], {}),
    (np.vecmat, [(2,), (4, 2, 3)], {}),
    (np.cross, [(3,), (3,)], {}),
    (np.cross, [(2, 3), (3,)], {}),
    (np.cross, [(3, 2), (3, 1)], {"axis": 0}),
    (np.cross, [(3, 2), (2, 3)], {"axisa": 0, "axisc": 0}),
    (np.linalg.cross, [(3, 2), (3, 2)], {"axis": 0}),
    (np.kron, [(2,), (3,)], {}),
    (np.kron, [(2, 2), (3,)], {}),
    (np.kron, [(), (2, 2)], {}),
    (np.kron, [(2, 1), (2, 1, 3)], {}),
    (np.trace, [(3, 3)], {}),
    (np.trace, [(2, 3)], {"offset": 1}),
    (np.trace, [(2, 3, 3)], {"axis1": 1, "axis2": -1}),
    (np.linalg.trace, [(2, 3, 4)], {"offset": -1}),
    (np.linalg.matmul, [(2, 3), (3, 2)], {}),
    (np.linalg.outer, [(2,), (3,)], {}),
    (np.linalg.tensordot, [(2, 3), (3, 2)], {"axes": 1}),
    (np.linalg.vecdot, [(2, 3), (2, 3)], {}),
]


@pytest.mark.parametrize(
    ("function", "shapes", "options"), CASES, ids=lambda v: getattr(v, "__name__", str(v).replace(" ", ""))
)
def test_values_and_gradients(function, shapes, options):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    expected = function(*arrays, **options)
    found = function(*map(tg.tensor, arrays), **options)
    assert isinstance(found, tg.Tensor)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
    tg.gradcheck(lambda *a: function(*a, **options), arrays, order=2, readonly_upstream=True)


@pytest.mark.parametrize("shapes", [[(2, 3), (3, 4)], [(3,), (3, 2), (2, 5), (5, 2)], [(2, 3), (3, 2), (2,)]])
def test_multi_dot(shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    found = np.linalg.multi_dot([tg.tensor(a) for a in arrays])
    np.testing.assert_allclose(found.numpy(), np.linalg.multi_dot(arrays), rtol=1e-12)
    tg.gradcheck(lambda *a: tg.multi_dot(a), arrays, order=2)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6, -1, -2])
def test_matrix_power(n):
    a = np.random.default_rng(0).standard_normal((2, 2, 2)) + 3 * np.eye(2)
    np.testing.assert_allclose(
        tg.matrix_power(tg.tensor(a), n).numpy(), np.linalg.matrix_power(a, n), rtol=1e-11, atol=1e-13
    )
    tg.gradcheck(lambda x: tg.matrix_power(x, n), [a], order=2)


def test_complex_products_have_the_conjugate_in_their_gradient():
    a, b = np.array([1 + 2j, 3 - 1j]), np.array([2 - 1j, 1j])
    x = tg.tensor(a, requires_grad=True)
    np.real(x @ b).backward()
    np.testing.assert_allclose(x.grad.numpy(), b.conj())  # PyTorch's convention
    np.testing.assert_allclose(np.vdot(tg.tensor(a), b).item(), np.vdot(a, b))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.tensordot(np.ones((2, 3)), np.ones((4, 2)), 1), r"axis -1 .*\(2, 3\).*3 is not 4"),
        (lambda: tg.tensordot(np.ones(2), np.ones(2), 2), "do not pair up"),
        (lambda: tg.cross(np.ones(2), np.ones(2)), r"extent 3, got shapes \(2,\)"),
        (lambda: tg.matrix_power(np.ones((2, 3)), 2), r"square matrices, got shape \(2, 3\)"),
        (lambda: tg.multi_dot([np.ones(2)]), "at least two"),
        (lambda: tg.multi_dot([np.ones((2, 3)), np.ones((2, 3))]), "inner sizes 3 and 2 differ"),
        (lambda: tg.multi_dot([np.ones((2, 3)), np.ones(3), np.ones((3, 3))]), "vectors only at the ends"),
    ],
)
def test_wrong_calls_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
