"""Layers, losses and initial values, with PyTorch's names and semantics."""

from . import functional, init
from .activations import GELU, LogSigmoid, Mish, ReLU, Sigmoid, SiLU, Softplus, Softsign, Tanh, Tanhshrink
from .attention import MultiheadAttention
from .binary_losses import BCELoss, BCEWithLogitsLoss
from .classification_losses import CrossEntropyLoss, KLDivLoss, NLLLoss
from .containers import Sequential
from .convolution_layers import *
from .dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from .embedding import Embedding
from .embedding_bag import EmbeddingBag
from .flatten import Flatten, Unflatten
from .folding import Fold, Unfold
from .linear import Identity, Linear
from .module import Module, Parameter
from .piecewise import (
    CELU,
    ELU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    PReLU,
    ReLU6,
    RReLU,
    Softshrink,
    Threshold,
)
from .pooling_layers import *
from .recurrent import GRU, LSTM, RNN
from .recurrent_cells import GRUCell, LSTMCell, RNNCell
from .regression_losses import HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from .softmax import GLU, LogSoftmax, Softmax, Softmax2d, Softmin
