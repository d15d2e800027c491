"""Text as numbers, a character at a time: for models that predict the next character."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..autograd import Tensor
from .dataset import Dataset

__all__ = ["CharacterText", "read_text"]


def read_text(path: str | os.PathLike[str]) -> str:
    """The contents of a text file in UTF-8.

    Raises
    ------
    ValueError
        The file is not text in UTF-8.
    """
    with open(path, encoding="utf-8") as file:
        try:
            return file.read()
        except UnicodeDecodeError as error:
            raise ValueError(f"read_text: {path} is not text in UTF-8 ({error}); convert it first.") from error


class CharacterText(Dataset):
    """Windows of a text: `length` characters, and the same window one character later.

    Parameters
    ----------
    text : str
    length : int
        Characters in a window.
    stride : int, optional
        From the start of one window to the next; by default `length`, so that windows do not overlap.
    alphabet : str, optional
        The characters in the order of their numbers; by default those of the text, sorted.

    Raises
    ------
    ValueError
        The text is too short for one window, or has a character that the alphabet lacks.

    Examples
    --------
    >>> from tinygrad_opt.data import CharacterText
    >>> text = CharacterText("to be or not", length=4)
    >>> x, y = text[0]
    >>> text.decode(x), text.decode(y), text.vocabulary
    ('to b', 'o be', 7)
    """

    def __init__(self, text: str, length: int, stride: int | None = None, alphabet: str | None = None) -> None:
        self.length, self.stride = int(length), int(length if stride is None else stride)
        if self.length < 1 or self.stride < 1:
            raise ValueError(f"CharacterText: length and stride must be at least 1, got {length} and {stride}.")
        if len(text) <= self.length:
            raise ValueError(
                f"CharacterText: a window of {length} characters and the next one need a text of "
                f"{self.length + 1} or more, this has {len(text)}."
            )
        self.alphabet = "".join(sorted(set(text))) if alphabet is None else alphabet
        self._number = {character: i for i, character in enumerate(self.alphabet)}
        self.codes = self.encode(text).data

    @property
    def vocabulary(self) -> int:
        """The number of different characters."""
        return len(self.alphabet)

    def encode(self, text: str) -> Tensor:
        """The characters' numbers, int64."""
        try:
            return Tensor(np.fromiter((self._number[character] for character in text), np.int64, len(text)))
        except KeyError as error:
            raise ValueError(f"CharacterText: the alphabet has no {error.args[0]!r}.") from None

    def decode(self, codes: Any) -> str:
        """The text that numbers stand for."""
        numbers = codes.data if isinstance(codes, Tensor) else codes
        return "".join(self.alphabet[int(i)] for i in np.ravel(numbers))

    def __len__(self) -> int:
        return (len(self.codes) - 1 - self.length) // self.stride + 1

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"CharacterText: window {index} of {len(self)}.")
        start = index % len(self) * self.stride
        window = self.codes[start : start + self.length + 1]
        return Tensor(window[:-1]), Tensor(window[1:])

    def take(self, indices: np.ndarray[Any, Any] | slice) -> tuple[Tensor, Tensor]:
        """Several windows: two Tensors of shape (batch, length)."""
        numbers = np.arange(*indices.indices(len(self))) if isinstance(indices, slice) else np.asarray(indices)
        starts = numbers * self.stride
        windows = self.codes[starts[:, None] + np.arange(self.length + 1)]
        return Tensor(windows[:, :-1]), Tensor(windows[:, 1:])
