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
    brier,
    cross_entropy,
    leaders,
    mean_squared_error,
    per_unit,
    perplexity,
)

__all__ = [
    "SAME",
    "Bin",
    "ClassMetrics",
    "Classification",
    "Confused",
    "brier",
    "classification",
    "confusion",
    "cross_entropy",
    "leaders",
    "mean_squared_error",
    "per_unit",
    "perplexity",
    "reliability",
]
