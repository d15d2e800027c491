"""Several threads build graphs and walk them at once, each with its own modes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tinygrad_opt as tg


def test_graphs_in_many_threads_do_not_mix():
    shared = tg.tensor(np.linspace(0.1, 1.0, 50), requires_grad=True)
    gate = threading.Barrier(4)

    def work(k):
        gate.wait()
        results = []
        for _ in range(20):
            x = tg.tensor(np.linspace(0, 1, 50) + k, requires_grad=True)
            y = x
            for _ in range(15):
                y = np.sin(y) * shared + x
            y[::2] = y[1::2] * 2
            results.append(tg.autograd.grad(y.sum(), x).numpy())
        return results

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, range(4)))
    gate = threading.Barrier(1)
    for k in range(4):
        alone = work(k)[0]
        for found in together[k]:
            np.testing.assert_array_equal(found, alone)


def test_modes_belong_to_their_thread():
    x = tg.tensor(1.0, requires_grad=True)
    inside, outside = threading.Event(), threading.Event()
    seen = []

    def quiet():
        with tg.no_grad():
            inside.set()
            outside.wait(5)
            seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=quiet)
    thread.start()
    inside.wait(5)
    seen.append((x * 2).requires_grad)
    outside.set()
    thread.join()
    assert seen == [True, False]


def test_backward_into_one_leaf_from_one_thread_each_in_turn():
    x = tg.tensor(np.zeros(10), requires_grad=True)
    lock = threading.Lock()

    def add(k):
        loss = (x * k).sum()
        with lock:
            loss.backward()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(1, 9)))
    assert x.grad.tolist() == [36.0] * 10
