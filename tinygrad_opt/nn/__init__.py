"""Layers, losses and initial values, with PyTorch's names and semantics."""

from . import functional, init
from .containers import *
from .flatten import Flatten, Unflatten
from .linear import Identity, Linear
from .module import Module, Parameter
