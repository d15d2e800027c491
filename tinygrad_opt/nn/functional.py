"""The functions beside the layers, in one place: ``import tinygrad_opt.nn.functional as F``."""

from .flatten import flatten
from .linear import linear
