"""IDX files: made-up ones of every type, damaged ones, and MNIST itself where TINYGRAD_OPT_DATA points to it."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from tinygrad_opt.data import fashion_mnist, mnist, read_idx, write_idx

# Two images of 2×2 pixels, written out byte by byte from the format's description.
IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 51, 102, 255, 1, 2, 3, 4])
LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 3])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(IMAGES)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(LABELS))
    return tmp_path


def test_pixels_and_labels(folder):
    images, labels = mnist(folder, "test").tensors
    assert images.shape == (2, 1, 2, 2)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.data[0, 0], [[0, 0.2], [0.4, 1.0]], rtol=1e-6)
    assert labels.tolist() == [7, 3]
    assert labels.dtype == np.int64
    assert fashion_mnist(folder, "test", flatten=True).tensors[0].shape == (2, 4)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("name", ["a.idx", "a.idx.gz"])
def test_every_type_survives_a_round_trip(tmp_path, dtype, name):
    array = np.array([[1, -2, 3], [100, -5, 6]]).astype(dtype)
    write_idx(tmp_path / name, array)
    again = read_idx(tmp_path / name)
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (IMAGES[:-1], "24 bytes, and has 23"),
        (IMAGES + b"\0", "24 bytes, and has 25"),
        (IMAGES[:7], "inside its header"),
        (b"PNG..", "not an IDX file"),
        (b"", "not an IDX file"),
        (gzip.compress(IMAGES, mtime=0)[:-6], "damaged gzip"),
    ],
)
def test_damaged_files_are_named(tmp_path, raw, message):
    path = tmp_path / "broken"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_a_missing_file_and_a_wrong_split_are_named(folder):
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte"):
        mnist(folder)
    with pytest.raises(ValueError, match="'train' or 'test'"):
        mnist(folder, "validation")


def test_labels_of_another_set_are_refused(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    with pytest.raises(ValueError, match="do not belong together"):
        mnist(folder, "test")


def test_a_dtype_without_a_code_is_refused(tmp_path):
    with pytest.raises(TypeError, match="int64"):
        write_idx(tmp_path / "a", np.arange(3))


def test_the_real_mnist():
    folder = Path(os.environ.get("TINYGRAD_OPT_DATA", ""), "mnist")
    if not (folder / "t10k-images-idx3-ubyte.gz").is_file():
        pytest.skip("TINYGRAD_OPT_DATA does not point to a folder with MNIST's test files")
    images, labels = mnist(folder, "test", flatten=True).tensors
    assert images.shape == (10_000, 784)
    assert labels.tolist()[:5] == [7, 2, 1, 0, 4]
    assert np.bincount(labels.data).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
