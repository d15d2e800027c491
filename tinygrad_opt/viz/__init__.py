"""Pictures: the recorded graph, the backward pass step by step, the health of a net, optimizers that race."""

from .graph import graph
from .picture import Picture
from .race import Race, race
from .stepper import stepper

__all__ = ["Picture", "Race", "graph", "race", "stepper"]
