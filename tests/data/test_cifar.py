"""CIFAR-10's binary records, made up byte by byte."""

import numpy as np
import pytest

from tinygrad_opt.data import cifar10


def test_labels_planes_and_rows(tmp_path):
    record = np.zeros((2, 3073), np.uint8)
    record[:, 0] = [3, 9]
    record[0, 1 + 1024 + 32] = 255  # the first pixel of the second row of the green plane
    record.tofile(tmp_path / "test_batch.bin")
    images, labels = cifar10(tmp_path, "test").tensors
    assert labels.tolist() == [3, 9]
    assert images.shape == (2, 3, 32, 32)
    assert images.data[0, 1, 1, 0] == 1.0
    assert images.data.sum() == 1.0


def test_what_is_not_the_binary_version_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_batch_1\.bin"):
        cifar10(tmp_path)
    (tmp_path / "test_batch.bin").write_bytes(b"\x80\x02}q")
    with pytest.raises(ValueError, match="multiple of 3073"):
        cifar10(tmp_path, "test")
    np.full(3073, 77, np.uint8).tofile(tmp_path / "test_batch.bin")
    with pytest.raises(ValueError, match="77"):
        cifar10(tmp_path, "test")
    with pytest.raises(ValueError, match="split"):
        cifar10(tmp_path, "valid")
