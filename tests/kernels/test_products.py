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
    line = a.shape[1]
    products.add_product(a.reshape(-1), line, line, 1, rows, products.cut_panels(weights), depth, depth, c, columns)
    np.testing.assert_array_equal(c[:rows, :columns], 1 + a[1 : 1 + rows, :depth] @ weights)


@pytest.mark.parametrize("shape", [(4, 3, 24), (6, 5, 41), (9, 300, 33)])
def test_transposed_and_in_part(shape):
    rows, depth, columns = shape
    rng = np.random.default_rng(0)
    a = rng.integers(-4, 5, (depth, rows)).astype(np.float32)
    weights = rng.integers(-4, 5, (columns, depth)).astype(np.float32)
    c = np.zeros((-(-rows // products.ROWS) * products.ROWS, products.rounded(columns)), np.float32)
    panels = np.full(depth * products.rounded(columns), np.nan, np.float32)
    products.lay_panels(weights.reshape(-1), 0, 1, depth, depth, columns, panels)
    np.testing.assert_array_equal(panels, products.cut_panels(weights.T))
    part, terms = columns // 2, depth - 1
    products.add_product(a.reshape(-1), 0, 1, rows, rows, panels, depth, terms, c, part)
    np.testing.assert_array_equal(c[:rows, :part], a[:terms].T @ weights.T[:terms, :part])
