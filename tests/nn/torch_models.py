"""Whole models that are written once and built from either library, for loading PyTorch's weights by name."""

from __future__ import annotations

from typing import Any

import numpy as np


def cnn(nn: Any) -> Any:
    """Convolutions, two kinds of normalization, pooling, a block inside a block."""
    block = nn.Sequential(nn.Conv2d(4, 8, 3, padding="same", groups=2), nn.GroupNorm(2, 8), nn.GELU())
    first = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    return nn.Sequential(first, block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, 3))


def classifier(nn: Any) -> Any:
    """A text classifier: embedding, two layers of LSTM in two directions, normalization, a head."""

    class Classifier(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(7, 5, padding_idx=0)
            self.lstm = nn.LSTM(5, 3, num_layers=2, batch_first=True, bidirectional=True, dropout=0.1)
            self.norm = nn.LayerNorm(6)
            self.head = nn.Linear(6, 3)

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.embedding(x))
            return self.head(self.norm(y.mean(1)))

    return Classifier()


def transformer(nn: Any) -> Any:
    """nn.Transformer, and lists and dictionaries of layers behind it."""

    class Translator(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            shape = {"num_encoder_layers": 2, "num_decoder_layers": 1, "dim_feedforward": 8}
            self.core = nn.Transformer(4, 2, **shape, batch_first=True, norm_first=True, activation="gelu")
            self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
            self.bends = nn.ModuleDict({"middle": nn.PReLU(), "last": nn.Tanh()})

        def forward(self, source: Any, target: Any) -> Any:
            y = self.core(source, target)
            for layer, bend in zip(self.layers, self.bends.values(), strict=True):
                y = bend(layer(y))
            return y

    return Translator()


def inputs(name: str) -> tuple[np.ndarray, ...]:
    """What to call a model with."""
    rng = np.random.default_rng(0)
    if name == "cnn":
        return (rng.standard_normal((3, 1, 8, 8)),)
    if name == "classifier":
        return (rng.integers(0, 7, (4, 6)),)
    return rng.standard_normal((2, 5, 4)), rng.standard_normal((2, 3, 4))


MODELS = {"cnn": cnn, "classifier": classifier, "transformer": transformer}
