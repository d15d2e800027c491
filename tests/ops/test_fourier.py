"""Every transform gives NumPy's values; its gradient is checked through real functions of the spectrum."""

import numpy as np
import pytest

import tinygrad_opt as tg

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((3, 4))
COMPLEX = REAL + 1j * RNG.standard_normal((3, 4))

CASES = [
    ("fft", {}),
    ("fft", {"n": 6, "axis": 0, "norm": "ortho"}),
    ("fft", {"n": 3, "norm": "forward"}),
    ("ifft", {"n": 5}),
    ("ifft", {"axis": 0, "norm": "forward"}),
    ("rfft", {}),
    ("rfft", {"n": 5, "norm": "ortho"}),
    ("rfft", {"n": 2, "axis": 0}),
    ("irfft", {}),
    ("irfft", {"n": 5, "norm": "ortho"}),
    ("irfft", {"n": 9, "axis": 0, "norm": "forward"}),
    ("hfft", {"n": 7}),
    ("ihfft", {}),
    ("fft2", {}),
    ("ifft2", {"s": (2, 5)}),
    ("rfft2", {"norm": "ortho"}),
    ("irfft2", {"s": (3, 5)}),
    ("fftn", {"axes": (0,)}),
    ("ifftn", {}),
    ("rfftn", {"axes": (1, 0)}),
    ("irfftn", {}),
    ("fftshift", {}),
    ("ifftshift", {"axes": 0}),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: str(v).replace(" ", ""))
def test_values_and_gradients(name, options):
    function = getattr(np.fft, name)
    takes_real = name in ("rfft", "ihfft", "rfft2", "rfftn")
    given = REAL if takes_real else COMPLEX
    expected = function(given, **options)
    found = function(tg.tensor(given), **options)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-13)
    assert getattr(tg.fft, name)(tg.tensor(given), **options).shape == expected.shape
    weight = np.random.default_rng(1).standard_normal((2, *expected.shape))

    def measure(re, im):
        spectrum = function(re if takes_real else re + 1j * im, **options)
        return (np.real(spectrum) ** 2 * weight[0]).sum() + (np.imag(spectrum) * weight[1]).sum()

    tg.gradcheck(measure, [REAL, COMPLEX.imag.copy()], order=2)


def test_there_and_back():
    for n in (6, 7):
        x = RNG.standard_normal(n)
        t = tg.tensor(x, requires_grad=True)
        back = np.fft.irfft(np.fft.rfft(t), n)
        np.testing.assert_allclose(back.detach().numpy(), x, atol=1e-14)
        back.backward(np.arange(n, dtype=float))
        np.testing.assert_allclose(t.grad.numpy(), np.arange(n), atol=1e-13)


def test_parseval():
    t = tg.tensor(REAL, requires_grad=True)
    energy = (np.abs(np.fft.fft(t, norm="ortho")) ** 2).sum()
    np.testing.assert_allclose(energy.item(), (REAL**2).sum())
    energy.backward()
    np.testing.assert_allclose(t.grad.numpy(), 2 * REAL, atol=1e-13)


def test_float32_stays_single():
    t = tg.tensor(REAL.astype(np.float32), requires_grad=True)
    spectrum = np.fft.rfft(t)
    assert spectrum.dtype == np.complex64
    np.abs(spectrum).sum().backward()
    assert t.grad.dtype == np.float32


def test_frequencies():
    np.testing.assert_array_equal(tg.fft.fftfreq(5, 0.5).numpy(), np.fft.fftfreq(5, 0.5))
    np.testing.assert_array_equal(tg.fft.rfftfreq(6).numpy(), np.fft.rfftfreq(6))


def test_the_face_holds_what_numpy_holds():
    assert {n for n in dir(np.fft) if n in np.fft.__all__} <= set(tg.fft.__all__)
