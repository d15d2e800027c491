"""The few exception types of the package, and where in the user's code something happened.

Every message names the function, what it got, what it wanted, and the likely mend.
"""

from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class ShapeError(ValueError):
    """Arrays whose shapes do not fit the operation, the layer or the loss."""


class GradientError(RuntimeError):
    """A gradient that was asked for and cannot be had: no path, not a scalar, a wrong rule."""


class FreedGraphError(GradientError):
    """A second backward pass through a graph whose saved arrays are gone."""


class StaleValueError(GradientError):
    """A backward pass through a value that an optimizer has changed since the graph was made."""


class DetachError(TypeError):
    """A conversion or a call that would drop a gradient without a word."""


class MissingExtraError(ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    """The error for an absent optional package, e.g. ``raise missing_extra("numba", "fast", "...")``."""
    return MissingExtraError(f"{purpose} needs {package}: pip install 'tinygrad-opt[{extra}]'")


def user_location() -> str:
    """File and line of the innermost call that is not inside this package, as ``train.py:41``."""
    path, line = user_place()
    return f"{os.path.basename(path)}:{line}"


def user_place() -> tuple[str, int]:
    """The same as a path and a line number, for those who may never need the text."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
