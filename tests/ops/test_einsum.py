"""einsum gives NumPy's values and right gradients for every kind of expression."""

import numpy as np
import pytest

import tinygrad_opt as tg

EXPRESSIONS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ij,kj->ki": [(2, 3), (4, 3)],
    "bhqd,bhkd->bhqk": [(2, 1, 3, 2), (2, 1, 2, 2)],
    "i,i": [(3,), (3,)],
    "i,j->ji": [(3,), (2,)],
    "ij->ji": [(2, 3)],
    "ij->": [(2, 3)],
    "ba": [(2, 3)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(2, 2, 3)],
    "iji,j->i": [(2, 3, 2), (3,)],
    "iii->i": [(2, 2, 2)],
    "ij,ij->ij": [(2, 3), (2, 3)],
    "ij,ij->i": [(2, 3), (2, 3)],
    ",ij->ij": [(), (2, 3)],
    "ij,jk,kl->il": [(2, 3), (3, 2), (2, 2)],
    "i,ij,j->": [(2,), (2, 3), (3,)],
    "i,i,i->i": [(3,), (3,), (3,)],
    "ij,ij,ij->": [(2, 2), (2, 2), (2, 2)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (2, 3, 2)],
    "...,...": [(2, 3), (3,)],
    "i...->...": [(2, 3)],
    "a...b,b...->...a": [(2, 3, 2), (2, 1)],
    "ij,ij->j": [(1, 3), (2, 3)],
    "ij,jk->k": [(2, 0), (0, 3)],
    "zi,zi->z": [(0, 3), (0, 3)],
}


@pytest.mark.parametrize(("expression", "shapes"), EXPRESSIONS.items(), ids=EXPRESSIONS)
def test_values_and_gradients(expression, shapes):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    expected = np.einsum(expression, *arrays)
    for optimize in ("greedy", False):
        found = np.einsum(expression, *map(tg.tensor, arrays), optimize=optimize)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-13)
    tg.gradcheck(lambda *a: tg.einsum(expression, *a), arrays, order=2, readonly_upstream=True)


def test_interleaved_form_and_given_path():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(tg.einsum(tg.tensor(a), [0, 1], b, [1, 2], [0, 2]).numpy(), a @ b)
    np.testing.assert_allclose(tg.einsum(a, [5, 1], tg.tensor(b), [1, 2]).numpy(), np.einsum(a, [5, 1], b, [1, 2]))
    np.testing.assert_allclose(
        tg.einsum(tg.tensor(a), [..., 0], b, [0, 1], [..., 1]).numpy(), np.einsum("...a,ab->...b", a, b)
    )
    path = ["einsum_path", (1, 2), (0, 1)]
    np.testing.assert_allclose(tg.einsum("ij,jk,kl", a, b, b.T, optimize=path).numpy(), a @ b @ b.T)
    np.testing.assert_allclose(
        tg.einsum("ij,jk,kl", a, b, b.T, optimize=["einsum_path", (0, 1, 2)]).numpy(), a @ b @ b.T
    )


def test_a_product_of_matrices_is_one_node():
    a, b = tg.tensor(np.ones((2, 3)), requires_grad=True), tg.tensor(np.ones((3, 2)), requires_grad=True)
    assert list(tg.einsum("ij,jk->ki", a, b)._node.parents)[:2] == [a._node, b._node]


@pytest.mark.parametrize(
    ("expression", "shapes", "message"),
    [
        ("ij,jk", [(2, 3), (4, 2)], r"index 'j' is 3 in one place and 4 in operand 1"),
        ("ii", [(1, 3)], r"'i' is repeated in operand 0, but its extents in shape \(1, 3\) differ"),
        ("ij", [(2,)], r"operand 0 has shape \(2,\), its term is 'ij'"),
        ("ij,jk", [(2, 3)], "2 terms for 1 operands"),
        ("ij->ik", [(2, 3)], r"names \['k'\], which no operand has"),
        ("ij->ii", [(2, 3)], "names a letter twice"),
        ("i1", [(2, 3)], "expected letters"),
    ],
)
def test_wrong_expressions_are_named(expression, shapes, message):
    with pytest.raises(ValueError, match=message):
        tg.einsum(expression, *[np.ones(shape) for shape in shapes])
