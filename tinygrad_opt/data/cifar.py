"""CIFAR-10 from its binary files (the pickled version is not read: unpickling runs code)."""

from __future__ import annotations

import os

import numpy as np

from .dataset import TensorDataset

__all__ = ["cifar10"]

_RECORD = 1 + 3 * 32 * 32
_FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}


def cifar10(folder: str | os.PathLike[str], split: str = "train") -> TensorDataset:
    """60,000 colour photographs of ten kinds of things, from the files of "CIFAR-10 binary version".

    Parameters
    ----------
    folder : path
        Holds ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``, each 10,000 records of
        a label byte and 3 × 32 × 32 pixel bytes.
    split : {"train", "test"}

    Returns
    -------
    TensorDataset
        images (n, 3, 32, 32) float32 in [0, 1], labels (n,) int64 in 0..9.

    Raises
    ------
    FileNotFoundError, ValueError
        A file is missing, or its size is no multiple of a record's.

    References
    ----------
    A. Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    if split not in _FILES:
        raise ValueError(f"cifar10: split must be 'train' or 'test', got {split!r}.")
    parts = []
    for name in _FILES[split]:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"no {name} in {os.fspath(folder)!r}: put the files of CIFAR-10's binary version there."
            )
        raw = np.fromfile(path, np.uint8)
        if raw.size % _RECORD or not raw.size:
            raise ValueError(
                f"cifar10: {path} has {raw.size} bytes, not a multiple of {_RECORD}. "
                f"Is it the binary version (not the one for Python or MATLAB), complete?"
            )
        parts.append(raw.reshape(-1, _RECORD))
    records = np.concatenate(parts)
    if records[:, 0].max() > 9:
        raise ValueError(f"cifar10: labels in {os.fspath(folder)!r} go up to {records[:, 0].max()}, expected 0..9.")
    images = records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / np.float32(255)
    return TensorDataset(images, records[:, 0].astype(np.int64))
