"""Makes layers.npz: PyTorch's outputs and gradients, of first and second order, for the cases below.

Run by hand, where torch is installed: python tests/nn/reference/make_layers.py
"""

from __future__ import annotations

import pathlib

import numpy as np


def case(layer, *args, inputs, call=None, train=True, second=True, **kwargs):
    """One configuration of a layer. `inputs` are shapes, or (shape, largest) for whole numbers, or arrays."""
    return {
        "layer": layer,
        "args": args,
        "kwargs": kwargs,
        "inputs": inputs,
        "call": call or {},
        "train": train,
        "second": second,
    }


LATER = np.triu(np.ones((5, 5), bool), 1)
PADDED = np.array([[False] * 3 + [True] * 2, [False] * 5])
IMAGE, LINE = (2, 4, 7, 6), (2, 4, 9)
CASES = {
    "conv1d": case("Conv1d", 4, 6, 3, stride=2, padding=1, inputs=[LINE]),
    "conv1d_unbatched": case("Conv1d", 4, 6, 3, dilation=2, padding="same", inputs=[LINE[1:]]),
    "conv2d": case("Conv2d", 4, 3, 3, inputs=[IMAGE]),
    "conv2d_1x1": case("Conv2d", 4, 3, 1, inputs=[IMAGE]),
    "conv2d_stride": case("Conv2d", 4, 3, (3, 2), stride=(2, 3), padding=(1, 0), inputs=[IMAGE]),
    "conv2d_groups": case("Conv2d", 4, 6, 3, padding="same", dilation=2, groups=2, inputs=[IMAGE]),
    "conv2d_depthwise": case("Conv2d", 4, 4, 3, padding=1, groups=4, bias=False, inputs=[IMAGE]),
    "conv2d_valid": case("Conv2d", 4, 3, 2, padding="valid", inputs=[IMAGE[1:]]),
    "conv2d_reflect": case("Conv2d", 4, 3, 3, padding=2, padding_mode="reflect", inputs=[IMAGE]),
    "conv2d_replicate": case("Conv2d", 4, 3, 4, padding="same", padding_mode="replicate", inputs=[IMAGE]),
    "conv2d_circular": case("Conv2d", 4, 3, 3, padding=(1, 2), padding_mode="circular", inputs=[IMAGE]),
    "conv3d": case("Conv3d", 2, 3, (2, 3, 2), stride=(1, 2, 1), padding=1, inputs=[(1, 2, 3, 4, 3)]),
    "conv_transpose1d": case("ConvTranspose1d", 4, 3, 3, stride=2, padding=1, output_padding=1, inputs=[LINE]),
    "conv_transpose2d": case("ConvTranspose2d", 4, 6, 3, stride=3, padding=1, groups=2, inputs=[(2, 4, 3, 2)]),
    "conv_transpose2d_dilation": case(
        "ConvTranspose2d", 4, 2, 3, dilation=(3, 2), output_padding=1, inputs=[(4, 3, 2)]
    ),
    "conv_transpose2d_size": case(
        "ConvTranspose2d", 4, 2, 3, stride=2, bias=False, inputs=[(1, 4, 3, 3)], call={"output_size": [8, 7]}
    ),
    "conv_transpose3d": case("ConvTranspose3d", 2, 3, 2, stride=2, inputs=[(1, 2, 2, 1, 2)]),
    "max_pool1d": case("MaxPool1d", 3, stride=2, padding=1, inputs=[LINE]),
    "max_pool2d": case("MaxPool2d", 2, inputs=[IMAGE]),
    "max_pool2d_ceil": case("MaxPool2d", 3, 2, padding=1, ceil_mode=True, inputs=[IMAGE]),
    "max_pool2d_dilation": case("MaxPool2d", (2, 3), (1, 2), dilation=2, inputs=[IMAGE[1:]]),
    "max_pool2d_indices": case("MaxPool2d", 2, padding=1, return_indices=True, inputs=[IMAGE]),
    "avg_pool1d": case("AvgPool1d", 3, 2, padding=1, inputs=[LINE]),
    "avg_pool2d": case("AvgPool2d", 2, inputs=[IMAGE]),
    "avg_pool2d_ceil": case("AvgPool2d", 3, 2, 1, True, False, inputs=[IMAGE]),
    "avg_pool2d_pad": case("AvgPool2d", (3, 2), (2, 1), padding=(1, 1), ceil_mode=True, inputs=[IMAGE]),
    "avg_pool2d_divisor": case("AvgPool2d", 3, 1, divisor_override=5, inputs=[IMAGE[1:]]),
    "lp_pool1d": case("LPPool1d", 2, 3, stride=2, inputs=[LINE]),
    "lp_pool2d": case("LPPool2d", 4, (2, 3), inputs=[IMAGE]),
    "adaptive_avg_pool1d": case("AdaptiveAvgPool1d", 4, inputs=[LINE]),
    "adaptive_avg_pool2d": case("AdaptiveAvgPool2d", (3, 4), inputs=[IMAGE]),
    "adaptive_avg_pool2d_global": case("AdaptiveAvgPool2d", 1, inputs=[IMAGE]),
    "adaptive_avg_pool2d_none": case("AdaptiveAvgPool2d", (None, 2), inputs=[IMAGE[1:]]),
    "adaptive_max_pool1d": case("AdaptiveMaxPool1d", 4, inputs=[LINE]),
    "adaptive_max_pool2d": case("AdaptiveMaxPool2d", (3, 3), return_indices=True, inputs=[IMAGE]),
    "unfold": case("Unfold", (2, 3), dilation=2, padding=1, stride=(2, 1), inputs=[IMAGE]),
    "fold": case("Fold", (5, 4), (2, 2), padding=1, stride=(2, 1), inputs=[(2, 8, 15)]),
    "rnn": case("RNN", 3, 4, inputs=[(5, 2, 3)]),
    "rnn_relu": case("RNN", 3, 4, 2, "relu", batch_first=True, bidirectional=True, inputs=[(2, 4, 3), (4, 2, 4)]),
    "rnn_unbatched": case("RNN", 3, 4, 2, bias=False, inputs=[(4, 3), (2, 4)]),
    "lstm": case("LSTM", 3, 4, inputs=[(5, 2, 3)]),
    "lstm_state": case("LSTM", 3, 4, batch_first=True, inputs=[(2, 4, 3), [(1, 2, 4), (1, 2, 4)]]),
    "lstm_layers": case("LSTM", 3, 2, 2, bidirectional=True, inputs=[(4, 2, 3), [(4, 2, 2), (4, 2, 2)]]),
    "lstm_no_bias": case("LSTM", 3, 2, 2, bias=False, dropout=0.5, train=False, inputs=[(4, 3)]),
    "lstm_projection": case(
        "LSTM", 3, 4, 2, proj_size=2, bidirectional=True, inputs=[(3, 2, 3), [(4, 2, 2), (4, 2, 4)]]
    ),
    "gru": case("GRU", 3, 4, inputs=[(5, 2, 3)]),
    "gru_layers": case("GRU", 3, 2, 2, batch_first=True, bidirectional=True, inputs=[(2, 4, 3), (4, 2, 2)]),
    "gru_no_bias": case("GRU", 3, 2, bias=False, inputs=[(4, 3), (1, 2)]),
    "rnn_cell": case("RNNCell", 3, 4, inputs=[(2, 3), (2, 4)]),
    "rnn_cell_relu": case("RNNCell", 3, 4, nonlinearity="relu", bias=False, inputs=[(3,)]),
    "lstm_cell": case("LSTMCell", 3, 4, inputs=[(2, 3), [(2, 4), (2, 4)]]),
    "embedding": case("Embedding", 5, 3, padding_idx=-4, inputs=[((2, 4), 5)]),
    "embedding_frequency": case("Embedding", 4, 3, scale_grad_by_freq=True, second=False, inputs=[((7,), 4)]),
    "embedding_norm": case("Embedding", 5, 3, max_norm=0.7, norm_type=3.0, second=False, inputs=[((2, 4), 5)]),
    "bag": case("EmbeddingBag", 6, 3, second=False, inputs=[((3, 4), 6)]),
    "bag_sum": case(
        "EmbeddingBag",
        6,
        3,
        mode="sum",
        padding_idx=1,
        include_last_offset=True,
        second=False,
        inputs=[((7,), 6), np.array([0, 2, 2, 7])],
    ),
    "bag_weights": case("EmbeddingBag", 6, 3, mode="sum", second=False, inputs=[((7,), 6), np.array([0, 3, 3]), (7,)]),
    "bag_max": case(
        "EmbeddingBag", 6, 3, mode="max", padding_idx=0, second=False, inputs=[((7,), 6), np.array([0, 3, 3])]
    ),
    "attention": case("MultiheadAttention", 6, 2, inputs=[(5, 2, 6), "same", "same"]),
    "attention_causal": case(
        "MultiheadAttention",
        6,
        3,
        bias=False,
        batch_first=True,
        inputs=[(2, 5, 6), "same", "same"],
        call={"attn_mask": LATER, "key_padding_mask": PADDED, "average_attn_weights": False},
    ),
    "attention_fast": case(
        "MultiheadAttention",
        6,
        2,
        batch_first=True,
        second=False,
        inputs=[(2, 5, 6), "same", "same"],
        call={"attn_mask": np.where(LATER, -np.inf, 0.5), "is_causal": True, "need_weights": False},
    ),
    "attention_cross": case(
        "MultiheadAttention",
        6,
        2,
        kdim=4,
        vdim=3,
        add_bias_kv=True,
        add_zero_attn=True,
        inputs=[(3, 2, 6), (5, 2, 4), (5, 2, 3)],
        call={"key_padding_mask": PADDED},
    ),
    "attention_unbatched": case("MultiheadAttention", 6, 2, inputs=[(3, 6), (5, 6), "same"]),
    "upsample": case("Upsample", scale_factor=2, inputs=[(1, 2, 3, 4)]),
    "upsample_size": case("Upsample", size=(5, 3), inputs=[(1, 2, 3, 4)]),
    "upsample_linear": case("Upsample", scale_factor=2.5, mode="linear", inputs=[(2, 2, 5)]),
    "upsample_bilinear": case("Upsample", scale_factor=(2.3, 1.5), mode="bilinear", inputs=[(1, 2, 3, 4)]),
    "upsample_corners": case("UpsamplingBilinear2d", size=(5, 7), inputs=[(1, 2, 3, 4)]),
    "upsample_cubic": case("Upsample", size=(7, 3), mode="bicubic", inputs=[(1, 2, 3, 4)]),
    "upsample_recomputed": case(
        "Upsample",
        scale_factor=1.7,
        mode="trilinear",
        align_corners=False,
        recompute_scale_factor=True,
        inputs=[(1, 1, 2, 3, 3)],
    ),
    "pixel_shuffle": case("PixelShuffle", 2, inputs=[(2, 8, 2, 3)]),
    "pixel_unshuffle": case("PixelUnshuffle", 2, inputs=[(2, 2, 4, 6)]),
    "encoder_layer": case("TransformerEncoderLayer", 6, 2, 5, 0.0, inputs=[(4, 2, 6)]),
    "encoder_layer_first": case(
        "TransformerEncoderLayer",
        6,
        3,
        5,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-3,
        batch_first=True,
        norm_first=True,
        bias=False,
        inputs=[(2, 5, 6)],
        call={"src_mask": np.where(LATER, -np.inf, 0.0), "src_key_padding_mask": np.where(PADDED, -np.inf, 0.0)},
    ),
    "decoder_layer": case(
        "TransformerDecoderLayer",
        4,
        2,
        3,
        0.3,
        train=False,
        batch_first=True,
        inputs=[(2, 5, 4), (2, 3, 4)],
        call={"tgt_mask": LATER},
    ),
    "transformer": case(
        "Transformer",
        4,
        2,
        2,
        1,
        3,
        0.0,
        batch_first=True,
        norm_first=True,
        inputs=[(2, 5, 4), (2, 5, 4)],
        call={"tgt_mask": LATER, "tgt_is_causal": True, "memory_key_padding_mask": PADDED},
    ),
    "gru_cell": case("GRUCell", 3, 4, inputs=[(2, 3), (2, 4)]),
}


