"""no_grad and its kin: nesting, decorators, exceptions, threads."""

import asyncio
import contextvars
import threading

import numpy as np
import pytest

import tinygrad_opt as tg


def leaf():
    return tg.tensor(np.ones(2), requires_grad=True)


def test_nesting():
    x = leaf()
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
        assert not tg.is_grad_enabled()
    assert (x * 2).requires_grad


def test_decorator():
    @tg.no_grad()
    def evaluate(x):
        return x * 2

    assert not evaluate(leaf()).requires_grad
    assert evaluate.__name__ == "evaluate"


def test_restored_after_an_exception():
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert tg.is_grad_enabled()


def test_one_object_entered_twice():
    mode = tg.no_grad()
    with mode:
        with mode:
            pass
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled()


def test_other_threads_keep_recording():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_tasks_of_one_thread_keep_recording():
    seen = []

    async def quiet(entered, leave):
        with tg.no_grad():
            entered.set()
            await leave.wait()
            seen.append(("quiet", tg.is_grad_enabled()))

    async def recording(entered, leave):
        await entered.wait()
        seen.append(("recording", tg.is_grad_enabled()))
        leave.set()

    async def both():
        entered, leave = asyncio.Event(), asyncio.Event()
        await asyncio.gather(quiet(entered, leave), recording(entered, leave))

    asyncio.run(both())
    assert seen == [("recording", True), ("quiet", False)]
    assert tg.is_grad_enabled()


def test_a_thread_with_a_copy_of_the_context_switches_for_itself():
    context = contextvars.copy_context()

    def quiet():
        tg.set_grad_enabled(False).__enter__()
        return tg.is_grad_enabled()

    assert context.run(quiet) is False
    assert tg.is_grad_enabled()
