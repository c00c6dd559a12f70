"""How a group differs from the others: rates, means and shares, with intervals and p-values.

Documents are taken as a sample: an interval says how far another pool of such documents would
differ. What happened in this pool itself is known without an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

LEVEL = 0.95
"""The probability with which an interval holds the difference."""

EXPECTED = 50.0
"""With fewer documents expected in a cell, the test of a rate is the exact one."""


@dataclass(frozen=True)
class Contrast:
    """A difference with the ends of its 95 % interval, and its p-value against none, two-sided."""

    value: float
    low: float
    high: float
    p: float


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """The interval of a rate (Wilson 1927).

    With k of n and z = 1.96: (k + z²/2 ± z √(k (n - k)/n + z²/4)) / (n + z²).
    """
    z = _z()
    reach = z * sqrt(hits * (trials - hits) / trials + z * z / 4)
    middle = hits + z * z / 2
    return (middle - reach) / (trials + z * z), (middle + reach) / (trials + z * z)


def of_rates(hits: float, trials: float, others_hits: float, others: float) -> Contrast:
    """The difference of two rates (Newcombe 1998, method 10), from the intervals of both.

    With Wilson's l and u: low = d - √((p1 - l1)² + (u2 - p2)²), high = d + √((u1 - p1)² +
    (p2 - l2)²). The test is Fisher's exact one, and that of the normal score for many documents.
    """
    one, other = hits / trials, others_hits / others
    (low, high), (others_low, others_high) = wilson(hits, trials), wilson(others_hits, others)
    value = one - other
    return Contrast(
        value,
        value - hypot(one - low, others_high - other),
        value + hypot(high - one, other - others_low),
        _p_of_rates(hits, trials, others_hits, others),
    )


def _p_of_rates(hits: float, trials: float, others_hits: float, others: float) -> float:
    from scipy.stats import fisher_exact

    rate = (hits + others_hits) / (trials + others)
    if min(rate, 1 - rate) * min(trials, others) < EXPECTED:
        table = [[hits, trials - hits], [others_hits, others - others_hits]]
        return float(fisher_exact(table).pvalue)
    error = sqrt(rate * (1 - rate) * (1 / trials + 1 / others))
    return _two_sided((hits / trials - others_hits / others) / error)


@dataclass(frozen=True)
class Moments:
    """The number of values, their sum and the sum of their squares."""

    number: float
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean."""
        return self.total / self.number

    @property
    def variance_of_mean(self) -> float:
        """s²/n; s² has n - 1 below its sum."""
        spread = max(self.squares - self.total**2 / self.number, 0.0)
        return spread / (self.number - 1) / self.number


def of_means(one: Moments, other: Moments) -> Contrast | None:
    """The difference of two means (Welch 1947); None below 2 values, or where none varies."""
    from scipy.special import stdtr, stdtrit

    if min(one.number, other.number) < 2:
        return None
    parts = one.variance_of_mean, other.variance_of_mean
    variance = sum(parts)
    if variance <= 1e-18:
        return None
    value, error = one.mean - other.mean, sqrt(variance)
    freedom = variance**2 / (parts[0] ** 2 / (one.number - 1) + parts[1] ** 2 / (other.number - 1))
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(value) / error))
    return Contrast(value, value - reach, value + reach, p)


@dataclass(frozen=True)
class Tokens:
    """Sums over documents of x, the tokens of one, and y, the tokens drawn of it.

    documents, Σ x, Σ y, Σ x², Σ y², Σ x y.
    """

    documents: float
    before: float
    after: float
    before_squares: float
    after_squares: float
    products: float


def of_shares(one: Tokens, others: Tokens) -> Contrast | None:
    """How much larger the share of a group is of the tokens drawn than of those there are.

    A = Σ_g y / Σ y, B = Σ_g x / Σ x, and A - B is linear in small changes (Taylor): a document adds
    e = y (1_g - A) / Σ y - x (1_g - B) / Σ x, so the variance is n / (n - 1) · Σ e². None where
    nothing is drawn, or the group has all tokens or none.
    """
    before, after = one.before + others.before, one.after + others.after
    documents = one.documents + others.documents
    if documents < 2 or not after or not one.before or not others.before:
        return None
    own, base = one.after / after, one.before / before
    inside = _squares(one, (1 - own) / after, (1 - base) / before)
    outside = _squares(others, -own / after, -base / before)
    variance = documents / (documents - 1) * max(inside + outside, 0.0)
    if variance <= 1e-18:
        return None
    value, error = own - base, sqrt(variance)
    return Contrast(value, value - _z() * error, value + _z() * error, _two_sided(value / error))


def _squares(sums: Tokens, of_after: float, of_before: float) -> float:
    """Σ (a y - b x)² = a² Σ y² - 2 a b Σ x y + b² Σ x²."""
    return (
        of_after**2 * sums.after_squares
        - 2 * of_after * of_before * sums.products
        + of_before**2 * sums.before_squares
    )


def holm(values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979), in their order.

    The k-th smallest of m counts (m - k + 1) fold, never less than one before it, 1 at most. Where
    nothing differs, the chance that any of them is below .05 is .05.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, least = [1.0] * len(values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = least
    return corrected


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + LEVEL) / 2))


def _two_sided(z: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))
