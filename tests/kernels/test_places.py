"""The address of an array, whether writable, read-only or empty."""

import numpy as np

from tinygrad_opt.kernels.places import address_of


def test_it_is_the_address_that_numpy_gives():
    whole = np.arange(10, dtype=np.float32)
    fixed = np.ones((4, 2))
    fixed.flags.writeable = False
    assert address_of(whole[2:6]) == whole.ctypes.data + 8
    assert address_of(fixed) == fixed.ctypes.data
    assert address_of(np.empty((3, 0))) != 0
