"""Shape errors name the operation and the mend."""

import re

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd.modes import mode
from tinygrad_opt.errors import GradientError, ShapeError


def zeros(*shape):
    return tg.tensor(np.zeros(shape), requires_grad=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: zeros(32, 784) @ zeros(10, 784),
            "matmul: (32, 784) @ (10, 784): the inner sizes 784 and 10 differ. Did you mean the second one transposed",
        ),
        (lambda: zeros(5, 3) @ zeros(5, 4), "Did you mean the first one transposed, a.T?"),
        (lambda: zeros(2, 3, 4) @ zeros(5, 4, 2), "the leading axes (2,) and (5,) do not broadcast"),
        (lambda: zeros(2, 3) @ zeros(), "Use * to scale"),
        (
            lambda: zeros(3, 4) + zeros(3),
            "add: shapes (3, 4) and (3,) do not broadcast: axis -1 is 4 against 3. To match axis -2 instead, "
            "make the second one a column: [:, None], shape (3, 1).",
        ),
        (
            lambda: zeros(2, 3) * np.ones((2, 4)),
            "multiply: shapes (2, 3) and (2, 4) do not broadcast: axis -1 is 3 against 4",
        ),
        (lambda: zeros(2, 3).reshape(4, 2), "reshape((2, 3) float64): cannot reshape array of size 6 into shape (4,2)"),
        (lambda: np.sum(zeros(2, 3), axis=2), "axis 2 is out of bounds"),
    ],
)
def test_message(call, message):
    with pytest.raises((ShapeError, np.exceptions.AxisError), match=re.escape(message)):
        call()


def test_the_module_is_named():
    mode.module = "encoder.0"
    try:
        with pytest.raises(ShapeError, match=re.escape("(in encoder.0)")):
            zeros(2, 3) + zeros(2)
    finally:
        mode.module = ""


def test_where_the_chain_was_cut():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).detach()
    z = y + 1
    with pytest.raises(GradientError, match=r"no path.*may have been at test_messages\.py:\d+ `y = \(x \* 2\)\.detach"):
        z.sum().backward()


def test_no_line_is_named_where_none_looks_like_it():
    x = tg.tensor([1.0, 2.0])
    with pytest.raises(GradientError) as caught:
        (x * 2).sum().backward()
    assert "test_messages.py" not in str(caught.value)
