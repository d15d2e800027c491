"""Options of NumPy's functions that have no meaning for Tensors: refused, with what to write instead."""

from __future__ import annotations

from typing import Any

from ..errors import DetachError

__all__: list[str] = []


def no_out(name: str, out: Any) -> None:
    """Raise DetachError for an array to write into, which would not know the gradient."""
    if out is not None:
        raise DetachError(f"{name}: Tensors know no out=, which would lose their gradient; assign the result.")


def on_cpu(device: Any) -> None:
    """Raise ValueError for any device but the CPU."""
    if device not in (None, "cpu"):
        raise ValueError(f"device={device!r}: everything is on the CPU here; leave device away.")
