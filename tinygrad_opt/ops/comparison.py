"""Comparisons, logic and bits: functions whose output has no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.primitive import Primitive, primitive
from .samples import Samples, binary, integers, unary

__all__: list[str] = []


def _plain(function: Any, samples: Samples, **options: Any) -> Primitive:
    """Declare a function whose output has no gradient."""
    __all__.append(function.__name__)
    made: Primitive = primitive(function, samples=samples, differentiable=False, **options)
    return made


equal = _plain(np.equal, binary(), formula="a = b")
not_equal = _plain(np.not_equal, binary(), formula="a ≠ b")
less = _plain(np.less, binary(), formula="a < b")
less_equal = _plain(np.less_equal, binary(), formula="a ≤ b")
greater = _plain(np.greater, binary(), formula="a > b")
greater_equal = _plain(np.greater_equal, binary(), formula="a ≥ b")
logical_and = _plain(np.logical_and, binary(), formula="a ∧ b")
logical_or = _plain(np.logical_or, binary(), formula="a ∨ b")
logical_xor = _plain(np.logical_xor, binary(), formula="a ⊻ b")
logical_not = _plain(np.logical_not, unary(), formula="¬x")
bitwise_and = _plain(np.bitwise_and, integers(count=2), formula="a & b")
bitwise_or = _plain(np.bitwise_or, integers(count=2), formula="a | b")
bitwise_xor = _plain(np.bitwise_xor, integers(count=2), formula="a ^ b")
invert = _plain(np.invert, integers(), formula="~x")
left_shift = _plain(np.left_shift, integers(count=2), formula="a << b")
right_shift = _plain(np.right_shift, integers(count=2), formula="a >> b")
isnan = _plain(np.isnan, unary())
isinf = _plain(np.isinf, unary())
isfinite = _plain(np.isfinite, unary())
signbit = _plain(np.signbit, unary())
gcd = _plain(np.gcd, integers(1, 12, count=2), formula="greatest common divisor")
lcm = _plain(np.lcm, integers(1, 12, count=2), formula="least common multiple")
bitwise_count = _plain(np.bitwise_count, integers(), formula="number of bits set")

bitwise_invert = bitwise_not = invert
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift
__all__ += ["bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_right_shift"]
