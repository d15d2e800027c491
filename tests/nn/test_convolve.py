import itertools

import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor, gradcheck
from tinygrad_opt.errors import ShapeError
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.convolve import (
    convolve,
    convolve_bias,
    convolve_transpose,
    convolve_weight,
    naive_convolve,
)

GEOMETRIES = {
    "line": ((2, 4, 11), (6, 4, 3), (1,), ((1, 1),), (1,), 1),
    "line, strided": ((2, 4, 11), (6, 2, 4), (3,), ((2, 0),), (2,), 2),
    "image": ((2, 3, 6, 5), (4, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "pointwise": ((2, 3, 6, 5), (4, 3, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "pointwise, strided": ((2, 3, 6, 5), (5, 3, 1, 1), (2, 3), ((0, 0), (0, 0)), (1, 1), 1),
    "strided": ((3, 4, 9, 8), (6, 2, 3, 2), (2, 3), ((1, 0), (2, 1)), (1, 2), 2),
    "depthwise": ((2, 5, 7, 7), (10, 1, 3, 3), (2, 1), ((1, 1), (0, 2)), (2, 1), 5),
    "cropped": ((2, 2, 8, 8), (3, 2, 3, 3), (2, 1), ((-1, 0), (1, -2)), (1, 1), 1),
    "volume": ((2, 2, 4, 5, 3), (3, 2, 2, 3, 2), (1, 2, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 1),
    "one window": ((1, 2, 3, 3), (2, 2, 3, 3), (4, 4), ((0, 0), (0, 0)), (1, 1), 1),
}


@pytest.fixture(params=["numpy", "numba"])
def choice(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    before = kernels()
    yield kernels(request.param)
    kernels(before)


def options(case):
    return dict(zip(("stride", "padding", "dilation", "groups"), case[2:], strict=True))


def definition(x, w, **geometry):
    """The same with padding that may be negative, which np.pad knows not."""
    for axis, (before, after) in enumerate(geometry["padding"], start=2):
        x = x[(slice(None),) * axis + (slice(max(0, -before), x.shape[axis] - max(0, -after)),)]
    padding = tuple((max(0, before), max(0, after)) for before, after in geometry["padding"])
    return naive_convolve(x, w, **{**geometry, "padding": padding})


@pytest.mark.parametrize("name", GEOMETRIES)
def test_values_and_gradients_are_the_definitions(name, choice):
    case = GEOMETRIES[name]
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(case[0]), rng.standard_normal(case[1])
    x_t, w_t = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
    y = definition(x_t, w_t, **options(case))
    np.testing.assert_allclose(convolve(x, w, **options(case)).data, y.data, atol=1e-12)
    g = rng.standard_normal(y.shape)
    y.backward(g)
    dx = convolve_transpose(g, w, size=x.shape[2:], **options(case))
    dw = convolve_weight(x, g, kernel=w.shape[2:], **options(case))
    np.testing.assert_allclose(dx.data, x_t.grad.data, atol=1e-12)
    np.testing.assert_allclose(dw.data, w_t.grad.data, atol=1e-11)


def test_bias_is_added_to_every_place(choice):
    rng = np.random.default_rng(0)
    for case in GEOMETRIES.values():
        x, w, b = (rng.standard_normal(shape) for shape in (*case[:2], case[1][:1]))
        plain = convolve(x, w, **options(case)).data
        biased = convolve_bias(x, w, b, **options(case)).data
        np.testing.assert_allclose(biased, plain + b.reshape((-1, *(1,) * (x.ndim - 2))), atol=1e-12)


def test_the_gradient_of_the_bias(choice):
    rng = np.random.default_rng(0)
    geometry = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    for size in (0, 1, 40):
        x, w, b = (rng.standard_normal(shape) for shape in ((size, 2, 30, 31), (3, 2, 3, 3), (3,)))
        b = Tensor(b, requires_grad=True)
        y = convolve_bias(x, w, b, **geometry)
        g = rng.standard_normal(y.shape)
        y.backward(g)
        np.testing.assert_allclose(b.grad.data, g.sum((0, 2, 3)), atol=1e-11)


@pytest.mark.parametrize("size", [1, 3, 70])
def test_many_images_are_done_in_parts(size, choice):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((size, 3, 20, 20)), rng.standard_normal((7, 3, 3, 3))
    geometry = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    whole = convolve(x, w, **geometry).data
    alone = np.concatenate([naive_convolve(image[None], w, **geometry) for image in x])
    np.testing.assert_allclose(whole, alone, atol=1e-12)
    dw = convolve_weight(x, whole, kernel=(3, 3), **geometry).data
    parts = [convolve_weight(a[None], b[None], kernel=(3, 3), **geometry).data for a, b in zip(x, whole, strict=True)]
    np.testing.assert_allclose(dw, sum(parts), atol=1e-9)


def test_an_empty_batch(choice):
    geometry = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    x, w = np.zeros((0, 2, 4, 4)), np.ones((3, 2, 3, 3))
    assert convolve(x, w, **geometry).shape == (0, 3, 4, 4)
    assert not convolve_weight(x, np.zeros((0, 3, 4, 4)), kernel=(3, 3), **geometry).data.any()
    assert convolve_transpose(np.zeros((0, 3, 4, 4)), w, size=(4, 4), **geometry).shape == x.shape


def test_each_is_the_adjoint_of_the_others():
    rng = np.random.default_rng(0)
    for case in GEOMETRIES.values():
        x, w = rng.standard_normal(case[0]), rng.standard_normal(case[1])
        y = convolve(x, w, **options(case)).data
        g = rng.standard_normal(y.shape)
        by_y = np.sum(y * g)
        by_x = np.sum(x * convolve_transpose(g, w, size=x.shape[2:], **options(case)).data)
        by_w = np.sum(w * convolve_weight(x, g, kernel=w.shape[2:], **options(case)).data)
        np.testing.assert_allclose([by_x, by_w], by_y, rtol=1e-10)


def test_third_order():
    rng = np.random.default_rng(0)
    geometry = {"stride": (2,), "padding": ((1, 0),), "dilation": (1,), "groups": 1}
    import tinygrad_opt as tg

    def slope(x, w):
        x, w = (t if t.requires_grad else Tensor(t.data, requires_grad=True) for t in (x, w))
        y = (convolve(x, w, **geometry) ** 3).sum()
        first = tg.autograd.grad(y, [x, w], create_graph=True)
        return (first[0] ** 2).sum() + (first[1] ** 2).sum()

    gradcheck(slope, [rng.standard_normal((1, 2, 5)), rng.standard_normal((2, 2, 2))], order=2)


def test_compiled_agrees_in_single_precision():
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((4, 16, 14, 14), (32, 16, 3, 3)))
    geometry = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    before, found = kernels(), []
    for choice in ("numpy", "numba"):
        kernels(choice)
        y = convolve(x, w, **geometry).data
        dx = convolve_transpose(y, w, size=(14, 14), **geometry).data
        found.append((y, dx, convolve_weight(x, y, kernel=(3, 3), **geometry).data))
    kernels(before)
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype == np.float32
        assert np.abs(a - b).max() <= 4e-6 * np.abs(a).max()


LARGE = {
    "many channels": ((3, 40, 18, 18), (10, 40, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "large planes": ((2, 5, 90, 70), (6, 5, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    "large planes, strided": ((2, 6, 90, 71), (4, 3, 5, 3), (2, 2), ((2, 1), (0, 2)), (1, 1), 2),
    "small planes": ((19, 9, 7, 7), (5, 9, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "gaps between windows": ((4, 3, 20, 20), (4, 3, 2, 2), (3, 4), ((1, 0), (0, 1)), (1, 1), 1),
    "long line": ((3, 4, 3000), (5, 4, 9), (2,), ((4, 4),), (1,), 1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LARGE)
def test_compiled_agrees_where_work_is_cut_to_fit_the_cache(name, dtype):
    pytest.importorskip("numba")
    case = LARGE[name]
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in case[:2])
    before, found = kernels(), []
    for choice in ("numpy", "numba"):
        kernels(choice)
        y = convolve(x, w, **options(case)).data
        dx = convolve_transpose(y, w, size=x.shape[2:], **options(case)).data
        found.append((y, dx, convolve_weight(x, y, kernel=w.shape[2:], **options(case)).data))
    kernels(before)
    for a, b in zip(*found, strict=True):
        assert np.abs(a - b).max() <= 50 * np.finfo(dtype).eps * np.abs(a).max()


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    pytest.importorskip("numba")
    from tinygrad_opt.kernels import threads

    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((13, 16, 20, 20), (32, 16, 3, 3)))
    geometry = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    before, found = kernels(), []
    kernels("numba")
    for count in (1, 2, 5):
        monkeypatch.setattr(threads, "workers", lambda count=count: count)
        threads._forget()
        y = convolve(x, w, **geometry).data
        dx = convolve_transpose(y, w, size=(20, 20), **geometry).data
        found.append((y, dx, convolve_weight(x, y, kernel=(3, 3), **geometry).data))
    kernels(before)
    threads._forget()
    for one, *others in zip(*found, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_mixed_dtypes_promote():
    geometry = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    for a, b in itertools.product((np.float32, np.float64), repeat=2):
        y = convolve(np.ones((1, 1, 4), a), np.ones((1, 1, 2), b), **geometry)
        assert y.dtype == np.result_type(a, b)


PLAIN = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}


@pytest.mark.parametrize(
    ("primitive", "shapes", "more"),
    [
        (convolve, [(1, 2, 3), (1, 3, 2)], {}),
        (convolve, [(1, 3, 9), (4, 2, 2)], {}),
        (convolve, [(1, 2, 3), (1, 2, 2)], {"groups": 0}),
        (convolve, [(1, 2, 3), (1, 2, 2)], {"groups": -1}),
        (convolve, [(1, 2, 3), (1, 1, 2)], {"groups": 2}),
        (convolve_bias, [(1, 2, 3), (3, 2, 2), (2,)], {}),
        (convolve_bias, [(1, 2, 3), (3, 2, 2), (1,)], {}),
        (convolve_transpose, [(1, 2, 3), (3, 2, 2)], {"size": (4,)}),
        (convolve_transpose, [(1, 3, 3), (3, 2, 2)], {"size": (5,)}),
        (convolve_transpose, [(1, 3, 3), (3, 2, 2)], {"size": (4,), "groups": 2}),
        (convolve_weight, [(1, 2, 4), (1, 3, 3)], {"kernel": (3,)}),
        (convolve_weight, [(2, 2, 4), (1, 3, 3)], {"kernel": (2,)}),
        (convolve_weight, [(1, 2, 4), (1, 3, 3)], {"kernel": (2,), "groups": 2}),
    ],
)
def test_what_does_not_fit_is_refused_before_memory_is_read(primitive, shapes, more, choice):
    with pytest.raises(ShapeError, match=f"^{primitive.__name__}.*: the channels or the sizes do not fit"):
        primitive(*map(np.ones, shapes), **{**PLAIN, **more})
