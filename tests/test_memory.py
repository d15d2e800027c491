"""Keeping freed memory: it takes effect, changes no result, and can be undone."""

import platform
import resource
import sys

import numpy as np
import pytest

import tinygrad_opt as tg

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these options")


@pytest.fixture(autouse=True)
def _undo():
    yield
    tg.keep_memory(False)


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _page_faults_of_large_temporaries() -> int:
    for _ in range(3):
        np.ones(1 << 22).sum()
    before = _faults()
    for _ in range(20):
        np.ones(1 << 22).sum()
    return _faults() - before


@glibc
def test_large_arrays_are_not_faulted_in_again():
    tg.keep_memory(False)
    without = _page_faults_of_large_temporaries()
    assert tg.keep_memory()
    assert _page_faults_of_large_temporaries() < without / 4


def test_elsewhere_it_says_that_it_did_nothing(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert tg.keep_memory() is False
