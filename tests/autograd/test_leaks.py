"""The leak meter warns when a graph is kept from step to step, and names the line that keeps it."""

import gc
import warnings

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt.autograd import LeakMeter, LeakWarning


def train(meter, keep, steps=6):
    w = tg.tensor(1.0, requires_grad=True)
    total = 0.0
    for _ in range(steps):
        loss = (w * 2 - 1) ** 2
        total = keep(total, loss)
        loss.backward()
        meter.step()
    return total


def test_a_kept_graph_is_named():
    def keep(total, loss):
        return total + loss

    message = r"grew 4 steps in a row: \d+ nodes.*`loss = \(w.*`return total \+ loss`.*item\(\)"
    with pytest.warns(LeakWarning, match=message), LeakMeter(patience=4) as meter:
        train(meter, keep)
    assert meter.counts == sorted(set(meter.counts))


def test_losses_in_a_list():
    losses = []

    def keep(total, loss):
        losses.append(loss)
        return total

    message = r"kept by the value made at test_leaks\.py:\d+ `loss = \(w"
    with pytest.warns(LeakWarning, match=message), LeakMeter(patience=3) as meter:
        train(meter, keep)


def test_a_sound_loop_is_silent():
    with warnings.catch_warnings(), LeakMeter(patience=2) as meter:
        warnings.simplefilter("error")
        train(meter, lambda total, loss: total + loss.item())
        assert len(set(meter.counts)) == 1
    assert meter.report() == "no nodes are alive."


def test_live_nodes():
    gc.collect()
    before = len(tg.autograd.live_nodes())
    x = tg.tensor(1.0, requires_grad=True)
    y = x * 2
    assert [node.primitive.name for node in tg.autograd.live_nodes()[before:]] == ["multiply"]
    del y
    assert len(tg.autograd.live_nodes()) == before


def test_operations_of_every_kind_are_counted():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    before = len(tg.autograd.live_nodes())
    kept = [np.sin(x), x * x, np.sum(x, axis=0), np.concatenate([x, x]), x[:1]]
    assert len(tg.autograd.live_nodes()) == before + len(kept)
