"""The data sets in the package are the published ones, and their splits are fixed."""

import numpy as np
import pytest

from tinygrad_opt.data import auto_mpg, breast_cancer, digits, shakespeare


def test_digits_are_the_published_ones():
    # Row 0 and the counts of classes as printed in UCI's optdigits.tes and its description.
    images, labels = digits().tensors
    first = [
        0,
        0,
        5,
        13,
        9,
        1,
        0,
        0,
        0,
        0,
        13,
        15,
        10,
        15,
        5,
        0,
        0,
        3,
        15,
        2,
        0,
        11,
        8,
        0,
        0,
        4,
        12,
        0,
        0,
        8,
        8,
        0,
    ]
    assert (images.data[0].ravel()[:32] * 16).tolist() == first
    assert np.bincount(labels.data).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.float32


@pytest.mark.parametrize(
    ("load", "sizes"), [(digits, (1197, 300, 300)), (breast_cancer, (379, 95, 95)), (auto_mpg, (260, 66, 66))]
)
def test_splits_are_disjoint_and_complete(load, sizes):
    rows = [load(split).tensors[0].data for split in ("train", "validation", "test")]
    assert tuple(map(len, rows)) == sizes
    whole = load().tensors[0].data
    np.testing.assert_array_equal(rows[2], whole[0::6])
    np.testing.assert_array_equal(rows[1], whole[1::6])
    assert sum(sizes) == len(whole)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="'train', 'validation', 'test'"):
        digits("valid")


def test_tumours_are_the_published_ones():
    # wdbc.data's first row begins 17.99,10.38,122.8,1001; 212 malignant and 357 benign.
    x, y = breast_cancer().tensors
    np.testing.assert_allclose(x.data[0, :4], [17.99, 10.38, 122.8, 1001.0], rtol=1e-6)
    assert np.bincount(y.data).tolist() == [212, 357]


def test_cars_are_the_published_ones():
    # Least squares on all seven measures, as printed in James, Witten, Hastie & Tibshirani (2013), An Introduction to
    # Statistical Learning, exercise 3.9: every value of the table takes part in these.
    x, mpg = (tensor.data.astype(np.float64) for tensor in auto_mpg().tensors)
    design = np.column_stack([np.ones(len(x)), x])
    found, residual, *_ = np.linalg.lstsq(design, mpg, rcond=None)
    expected = [-17.218435, -0.493376, 0.019896, -0.016951, -0.006474, 0.080576, 0.750773, 1.426141]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert 1 - residual[0] / ((mpg - mpg.mean()) ** 2).sum() == pytest.approx(0.8215, abs=1e-4)


def test_the_text_is_the_play():
    assert shakespeare().startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    assert 50_000 < len(shakespeare()) < 70_000
