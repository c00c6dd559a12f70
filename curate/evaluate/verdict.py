"""What a comparison found: each arm's losses, the mixture beside every other arm, and the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import expm1, isfinite
from typing import TYPE_CHECKING

from curate.evaluate.paired import Difference
from curate.rounding import together
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 20
"""A verdict that rests on fewer held-out documents of a source is told to be weak."""

BETTER, WORSE, ALIKE = "better than", "worse than", "not told apart from"

NO_PROMISE = "what wins in a small run need not win in a large one"


@dataclass(frozen=True)
class ArmResult:
    """The cross-entropy of one mixture on the holdout of each source, in nats per byte.

    Each figure is the mean over the seeds; `sd` is the standard deviation between them. `by_judge`
    is the cross-entropy as each judge weighs the texts.
    """

    arm: str
    tokens: int
    mean: float
    mean_sd: float
    by_source: dict[str, float]
    by_source_sd: dict[str, float]
    by_judge: dict[str, float] = field(default_factory=dict)

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
class JudgeResult:
    """What mixtures were judged on, in words, and by how many texts."""

    judge: str
    texts: int
    about: str


@dataclass(frozen=True)
class SourceDifference:
    """How much more the mixture loses than another arm on the texts of one source."""

    source: str
    difference: float
    low: float | None
    high: float | None

    @staticmethod
    def of(source: str, difference: Difference) -> SourceDifference:
        """The same with the ends of its interval."""
        return SourceDifference(source, difference.mean, *ends_of(difference))


@dataclass(frozen=True)
class Comparison:
    """How much more the mixture loses than another arm, in nats per byte: below 0 it is better.

    `low` and `high` are the ends of the 95 % interval. They are null where too few documents are
    held out to tell how documents vary. The verdict is of all arms beside which one judge puts the
    mixture (Holm), so that an interval may leave out 0 where nothing is told.
    """

    arm: str
    difference: float
    low: float | None
    high: float | None
    verdict: str
    judge: str = "pool"
    p_value: float = 1.0
    by_source: tuple[SourceDifference, ...] = ()

    @staticmethod
    def of(
        arm: str,
        judge: str,
        difference: Difference,
        by_source: Sequence[SourceDifference] = (),
        *,
        is_told: bool,
    ) -> Comparison:
        """The comparison with an arm, from the mixture's difference to it."""
        better_or_worse = BETTER if difference.mean < 0 else WORSE
        return Comparison(
            arm,
            difference.mean,
            *ends_of(difference),
            better_or_worse if is_told else ALIKE,
            judge,
            difference.p_value,
            tuple(by_source),
        )

    def __str__(self) -> str:
        """The verdict in words, as a difference of perplexity per byte in percent."""
        mean = percent_of(self.difference)
        ends = None
        if self.low is not None and self.high is not None:
            ends = percent_of(self.low), percent_of(self.high)
        if self.verdict == ALIKE:
            figure, *rest = together([mean, *(ends or ())], "+")
            interval = "no interval: too few texts"
            if ends:
                interval = f"{rest[0]} to {rest[1]} %"
                if ends[0] * ends[1] > 0:  # told alone, and not beside the others
                    interval += ": not enough, since several comparisons are made at once"
            return f"{self.verdict} {self.arm} (perplexity {figure} %; {interval})"
        lower = "lower" if mean < 0 else "higher"
        figure, *rest = together([abs(mean), *sorted(map(abs, ends or ()))])
        words = f"{self.verdict} {self.arm}: perplexity {figure} % {lower}"
        return f"{words} ({rest[0]} to {rest[1]} %)" if ends else words


def percent_of(difference: float) -> float:
    """By how much perplexity per byte is higher, in percent, for a difference in nats per byte."""
    return 100 * expm1(difference)


def ends_of(difference: Difference) -> tuple[float | None, float | None]:
    """The ends of the 95 % interval; None where it has none."""
    half = difference.half
    return (difference.mean - half, difference.mean + half) if isfinite(half) else (None, None)


NAMES = {"ngram": "n-gram", "transformer": "transformer"}
"""How sentences call a proxy."""


def verdict_on(
    comparisons: Sequence[Comparison], holdout: Mapping[str, int], proxy: str = "ngram"
) -> str:
    """Beside each other arm, on what the mixture is better and on what worse, in one sentence."""
    arms = list(dict.fromkeys(own.arm for own in comparisons))
    told = "; ".join(_beside(arm, [own for own in comparisons if own.arm == arm]) for arm in arms)
    weak = "; it rests on few held-out documents" if _few(holdout) else ""
    return f"by the {NAMES[proxy]} proxy the mixture is {told}; {NO_PROMISE}{weak}"


def _beside(arm: str, comparisons: Sequence[Comparison]) -> str:
    """The mixture beside one arm: better on some judges, worse on others."""
    parts: list[str] = []
    for verdict in (BETTER, WORSE, ALIKE):
        judges = [own.judge for own in comparisons if own.verdict == verdict]
        if judges:
            short = verdict.removesuffix(" than").removesuffix(" from")
            words = short if parts else f"{verdict} {arm}"
            parts.append(f"{words} on {_listed(judges)}")
    return ", ".join(parts)


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def story_of(judges: Sequence[JudgeResult], comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """For a newcomer: by each judge a line of what is better, of what is worse, of what is alike.

    Each line says what the judge means, so that it can stand alone.
    """
    return tuple(
        f"on {judge.judge} ({judge.about}): {'; '.join(map(str, own))}"
        for judge in judges
        for verdict in (BETTER, WORSE, ALIKE)
        if (own := [it for it in comparisons if (it.judge, it.verdict) == (judge.judge, verdict)])
    )


def warnings_on(holdout: Mapping[str, int]) -> tuple[StageWarning, ...]:
    """What is doubtful in the held-out documents: sources with few of them, and sources with none.

    `holdout` counts those of every source.
    """
    doubts = []
    if few := _few(holdout):
        words = "fewer than {least} documents are held out of {sources}: the verdict is weak"
        doubts.append(warn("evaluate.few_held_out", words, least=FEW, sources=few))
    if none := [source for source, documents in holdout.items() if not documents]:
        words = "nothing is held out of {sources}: the verdict does not cover that"
        doubts.append(warn("evaluate.none_held_out", words, sources=none))
    return tuple(doubts)


def warnings_of(comparisons: Sequence[Comparison]) -> tuple[StageWarning, ...]:
    """A warning if the mixture does worse than another arm, and no judge finds it better."""
    better, worse = (
        {own.arm for own in comparisons if own.verdict == verdict} for verdict in (BETTER, WORSE)
    )
    arms = [arm for arm in dict.fromkeys(own.arm for own in comparisons) if arm in worse - better]
    words = "by the proxy the mixture is worse than {arms}, and no judge finds it better"
    return (warn("evaluate.worse", words, arms=arms),) if arms else ()


def _few(holdout: Mapping[str, int]) -> list[str]:
    return [f"{source} ({n})" for source, n in holdout.items() if 0 < n < FEW]
