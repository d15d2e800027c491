"""The functions beside the layers, in one place: ``import tinygrad_opt.nn.functional as F``."""

from .activations import gelu, logsigmoid, mish, relu, sigmoid, silu, softplus, softsign, tanh, tanhshrink
from .binary_losses import binary_cross_entropy, binary_cross_entropy_with_logits
from .classification_losses import cross_entropy, kl_div, nll_loss
from .dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .flatten import flatten
from .linear import linear
from .regression_losses import huber_loss, l1_loss, mse_loss, smooth_l1_loss
