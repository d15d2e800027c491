"""PyTorch's names of network functions, in terms of this package's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tinygrad_opt.nn import functional as F

Ours = Callable[..., Any]


def renamed(function: Ours) -> Ours:
    """dim as axis; a dtype is converted to first."""

    def run(x: Any, *args: Any, **options: Any) -> Any:
        options = {{"dim": "axis"}.get(key, key): value for key, value in options.items()}
        dtype = options.pop("dtype", None)
        return function(x if dtype is None else x.astype(dtype), *args, **options)

    return run


def attention(q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, **options: Any) -> Any:
    if dropout_p:
        raise pytest.skip.Exception("what is dropped is random")
    return F.scaled_dot_product_attention(q, k, v, attn_mask, **options)


FUNCTIONAL = """
    adaptive_avg_pool1d adaptive_avg_pool2d avg_pool1d avg_pool2d binary_cross_entropy binary_cross_entropy_with_logits
    celu conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_embedding_loss
    cosine_similarity cross_entropy elu gaussian_nll_loss gelu glu group_norm hardshrink hardsigmoid
    hardswish hardtanh hinge_embedding_loss huber_loss instance_norm kl_div l1_loss layer_norm leaky_relu linear
    local_response_norm margin_ranking_loss mish mse_loss multi_margin_loss multilabel_margin_loss
    multilabel_soft_margin_loss nll_loss normalize pairwise_distance pixel_shuffle pixel_unshuffle poisson_nll_loss
    prelu relu6 rms_norm selu silu smooth_l1_loss soft_margin_loss softmin softplus
    softshrink softsign tanhshrink threshold triplet_margin_loss unfold bilinear one_hot batch_norm
    max_pool1d max_pool2d interpolate adaptive_max_pool1d adaptive_max_pool2d ctc_loss
""".split()  # noqa: SIM905 - a table of names reads best so
TRANSLATED: dict[str, Ours] = {
    "nn.functional.embedding": lambda weight, indices, **options: F.embedding(indices, weight, **options),
    "nn.functional.embedding_bag": lambda weight, indices, *args, **options: F.embedding_bag(
        indices, weight, *args, **options
    ),
    "nn.functional.scaled_dot_product_attention": attention,
}
TRANSLATED |= {f"nn.functional.{name}": renamed(getattr(F, name)) for name in FUNCTIONAL}
