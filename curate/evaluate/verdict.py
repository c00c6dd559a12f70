"""What a comparison found: each arm's losses, the mixture beside every other arm, and the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from curate.evaluate.paired import Difference
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 20
"""A verdict that rests on fewer held-out documents of a source is told to be weak."""


@dataclass(frozen=True)
class ArmResult:
    """The cross-entropy of one mixture on the holdout of each source, in nats per byte.

    Each figure is the mean over the seeds; `sd` is the standard deviation between them.
    """

    arm: str
    tokens: int
    mean: float
    mean_sd: float
    by_source: dict[str, float]
    by_source_sd: dict[str, float]

    @staticmethod
    def of(name: str, sizes: Sequence[int], losses: Sequence[Mapping[str, float]]) -> ArmResult:
        """The result of an arm: its tokens and its losses by source, one of each for every seed."""
        import numpy as np

        sources = list(losses[0])
        table: NDArray[np.float64] = np.array(
            [[own[source] for source in sources] for own in losses]
        )
        means, spreads = table.mean(axis=0), table.std(axis=0, ddof=1)
        return ArmResult(
            arm=name,
            tokens=round(float(np.mean(sizes))),
            mean=float(table.mean()),
            mean_sd=float(table.mean(axis=1).std(ddof=1)),
            by_source=dict(zip(sources, means.tolist(), strict=True)),
            by_source_sd=dict(zip(sources, spreads.tolist(), strict=True)),
        )


@dataclass(frozen=True)
class Comparison:
    """How much more the mixture loses than another arm, in nats per byte: below 0 it is better.

    `low` and `high` are the ends of the 95 % interval. They are null where too few documents are
    held out to tell how documents vary.
    """

    arm: str
    difference: float
    low: float | None
    high: float | None
    verdict: str

    @staticmethod
    def of(arm: str, difference: Difference) -> Comparison:
        """The comparison with an arm, from the mixture's difference to it."""
        if not isfinite(difference.half):
            return Comparison(arm, difference.mean, None, None, "cannot be told from")
        better_or_worse = "better than" if difference.mean < 0 else "worse than"
        return Comparison(
            arm,
            difference.mean,
            difference.mean - difference.half,
            difference.mean + difference.half,
            better_or_worse if difference.is_told else "no gain over",
        )

    def __str__(self) -> str:
        """The verdict in words, with its figures."""
        interval = "without an interval"
        if self.low is not None and self.high is not None:
            interval = f"95 % interval {self.low:+.4f} to {self.high:+.4f}"
        return f"{self.verdict} {self.arm} ({self.difference:+.4f} nats per byte, {interval})"


NAMES = {"ngram": "n-gram", "transformer": "transformer"}
"""How sentences call a proxy."""


def verdict_on(
    comparisons: Sequence[Comparison], holdout: Mapping[str, int], proxy: str = "ngram"
) -> str:
    """Whether the mixture beats each other arm, by the mean over sources, in words."""
    listed = ", ".join(map(str, comparisons))
    weak = "; it rests on few held-out documents" if _few(holdout) else ""
    return f"by the {NAMES[proxy]} proxy the mixture is {listed}{weak}"


def warnings_on(holdout: Mapping[str, int]) -> tuple[StageWarning, ...]:
    """What is doubtful in the held-out documents: sources with few of them, and sources with none.

    `holdout` counts those of every source.
    """
    doubts = []
    if few := _few(holdout):
        words = "fewer than {least} documents are held out of {sources}: the verdict is weak"
        doubts.append(warn("evaluate.few_held_out", words, least=FEW, sources=few))
    if none := [source for source, documents in holdout.items() if not documents]:
        words = "nothing is held out of {sources}: the verdict is silent on that"
        doubts.append(warn("evaluate.none_held_out", words, sources=none))
    return tuple(doubts)


def warnings_of(comparisons: Sequence[Comparison]) -> tuple[StageWarning, ...]:
    """A warning if the mixture does worse than a plain one."""
    worse = [own.arm for own in comparisons if own.verdict == "worse than"]
    words = "by the proxy the mixture is worse than {arms}"
    return (warn("evaluate.worse", words, arms=worse),) if worse else ()


def _few(holdout: Mapping[str, int]) -> list[str]:
    return [f"{source} ({n})" for source, n in holdout.items() if 0 < n < FEW]
