"""Who writes PyTorch's `dim` is told that an axis is called axis."""

import numpy as np
import pytest

from tinygrad_opt import nn

F = nn.functional
X = np.ones((2, 4))


@pytest.mark.parametrize(
    ("call", "name", "mend"),
    [
        (lambda: nn.Softmax(dim=1), "Softmax", "axis=1 instead of dim=1"),
        (lambda: nn.LogSoftmax(dim=-1), "LogSoftmax", "axis=-1 instead of dim=-1"),
        (lambda: nn.Softmin(dim=0), "Softmin", "axis=0 instead of dim=0"),
        (lambda: nn.GLU(dim=1), "GLU", "axis=1 instead of dim=1"),
        (lambda: nn.Flatten(start_dim=2), "Flatten", "start_axis=2 instead of start_dim=2"),
        (lambda: nn.Unflatten(dim=1, unflattened_size=(2, 2)), "Unflatten", "axis=1 instead of dim=1"),
        (lambda: nn.CosineSimilarity(dim=0), "CosineSimilarity", "axis=0 instead of dim=0"),
        (lambda: F.normalize(X, dim=1), "normalize", "axis=1 instead of dim=1"),
        (lambda: F.glu(X, dim=1), "glu", "axis=1 instead of dim=1"),
        (lambda: F.cosine_similarity(X, X, dim=1), "cosine_similarity", "axis=1 instead of dim=1"),
    ],
)
def test_dim_is_axis(call, name, mend):
    with pytest.raises(TypeError, match=f"^{name}: an axis is called 'axis' here, as in NumPy: write {mend}"):
        call()


@pytest.mark.parametrize(
    ("call", "name", "axis"),
    [
        (lambda: F.glu(X, 2), "glu", 2),
        (lambda: F.glu(X, -3), "glu", -3),
        (lambda: nn.GLU(2)(X), "glu", 2),
        (lambda: F.softmin(X, 2), "softmin", 2),
        (lambda: F.normalize(X[0]), "normalize", 1),
        (lambda: F.cosine_similarity(X[0], X[0]), "cosine_similarity", 1),
        (lambda: F.cosine_similarity(X, X, -3), "cosine_similarity", -3),
    ],
)
def test_who_meets_an_absent_axis_is_named(call, name, axis):
    with pytest.raises(np.exceptions.AxisError, match=f"^{name}: axis {axis} is out of bounds for array of dimension"):
        call()


def test_primitives_say_so_too():
    for function in (F.softmax, F.log_softmax):
        with pytest.raises(TypeError, match="an axis is called axis, as in NumPy"):
            function(X, dim=1)
