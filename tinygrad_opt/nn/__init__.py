"""Layers, losses and initial values, with PyTorch's names and semantics."""

from . import functional, init, utils
from .activations import GELU, LogSigmoid, Mish, ReLU, Sigmoid, SiLU, Softplus, Softsign, Tanh, Tanhshrink
from .attention import MultiheadAttention
from .batch_normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .bilinear import Bilinear
from .binary_losses import BCELoss, BCEWithLogitsLoss
from .classification_losses import CrossEntropyLoss
from .containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .convolution_layers import *
from .ctc_loss import CTCLoss
from .distance_losses import (
    CosineEmbeddingLoss,
    CosineSimilarity,
    PairwiseDistance,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from .dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from .embedding import Embedding
from .embedding_bag import EmbeddingBag
from .flatten import Flatten, Unflatten
from .folding import Fold, Unfold
from .likelihood_losses import GaussianNLLLoss, PoissonNLLLoss
from .linear import Identity, Linear
from .log_probability_losses import KLDivLoss, NLLLoss
from .margin_losses import (
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    SoftMarginLoss,
)
from .module import Module, Parameter
from .normalization import GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from .padding import *
from .piecewise import Hardshrink, Hardsigmoid, Hardswish, Hardtanh, ReLU6, Softshrink, Threshold
from .pooling_layers import *
from .positions import LearnedPositions, RotaryEmbedding, SinusoidalPositions
from .rectifiers import CELU, ELU, SELU, LeakyReLU, PReLU, RReLU
from .recurrent import GRU, LSTM, RNN
from .recurrent_cells import GRUCell, LSTMCell, RNNCell
from .regression_losses import HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from .softmax import GLU, LogSoftmax, Softmax, Softmax2d, Softmin
from .transformer import *
from .upsampling import PixelShuffle, PixelUnshuffle, Upsample, UpsamplingBilinear2d, UpsamplingNearest2d
