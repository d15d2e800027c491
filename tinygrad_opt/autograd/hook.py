"""Functions that look at a gradient on its way, and may replace it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ShapeError
from .node import Leaf, Node
from .tensor import Tensor, new_tensor

__all__ = ["Hook"]


class Hook:
    """A handle for a hook on a Tensor's gradient; ``remove()`` takes the hook away."""

    def __init__(self, node: Node | Leaf, hook: Callable[[Tensor], Tensor | None]) -> None:
        if isinstance(node, Node):
            self._hooks = node.extra().hooks
        else:
            if node.hooks is None:
                node.hooks = {}
            self._hooks = node.hooks
        self._key = object()  # not id(self): a handle that nobody keeps gives its id to the next one

        def run(gradient: Any) -> Any:
            lifted = isinstance(gradient, Tensor)
            given = gradient if lifted else new_tensor(np.asarray(gradient), None)
            new = hook(given)
            if new is None:
                return gradient
            if new.shape != given.shape:
                raise ShapeError(f"a gradient hook returned shape {new.shape} for a gradient of shape {given.shape}.")
            return new if lifted else new.data

        self._hooks[self._key] = run

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self._key, None)
