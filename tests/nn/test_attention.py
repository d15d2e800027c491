import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import nn
from tinygrad_opt.autograd import gradcheck
from tinygrad_opt.errors import ShapeError

attention = nn.functional.scaled_dot_product_attention


def test_equal_keys_give_the_mean_of_the_values():
    v = np.random.default_rng(0).standard_normal((2, 5, 3))
    y = attention(np.ones((2, 4, 6)), np.ones((2, 5, 6)), v)
    np.testing.assert_allclose(y.data, np.repeat(v.mean(1, keepdims=True), 4, axis=1))


def test_bool_masks_and_causality():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((3, 4, 2)) for _ in range(3))
    seen = np.tril(np.ones((4, 4), bool))
    np.testing.assert_allclose(attention(q, k, v, seen).data, attention(q, k, v, is_causal=True).data)
    np.testing.assert_allclose(attention(q, k, v, is_causal=True).data[:, 0], v[:, 0])
    with pytest.raises(ValueError, match="not both"):
        attention(q, k, v, seen, is_causal=True)


def test_a_mask_may_have_a_gradient():
    rng = np.random.default_rng(0)
    q, k, v, bias = (rng.standard_normal(shape) for shape in ((2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4)))
    gradcheck(attention, [q, k, v, bias], order=2)


def test_groups_of_queries_share_keys():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, heads, 5, 4)) for heads in (6, 2, 2))
    y = attention(q, k, v, enable_gqa=True).data
    for head in range(6):
        np.testing.assert_allclose(y[:, head], attention(q[:, head], k[:, head // 3], v[:, head // 3]).data)


def test_values_may_have_fewer_heads_than_keys():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((heads, 5, 4)) for heads in (4, 4, 2))
    expected = attention(q, k, np.repeat(v, 2, axis=0)).data
    np.testing.assert_array_equal(attention(q, k, v, enable_gqa=True).data, expected)


def test_a_width_of_nothing_gives_the_mean_of_the_values():
    v = np.random.default_rng(0).standard_normal((2, 5, 4))
    y = attention(np.ones((2, 3, 0)), np.ones((2, 5, 0)), v).data
    np.testing.assert_allclose(y, np.broadcast_to(v.mean(1, keepdims=True), y.shape))


def test_dropout_keeps_the_mean():
    rng = np.random.default_rng(0)
    q, k, v = np.zeros((200, 20, 4)), np.zeros((200, 10, 4)), np.ones((200, 10, 1))
    y = attention(q, k, v, dropout_p=0.3, generator=rng).data
    assert y.std() > 0.1
    assert abs(y.mean() - 1) < 0.01
    assert not attention(q, k, v, dropout_p=1.0).data.any()


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        ([(4,), (4,), (4,)], {}, r"of shape \(..., length, width\), got \(4,\), \(4,\), \(4,\)"),
        ([(3, 4), (4,), (3, 4)], {}, r"of shape \(..., length, width\), got \(3, 4\), \(4,\)"),
        ([(2, 3, 4), (5, 3, 4), (5, 3, 4)], {}, "the axes before the last two must agree or be 1"),
        ([(2, 3, 4), (2, 3, 4), (5, 3, 4)], {}, "the axes before the last two must agree or be 1"),
        ([(2, 3, 4), (5, 3, 4), (5, 3, 4)], {"dropout_p": 0.5}, "the axes before the last two must agree or be 1"),
        ([(3, 4)] * 3, {"enable_gqa": True}, "needs heads on axis -3"),
        ([(4, 3, 4), (3, 3, 4), (3, 3, 4)], {"enable_gqa": True}, "divide those of the query"),
        ([(4, 3, 4), (2, 3, 4), (3, 3, 4)], {"enable_gqa": True}, "divide those of the query"),
        ([(4, 3, 4), (0, 3, 4), (0, 3, 4)], {"enable_gqa": True}, "divide those of the query"),
    ],
)
def test_sequences_that_do_not_fit(shapes, options, message):
    with pytest.raises(ShapeError, match=f"^scaled_dot_product_attention: .*{message}"):
        attention(*map(np.ones, shapes), **options)


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (4, 5), (3, 3, 5), (3, 2, 3, 5, 1)])
def test_a_mask_that_does_not_fit_is_named(shape, dtype, learned):
    q, k, v = (np.ones((2, n, 64), dtype) for n in (3, 5, 5))
    mask = tg.tensor(np.ones(shape, dtype), requires_grad=learned)
    with pytest.raises(ShapeError, match=rf"attn_mask of shape \({shape[0]},.* broadcast to .*\(2, 3, 5\)"):
        attention(q, k, v, mask)


def test_a_mask_of_integers_is_refused():
    """Whether 0 and 1 show, hide or are added is anybody's guess."""
    x, layer = np.ones((3, 4), np.float32), nn.MultiheadAttention(4, 2)
    with pytest.raises(ValueError, match=r"^scaled_dot_product_attention: a mask has bools.*got int64.*astype\(bool\)"):
        attention(x, x, x, np.eye(3, dtype=np.int64))
    for masks in ({"attn_mask": np.eye(3, dtype=np.int32)}, {"key_padding_mask": np.zeros(3, np.int32)}):
        with pytest.raises(ValueError, match="^MultiheadAttention: a mask has bools.*got int32"):
            layer(x, x, x, **masks)


