"""The strategies by name; `auto` is one of these, chosen by what is known."""

from __future__ import annotations

from curate.sample.strategies import (
    disagreement,
    entropy,
    facility_location,
    k_center,
    k_means,
    least_confidence,
    margin,
    mixture,
    random,
    stratified,
    uncertainty_diversity,
)
from curate.sample.strategies.strategy import Strategy

STRATEGIES: dict[str, Strategy] = {
    "random": random.STRATEGY,
    "stratified": stratified.STRATEGY,
    "least_confidence": least_confidence.STRATEGY,
    "margin": margin.STRATEGY,
    "entropy": entropy.STRATEGY,
    "k_means": k_means.STRATEGY,
    "facility_location": facility_location.STRATEGY,
    "k_center": k_center.STRATEGY,
    "uncertainty_diversity": uncertainty_diversity.STRATEGY,
    "disagreement": disagreement.STRATEGY,
    "mixture": mixture.STRATEGY,
}

BEFORE, AFTER = "random", "uncertainty_diversity"
"""What `auto` is before anything has been learned from people, and after."""
