"""The text of a module: its parts, indented, with their options and parameter counts; and parts that hide."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

__all__ = ["check_precision", "missing_attribute", "module_text", "plain_options", "warn_of_hidden_parts"]


def module_text(module: Module) -> str:
    """Class, options, children and number of parameters; equal neighbours are written once.

    Examples
    --------
    >>> import tinygrad_opt as tg
    >>> tg.nn.Sequential(tg.nn.Linear(2, 16), tg.nn.Tanh(), tg.nn.Linear(16, 1))
    Sequential(  # 65 parameters
      (0): Linear(in_features=2, out_features=16, bias=True)  # 48 parameters
      (1): Tanh()
      (2): Linear(in_features=16, out_features=1, bias=True)  # 17 parameters
    )
    """
    return "\n".join(_lines(module))


def _lines(module: Module) -> list[str]:
    count = _count(module)
    first = f"{type(module).__name__}({module.extra_repr()}"
    children = [(name, _lines(child)) for name, child in module._own_modules()]
    if not children:
        return [f"{first}){count}"]
    lines = [first + count]
    for name, text in _fold(children):
        lines.append(f"  ({name}): {text[0]}")
        lines.extend("  " + line for line in text[1:])
    return [*lines, ")"]


def plain_options(module: Module) -> str:
    """The public attributes that are numbers, texts or tuples, as ``name=value``."""
    return ", ".join(
        f"{name}={value!r}"
        for name, value in vars(module).items()
        if isinstance(value, (bool, int, float, str, tuple)) and not name.startswith("_") and name != "training"
    )


def _count(module: Module) -> str:
    trained = sum(p.size for p in module.parameters() if p.requires_grad)
    total = sum(p.size for p in module.parameters())
    if not total:
        return ""
    frozen = f", {total - trained:,} of them frozen" if total > trained else ""
    return f"  # {total:,} parameter{'s' if total != 1 else ''}{frozen}"


def _fold(children: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Runs of children with the same text, as one entry: ``(0-5): 6 x Block(...)``."""
    folded: list[tuple[str, list[str]]] = []
    start = 0
    for stop in range(1, len(children) + 1):
        if stop < len(children) and children[stop][1] == children[start][1]:
            continue
        (name, text), (last, _) = children[start], children[stop - 1]
        if stop - start > 1:
            name, text = f"{name}-{last}", [f"{stop - start} x {text[0]}", *text[1:]]
        folded.append((name, text))
        start = stop
    return folded


_INSTEAD = {
    **dict.fromkeys(("to", "cpu", "cuda", "type"), "everything runs on the CPU; model.astype(np.float64) converts"),
    **dict.fromkeys(("half", "bfloat16"), "model.astype(np.float16) converts, but training is in float32 or float64"),
    "compile": "compiled kernels are used by themselves where Numba is installed",
}


def missing_attribute(module: Module, name: str) -> str:
    """What to say of an attribute that a module does not have."""
    hint = f": {_INSTEAD[name]}" if name in _INSTEAD else ""
    return f"{type(module).__name__} has no attribute {name!r}{hint}."


def check_precision(layer: Module, x: Any, weight: Any) -> None:
    """Warn, at the user's line, where data of more digits than a layer's weights makes all that follows wider too.

    Only the first layer says so: what comes to the others was computed, and has a graph.
    """
    given = getattr(x, "_node", None) is None and x.dtype.kind == "f"
    if given and x.dtype.itemsize > weight.dtype.itemsize:
        frame, level = sys._getframe(1), 2
        while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
            frame, level = frame.f_back, level + 1
        warnings.warn(
            f"{layer.label}: the weights are {weight.dtype}, the data {x.dtype}, so the result is {x.dtype} and takes "
            f"twice the time. Convert the data, x.astype(np.{weight.dtype}), or the model, model.astype(np.{x.dtype}).",
            stacklevel=level,
        )


def warn_of_hidden_parts(what: str, value: Any) -> None:
    """Warn when a plain list or dictionary holds modules or Parameters, which a module would not find there."""
    from .module import Module

    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, (Module, Parameter)):
            kind = "Module" if isinstance(part, Module) else "Parameter"
            holder = f"nn.{kind}{'Dict' if isinstance(value, dict) else 'List'}"
            warnings.warn(
                f"{what} is a plain {type(value).__name__} of {kind}s: they will not be trained or saved. Use "
                f"{holder}, or a name that begins with an underscore if that is meant.",
                stacklevel=3,
            )
            return
