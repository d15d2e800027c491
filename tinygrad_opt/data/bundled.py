"""The real data sets that come with the package, and their fixed splits."""

from __future__ import annotations

import gzip
import os
from typing import Any

import numpy as np

from .dataset import TensorDataset
from .idx import as_images, read_idx

__all__ = ["auto_mpg", "breast_cancer", "digits", "shakespeare"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_SPLITS = {"test": (0,), "validation": (1,), "train": (2, 3, 4, 5), None: (0, 1, 2, 3, 4, 5)}


def _rows(caller: str, split: str | None, n: int) -> np.ndarray[Any, Any]:
    """Positions of a split: the remainder of a position's division by 6 decides."""
    if split not in _SPLITS:
        raise ValueError(f"{caller}: split must be 'train', 'validation', 'test' or None for all, got {split!r}.")
    return np.flatnonzero(np.isin(np.arange(n) % 6, _SPLITS[split]))


def digits(split: str | None = None, *, flatten: bool = False) -> TensorDataset:
    """1,797 handwritten digits, 8×8 pixels each, real data that needs no download.

    The split is fixed: of each six images in the file's order, the first belongs to the test set (300 images),
    the second to the validation set (300), the others to the training set (1,197). Writers are not kept apart.

    Parameters
    ----------
    split : {None, "train", "validation", "test"}
        None gives all of them.
    flatten : bool
        Give images of shape (64,) instead of (1, 8, 8).

    Returns
    -------
    TensorDataset
        images (n, 1, 8, 8) or (n, 64) float32 in [0, 1], labels (n,) int64 in 0..9.

    References
    ----------
    E. Alpaydin & C. Kaynak (1998), Optical Recognition of Handwritten Digits, its test set; UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0. Pixel values 0..16 are divided by 16.

    Examples
    --------
    >>> from tinygrad_opt.data import digits
    >>> images, labels = digits("train", flatten=True).tensors
    >>> images.shape, labels.shape
    ((1197, 64), (1197,))
    """
    images = read_idx(os.path.join(_HERE, "digits-images.idx.gz"))
    labels = read_idx(os.path.join(_HERE, "digits-labels.idx.gz"))
    rows = _rows("digits", split, len(images))
    return TensorDataset(as_images(images[rows], 16, flatten), labels[rows].astype(np.int64))


def auto_mpg(split: str | None = None) -> TensorDataset:
    """392 cars of 1970–1982: how far they go on a gallon, from seven measures in their own units.

    Split as :func:`digits` (66 test, 66 validation, 260 training examples). Nothing is normalised: the deviations of
    the measures run from 0.8 to 850. The six cars whose horsepower is unknown are left out.

    Parameters
    ----------
    split : {None, "train", "validation", "test"}
        None gives all of them.

    Returns
    -------
    TensorDataset
        measures (n, 7) float32: cylinders, displacement (cubic inches), horsepower, weight (pounds), seconds from 0 to
        60 miles an hour, year − 1900, origin (1 America, 2 Europe, 3 Japan); miles a gallon (n,) float32.

    References
    ----------
    R. Quinlan (1993), Auto MPG; UCI Machine Learning Repository, https://doi.org/10.24432/C5859H, licence CC BY 4.0.
    """
    table = _table("auto-mpg.csv.gz")
    rows = _rows("auto_mpg", split, len(table))
    return TensorDataset(table[rows, 1:].astype(np.float32), table[rows, 0].astype(np.float32))


def _table(name: str) -> np.ndarray[Any, Any]:
    with gzip.open(os.path.join(_HERE, name), "rt", encoding="ascii") as file:
        return np.loadtxt(file, delimiter=",")


def breast_cancer(split: str | None = None) -> TensorDataset:
    """569 tumours, 30 measurements each in their own units: scales from 0.003 to 600 side by side.

    Split as :func:`digits` (95 test, 95 validation, 379 training examples). Nothing is normalised.

    Parameters
    ----------
    split : {None, "train", "validation", "test"}
        None gives all of them.

    Returns
    -------
    TensorDataset
        measurements (n, 30) float32, labels (n,) int64: 0 malignant, 1 benign.

    References
    ----------
    W. Wolberg, O. Mangasarian, N. Street & W. Street (1995), Breast Cancer Wisconsin (Diagnostic); UCI Machine Learning
    Repository, https://doi.org/10.24432/C5DW2B, licence CC BY 4.0.
    """
    table = _table("breast-cancer.csv.gz")
    rows = _rows("breast_cancer", split, len(table))
    return TensorDataset(table[rows, :-1].astype(np.float32), table[rows, -1].astype(np.int64))


def shakespeare() -> str:
    """The first 60,000 or so characters of *Coriolanus*, for models of text, character by character.

    References
    ----------
    William Shakespeare (public domain), as collected by A. Karpathy (2015) in the text known as tiny Shakespeare.
    """
    with open(os.path.join(_HERE, "shakespeare.txt"), encoding="ascii") as file:
        return file.read()
