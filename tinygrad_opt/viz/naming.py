"""Names for what a picture shows, taken from the caller's own variables and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor
from .trace import Trace

__all__ = ["class_names", "is_module", "local_names"]


def is_module(thing: Any) -> bool:
    """Whether this is a model: something with named parameters and named modules."""
    kind = type(thing)  # asking the class runs no code of the object's own
    return callable(getattr(kind, "named_parameters", None)) and callable(getattr(kind, "named_modules", None))


def local_names(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Tensors and arrays by the names of the variables that hold them, parameters by their path; and the models.

    Names that begin with an underscore are left out.
    """
    names: dict[str, Any] = {}
    models: list[Any] = []
    for name, thing in variables.items():
        if not name.startswith("_") and isinstance(thing, (Tensor, np.ndarray)):
            names[name] = thing
        elif is_module(thing) and not any(thing is model for model in models):
            models.append(thing)
    for model in models:
        names |= {path: p for path, p in model.named_parameters() if path not in names}
    return names, models


def class_names(models: Sequence[Any], trace: Trace) -> dict[str, str]:
    """The class name of each module by its path; nothing unless just one of the models takes part in the graph."""
    part = [m for m in models if any(id(p._node) in trace.values for p in m.parameters())]
    if len(part) != 1:
        return {}
    return {path: type(module).__name__ for path, module in part[0].named_modules() if path}
