"""A Tensor's memory is laid out as NumPy's functions lay it out, and gradients flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import gradcheck

ARRAYS = {
    "rows": np.arange(6.0).reshape(2, 3),
    "columns": np.arange(6.0).reshape(2, 3).T,
    "every other": np.arange(12.0).reshape(2, 6)[:, ::2],
    "no axes": np.array(2.0),
    "read-only": np.broadcast_to(np.arange(3.0), (2, 3)),
}
CALLS = {
    "asanyarray": ("asanyarray", {}),
    "asarray_chkfinite": ("asarray_chkfinite", {}),
    "ascontiguousarray": ("ascontiguousarray", {}),
    "asfortranarray": ("asfortranarray", {"dtype": np.float32}),
    "require": ("require", {}),
    "require F": ("require", {"requirements": "F"}),
    "require C and own memory": ("require", {"requirements": ["C", "W", "O"], "dtype": "f4"}),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_as_numpy_lays_it_out(call: tuple[str, dict[str, Any]], array: Any) -> None:
    name, options = call
    expected = getattr(np, name)(array, **options)
    tensor = tg.from_numpy(array).requires_grad_()
    found = getattr(tg, name)(tensor, **options)
    assert np.array_equal(found.data, expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.data.flags.c_contiguous == expected.flags.c_contiguous
    assert found.data.flags.f_contiguous == expected.flags.f_contiguous
    assert (found is tensor) == (expected is array)
    double = options | {"dtype": None}  # for differences
    assert gradcheck(lambda t: getattr(tg, name)(t, **double) ** 2, (array,), order=2)


def test_what_is_not_finite_is_refused() -> None:
    for value in (np.inf, np.nan):
        with pytest.raises(ValueError, match=r"asarray_chkfinite: the array holds an infinity or NaN"):
            tg.asarray_chkfinite([1.0, value])
