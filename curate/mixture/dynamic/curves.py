"""The curve of a loss over tokens, L(n) = least + scale * n ** -exponent, fitted to what was seen.

ADO fits it (Jiang et al. 2024, arXiv 2410.11820): Huber's loss on the logarithms, so that a few
strange losses do not rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_POINTS = 5
FLATTEST, STEEPEST = 0.05, 2.0
"""The smallest exponent, as in ADO, and the largest."""

HUBER = 0.01
"""Differences of log losses beyond it count by their size, smaller ones by their square."""

STARTS = ((0.1, 0.2), (0.5, 0.5), (0.9, 1.0))
"""(part of the smallest loss that is the least one, exponent) from which the fit begins."""


@dataclass(frozen=True)
class Curve:
    """L(n) = least + scale * n ** -exponent; loss in nats, n in tokens."""

    least: float
    scale: float
    exponent: float

    def at(self, tokens: float) -> float:
        """The loss after so many tokens, above 0."""
        return self.least + self.scale * float(tokens**-self.exponent)

    def fall(self, tokens: float) -> float:
        """What one more token takes off the loss: exponent * (L - least) / n."""
        return self.exponent * self.scale * float(tokens ** (-self.exponent - 1))


def fit(points: Sequence[tuple[float, float]], before: Curve | None = None) -> Curve | None:
    """The curve through (tokens, loss), both above 0; None for fewer than five points.

    Points at 0 tokens do not count. `before` is an earlier curve of the same group: the fit then
    begins there alone.
    """
    import numpy as np

    table = np.array([point for point in points if point[0] > 0], float).reshape(-1, 2)
    tokens, losses = table[:, 0], np.log(table[:, 1])
    if len(np.unique(tokens)) < LEAST_POINTS:
        return None
    most, lowest = float(tokens.max()), float(table[:, 1].min())
    x = np.log(tokens / most)
    starts = [_start(before, most, lowest)] if before else [_guess(*own, lowest) for own in STARTS]
    found = [_solved(x, losses, start, lowest) for start in starts]
    (least, height, exponent), _ = min(found, key=lambda own: own[1])
    return Curve(float(least), exp(height) * most ** float(exponent), float(exponent))


def _guess(part: float, exponent: float, lowest: float) -> tuple[float, float, float]:
    return part * lowest, log((1 - part) * lowest), exponent


def _start(before: Curve, most: float, lowest: float) -> tuple[float, float, float]:
    height = max(before.scale * most**-before.exponent, 1e-6 * lowest)
    return min(before.least, 0.999 * lowest), log(height), before.exponent


def _solved(
    x: Array, losses: Array, start: tuple[float, float, float], lowest: float
) -> tuple[tuple[float, float, float], float]:
    """(least, log of the height at the last token, exponent), and their cost.

    `x` is the logarithm of tokens over the last tokens, `losses` are logarithms.
    """
    import numpy as np
    from scipy.optimize import least_squares

    def curve(own: Array) -> tuple[Array, Array]:
        power = np.exp(own[1] - own[2] * x)
        return own[0] + power, power

    def slopes(own: Array) -> Array:
        loss, power = curve(own)
        return np.column_stack([1 / loss, power / loss, -x * power / loss])

    inside = np.clip(start[2], FLATTEST * 1.001, STEEPEST * 0.999)
    found = least_squares(
        lambda own: np.log(curve(own)[0]) - losses,
        (max(start[0], 1e-6 * lowest), start[1], inside),
        jac=slopes,
        bounds=((0, -np.inf, FLATTEST), (lowest, np.inf, STEEPEST)),
        loss="huber",
        f_scale=HUBER,
        x_scale=(lowest, 1.0, 0.1),
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
        max_nfev=300,
    )
    least, height, exponent = found.x.tolist()
    return (least, height, exponent), float(found.cost)
