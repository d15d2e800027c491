"""What the options of layers must be: sizes that are whole numbers, and probabilities."""

from __future__ import annotations

from typing import Any

__all__ = ["check_probability", "check_sizes"]


def check_sizes(name: str, least: int = 0, **sizes: Any) -> None:
    """Raise unless all `sizes` of the layer or function `name` are ints, NumPy's among them, of at least `least`.

    Raises
    ------
    ValueError
        One is no int, or too small.

    Examples
    --------
    >>> check_sizes("LSTM", 1, input_size=3, hidden_size=0)
    Traceback (most recent call last):
    ValueError: LSTM: hidden_size must be an int >= 1, got 0.
    """
    for option, size in sizes.items():
        if not hasattr(type(size), "__index__") or size < least:
            raise ValueError(f"{name}: {option} must be an int >= {least}, got {size!r}.")


def check_probability(name: str, p: Any, option: str = "p") -> None:
    """Raise unless `p`, the `option` of the layer or function `name`, is a number in [0, 1].

    Raises
    ------
    ValueError
    """
    try:
        fits = bool(0 <= p <= 1)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"{name}: {option} must be a probability in [0, 1], got {p!r}.")
