"""Writing into a Tensor's memory, so that graphs recorded before are known to be stale."""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import Leaf, next_number
from .tensor import Tensor

__all__ = ["overwrite"]


def overwrite(tensor: Tensor, values: Any) -> None:
    """Put values into a Tensor's memory; graphs recorded before refuse to go on with what they kept of it.

    Where the data cannot be written to, the Tensor gets memory of its own: a read-only array, or the NumPy scalar that
    ``p.data * 0.5`` makes of an array without axes.
    """
    if tensor.data.flags.writeable:
        tensor.data[...] = values
    else:
        tensor.data = np.full(tensor.shape, values, tensor.dtype)
    if isinstance(tensor._node, Leaf):
        tensor._node.written = next_number()
