"""What all tests share: the same random numbers each time, and no collecting of scripts that are run by hand.

The checks of all gradients and the property tests draw from another seed on request:
``TEST_SEED=7 python -m pytest tests/ops -k "primitives or properties"``.
"""

import pytest

import tinygrad_opt as tg

collect_ignore_glob = ["benchmarks/*", "*make_*.py", "*/make_*.py"]


@pytest.fixture(autouse=True)
def _same_random_numbers():
    tg.manual_seed(0)
