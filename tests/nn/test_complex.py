"""Complex numbers in functions whose gradients are those of real ones: refused, never wrong without a word."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.nn import functional


def number(*shape):
    rng = np.random.default_rng(0)
    return tg.Tensor(rng.standard_normal(shape) + 1j * rng.standard_normal(shape), requires_grad=True)


REFUSED = {
    "linear": lambda z: functional.linear(z, number(4, 3), number(4)),
    "convolve": lambda z: functional.conv1d(z[None], number(2, 2, 1)),
    "normalize": lambda z: functional.layer_norm(z, (3,)),
    "rms_normalize": lambda z: functional.rms_norm(z, (3,)),
    "mean_squared_error": lambda z: functional.mse_loss(z, number(2, 3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_gradient_for_real_numbers_is_refused(name):
    with pytest.raises(TypeError, match=f"{name}: its gradient is that of real numbers"):
        REFUSED[name](number(2, 3))


def test_relu_has_no_complex_numbers_to_choose_from():
    with pytest.raises(TypeError, match=r"relu.*neither positive nor negative"):
        functional.relu(number(2, 3).detach())


def test_forward_alone_computes():
    with tg.no_grad():
        z, w, b = number(2, 3), number(4, 3), number(4)
        np.testing.assert_allclose(functional.linear(z, w, b).data, z.data @ w.data.T + b.data)


def test_distances():
    a, b = number(2, 3), number(2, 3) * 2
    wanted = np.sqrt(np.sum(np.abs(a.data - b.data + 1e-6) ** 2, axis=-1))
    np.testing.assert_allclose(functional.pairwise_distance(a, b).data, wanted)
    with pytest.raises(TypeError, match="cosine_similarity is of real vectors"):
        functional.cosine_similarity(a, b)
