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
        (lambda: nn.LogSoftmax(dim=-1), "Softmax", "axis=-1 instead of dim=-1"),
        (lambda: nn.GLU(dim=1), "Softmax", "axis=1 instead of dim=1"),
        (lambda: nn.Flatten(start_dim=2), "Flatten", "start_axis=2 instead of start_dim=2"),
        (lambda: nn.Unflatten(dim=1, unflattened_size=(2, 2)), "Unflatten", "axis=1 instead of dim=1"),
        (lambda: nn.CosineSimilarity(dim=0), "CosineSimilarity", "axis=0 instead of dim=0"),
        (lambda: F.normalize(X, dim=1), "normalize", "axis=1 instead of dim=1"),
        (lambda: F.glu(X, dim=1), "glu", "axis=1 instead of dim=1"),
        (lambda: F.cosine_similarity(X, X, dim=1), "cosine_similarity", "axis=1 instead of dim=1"),
    ],
)
def test_dim_is_axis(call, name, mend):
    with pytest.raises(TypeError, match=f"{name}: an axis is called 'axis' here, as in NumPy: write {mend}"):
        call()


def test_primitives_say_so_too():
    for function in (F.softmax, F.log_softmax):
        with pytest.raises(TypeError, match="an axis is called axis, as in NumPy"):
            function(X, dim=1)
