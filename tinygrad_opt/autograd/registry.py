"""Which of our functions answers for which NumPy function.

Tensor's operators and methods, and NumPy's own dispatch (``np.sin(t)``), look here; so the engine imports no
operation, and declaring an operation is all it takes to make it reachable everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..errors import DetachError

__all__ = ["declared", "implementations", "implements", "lookup", "operators", "primitives"]

implementations: dict[Any, Callable[..., Any]] = {}
"""NumPy function or ufunc → what stands for it on Tensors."""

operators: dict[Any, Callable[..., Any]] = {}
"""The same, by the quickest way to call each one without options: what Tensor's operators use."""

primitives: dict[str, Any] = {}
"""Every declared Primitive by name: what the gradient tests run over."""

_F = TypeVar("_F", bound=Callable[..., Any])


def implements(*functions: Any) -> Callable[[_F], _F]:
    """Declare a function made of differentiable functions as the meaning of NumPy functions on Tensors."""

    def register(ours: _F) -> _F:
        for function in functions:
            implementations[function] = operators[function] = ours
        return ours

    return register


def lookup(function: Any) -> Callable[..., Any]:
    """The implementation of a NumPy function on Tensors.

    Raises
    ------
    DetachError
        When there is none: calling NumPy's own would drop the gradient.
    """
    try:
        return implementations[function]
    except (KeyError, TypeError):
        name = getattr(function, "__name__", repr(function))
        module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
        foreign = type(function) is np.ufunc and getattr(np, name, None) is not function  # one of scipy.special
        ways = f"Use tg.{name}, write it" if foreign and name in primitives else "Write it"
        raise DetachError(
            f"{name if foreign else f'{module}.{name}'} is not defined on Tensors, and would lose their gradient. "
            f"{ways} with functions that are (see dir(tinygrad_opt)), declare it with @tg.primitive, or pass "
            f"t.detach().numpy() on purpose."
        ) from None


def declared(name: str) -> Any:
    """The primitive of that name: how a pickled one is found again.

    Raises
    ------
    LookupError
        The module that declares it has not been imported.
    """
    if name not in primitives:
        raise LookupError(f"no primitive '{name}' is declared: import the module that declares it first.")
    return primitives[name]
