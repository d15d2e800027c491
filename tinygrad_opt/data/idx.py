"""MNIST's own file format, IDX, and the image sets that come in it."""

from __future__ import annotations

import gzip
import os
import struct
from typing import Any

import numpy as np

from .dataset import TensorDataset

__all__ = ["fashion_mnist", "mnist", "read_idx", "write_idx"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_FILES = {"train": "train", "test": "t10k"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """The array in an IDX file, plain or gzipped.

    The format (LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist): two zero bytes, a byte for the type,
    a byte for the number of axes, each extent as a big-endian 32-bit integer, then the elements, the last axis
    fastest.

    Raises
    ------
    ValueError
        Not an IDX file, or one that is cut off or too long.
    """
    with open(path, "rb") as file:
        raw = file.read()
    try:
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, OSError) as error:
        raise ValueError(f"read_idx: {path} is a damaged gzip file: {error}. Fetch it again.") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _DTYPES:
        raise ValueError(f"read_idx: {path} is not an IDX file; it begins with the bytes {raw[:4]!r}.")
    dtype, ndim = np.dtype(_DTYPES[raw[2]]), raw[3]
    header = 4 + 4 * ndim
    if len(raw) < header:
        raise ValueError(f"read_idx: {path} ends inside its header. Fetch it again.")
    shape = struct.unpack(f">{ndim}I", raw[4:header])
    wanted = header + dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if len(raw) != wanted:
        raise ValueError(
            f"read_idx: {path} says shape {shape}, which takes {wanted} bytes, and has {len(raw)}. Fetch it again."
        )
    return np.frombuffer(raw, dtype, offset=header).reshape(shape).astype(dtype.newbyteorder("="))


def write_idx(path: str | os.PathLike[str], array: np.ndarray[Any, Any]) -> None:
    """Write an array as an IDX file, gzipped when the name ends in .gz.

    Raises
    ------
    TypeError
        A dtype that IDX has no code for.
    """
    codes = {np.dtype(name).newbyteorder("="): code for code, name in _DTYPES.items()}
    if array.dtype not in codes:
        raise TypeError(f"write_idx: IDX has no code for {array.dtype}; convert to uint8, int32, float32 or float64.")
    code = codes[array.dtype]
    raw = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    raw += array.astype(_DTYPES[code]).tobytes()
    with open(path, "wb") as file:
        file.write(gzip.compress(raw, mtime=0) if os.fspath(path).endswith(".gz") else raw)


def as_images(pixels: np.ndarray[Any, Any], top: float, flatten: bool) -> np.ndarray[Any, Any]:
    """Pixels (n, height, width) in 0..top as float32 in [0, 1], shape (n, 1, height, width) or (n, height·width)."""
    scaled = pixels.astype(np.float32) / np.float32(top)
    return scaled.reshape(len(pixels), -1) if flatten else scaled[:, None]


def mnist(folder: str | os.PathLike[str], split: str = "train", *, flatten: bool = False) -> TensorDataset:
    """MNIST's handwritten digits, from its four files in a folder.

    Parameters
    ----------
    folder : path
        Holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` (60,000) and ``t10k-…`` (10,000), with or
        without .gz.
    split : {"train", "test"}
    flatten : bool
        Give images of shape (784,) instead of (1, 28, 28).

    Returns
    -------
    TensorDataset
        images (n, 1, 28, 28) or (n, 784) float32 in [0, 1], labels (n,) int64.

    Raises
    ------
    FileNotFoundError
        Names the file that is missing.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition.
    """
    if split not in _FILES:
        raise ValueError(f"mnist: split must be 'train' or 'test', got {split!r}.")
    images = read_idx(_find(folder, f"{_FILES[split]}-images-idx3-ubyte"))
    labels = read_idx(_find(folder, f"{_FILES[split]}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"mnist: images of shape {images.shape} and labels of shape {labels.shape} in {folder} "
            f"do not belong together."
        )
    return TensorDataset(as_images(images, 255, flatten), labels.astype(np.int64))


def fashion_mnist(folder: str | os.PathLike[str], split: str = "train", *, flatten: bool = False) -> TensorDataset:
    """Fashion-MNIST: ten kinds of clothes, in files that bear MNIST's names; see :func:`mnist`.

    References
    ----------
    Xiao, Rasul & Vollgraf (2017), arXiv 1708.07747.
    """
    return mnist(folder, split, flatten=flatten)


def _find(folder: str | os.PathLike[str], name: str) -> str:
    for candidate in (name, name + ".gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz"):
        path = os.path.join(folder, candidate)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f"no {name} (or {name}.gz) in {os.fspath(folder)!r}: put the data set's files there.")
