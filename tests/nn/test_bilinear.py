"""Bilinear maps: what wrong calls get."""

import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError

F = nn.functional
X1, X2, WEIGHT = np.ones((2, 3)), np.ones((2, 4)), np.ones((5, 3, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.bilinear(X1, X2, np.ones((3, 4))),
            ShapeError,
            r"a weight of shape \(out, in1, in2\).* got \(3, 4\)",
        ),
        (lambda: F.bilinear(X1, X2, WEIGHT, np.ones(4)), ShapeError, r"bias of shape \(out,\) .* and \(4,\)"),
        (lambda: F.bilinear(X1, X2, WEIGHT, np.ones((7, 2, 5))), ShapeError, r"and \(7, 2, 5\)"),
        (lambda: F.bilinear(X1, X1, WEIGHT), ShapeError, r"wants inputs \(..., 3\) and \(..., 4\)"),
        (lambda: nn.Bilinear(0, 1, 1), ValueError, "Bilinear: in1_features must be an int >= 1, got 0"),
        (lambda: nn.Bilinear(1.5, 1, 1), ValueError, "Bilinear: in1_features must be an int >= 1, got 1.5"),
        (lambda: nn.Bilinear(1, -1, 1), ValueError, "Bilinear: in2_features must be an int >= 0, got -1"),
    ],
)
def test_wrong_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()
