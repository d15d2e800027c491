"""The arithmetic of sliding windows, which convolution, pooling and folding share: sizes, paddings and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.modes import mode
from ..errors import ShapeError

__all__ = ["Pairs", "as_tuple", "expected_axes", "layer_name", "output_sizes", "symmetric"]

Pairs = tuple[tuple[int, int], ...]


def as_tuple(value: Any, count: int, what: str, least: int = 1) -> tuple[int, ...]:
    """`value`, an int or one for each axis, as a tuple of `count` ints that are at least `least`.

    Raises
    ------
    ValueError
        Another number of values, or one that is no int or too small.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == count:
        numbers = tuple(value)
    else:
        numbers = (value,) * count
    if not all(hasattr(number, "__index__") and int(number) >= least for number in numbers):
        raise ValueError(f"{what}: expected an int >= {least} or {count} of them, got {value!r}.")
    return tuple(int(number) for number in numbers)


def symmetric(padding: Sequence[int]) -> Pairs:
    """The same padding before and after each axis."""
    return tuple((p, p) for p in padding)


def layer_name(name: str) -> str:
    """A layer's name with the path of the running module: ``model.3 (Conv2d)``."""
    return f"{mode.module} ({name})" if mode.module else name


def expected_axes(name: str, axes: int, shape: tuple[int, ...]) -> str:
    """What to say of an x that has not `axes` axes behind its channels."""
    dims = ", ".join("DHW"[3 - axes :]) if axes > 1 else "L"
    return f"{layer_name(name)}: expected (N, C, {dims}) or (C, {dims}), got {shape}."


def output_sizes(
    name: str,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    """How many windows fit along each axis: ⌊(size + padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.

    With `ceil_mode`, ⌈…⌉ instead, but no window starts in the padding behind the last element.

    Raises
    ------
    ShapeError
        When the window is larger than the padded input.
    """
    sizes = []
    for n, k, s, (before, after), d in zip(size, kernel, stride, padding, dilation, strict=True):
        room = n + before + after - d * (k - 1) - 1
        if room < 0:
            raise ShapeError(
                f"{layer_name(name)}: a window of {tuple(kernel)} with dilation {tuple(dilation)} does not fit into "
                f"an input of {tuple(size)} with padding {padding}. Use a smaller kernel or more padding."
            )
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + before:
            count -= 1
        sizes.append(count)
    return tuple(sizes)
