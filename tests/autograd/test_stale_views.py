"""A view of a parameter shares its memory: what used the view is stale once an optimizer has written there."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.errors import StaleValueError


@pytest.mark.parametrize("n", [3, 100], ids=["small", "large"])
@pytest.mark.parametrize(
    "view",
    [lambda w: w.T, lambda w: w[1:], lambda w: w.T.reshape(-1, 1, w.shape[0])[0], lambda w: np.expand_dims(w, 0)],
    ids=["transposed", "sliced", "view of a view", "expanded"],
)
def test_a_changed_view_is_refused(view, n):
    w = tg.nn.Parameter(np.ones((n, n)))
    x = tg.tensor(np.ones(n), requires_grad=True)
    y = (x @ view(w).mT).sum() if view(w).shape[-1] == n else (x * view(w)).sum()
    w.write_(np.zeros((n, n)))
    with pytest.raises(StaleValueError, match="changed by an optimizer step"):
        y.backward()
    assert x.grad is None


def test_what_shares_no_memory_is_not_refused():
    b = tg.nn.Parameter(np.ones(3))
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    y = (x + b).sum()
    b.write_(np.zeros(3))
    y.backward()  # addition reads neither operand
    assert b.grad.tolist() == [2.0, 2.0, 2.0]