def test_a_padding_mask_has_the_batch_first():
    x, layer = np.ones((3, 2, 4), np.float32), nn.MultiheadAttention(4, 2)
    assert layer(x, x, x, np.zeros((2, 3), bool))[0].shape == (3, 2, 4)
    for shape in ((3, 2), (6,), (1, 2, 3)):
        with pytest.raises(ShapeError, match=r"expected key_padding_mask of shape \(2, 3\), got"):
            layer(x, x, x, np.zeros(shape, bool))
    assert layer(*(x[:, 0],) * 3, np.zeros(3, bool))[0].shape == (3, 4)


@pytest.mark.parametrize("p", [2.0, -1.0])
def test_dropout_is_a_probability(p):
    with pytest.raises(ValueError, match="^scaled_dot_product_attention: dropout_p must be a probability"):
        attention(*np.ones((3, 2, 2)), dropout_p=p)
    with pytest.raises(ValueError, match="^MultiheadAttention: dropout must be a probability"):
        nn.MultiheadAttention(4, 2, dropout=p)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((4, 2.0), "num_heads must be an int >= 1, got 2.0"),
        ((4, 0), "num_heads must be an int >= 1, got 0"),
        ((-4, 2), "embed_dim must be an int >= 1, got -4"),
        ((4, 2, 0.0, True, False, False, -1), "kdim must be an int >= 0, got -1"),
    ],
)
def test_sizes_of_the_layer(sizes, message):
    with pytest.raises(ValueError, match=f"^MultiheadAttention: {message}"):
        nn.MultiheadAttention(*sizes)


def test_keys_without_width_are_not_those_of_the_default():
    layer = nn.MultiheadAttention(4, 2, kdim=0, batch_first=True)
    assert layer.k_proj_weight.shape == (4, 0)
    ones = np.ones((1, 3, 4), np.float32)
    assert layer(ones, np.ones((1, 3, 0), np.float32), ones)[0].shape == (1, 3, 4)


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match="must agree on the last axis"):
        attention(np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 4)))
    model = nn.Sequential(nn.MultiheadAttention(6, 2))
    with pytest.raises(ShapeError, match=r"0 \(MultiheadAttention\): expected query of shape \(L, N, 6\)"):
        model[0](*(np.ones((3, 2, 5)),) * 3)
    with pytest.raises(ShapeError, match=r"expected attn_mask of shape \(3, 3\) or \(4, 3, 3\), got \(2, 2\)"):
        model[0](*(np.ones((3, 2, 6)),) * 3, attn_mask=np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="must divide embed_dim"):
        nn.MultiheadAttention(6, 4)


def test_dropped_weights_are_those_returned():
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True, generator=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((2, 6, 4)).astype(np.float32)
    weights = layer(x, x, x)[1].data
    assert (weights == 0).any()
    assert not np.allclose(weights.sum(-1), 1)
    np.testing.assert_allclose(layer.eval()(x, x, x)[1].data.sum(-1), 1, rtol=1e-5)


def test_one_array_or_three_equal_ones():
    layer = nn.MultiheadAttention(4, 2, dtype=np.float64)
    x = tg.tensor(np.random.default_rng(1).standard_normal((6, 2, 4)))
    packed, apart = layer(x, x, x), layer(x, x.clone(), x.clone())
    for a, b in zip(packed, apart, strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-14)


@pytest.mark.torch
def test_function_against_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, h, n, 4)) for h, n in ((4, 5), (2, 6), (2, 6)))
    mask = rng.random((5, 6)) < 0.6
    mask[:, 0] = True
    for options in ({}, {"attn_mask": mask}, {"attn_mask": rng.standard_normal((5, 6))}, {"is_causal": True}):
        theirs = {n: torch.tensor(o) if isinstance(o, np.ndarray) else o for n, o in options.items()}
        theirs = torch.nn.functional.scaled_dot_product_attention(
            *map(torch.tensor, (q, k, v)), **theirs, scale=0.3, enable_gqa=True
        )
        ours = attention(q, k, v, **options, scale=0.3, enable_gqa=True)
        np.testing.assert_allclose(ours.data, theirs.numpy(), atol=1e-12)


def test_a_learned_mask_gets_its_gradient():
    rng = np.random.default_rng(0)
    layer = nn.MultiheadAttention(4, 2).double()
    x, mask, padding = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 3)), rng.standard_normal((2, 3))

    def attended(mask, padding):
        return layer(x, x, x, key_padding_mask=padding, attn_mask=mask)[0]

    assert tg.autograd.gradcheck(attended, [mask, padding], order=2)
    constant = layer(x, x, x, key_padding_mask=padding, attn_mask=mask)[0]
    np.testing.assert_allclose(attended(tg.tensor(mask, requires_grad=True), padding).data, constant.data, rtol=1e-12)


def test_a_padding_mask_of_another_batch():
    layer, x = nn.MultiheadAttention(4, 2), np.zeros((3, 2, 4), np.float32)
    with pytest.raises(ShapeError, match=r"expected key_padding_mask of shape \(2, 3\), got \(3, 3\)"):
        layer(x, x, x, key_padding_mask=np.zeros((3, 3), bool))
    with pytest.raises(ShapeError, match=r"must have the same batch size, on axis 1"):
        layer(x, x[:, :1], x[:, :1])
