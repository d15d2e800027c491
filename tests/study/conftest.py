"""What the tests of studies share."""

import pytest

from tinygrad_opt.study.contenders import contenders
from tinygrad_opt.study.tasks import tasks


@pytest.fixture
def registries():
    """What a test registers is gone after it."""
    before = {**tasks}, {**contenders}
    yield
    for registry, kept in zip((tasks, contenders), before, strict=True):
        registry.clear()
        registry.update(kept)
