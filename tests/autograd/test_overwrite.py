"""Writing into a Tensor's memory: in place where that can be, told to graphs that were recorded before."""

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.autograd.overwrite import overwrite


def test_writes_in_place_and_graphs_know():
    memory = np.arange(3.0)
    w = tg.Tensor(memory, requires_grad=True)
    memory = w.data
    loss = (w * w).sum()
    overwrite(w, [4.0, 5.0, 6.0])
    assert w.data is memory
    assert memory.tolist() == [4, 5, 6]
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()


def test_what_cannot_be_written_to_is_replaced():
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    w = tg.Tensor(np.zeros(3), requires_grad=True)
    w.data = frozen
    overwrite(w, 7.0)
    assert w.data.tolist() == [7, 7, 7]
    assert frozen.tolist() == [0, 1, 2]


class Scalars(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(np.array(1.0)), nn.Parameter(np.array(2.0))

    def loss(self):
        self.zero_grad()
        loss = self.a * self.a + self.b * self.b
        loss.backward()
        return loss

    def halve(self):
        for p in self.parameters():
            p.data = p.data * 0.5  # which NumPy makes a scalar that nothing can be written to


@pytest.mark.parametrize("make", [optim.SGD, optim.LAMB, optim.Adafactor], ids=lambda cls: cls.__name__)
def test_parameters_without_axes_may_be_replaced_by_products(make):
    model, other = Scalars(), Scalars()
    optimizer, plain = make(model.parameters(), lr=0.1), make(other.parameters(), lr=0.1)
    for _ in range(3):
        model.halve()
        for p in other.parameters():
            p.data[...] *= 0.5
        optimizer.step(model.loss)
        plain.step(other.loss)
    assert [p.data for p in model.parameters()] == [p.data for p in other.parameters()]


def test_loading_averages_and_wrappers_write_into_such_parameters():
    model = Scalars()
    saved = model.state_dict()
    model.halve()
    model.load_state_dict(saved)
    assert [p.item() for p in model.parameters()] == [1, 2]
    average = optim.SWA(model.parameters())
    model.halve()
    average.copy_to_parameters()
    assert [p.item() for p in model.parameters()] == [1, 2]
    model.halve()
    optim.SAM(optim.Lookahead(optim.SGD(model.parameters(), lr=0.25), k=1), rho=0.0).step(model.loss)
    assert [p.item() for p in model.parameters()] == [0.375, 0.75]  # 0.5·(1 − ½·0.25·2), with α = ½
    model.halve()
    nn.init.ones_(model.a)
    model.b.write_(3.0)
    assert [p.item() for p in model.parameters()] == [1, 3]
