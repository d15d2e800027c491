"""Train a small network to read handwritten digits: at least 97 % on images it has never seen, in a few seconds.

    python demos/02_train_digits.py

The five lines of the inner loop are all there is to training: forget old gradients, compute the loss, send gradients
back, take a step.
"""

import time

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.data import DataLoader, digits

tg.manual_seed(0)
train, validation, test = (digits(split, flatten=True) for split in ("train", "validation", "test"))

model = nn.Sequential(
    nn.Linear(64, 128),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(128, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
print(model)
optimizer = optim.Adam(model.parameters(), lr=2e-3)
batches = DataLoader(train, batch_size=32, shuffle=True)


def accuracy(dataset):
    """Share of images whose largest output is at the right digit."""
    images, labels = dataset[:]
    model.eval()
    with tg.no_grad():
        right = (model(images).argmax(axis=1) == labels).mean()
    model.train()
    return right.item()


start = time.perf_counter()
for epoch in range(1, 41):
    total = 0.0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}   loss {total / len(batches):.4f}   validation accuracy {accuracy(validation):.1%}")

seconds = time.perf_counter() - start
score = accuracy(test)
print(f"\ntest accuracy {score:.1%} after {seconds:.1f} s")
if score < 0.97:
    raise SystemExit("below 97 %: something is wrong")
