import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.nn import functional as F

LAYERS = {
    "adaptive mean": ((1, 2, 5), lambda x: F.adaptive_avg_pool1d(x, 2)),
    "linear interpolation": ((1, 2, 5), lambda x: F.interpolate(x, 8, mode="linear")),
    "cubic interpolation": ((1, 1, 3, 3), lambda x: F.interpolate(x, 5, mode="bicubic")),
    "mean interpolation": ((1, 2, 5), lambda x: F.interpolate(x, 3, mode="area")),
    "dropout": ((50,), lambda x: F.dropout(x, 0.3, generator=np.random.default_rng(0))),
    "dropped channels": ((5, 2, 3), lambda x: F.dropout1d(x, 0.3, generator=np.random.default_rng(0))),
    "alpha dropout": ((50,), lambda x: F.alpha_dropout(x, 0.3, True, generator=np.random.default_rng(0))),
    "rms norm": ((2, 3), lambda x: F.rms_norm(x, 3)),
    "sinusoids": ((4, 6), nn.SinusoidalPositions(6)),
    "rotated": ((4, 6), F.rotate_positions),
    "attention": ((4, 6), lambda x: F.scaled_dot_product_attention(x, x, x, np.tri(4) > 0)),
}


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
@pytest.mark.parametrize("name", LAYERS)
def test_integers_are_taken_as_floats(name, dtype):
    shape, layer = LAYERS[name]
    x = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    y = layer(x).data
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, layer(x.astype(np.float64)).data)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_integers_become_what_the_weights_of_a_recurrent_layer_are(kind, dtype):
    x, h, layer = np.arange(12).reshape(4, 3), np.ones((4 if "Cell" in kind.__name__ else 1, 2)), kind(3, 2)
    outputs = []
    for given in (dtype, np.float32):
        state = h.astype(given)
        y = layer(x.astype(dtype).astype(given), (state, state) if "LSTM" in kind.__name__ else state)
        outputs.append((y[0] if isinstance(y, tuple) else y).data)
    assert outputs[0].dtype == np.float32
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_integers_become_what_the_weights_of_an_attention_are(dtype):
    x, layer, hidden = np.arange(12).reshape(3, 4).astype(dtype), nn.MultiheadAttention(4, 2), np.tri(3) == 0
    y, expected = (layer(a, a, a, attn_mask=hidden)[0].data for a in (x, x.astype(np.float32)))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, expected)


def test_what_only_picks_keeps_integers():
    x = np.arange(4).reshape(1, 1, 4)
    assert F.interpolate(x, 8).dtype == x.dtype
    np.testing.assert_array_equal(F.max_pool1d(x, 2).data, [[[1, 3]]])
    assert F.dropout(x, 0.5, training=False).dtype == x.dtype
