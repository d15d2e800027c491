"""Pictures: the recorded graph, the backward pass step by step, the health of a net, optimizers that race."""

from .flow import Flow, flow
from .graph import graph
from .landscape import Landscape, landscape, snapshot
from .picture import Picture
from .plots import (
    attention,
    confusion_matrix,
    decision_boundary,
    histograms,
    images,
    learning_curves,
    schedule,
)
from .race import Race, race
from .sensitivity import Sensitivity, lr_sensitivity, sharpness
from .stepper import stepper

__all__ = [
    "Flow",
    "Landscape",
    "Picture",
    "Race",
    "Sensitivity",
    "attention",
    "confusion_matrix",
    "decision_boundary",
    "flow",
    "graph",
    "histograms",
    "images",
    "landscape",
    "learning_curves",
    "lr_sensitivity",
    "race",
    "schedule",
    "sharpness",
    "snapshot",
    "stepper",
]
