"""See a small network: its graph, its backward pass step by step, the health of its layers, the surface it walks on.

    python demos/08_see_it.py [--out FOLDER]

Writes pictures and two pages to open in a browser; everything works without a network connection or a ``dot`` program.
"""

import argparse
from pathlib import Path

import numpy as np

import tinygrad_opt as tg
from tinygrad_opt import nn, optim, viz

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default: out)")
out = parser.parse_args().out
out.mkdir(parents=True, exist_ok=True)
tg.manual_seed(0)


def say(path, what):
    print(f"{path}: {what}")


# Two interleaved half circles, and a net that tells them apart.
rng = np.random.default_rng(0)
label = rng.integers(0, 2, 200)
angle = rng.uniform(0, np.pi, 200)
points = np.stack([np.cos(angle) * (1 - 2 * label) + label, np.sin(angle) * (1 - 2 * label) + label / 2], axis=1)
points = (points + 0.12 * rng.standard_normal((200, 2))).astype(np.float32)
model = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2))


def loss_now():
    return nn.functional.cross_entropy(model(points), label)


loss = loss_now()
say(viz.graph(loss, values=True, grads=True).save(out / "graph.svg"), "every value and gradient of one step")
say(viz.graph(loss, depth=1, theme="dark").save(out / "graph_layers.svg"), "the same by layers")
say(viz.graph(loss, color="gradient").save(out / "graph_gradients.svg"), "where gradients are small")
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True), 12)
tokens = np.zeros((2, 10, 32), np.float32)
say(
    viz.graph(encoder, tokens, depth=3, repeats=True).save(out / "transformer.svg"),
    "twelve equal layers, the first one drawn",
)

# The backward pass of a formula, step by step, on a page.
a = tg.tensor(2.0, requires_grad=True, name="a")
b = tg.tensor(-3.0, requires_grad=True, name="b")
product = a * b
result = np.sin(product) * product + product / 10
say(viz.stepper(result, out / "backprop.html"), "walk through it with the arrow keys")

# Train, and look back.
optimizer = optim.Adam(model.parameters(), lr=0.03)
report = viz.flow(model, loss, optimizer=optimizer)
print(report)
report.plot().savefig(out / "health.svg")
say(out / "health.svg", "the health of each layer before training")
path = [viz.snapshot(model)]
for _ in range(60):
    optimizer.zero_grad()
    loss_now().backward()
    optimizer.step()
    path.append(viz.snapshot(model))
view = viz.landscape(model, loss_now, path, resolution=25)
view.plot().figure.savefig(out / "landscape.svg")
say(out / "landscape.svg", f"the loss round the path; the plane holds {100 * sum(view.explained):.0f}% of its variance")
viz.decision_boundary(model, points, label).figure.savefig(out / "decision_boundary.svg")
say(out / "decision_boundary.svg", "what the net has learnt")

# Five optimizers from several starts, with and without gradient noise.
race = viz.race("himmelblau", starts=3, steps=80)
say(race.page(out / "race.html"), "play, scrub, switch optimizers and noise on and off")
race.figure().savefig(out / "race.svg")
say(out / "race.svg", "the same as a picture")
