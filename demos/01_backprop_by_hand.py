"""Backpropagation by hand: a small expression, its graph, and every gradient worked out beside the computed one.

    python demos/01_backprop_by_hand.py [--out FOLDER]

Read from the bottom up, this is all that ``backward`` does: begin with dL/dL = 1, and go through the operations
in reverse, multiplying by the local derivative of each, and adding up where a value was used twice.
"""

import argparse
import math
from pathlib import Path

import tinygrad_opt as tg

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture (default: out)")
out = parser.parse_args().out

# Forward: L = a · tanh(a · b + c)
tg.set_default_dtype("float64")
a = tg.tensor(2.0, requires_grad=True, name="a")
b = tg.tensor(-0.3, requires_grad=True, name="b")
c = tg.tensor(1.0, requires_grad=True, name="c")
product = a * b
s = product + c
t = tg.tanh(s)
loss = a * t
for tensor, name in ((product, "ab"), (s, "s"), (t, "t"), (loss, "L")):
    tensor.name = name
    tensor.retain_grad()  # computed values give their gradient away unless asked to keep it

out.mkdir(parents=True, exist_ok=True)
picture = tg.viz.graph(loss, values=True, grads=True, direction="right")
picture.save(out / "backprop_by_hand.svg")

loss.backward()

# Backward, by hand. Each line uses one above it and one local derivative.
by_hand = {}
by_hand["L"] = 1.0  #                                          dL/dL
by_hand["t"] = by_hand["L"] * a.item()  #                      L = a · t         so dL/dt = a
by_hand["s"] = by_hand["t"] * (1 - math.tanh(s.item()) ** 2)  # t = tanh(s)      so dt/ds = 1 − tanh²(s)
by_hand["ab"] = by_hand["s"] * 1.0  #                          s = ab + c        so ds/d(ab) = 1
by_hand["c"] = by_hand["s"] * 1.0  #                                             and ds/dc = 1
by_hand["b"] = by_hand["ab"] * a.item()  #                     ab = a · b        so d(ab)/db = a
by_hand["a"] = by_hand["L"] * t.item() + by_hand["ab"] * b.item()  # a was used twice: the two ways add up

print("L = a · tanh(a · b + c)\n")
print(f"{'value':>6} {'':>10} {'by hand':>12} {'computed':>12}")
for tensor in (loss, t, s, product, c, b, a):
    computed = tensor.grad.item()
    expected = by_hand[tensor.name]
    agree = math.isclose(computed, expected, rel_tol=1e-12)
    print(
        f"{tensor.name:>6} {tensor.item():>10.4f} {expected:>12.8f} {computed:>12.8f}  {'✓' if agree else '✗ differ'}"
    )
    if not agree:
        raise SystemExit(f"the gradient of {tensor.name} is not what the chain rule gives")
print(f"\nThe graph, with these numbers in it: {out / 'backprop_by_hand.svg'}")
