import numpy as np
import pytest

from tinygrad_opt.autograd import Tensor
from tinygrad_opt.kernels import kernels
from tinygrad_opt.nn.pool import max_windows, naive_max_windows, pick, route, spread_windows, sum_windows

GEOMETRIES = [
    {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "ceil_mode": False},
    {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "ceil_mode": True},
    {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 1), (0, 0)), "dilation": (1, 2), "ceil_mode": True},
    {"kernel": (4, 3), "stride": (1, 2), "padding": ((2, 2), (1, 1)), "dilation": (1, 1), "ceil_mode": False},
]


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def choice(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    before = kernels()
    yield kernels(request.param)
    kernels(before)


@pytest.mark.parametrize("size", [(6, 8), (7, 9)])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_maximum_is_the_definition(geometry, size):
    x = np.random.default_rng(0).permutation(2 * 3 * size[0] * size[1]).reshape(2, 3, *size) / 7.0
    a, b = Tensor(x, requires_grad=True), Tensor(x, requires_grad=True)
    y, z = max_windows(a, **geometry)[0], naive_max_windows(b, **geometry)
    np.testing.assert_array_equal(y.data, z.data)
    g = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(g)
    z.backward(g)
    np.testing.assert_allclose(a.grad.data, b.grad.data, atol=1e-14)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_pairs_are_adjoint(geometry):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 7, 9))
    y, tap = (part.data for part in max_windows(x, **geometry))
    g = rng.standard_normal(y.shape)
    plain = {key: value for key, value in geometry.items() if key != "ceil_mode"}
    routed = route(g, tap, size=(7, 9), **plain).data
    np.testing.assert_allclose(np.sum(routed * x), np.sum(g * pick(x, tap, **plain).data))
    if max(plain.pop("dilation")) == 1:
        total = sum_windows(x, out=y.shape[2:], **plain).data
        spread = spread_windows(g, size=(7, 9), **plain).data
        np.testing.assert_allclose(np.sum(total * g), np.sum(spread * x))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_sums_are_those_of_the_windows(geometry):
    if max(geometry["dilation"]) > 1:
        return
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 9))
    out = max_windows(x, **geometry)[0].shape[2:]
    plain = {key: geometry[key] for key in ("kernel", "stride", "padding")}
    total = sum_windows(x, out=out, **plain).data
    padded = np.pad(x, ((0, 0), (0, 0), (2, 9), (2, 9)))
    for i in range(out[0]):
        for j in range(out[1]):
            a, b = (
                2 + k * s - before for k, s, (before, _) in zip((i, j), plain["stride"], plain["padding"], strict=True)
            )
            window = padded[:, :, a : a + plain["kernel"][0], b : b + plain["kernel"][1]]
            np.testing.assert_allclose(total[:, :, i, j], window.sum((2, 3)), atol=1e-12)


def test_a_tie_goes_to_the_first_in_reading_order():
    for block, place in (([[1, 1], [1, 1]], 0), ([[0, 1], [1, 0]], 1), ([[0, 0], [1, 1]], 2), ([[0, 0], [0, 1]], 3)):
        y, tap = max_windows(np.array([block], float), **GEOMETRIES[0])
        assert y.data.item() == 1
        assert tap.data.item() == place


def test_nan_goes_through():
    x = np.zeros((1, 4, 4))
    x[0, 0, 1] = np.nan
    x[0, 3, 2] = np.inf
    y = max_windows(x, **GEOMETRIES[0])[0].data
    np.testing.assert_array_equal(y, [[[np.nan, 0], [0, np.inf]]])


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    from tinygrad_opt.kernels import threads

    rng = np.random.default_rng(0)
    for geometry in GEOMETRIES:
        x = rng.standard_normal((12, 16, 40, 60)).astype(np.float32)
        plain = {key: geometry[key] for key in ("kernel", "stride", "padding")}
        found = []
        for count in (1, 3):
            monkeypatch.setattr(threads, "workers", lambda count=count: count)
            threads._forget()
            y, tap = (part.data for part in max_windows(x, **geometry))
            routed = route(y, tap, size=(40, 60), dilation=geometry["dilation"], **plain).data
            parts = [y, tap, routed]
            if max(geometry["dilation"]) == 1:
                total = sum_windows(x, out=y.shape[2:], **plain).data
                parts += [total, spread_windows(total, size=(40, 60), **plain).data]
            found.append(parts)
        threads._forget()
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_infinite_gradients_reach_their_place_only():
    g = np.array([[[np.inf, 1.0], [np.nan, 2.0]]])
    tap = np.array([[[1, 0], [2, 3]]], np.uint8)
    plain = {key: value for key, value in GEOMETRIES[0].items() if key != "ceil_mode"}
    routed = route(g, tap, size=(4, 4), **plain).data[0]
    expected = np.zeros((4, 4))
    expected[0, 1], expected[0, 2], expected[3, 0], expected[3, 3] = np.inf, 1, np.nan, 2
    np.testing.assert_array_equal(routed, expected)


@pytest.mark.parametrize("taps", [(1, 1, 32, 32), (1, 1, 64, 63), (64, 64)])
def test_taps_that_do_not_fit_are_refused_before_memory_is_read(taps):
    geometry = {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    with pytest.raises(ValueError, match="^route.*: there must be one tap for each element of g"):
        route(np.ones((1, 1, 64, 64), np.float32), np.zeros(taps, np.uint8), size=(128, 128), **geometry)
