"""Venn-Abers calibration (Vovk, Petej and Fedorova 2015, arXiv 1511.00213, algorithm IVAP).

A new score is added to the labelled ones, once with the label 0 and once with 1. Isotonic
regression of both gives p0 and p1, between which the probability lies. Their minimax mean for log
loss is p1 / (1 - p0 + p1).

A new 1 is at least as high as everything behind it, so it joins the next labelled score: p1 is the
height at the smallest labelled score that is not below. A new 0 joins the one before. So the two
heights are needed at the labelled scores only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from curate.heads.calibration.calibrator import OutOfFold, floor_of, normalised
from curate.heads.calibration.one_vs_rest import log_odds, pooled, stacked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Point = tuple[float, float]


@dataclass(frozen=True)
class VennAbers:
    """The distinct scores of each value, ascending, with p0 and p1 there: values x scores.

    Rows are filled with the score inf.
    """

    scores: Array
    if_absent: Array
    if_present: Array
    floor: Array

    def __call__(self, logits: Array) -> Array:
        """The probabilities of logits: rows x values."""
        import numpy as np

        odds = log_odds(logits)
        merged = np.empty_like(odds)
        for place in range(odds.shape[1]):
            low, high = self.between(odds[:, place], place)
            merged[:, place] = high / (1 - low + high)
        merged[np.isnan(odds)] = np.nan
        return normalised(merged, self.floor)

    def between(self, scores: Array, place: int) -> tuple[Array, Array]:
        """The probabilities p0 and p1 of one value at scores."""
        import numpy as np

        own = self.scores[place]
        before = np.append(0.0, self.if_absent[place])
        behind = np.append(self.if_present[place], 1.0)
        last = np.searchsorted(own, scores, side="right")
        return before[last], behind[np.searchsorted(own, scores, side="left")]


def fit_venn_abers(rows: OutOfFold) -> VennAbers:
    """Fit both heights of each value."""
    columns = zip(log_odds(rows.logits).T, rows.truth.T, strict=True)
    scores, low, high = zip(*(_heights(*column) for column in columns), strict=True)
    if_absent, if_present = stacked(low, beyond=1.0), stacked(high, beyond=1.0)
    return VennAbers(stacked(scores, beyond=inf), if_absent, if_present, floor_of(rows.truth))


def _heights(scores: Array, labels: Array) -> tuple[Array, Array, Array]:
    """The distinct scores, with the heights there if one more label is 0, and if it is 1.

    A 0 in one direction is a 1 in the other.
    """
    distinct, means, numbers = pooled(scores, labels)
    return (
        distinct,
        1 - _if_present(1 - means[::-1], numbers[::-1])[::-1],
        _if_present(means, numbers),
    )


def _if_present(means: Array, numbers: Array) -> Array:
    """The height of the isotonic regression at each score that gets one more label, a 1.

    Isotonic regression is the slope of the greatest convex minorant of the cumulative sums. The
    new label moves from the first score to the last, and `corners` keeps the part of the minorant
    from it on, the first corner last (algorithms 1 and 2 of the paper).
    """
    import numpy as np

    widths, sums = np.cumsum(numbers).tolist(), np.cumsum(numbers * means).tolist()
    points = [(-1.0, -1.0), (0.0, 0.0), *zip(widths, sums, strict=True)]
    corners = _minorant(points)[::-1]
    heights = np.empty(len(means))
    for place in range(len(means)):
        (x, y), (next_x, next_y) = corners[-1], corners[-2]
        heights[place] = (next_y - y) / (next_x - x)
        behind, here, before = points[place + 2], points[place + 1], points[place]
        here = (before[0] + behind[0] - here[0], before[1] + behind[1] - here[1])
        points[place + 1] = here
        if _is_left(corners[-1], corners[-2], here):
            continue
        corners.pop()
        while len(corners) > 1 and not _is_left(here, corners[-1], corners[-2]):
            corners.pop()
        corners.append(here)
    return heights


def _minorant(points: list[Point]) -> list[Point]:
    """The corners of the greatest convex minorant, from the first point to the last."""
    corners: list[Point] = []
    for point in points:
        while len(corners) > 1 and not _is_left(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return corners


def _is_left(first: Point, second: Point, third: Point) -> bool:
    """Whether the third point lies to the left of the line from the first to the second."""
    ahead = (second[0] - first[0]) * (third[1] - first[1])
    return ahead > (second[1] - first[1]) * (third[0] - first[0])
