import numpy as np
import pytest

products = pytest.importorskip("tinygrad_opt.kernels.products")


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 3, 24), (6, 5, 40), (9, 300, 33), (2, 513, 8), (5, 7, 16)])
def test_is_the_matrix_product(shape):
    rows, depth, columns = shape
    rng = np.random.default_rng(0)
    a = rng.integers(-4, 5, (rows + 2, depth + 3)).astype(np.float32)  # whole numbers: every order of adding is exact
    weights = rng.integers(-4, 5, (depth, columns)).astype(np.float32)
    c = np.ones((-(-rows // products.ROWS) * products.ROWS, products.rounded(columns)), np.float32)
    products.add_product(a.reshape(-1), a.shape[1], a.shape[1], rows, products.cut_panels(weights), depth, c)
    np.testing.assert_array_equal(c[:rows, :columns], 1 + a[1 : 1 + rows, :depth] @ weights)
