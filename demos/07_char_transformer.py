"""Train a small GPT to write like Shakespeare, one character at a time: validation loss below 1.8 nats a character.

    python demos/07_char_transformer.py --data FOLDER      FOLDER/text/tinyshakespeare.txt is the text
    python demos/07_char_transformer.py --quick            a small part that comes with the package, in seconds

The environment variable TINYGRAD_OPT_DATA may name the folder too. Each character looks back at those before it,
and the network says which comes next. The first nine tenths of the text are for training.
"""

import argparse
import math
import os
import time
from pathlib import Path

import numpy as np

import tinygrad_opt as tg
from tinygrad_opt import nn, optim
from tinygrad_opt.data import CharacterText, read_text, shakespeare

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--data", type=Path, default=os.environ.get("TINYGRAD_OPT_DATA"), help="folder of data sets")
parser.add_argument("--quick", action="store_true", help="the package's own text, a small network, few steps")
parser.add_argument("--steps", type=int, help="training steps (default: 2000, quick: 150)")
options = parser.parse_args()
if options.quick:
    text, width, layers, steps = shakespeare(), 64, 1, options.steps or 150
elif options.data is None:
    raise SystemExit("Where is the text? Give --data FOLDER or set TINYGRAD_OPT_DATA; --quick needs no data.")
else:
    text, width, layers = read_text(Path(options.data) / "text" / "tinyshakespeare.txt"), 128, 2
    steps = options.steps or 2000
length, batch, rate = 64, 16, 3e-3
tg.manual_seed(0)
rng = np.random.default_rng(0)

alphabet = "".join(sorted(set(text)))
cut = len(text) * 9 // 10
train, validation = (CharacterText(part, length, alphabet=alphabet) for part in (text[:cut], text[cut:]))
print(f"{len(text):,} characters, {len(alphabet)} different ones; knowing nothing costs ln {len(alphabet)} = ", end="")
print(f"{math.log(len(alphabet)):.2f} nats a character")


class Writer(nn.Module):
    """From characters so far to a score for each character that may come next (Radford et al. 2019, in small)."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(alphabet), width)
        self.positions = nn.LearnedPositions(width, length, batch_first=True)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "relu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width))
        self.head = nn.Linear(width, len(alphabet))
        for parameter in self.parameters():  # the copies of a layer begin as equals; these do not
            if parameter.ndim > 1:
                nn.init.normal_(parameter, 0.0, 0.02)

    def forward(self, x):
        """Scores (batch, length, characters); no character sees those after it."""
        return self.head(self.blocks(self.positions(self.embedding(x)), is_causal=True))


model = Writer()
print(model)
optimizer = optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.1)


def sample_windows():
    """Windows that begin anywhere: (batch, length) characters, and those one further on."""
    starts = rng.integers(0, len(train.codes) - length - 1, batch)[:, None] + np.arange(length + 1)
    window = train.codes[starts]
    return window[:, :-1], window[:, 1:]


def validation_loss(windows=150):
    """Mean loss over windows spread evenly through the validation text."""
    places = np.linspace(0, len(validation) - 1, min(windows, len(validation))).astype(int)
    x, y = (np.stack([validation[int(i)][side].data for i in places]) for side in (0, 1))
    with tg.no_grad():
        return nn.functional.cross_entropy(model(x).reshape(-1, len(alphabet)), y.reshape(-1)).item()


def write(start, count, warmth=0.8):
    """A continuation, drawn character by character from the last `length` of them."""
    codes = list(train.encode(start).data)
    with tg.no_grad():
        for _ in range(count):
            scores = model(np.array([codes[-length:]]))[0, -1]
            chances = np.exp(nn.functional.log_softmax(scores / warmth, axis=-1).data.astype(float))
            codes.append(rng.choice(len(alphabet), p=chances / chances.sum()))
    return train.decode(codes)


start = time.perf_counter()
for step in range(1, steps + 1):
    optimizer.param_groups[0]["lr"] = (
        rate * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2) * min(1.0, step / 100)
    )
    x, y = sample_windows()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x).reshape(-1, len(alphabet)), y.reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % max(1, steps // 10) == 0:
        seconds = time.perf_counter() - start
        print(
            f"step {step:5d}   {seconds:4.0f} s   loss {loss.item():.3f}   validation {validation_loss():.3f}",
            flush=True,
        )

seconds, score = time.perf_counter() - start, validation_loss(10**9)
print(f"\n{write('ROMEO:', 100 if options.quick else 400)}\n")
print(f"validation loss {score:.3f} nats a character after {seconds:.0f} s")
if score > (2.7 if options.quick else 1.8):
    raise SystemExit("above what this network reaches: something is wrong")
