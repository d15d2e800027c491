"""Turning NumPy's shape errors into messages that name the operation and the likely mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from .modes import mode

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["explain_failure", "refuse_options"]

_MENDS = {
    "Singular matrix": "add a small multiple of the identity, or use pinv or lstsq",
    "not positive definite": "add a small multiple of the identity, or see whether it is symmetric",
    "keyword argument 'dim'": "an axis is called axis, as in NumPy",
    "keyword argument 'keepdim'": "it is called keepdims, as in NumPy",
    "zero-size array to reduction": "give initial=, or see to it that there is an element",
    "does not have an identity": "where nothing is left there is no result without it",
    "of an empty sequence": "see to it that there is an element",
    "float16 is unsupported in linalg": "compute it in float32: t.astype(np.float32)",
    "negative integer powers": "make the base a float: t.astype(np.float32)",
    "must have same number of dimensions": "np.expand_dims adds an axis, np.stack joins along a new one",
    "all input arrays must have the same shape": "np.concatenate joins unequal lengths, np.pad makes them equal",
    "zero-dimensional arrays cannot be concatenated": "np.stack joins them",
    "must be at least two-dimensional": "a vector becomes a column with [:, None]",
    "must be square": "lstsq and pinv take any matrix",
    "could not be safely coerced": "convert first, t.astype(dtype), if such values mean something there",
}
"""What NumPy's messages contain, and what most likely mends it."""


_REFUSED = {"where", "dtype", "casting", "order", "axes", "signature"}


def refuse_options(ufunc: str, options: dict[str, Any]) -> None:
    """Raise TypeError for options of a ufunc that its gradient rule could not follow."""
    if refused := _REFUSED & options.keys():
        raise TypeError(
            f"np.{ufunc} on Tensors takes no {', '.join(sorted(refused))}=. Choose with np.where(condition, …, …), "
            f"convert with t.astype(dtype), put axes in their places with np.moveaxis."
        )


def explain_failure(primitive: Primitive, error: Exception, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Exception:
    """The exception to raise when a primitive's forward function has raised `error`."""
    arrays = [value for value in inputs if isinstance(value, np.ndarray)]
    shapes = [array.shape for array in arrays]
    where = f" (in {mode.module})" if mode.module else ""
    message = str(error)
    if primitive.name == "matmul" and len(arrays) == 2:
        return ShapeError(_matmul(*shapes) + where)
    if "broadcast" in message and len(arrays) > 1:
        return ShapeError(_broadcast(primitive.name, shapes) + where)
    for beginning, mend in _MENDS.items():
        if beginning in message:
            message = f"{message.rstrip('.')}; {mend}."
            break
    got = ", ".join(f"{a.shape} {a.dtype}" for a in arrays)
    options = "".join(f", {key}={value!r}" for key, value in kwargs.items() if not isinstance(value, np.ndarray))
    kind = ShapeError if type(error) is ValueError else TypeError if isinstance(error, TypeError) else type(error)
    return kind(f"{primitive.name}({got}{options}): {message}{where}")


def _broadcast(name: str, shapes: Sequence[tuple[int, ...]]) -> str:
    text = f"{name}: shapes " + " and ".join(map(str, shapes)) + " do not broadcast"
    if len(shapes) == 2:
        a, b = sorted(shapes, key=len, reverse=True)
        for axis in range(1, len(b) + 1):
            if a[-axis] != b[-axis] and 1 not in (a[-axis], b[-axis]):
                text += f": axis -{axis} is {a[-axis]} against {b[-axis]}"
                if len(b) == 1 and len(a) > 1 and a[-2] == b[0]:
                    text += f". To match axis -2 instead, make the second one a column: [:, None], shape ({b[0]}, 1)"
                break
    return text + "."


def _matmul(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if not a or not b:
        return f"matmul: {a} @ {b}: a 0-d array cannot be multiplied as a matrix. Use * to scale."
    inner = b[-2] if len(b) > 1 else b[0]
    text = f"matmul: {a} @ {b}: the inner sizes {a[-1]} and {inner} differ"
    if a[-1] == inner:
        return f"matmul: {a} @ {b}: the leading axes {a[:-2]} and {b[:-2]} do not broadcast."
    if len(b) > 1 and a[-1] == b[-1]:
        text += ". Did you mean the second one transposed, b.T?"
    elif len(a) > 1 and a[-2] == inner:
        text += ". Did you mean the first one transposed, a.T?"
    return text + ("" if text.endswith("?") else ".")
