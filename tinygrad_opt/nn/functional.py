"""The functions beside the layers, in one place: ``import tinygrad_opt.nn.functional as F``."""

from ..ops.indexing import one_hot
from .activations import gelu, logsigmoid, mish, relu, sigmoid, silu, softplus, softsign, tanh, tanhshrink
from .attention import scaled_dot_product_attention
from .batch_normalization import batch_norm, instance_norm
from .bilinear import bilinear
from .binary_losses import binary_cross_entropy, binary_cross_entropy_with_logits
from .classification_losses import cross_entropy
from .convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from .ctc_loss import ctc_loss
from .distance_losses import (
    cosine_embedding_loss,
    cosine_similarity,
    pairwise_distance,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .embedding import embedding
from .embedding_bag import embedding_bag
from .flatten import flatten
from .folding import fold, unfold
from .likelihood_losses import gaussian_nll_loss, poisson_nll_loss
from .linear import linear
from .log_probability_losses import kl_div, nll_loss
from .margin_losses import (
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from .normalization import group_norm, layer_norm, local_response_norm, rms_norm
from .padding import pad
from .piecewise import hardshrink, hardsigmoid, hardswish, hardtanh, relu6, softshrink, threshold
from .pooling import *
from .positions import rotate_positions
from .rectifiers import celu, elu, leaky_relu, prelu, rrelu, selu
from .regression_losses import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .softmax import glu, log_softmax, normalize, softmax, softmin
from .upsampling import interpolate, pixel_shuffle, pixel_unshuffle
