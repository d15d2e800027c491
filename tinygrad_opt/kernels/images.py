"""Moving images to and from the flat planes on which the compiled convolutions work."""

from __future__ import annotations

import numba

__all__ = ["copy", "jit", "lay", "take"]

jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
"""Decorates the convolutions' loops."""


@jit
def copy(source, target):  # type: ignore[no-untyped-def]
    """As much of a row as the target takes."""
    for t in range(target.size):
        target[t] = source[t]


@jit
def lay(x, planes, origin, stride, before, plane):  # type: ignore[no-untyped-def]
    """An image (C, H, W) into the planes of its phases (s₁ · s₂ · C, any), from `origin` on; the rest stays zero."""
    s1, s2 = stride
    channels, height, width = x.shape
    for i in range(max(0, -before[0]), min(height, plane[0] * s1 - before[0])):
        a = i + before[0]
        start = origin + a // s1 * plane[1]
        for b in range(s2):  # each phase takes every s₂-th element
            low = max(0, -((b - before[1]) // s2))
            high = min(plane[1], -((b - before[1] - width) // s2))
            j = low * s2 + b - before[1]
            phase = (a % s1 * s2 + b) * channels
            for c in range(channels):
                target, source = planes[phase + c, start + low : start + high], x[c, i, j:]
                if s2 == 1:
                    copy(source, target)
                elif s2 == 2:
                    for q in range(target.size):
                        target[q] = source[2 * q]
                else:
                    for q in range(target.size):
                        target[q] = source[q * s2]


@jit
def take(sums, row, corner, stride, count, y):  # type: ignore[no-untyped-def]
    """The cells of one phase, laid in rows of length `row`, into their places in an image (H, W)."""
    for i in range(count[0]):
        source, target = sums[i * row : i * row + count[1]], y[corner[0] + i * stride[0], corner[1] :]
        if stride[1] == 1:
            copy(source, target[: source.size])
        elif stride[1] == 2:
            for q in range(source.size):
                target[2 * q] = source[q]
        else:
            for q in range(source.size):
                target[q * stride[1]] = source[q]
