"""The signature of an optimizer's class as ``help()`` shows it: hyperparameters by name, which it has from a table."""

from __future__ import annotations

import inspect

from .groups import REQUIRED

__all__ = ["signature_of"]


def signature_of(cls: type, base: type) -> inspect.Signature | None:
    """The parameters, the hyperparameters with their defaults, and what else `cls` and `base` take by keyword.

    None for a class whose ``__init__`` names all that it takes.
    """
    kind = inspect.Parameter
    own = list(inspect.signature(cls.__init__).parameters.values())  # type: ignore[misc]
    if not any(p.kind is kind.VAR_KEYWORD for p in own):
        return None
    hyper = cls.defaults  # type: ignore[attr-defined]
    shown = [kind("params", kind.POSITIONAL_OR_KEYWORD)]
    for name, default in hyper.items():
        value = kind.empty if default is REQUIRED else default
        shown.append(kind(name, kind.POSITIONAL_OR_KEYWORD, default=value))
    common = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
    only = {p.name: p for p in (*own, *common) if p.kind is p.KEYWORD_ONLY and p.name not in hyper}
    return inspect.Signature([*shown, *only.values()])
