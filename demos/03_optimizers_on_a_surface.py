"""Five optimizers walk down a narrow valley, from the same start, and their paths are drawn.

    python demos/03_optimizers_on_a_surface.py [--out FOLDER]

The valley is f(x, y) = (x² + 25y²) / 2: steep across, flat along. Plain descent zigzags, or must take steps so small
that it crawls along; the others show what each idea does about it.
"""

import argparse
from pathlib import Path

import numpy as np

import tinygrad_opt as tg
from tinygrad_opt import optim

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture (default: out)")
parser.add_argument("--steps", type=int, default=60)
options = parser.parse_args()


def valley(x, y):
    """Curvature 1 along x and 25 along y: condition number 25."""
    return (x**2 + 25 * y**2) / 2


# Each at a rate that suits it; the stability limit of plain descent here is 2/25 = 0.08.
contenders = {
    "SGD": lambda p: optim.SGD(p, lr=0.075),
    "Momentum": lambda p: optim.Momentum(p, lr=0.3, beta=0.9),
    "AdaGrad": lambda p: optim.Adagrad(p, lr=1.5),
    "RMSProp": lambda p: optim.RMSprop(p, lr=0.15),
    "Adam": lambda p: optim.Adam(p, lr=0.5),
}

paths = {}
for name, make in contenders.items():
    position = tg.tensor([-9.0, 1.6], requires_grad=True)
    optimizer = make([position])
    path = [position.tolist()]
    for _ in range(options.steps):
        optimizer.zero_grad()
        valley(position[0], position[1]).backward()
        optimizer.step()
        path.append(position.tolist())
    paths[name] = np.array(path)

print(f"f(x, y) = (x² + 25y²) / 2 from (−9, 1.6), {options.steps} steps\n")
print(f"{'optimizer':<10} {'loss':>10} {'first step with f < 0.1':>25}")
for name, path in paths.items():
    losses = valley(path[:, 0], path[:, 1])
    below = np.flatnonzero(losses < 0.1)
    print(f"{name:<10} {losses[-1]:>10.2g} {below[0] if below.size else '—':>25}")

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit("\nno picture: pip install 'tinygrad-opt[viz]'") from None

x, y = np.meshgrid(np.linspace(-10, 4, 300), np.linspace(-2.4, 2.4, 200))
figure, panels = plt.subplots(len(paths), 1, figsize=(7, 9.5), sharex=True, sharey=True, layout="constrained")
colours = plt.get_cmap("tab10").colors
for panel, (name, path), colour in zip(panels, paths.items(), colours, strict=False):
    panel.contour(x, y, valley(x, y), levels=np.geomspace(0.1, 80, 12), colors="0.75", linewidths=0.6)
    panel.plot(path[:, 0], path[:, 1], "-o", color=colour, markersize=2.5, linewidth=1.2)
    panel.plot(0, 0, "k*", markersize=9)
    panel.set_title(f"{name}   f = {valley(*path[-1]):.2g} after {options.steps} steps", loc="left", fontsize=10)
    panel.spines[["top", "right"]].set_visible(False)
options.out.mkdir(parents=True, exist_ok=True)
target = options.out / "optimizers_on_a_surface.svg"
figure.savefig(target)
print(f"\nThe paths: {target}")
