"""What is known of each stratum before a round, from the sums of the frame and people's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import nan, sqrt
from statistics import median
from typing import TYPE_CHECKING

from curate.annotated.documents import LabelledDocuments
from curate.inference.groups import Labelled, group_means
from curate.mixture.intervals import tells
from curate.sample.frame import Frame
from curate.sample.strategies.strategy import Stratum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_SECONDS = 1.0
"""A shorter time of an answer is no measure of what a group costs."""


def measure(
    frame: Frame,
    seconds: Mapping[str, float | None],
    labelled: LabelledDocuments | None = None,
) -> dict[str, Stratum]:
    """The strata of a frame by name, in the order of their names.

    `seconds` are the answered documents with the median seconds of an answer, None where it was not
    measured. A stratum whose answers were not measured takes the time of all. `labelled` are the
    documents whose quality people's answers tell.
    """
    has_quality = any(len(sums) > 1 and sums[1, 0] for sums in frame.sums.values())
    answered = Counter(frame.seen[id].stratum for id in seconds if id in frame.seen)
    times: dict[str, list[float]] = {}
    for id, time in seconds.items():
        if id in frame.seen and time is not None:
            times.setdefault(frame.seen[id].stratum, []).append(time)
    usual = median([time for own in times.values() for time in own] or [LEAST_SECONDS])
    means = {
        name: _mean(frame.sums[name][1]) if has_quality else nan for name in sorted(frame.sizes)
    }
    residuals = _residuals(frame, labelled, means) if labelled is not None else {}
    return {
        name: Stratum(
            size,
            tokens=float(frame.sums[name][0, 1]),
            quality=means[name],
            deviation=_deviation(frame.sums[name], has_quality=has_quality),
            answered=answered[name],
            seconds=max(LEAST_SECONDS, median(times.get(name, [usual]))),
            residual=residuals.get(name),
        )
        for name, size in sorted(frame.sizes.items())
    }


def _residuals(
    frame: Frame, labelled: LabelledDocuments, means: Mapping[str, float]
) -> dict[str, float]:
    """√(ne · se²) of the prediction-powered mean quality, where labels tell it; by stratum.

    It is what one more label of mean weight leaves open: how much the head errs on a document, and
    how much people's answers leave unsaid.
    """
    truth = labelled.truth
    own = Labelled(truth.values, labelled.predicted, labelled.weights, truth.variances)
    strata = [frame.seen[id].stratum if id in frame.seen else None for id in labelled.ids]
    return {
        name: sqrt(estimate.effective) * estimate.error
        for name, estimate in group_means(own, strata, means).items()
        if tells(estimate)
    }


def _mean(sums: NDArray[np.float64]) -> float:
    """The mean from number, sum and sum of squares; NaN without any."""
    return float(sums[1] / sums[0]) if sums[0] else nan


def _deviation(sums: NDArray[np.float64], *, has_quality: bool) -> float:
    """The standard deviation of the quality (column 1), else of the answer; 0 if unknown.

    That of the answer is sqrt(1 - sum p²), p the mean probabilities: one-hot answers vary by
    1 - sum p² around their mean. Rounded, since the shards add up in an order of their own.
    """
    if has_quality:
        number, total, squares = sums[1]
        variance = squares / number - (total / number) ** 2 if number else 0.0
    else:
        means = [_mean(column) for column in sums[2:]]
        variance = 1 - sum(mean**2 for mean in means) if means and means[0] == means[0] else 0.0
    return round(sqrt(max(variance, 0.0)), 9)
