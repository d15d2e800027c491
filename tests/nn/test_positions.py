import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.nn.positions import sinusoids


def test_sinusoids_are_the_papers():
    table = sinusoids(20, 6)
    for position in (0, 7, 19):
        for i in range(3):
            angle = position / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(table[position, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)])
    assert sinusoids(4, 5).shape == (4, 5)


@pytest.mark.parametrize("kind", [nn.SinusoidalPositions, nn.LearnedPositions])
def test_positions_are_added_along_the_length(kind):
    x = np.zeros((2, 5, 4), np.float32)
    plain, swapped = kind(4, 8, batch_first=True), kind(4, 8)
    swapped.load_state_dict(plain.state_dict())
    y = plain(x).data
    np.testing.assert_array_equal(y[0], y[1])
    assert np.abs(y[0, 0] - y[0, 1]).max() > 1e-3
    np.testing.assert_array_equal(swapped(np.swapaxes(x, 0, 1)).data, np.swapaxes(y, 0, 1))
    with pytest.raises(ShapeError, match="L up to 8"):
        plain(np.zeros((2, 9, 4)))


def test_rotated_products_depend_on_the_distance_alone():
    rng = np.random.default_rng(0)
    q, k = (np.repeat(rng.standard_normal((1, 6)), 9, axis=0) for _ in range(2))
    rotate = nn.functional.rotate_positions
    products = rotate(q).data @ rotate(k).data.T
    for distance in (-3, 0, 4):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0])
    np.testing.assert_allclose(np.linalg.norm(rotate(q).data, axis=1), np.linalg.norm(q, axis=1))
    np.testing.assert_allclose(rotate(q).data[0], q[0])
    gradcheck(rotate, [rng.standard_normal((2, 3, 4))], order=2)
    with pytest.raises(ShapeError, match="must be even"):
        rotate(np.ones((2, 3)))
    for shape in ((), (4,)):
        with pytest.raises(ShapeError, match=r"rotate_positions: expected x of shape \(..., L, E\)"):
            rotate(np.ones(shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SinusoidalPositions(-4), "SinusoidalPositions: d_model must be an int >= 0, got -4"),
        (lambda: nn.SinusoidalPositions(4, 1.5), "SinusoidalPositions: max_len must be an int >= 0, got 1.5"),
        (lambda: nn.SinusoidalPositions(4, dropout=2.0), "SinusoidalPositions: dropout must be a probability"),
        (lambda: nn.LearnedPositions(4, -1), "LearnedPositions: max_len must be an int >= 0, got -1"),
        (lambda: sinusoids(-1, 4), "sinusoids: length must be an int >= 0, got -1"),
    ],
)
def test_wrong_options(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
