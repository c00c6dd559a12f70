"""The rows of estimates.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curate.inference.estimate import Estimate
from curate.warning import StageWarning

Quote = Literal["powered", "hajek", "nothing"]
"""The estimate of a row to be quoted."""


@dataclass(frozen=True)
class Interval:
    """A value, and the ends of its 90 % interval; these are None if there is none."""

    value: float
    low: float | None
    high: float | None

    @staticmethod
    def of(estimate: Estimate) -> Interval:
        """The value and the interval of an estimate."""
        return Interval(estimate.value, estimate.low, estimate.high)


@dataclass(frozen=True)
class EstimateRow:
    """A share or a mean in the corpus, or in one of its groups.

    question, value: what is estimated; the value is None for a mean. group: None is the corpus.
    documents: those that can be sampled. labels: those that stand for them. effective: so many
    labels of equal weight would say as much (Kish). naive: the mean of all these labels, whatever
    their propensities. hajek: weighted by 1 / propensity. powered: with the predictions (PPI++),
    each label read together with the prediction; `by_votes` takes labels as they are. Both are None
    without predictions. trust: how much predictions count in `powered`, 0 to 1.
    """

    question: str
    value: str | None
    group: str | None
    documents: int
    labels: int
    effective: float
    naive: Interval
    hajek: Interval
    powered: Interval | None
    by_votes: Interval | None
    trust: float | None
    quote: Quote

    @property
    def quoted(self) -> Interval | None:
        """The estimate to be quoted; None if there are too few labels."""
        named: dict[Quote, Interval | None] = {"powered": self.powered, "hajek": self.hajek}
        return named.get(self.quote)


@dataclass(frozen=True)
class EstimateResult:
    """All rows: of each question those of the corpus, then those of its groups.

    `inputs` are the fingerprints of what they were made from.
    """

    by: str
    documents: int
    rows: tuple[EstimateRow, ...]
    inputs: dict[str, str | None]
    warnings: tuple[StageWarning, ...] = ()
