"""Pictures: the recorded graph, the backward pass step by step, the health of a net, optimizers that race."""

from .graph import graph
from .picture import Picture

__all__ = ["Picture", "graph"]
