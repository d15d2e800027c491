import numpy as np
import pytest

from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError


def draw(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def test_layers_of_a_stack_are_copies_with_names_of_their_own():
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2, nn.LayerNorm(4))
    first, second = stack.layers[0].linear1.weight, stack.layers[1].linear1.weight
    assert first is not second
    assert not np.shares_memory(first.data, second.data)
    assert (first.name, second.name) == ("layers.0.linear1.weight", "layers.1.linear1.weight")
    np.testing.assert_array_equal(first.data, second.data)


@pytest.mark.parametrize("norm_first", [False, True])
def test_causal_layers_do_not_look_ahead(norm_first):
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, norm_first=norm_first, batch_first=True, dtype=np.float64)
    x = draw(2, 6, 4)
    changed = x.copy()
    changed[:, 4:] += 1
    plain, other = layer(x, is_causal=True).data, layer(changed, is_causal=True).data
    np.testing.assert_allclose(plain[:, :4], other[:, :4], atol=1e-12)
    assert np.abs(plain[:, 4:] - other[:, 4:]).max() > 0.01
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    np.testing.assert_allclose(layer(x, src_mask=mask).data, plain, atol=1e-12)


def test_batch_first_is_a_swap_of_axes():
    first = nn.TransformerDecoderLayer(4, 2, 8, 0.0, batch_first=True, dtype=np.float64)
    second = nn.TransformerDecoderLayer(4, 2, 8, 0.0, dtype=np.float64)
    second.load_state_dict(first.state_dict())
    x, memory = draw(2, 5, 4), draw(2, 3, 4)
    swapped = second(np.swapaxes(x, 0, 1), np.swapaxes(memory, 0, 1)).data
    np.testing.assert_allclose(first(x, memory).data, np.swapaxes(swapped, 0, 1), atol=1e-12)


def test_padding_is_not_seen():
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True, dtype=np.float64)
    x = draw(1, 5, 4)
    hidden = np.array([[False, False, False, True, True]])
    short, long = layer(x[:, :3]).data, layer(x, src_key_padding_mask=hidden).data
    np.testing.assert_allclose(long[:, :3], short, atol=1e-12)


def test_wrong_calls():
    for kind in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer):
        with pytest.raises(ValueError, match=f"^{kind.__name__}: activation must be"):
            kind(4, 2, activation="tanh")
    for kind, layer in (
        (nn.TransformerEncoder, nn.TransformerEncoderLayer),
        (nn.TransformerDecoder, nn.TransformerDecoderLayer),
    ):
        for count in (-1, 1.5):
            with pytest.raises(ValueError, match=f"^{kind.__name__}: num_layers must be an int >= 0, got {count}"):
                kind(layer(4, 2, 8), count)
    with pytest.raises(ValueError, match="generate_square_subsequent_mask: sz must be an int >= 0, got -1"):
        nn.Transformer.generate_square_subsequent_mask(-1)
    with pytest.raises(ShapeError, match=r"src \(\) and tgt \(\) must have as many axes and end in 4"):
        nn.Transformer(4, 2, 1, 1, 8)(1.0, 1.0)
    with pytest.raises(ShapeError, match="must have as many axes and end in 4"):
        nn.Transformer(4, 2, 1, 1, 8)(draw(3, 1, 4), draw(3, 1, 5))
