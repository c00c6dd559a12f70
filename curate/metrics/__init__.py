"""How well predictions fit labels: losses, classes, ratings, labels, spans, and their intervals."""

from curate.metrics.classes import (
    Bin,
    Classification,
    ClassMetrics,
    Confused,
    classification,
    confusion,
    reliability,
)
from curate.metrics.losses import (
    SAME,
    TextLoss,
    brier,
    cross_entropy,
    leaders,
    mean_squared_error,
)

__all__ = [
    "SAME",
    "Bin",
    "ClassMetrics",
    "Classification",
    "Confused",
    "TextLoss",
    "brier",
    "classification",
    "confusion",
    "cross_entropy",
    "leaders",
    "mean_squared_error",
    "reliability",
]
