"""Train a convolutional network on 8,000 of MNIST's test images and read the 2,000 others: at least 98.5 % right.

    python demos/05_cnn_mnist.py --data FOLDER      FOLDER/mnist holds t10k-images-idx3-ubyte.gz and t10k-labels-…
    python demos/05_cnn_mnist.py --quick            the small digits that come with the package, in seconds

The folder may also be named by the environment variable TINYGRAD_OPT_DATA. Eight thousand images are few, so each is
seen moved by up to two pixels, differently every time: what makes an image an eight does not depend on where it stands.
"""

import argparse
import math
import os
import time
from pathlib import Path

import numpy as np

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.data import DataLoader, TensorDataset, digits, mnist

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", type=Path, default=os.environ.get("TINYGRAD_OPT_DATA"), help="folder of data sets")
parser.add_argument("--quick", action="store_true", help="the package's own digits, three epochs")
parser.add_argument("--epochs", type=int, help="times through the training images (default: 15, quick: 3)")
options = parser.parse_args()
epochs = options.epochs or (3 if options.quick else 15)
tg.manual_seed(0)

if options.quick:  # 8 × 8 pixels, made as large as MNIST's
    train, test = (digits(split)[:] for split in ("train", "test"))
    train, test = (TensorDataset(nn.functional.interpolate(x, 28, mode="bilinear"), y) for x, y in (train, test))
elif options.data is None:
    raise SystemExit("Where is MNIST? Give --data FOLDER or set TINYGRAD_OPT_DATA; --quick needs no data.")
else:
    images, labels = mnist(Path(options.data) / "mnist", "test")[:]
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = (TensorDataset(images[part], labels[part]) for part in (order[:8000], order[8000:]))

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1, bias=False),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.25),
    nn.Linear(32 * 7 * 7, 128),
    nn.ReLU(),
    nn.Linear(128, 10),
)
print(model)
optimizer = optim.Adam(model.parameters(), lr=2e-3)
batches = DataLoader(train, batch_size=64, shuffle=True, drop_last=True)
rng = np.random.default_rng(1)


def moved(images):
    """Each image shifted by −2 … 2 pixels along both axes; what comes in at the edge is black."""
    n = len(images)
    padded = np.pad(images.data, ((0, 0), (0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(2, 3))
    return tg.tensor(windows[np.arange(n), :, rng.integers(0, 5, n), rng.integers(0, 5, n)])


def accuracy(dataset):
    """Share of images whose largest output is at the right digit."""
    model.eval()
    with tg.no_grad():
        right = [(model(x).argmax(axis=1) == y).data for x, y in DataLoader(dataset, batch_size=500)]
    model.train()
    return np.concatenate(right).mean()


start, steps, step = time.perf_counter(), epochs * len(batches), 0
for epoch in range(1, epochs + 1):
    total = 0.0
    for x, y in batches:
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 + math.cos(math.pi * step / steps)) / 2  # falls to 0 on a cosine
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(moved(x)), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
        step += 1
    print(f"epoch {epoch:2d}   loss {total / len(batches):.4f}   test accuracy {accuracy(test):.2%}", flush=True)

score = accuracy(test)
print(f"\ntest accuracy {score:.2%} after {time.perf_counter() - start:.0f} s")
if score < (0.9 if options.quick else 0.985):
    raise SystemExit("below what this network reaches: something is wrong")
