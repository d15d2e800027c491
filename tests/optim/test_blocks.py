"""Large parameters on NumPy: blocks on several threads, each done once, and nothing lost of what happens there."""

import os
import threading

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import optim
from tinygrad_opt.kernels import kernels, threads
from tinygrad_opt.optim import blocks

SIZE = 2 * blocks.PART + 5


@pytest.fixture(params=[1, 3])
def several(request, monkeypatch):
    """So many threads, on NumPy."""
    monkeypatch.setattr(threads, "workers", lambda: request.param)
    monkeypatch.setattr(blocks, "workers", lambda: request.param)
    monkeypatch.setattr(blocks, "PART", 8)
    blocks._pool.cache_clear()
    before = kernels()
    kernels("numpy")
    yield request.param
    kernels(before)
    blocks._pool.cache_clear()


@pytest.mark.parametrize("size", [1, 7, 8, 63, 64, 65, 100])
def test_each_element_is_done_once(several, size):
    times, seen = np.zeros(size, int), set()

    def work(part):
        seen.add(threading.get_ident())
        times[part] += 1
        return False

    assert not blocks.in_blocks(size, 8, work)
    assert (times == 1).all()
    assert len(seen) <= several


def test_several_threads_are_at_work_at_once(several):
    barrier = threading.Barrier(several, timeout=30)
    blocks.in_blocks(8 * several, 8, lambda part: barrier.wait() < 0)


@pytest.mark.parametrize("place", range(0, 64, 8))
def test_what_one_block_finds_is_told(several, place):
    assert blocks.in_blocks(64, 8, lambda part: part.start == place)


@pytest.mark.parametrize("place", [0, 8])
def test_an_error_arrives_when_all_have_stopped(several, place):
    done = []

    def work(part):
        if part.start == place:
            raise MemoryError("of this block")
        done.append(part.start)
        return False

    with pytest.raises(MemoryError, match="of this block"):
        blocks.in_blocks(24, 8, work)
    count = len(done)
    assert several == 1 or count == 2
    threading.Event().wait(0.01)
    assert len(done) == count


def large(value=1.0):
    p = tg.tensor(np.ones(SIZE, np.float32), requires_grad=True, name="weight")
    p.grad = np.full(SIZE, value, np.float32)
    return p


def test_a_large_step_is_the_rule(several):
    rng = np.random.default_rng(0)
    p = tg.tensor(rng.standard_normal(SIZE), requires_grad=True)
    expected, m, v = p.data.copy(), np.zeros(SIZE), np.zeros(SIZE)
    optimizer = optim.Adam([p], 0.1)
    rule, values = optim.Adam.rule, optimizer._values(0)
    for t in (1, 2, 3):
        g = rng.standard_normal(SIZE)
        p.grad = g.copy()
        optimizer.step()
        hyper = {name: {**values, "t": t}[name] for name in rule.hyper}
        expected, m, v, _ = rule.function(expected, g, m, v, None, **hyper)
        np.testing.assert_array_equal(p.data, expected)


@pytest.mark.parametrize("place", [0, SIZE // 2, SIZE - 1])
def test_a_nan_is_told_of(several, place):
    p = large()
    p.grad.data[place] = np.nan
    with pytest.warns(optim.OptimizerWarning, match=rf"'weight' has 1 of {SIZE} .* nan at \({place},\)"):
        optim.SGD([p], 0.1).step()
    assert np.isnan(p.data).sum() == 1


def test_overflow_in_a_thread_stops_nothing(several):
    p = large(1e30)
    with np.errstate(all="raise"):
        optim.Adam([p], 0.1).step()
    assert np.isfinite(p.data).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(several):
    p = large()
    optimizer = optim.SGD([p], 0.5)
    optimizer.step()
    child = os.fork()
    if child == 0:
        optimizer.step()
        os._exit(0 if (p.data == 0).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
