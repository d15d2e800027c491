import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.errors import ShapeError


def test_errors_name_the_layer_and_the_shapes():
    model = nn.Sequential(nn.LSTM(4, 3, batch_first=True))
    with pytest.raises(ShapeError, match=r"0 \(LSTM\): expected x of shape \(B, T, 4\) or \(T, 4\), got \(2, 5, 3\)"):
        model(np.ones((2, 5, 3)))
    with pytest.raises(ShapeError, match=r"expected c_0 of shape \(1, 2, 3\), got \(1, 2, 4\)"):
        nn.LSTM(4, 3)(np.ones((5, 2, 4)), (np.zeros((1, 2, 3)), np.zeros((1, 2, 4))))
    with pytest.raises(ShapeError, match=r"expected h_0 of shape \(2, 3\)"):
        nn.GRU(4, 3, 2)(np.ones((5, 4)), np.zeros((1, 3)))
    with pytest.raises(ShapeError, match=r"GRUCell: expected hx of shape \(2, 3\)"):
        nn.GRUCell(4, 3)(np.ones((2, 4)), np.zeros((3, 3)))


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((-1, 2), r"input_size must be an int >= [01], got -1"),
        ((1, -2), r"hidden_size must be an int >= [01], got -2"),
        ((1, 2.5), r"hidden_size must be an int >= [01], got 2.5"),
    ],
)
def test_wrong_sizes(kind, sizes, message):
    with pytest.raises(ValueError, match=f"^{kind.__name__}: {message}"):
        kind(*sizes)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_layer_needs_sizes_of_at_least_one_and_a_first_step(kind):
    for sizes in ((0, 2), (1, 0), (1, 2, 0)):
        with pytest.raises(ValueError, match="must be an int >= 1, got 0"):
            kind(*sizes)
    for first, shape in ((False, (0, 1, 3)), (False, (0, 3)), (True, (1, 0, 3)), (True, (0, 3))):
        with pytest.raises(ShapeError, match="a sequence of length 0; it must have a first step"):
            kind(3, 2, batch_first=first)(np.ones(shape, np.float32))
    assert kind(3, 2)(np.ones((4, 0, 3), np.float32))[0].shape == (4, 0, 2)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_a_cell_may_have_no_units(kind):
    y = kind(3, 0)(np.ones((2, 3), np.float32))
    assert [part.shape for part in (y if isinstance(y, tuple) else [y])] == [(2, 0)] * (1 + (kind is nn.LSTMCell))


H = np.zeros((1, 2, 3))


@pytest.mark.parametrize(
    ("layer", "state", "message"),
    [
        (nn.LSTM, H, r"LSTM: expected the pair \(h_0, c_0\) as the initial state, got an array of shape \(1, 2, 3\)"),
        (nn.LSTM, np.stack([H, H]), r"LSTM: expected the pair \(h_0, c_0\) .* got an array of shape \(2, 1, 2, 3\)"),
        (nn.LSTM, (H,), r"LSTM: expected the pair \(h_0, c_0\) .* got 1 of them"),
        (nn.LSTM, [H, H, H], r"LSTM: expected the pair \(h_0, c_0\) .* got 3 of them"),
        (nn.LSTM, 5, r"LSTM: expected the pair \(h_0, c_0\) .* got an array of shape \(\)"),
        (nn.GRU, (H, H), "GRU: expected one array, h_0, as the initial state, got 2 of them"),
        (nn.LSTMCell, H[0], r"LSTMCell: expected the pair \(h, c\) .* got an array of shape \(2, 3\)"),
        (nn.LSTMCell, (H[0],), r"LSTMCell: expected the pair \(h, c\) .* got 1 of them"),
        (nn.GRUCell, (H[0], H[0]), "GRUCell: expected one array, hx, as the initial state, got 2 of them"),
    ],
)
def test_states_that_come_alone_or_in_pairs(layer, state, message):
    x = np.ones((2, 4) if layer in (nn.LSTMCell, nn.GRUCell) else (5, 2, 4), np.float32)
    with pytest.raises(ShapeError, match=f"^{message}"):
        layer(4, 3)(x, state)


def test_one_state_of_a_pair_may_be_left_out():
    x = np.ones((5, 2, 4), np.float32)
    for layer, given, h in ((nn.LSTM(4, 3), x, H), (nn.LSTMCell(4, 3), x[0], H[0])):
        part, whole = layer(given, (h + 1, None)), layer(given, (h + 1, h))
        np.testing.assert_array_equal(part[0].data, whole[0].data)


def test_wrong_options():
    with pytest.raises(ValueError, match="nonlinearity must be"):
        nn.RNN(2, 3, nonlinearity="sigmoid")
    with pytest.raises(ValueError, match="probability"):
        nn.GRU(2, 3, 2, dropout=1.5)
    with pytest.raises(ValueError, match="proj_size"):
        nn.LSTM(2, 3, proj_size=3)
    with pytest.warns(UserWarning, match="only one"):
        nn.LSTM(2, 3, dropout=0.5)


@pytest.mark.parametrize(("kind", "cell"), [("RNN", "RNNCell"), ("LSTM", "LSTMCell"), ("GRU", "GRUCell")])
def test_a_layer_is_its_cell_step_by_step(kind, cell):
    layer, step = getattr(nn, kind)(3, 4, dtype=np.float64), getattr(nn, cell)(3, 4, dtype=np.float64)
    step.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state, outputs = np.random.default_rng(0).standard_normal((5, 2, 3)), None, []
    for x_t in x:
        state = step(x_t, state)
        outputs.append((state[0] if kind == "LSTM" else state).data)
    y, last = layer(x)
    np.testing.assert_allclose(y.data, np.stack(outputs), atol=1e-14)
    np.testing.assert_allclose((last[0] if kind == "LSTM" else last).data[0], outputs[-1], atol=1e-14)


def test_a_sequence_in_two_halves_is_the_whole():
    layer = nn.LSTM(3, 4, 2, batch_first=True, dtype=np.float64)
    x = np.random.default_rng(0).standard_normal((2, 6, 3))
    whole, _ = layer(x)
    first, state = layer(x[:, :2])
    second, _ = layer(x[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data], axis=1), whole.data, atol=1e-14)


def test_dropout_acts_between_layers_while_training():
    layer = nn.GRU(3, 4, 2, dropout=0.5, generator=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((5, 2, 3)).astype(np.float32)
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)


def test_no_bias_and_initial_values():
    layer = nn.LSTM(3, 25, bias=False)
    assert [name for name, _ in layer.named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]
    assert 0.19 < np.abs(layer.weight_hh_l0.data).max() <= 0.2
    assert repr(layer).startswith("LSTM(3, 25, bias=False)")


def test_a_long_sequence_remembers_through_the_forget_gate():
    """With the forget gate open and the others shut, the cell carries its value and its gradient unchanged."""
    layer = nn.LSTM(1, 1, dtype=np.float64)
    for parameter in layer.parameters():
        parameter.write_(np.zeros(parameter.shape))
    layer.bias_ih_l0.write_([-50.0, 50.0, 0.0, 50.0])
    c = tg.tensor(np.full((1, 1, 1), 0.25), requires_grad=True)
    _, (_, last) = layer(np.zeros((500, 1, 1)), (np.zeros((1, 1, 1)), c))
    last.sum().backward()
    assert abs(last.item() - 0.25) < 1e-12
    assert abs(c.grad.item() - 1) < 1e-12
