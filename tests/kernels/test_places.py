"""The table of addresses: sizes and places of writable, read-only and empty vectors."""

import numpy as np

from tinygrad_opt.kernels.places import places_of


def test_a_row_holds_the_size_and_the_addresses():
    whole = np.arange(10, dtype=np.float32)
    fixed = np.ones(4)
    fixed.flags.writeable = False
    table = places_of([[whole[2:6], fixed], [whole[:0], whole[6:6]]])
    start = whole.ctypes.data
    assert table.dtype == np.int64
    assert table.flags.c_contiguous
    assert [*table[0]] == [4, start + 8, fixed.ctypes.data]
    assert table[1, 0] == 0