def draw(inputs, rng):
    """The inputs of a case as arrays; a list of shapes gives a tuple of arrays, flat here."""
    arrays = []
    for item in inputs:
        if isinstance(item, str):
            continue
        if isinstance(item, list):
            arrays += draw(item, rng)
        elif isinstance(item, np.ndarray):
            arrays.append(item)
        elif isinstance(item[0], tuple):
            arrays.append(rng.integers(0, item[1], item[0]))
        else:
            arrays.append(rng.standard_normal(item))
    return arrays


def arrange(inputs, tensors):
    """A case's inputs as the layer takes them, from the flat list of tensors; "same" repeats the one before."""
    tensors, found = iter(tensors), []
    for item in inputs:
        if isinstance(item, list):
            found.append(tuple(next(tensors) for _ in item))
        else:
            found.append(found[-1] if isinstance(item, str) else next(tensors))
    return found


def flatten(outputs):
    """Nested tuples of tensors as a list."""
    if isinstance(outputs, (tuple, list)):
        return [part for item in outputs for part in flatten(item)]
    return [] if outputs is None else [outputs]


def run_torch(one, seed):
    """What PyTorch computes for a case, as arrays by name."""
    import torch

    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    layer = getattr(torch.nn, one["layer"])(*one["args"], **one["kwargs"]).double().train(one["train"])
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.tensor(rng.standard_normal(parameter.shape) * 0.5))
    record = {f"state/{name}": value.detach().numpy().copy() for name, value in layer.state_dict().items()}
    arrays = draw(one["inputs"], rng)
    record |= {f"input/{i}": array for i, array in enumerate(arrays)}
    inputs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    call = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in one["call"].items()}
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # has second derivatives
        outputs = flatten(layer(*arrange(one["inputs"], inputs), **call))
    record |= {f"output/{i}": out.detach().numpy() for i, out in enumerate(outputs)}
    wrt = {f"input/{i}": t for i, t in enumerate(inputs) if t.requires_grad}
    wrt |= {f"state/{name}": parameter for name, parameter in layer.named_parameters()}
    up = [rng.standard_normal(out.shape) for out in outputs]
    record |= {f"up/{i}": u for i, u in enumerate(up)}
    loss = sum(
        ((out + out**2 / 2) * torch.tensor(u)).sum()
        for out, u in zip(outputs, up, strict=True)
        if out.is_floating_point() and out.requires_grad
    )
    first = torch.autograd.grad(loss, list(wrt.values()), create_graph=one["second"], allow_unused=True)
    directions = {}
    for name, gradient in zip(wrt, first, strict=True):
        if gradient is not None:
            record[f"grad/{name}"] = gradient.detach().numpy()
            directions[name] = rng.standard_normal(gradient.shape)
            record[f"direction/{name}"] = directions[name]
    if one["second"]:
        total = sum(
            (gradient * torch.tensor(directions[name])).sum()
            for name, gradient in zip(wrt, first, strict=True)
            if gradient is not None
        )
        second = torch.autograd.grad(total, list(wrt.values()), allow_unused=True)
        for name, gradient in zip(wrt, second, strict=True):
            record[f"second/{name}"] = (
                np.zeros(tuple(wrt[name].shape)) if gradient is None else gradient.detach().numpy()
            )
    return record


if __name__ == "__main__":
    arrays = {}
    for key, one in CASES.items():
        arrays |= {f"{key}:{name}": np.asarray(value) for name, value in run_torch(one, 0).items()}
    np.savez_compressed(pathlib.Path(__file__).with_name("layers.npz"), **arrays)
