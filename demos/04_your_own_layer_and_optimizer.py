"""Extend the framework: an operation, a layer and an optimizer of your own, each in a few lines of NumPy.

    python demos/04_your_own_layer_and_optimizer.py

What is made of differentiable functions needs no declaration. What is declared gets everything the built-in ones
have: derivatives of any order, gradient checks, pictures, flat buffers, compiled kernels.
"""

import numpy as np

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.data import two_moons

tg.manual_seed(0)


# 1. A function of Tensors. No declaration: NumPy functions on Tensors are differentiable.
def swish(x, beta):
    """x · σ(βx) (Ramachandran, Zoph & Le 2017, arXiv 1710.05941)."""
    return x / (1 + np.exp(-beta * x))


# 2. The same as a primitive: one node in the graph, with a gradient rule of its own for each argument.
@tg.primitive(formula="x · σ(βx)", samples=lambda rng: [(rng.standard_normal((2, 3)), rng.uniform(0.5, 2.0, ()))])
def fused_swish(x, beta):
    """x · σ(βx) in one operation."""
    return x / (1 + np.exp(-beta * x))


@fused_swish.vjp(0)
def _(g, y, x, beta):
    sigmoid = 1 / (1 + np.exp(-beta * x))
    return g * (sigmoid + beta * y * (1 - sigmoid))


@fused_swish.vjp(1)
def _(g, y, x, beta):
    return g * x * y * (1 - 1 / (1 + np.exp(-beta * x)))


for args, kwargs in fused_swish.samples():
    tg.gradcheck(fused_swish, args, kwargs, order=2)  # raises unless both rules are right, to second order
x, beta = tg.randn(4, requires_grad=True), tg.tensor(1.5, requires_grad=True)
ours = tg.autograd.grad(fused_swish(x, beta).sum(), [x, beta])
composed = tg.autograd.grad(swish(x, beta).sum(), [x, beta])
for a, b in zip(ours, composed, strict=True):
    np.testing.assert_allclose(a.data, b.data, rtol=1e-5)
print("fused_swish: both gradient rules are right to second order, and agree with the composition")


# 3. A layer: parameters are attributes, forward is a formula.
class Swish(nn.Module):
    """Swish with a learnable β for each feature."""

    def __init__(self, features):
        super().__init__()
        self.beta = nn.Parameter(np.ones(features, np.float32))

    def forward(self, x):
        return fused_swish(x, self.beta)


# 4. An optimizer: one function, which reads like the paper, and one class, which names its options.
@optim.update_rule(state=("v",))
def sign_momentum(p, g, v, *, lr, beta):
    """v ← β·v + (1−β)·g ;  θ ← θ − η·sign(v)   (Signum: Bernstein et al. 2018, arXiv 1802.04434)"""
    v = beta * v + (1 - beta) * g
    return p - lr * np.sign(v), v


class SignMomentum(optim.Optimizer):
    """Steps of equal size in every coordinate, in the direction of the averaged gradient."""

    rule = sign_momentum
    defaults = optim.table(lr=0.005, beta=0.9)


# 5. Together, on two interleaved half-moons.
points, labels = two_moons(400, noise=0.15)[:]
model = nn.Sequential(nn.Linear(2, 16), Swish(16), nn.Linear(16, 16), Swish(16), nn.Linear(16, 2))
optimizer = SignMomentum(model.parameters(), lr=0.005)
print(f"\n{model}\n\n{optimizer}\n")
for step in range(301):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points), labels)
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        accuracy = (model(points).argmax(axis=1) == labels).mean().item()
        print(f"step {step:3d}   loss {loss.item():.4f}   accuracy {accuracy:.1%}")
if loss.item() > 0.1:
    raise SystemExit("the moons were not separated: something is wrong")
