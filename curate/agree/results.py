"""What `agree` reports of a question: counts, and alpha with those of whom it speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from curate.agree.agreement.alpha import krippendorff_alpha
from curate.agree.kinds import Settled
from curate.agree.spec import AgreeSpec
from curate.rounding import rounded

FEW = 10
"""With fewer people, the interval for people like them is the headline."""

THESE, OTHERS = "these people", "people like these"


MATRIX = ("choice", "rating")
"""The kinds of questions whose answers are counted by the settled value."""


@dataclass(frozen=True)
class Answered:
    """How often people gave an answer where a value was settled."""

    settled: str
    answer: str
    answers: int


@dataclass(frozen=True)
class QuestionResult:
    """Agreement on one question.

    `alpha_low` and `alpha_high` hold for these people only (a bootstrap over texts), `others_low`
    and `others_high` for people like them (a jackknife over people); both are 95 % intervals.
    `headline` says which of the two to quote. `confusion` counts answers by the settled value, if
    several people answered; the settled value rests on these answers too.
    """

    question: str
    kind: str
    method: str
    answers: int
    items: int
    annotators: int
    undecided: int
    alpha: float | None
    alpha_low: float | None
    alpha_high: float | None
    others_low: float | None
    others_high: float | None
    headline: str | None
    confusion: tuple[Answered, ...] = ()


@dataclass(frozen=True)
class PersonResult:
    """How good one person is at one question; `skill` is that of the table `annotators`."""

    annotator: str
    question: str
    answers: int
    skill: float | None
    skill_low: float | None
    skill_high: float | None
    gold_right: float | None

    @staticmethod
    def of(row: Mapping[str, Any]) -> PersonResult:
        """The result of a row of the table `annotators`."""
        return PersonResult(**{name: row[name] for name in PersonResult.__annotations__})


def measured(settled: Settled, spec: AgreeSpec) -> QuestionResult:
    """The agreement on a settled question."""
    alpha, people = None, len({who for _, who, _ in settled.votes})
    if settled.level is not None:
        options = {"resamples": spec.bootstrap, "seed": spec.seed}
        alpha = krippendorff_alpha(settled.votes, settled.level, **options)
    these, others = (alpha.these, alpha.others) if alpha else (None, None)
    headline = OTHERS if others and (people < FEW or not these) else THESE if these else None
    return QuestionResult(
        question=settled.question.name,
        kind=settled.question.kind,
        method=settled.truth.method,
        answers=len(settled.votes),
        items=len(settled.truth.labels),
        annotators=people,
        undecided=sum(label.undecided for label in settled.truth.labels),
        alpha=alpha.value if alpha else None,
        alpha_low=these.low if these else None,
        alpha_high=these.high if these else None,
        others_low=others.low if others else None,
        others_high=others.high if others else None,
        headline=headline,
        confusion=confusion(settled) if people > 1 else (),
    )


def confusion(settled: Settled) -> tuple[Answered, ...]:
    """Answers by the settled value, of choices and ratings; undecided texts are left out."""
    if settled.question.kind not in MATRIX:
        return ()
    truth = {own.item: own.value for own in settled.truth.labels if not own.undecided}
    counts = Counter(
        (str(truth[task]), str(value)) for task, _, value in settled.votes if task in truth
    )
    return tuple(Answered(*pair, number) for pair, number in sorted(counts.items()))


def sentences(result: QuestionResult) -> Iterator[str]:
    """Say how far people agree, of whom that holds, and what they left undecided."""
    if result.alpha is not None:
        yield f"{result.question}: alpha {rounded(result.alpha, '.2f')}{_interval(result)}"
    if result.undecided:
        yield f"{result.question}: {result.undecided} of {result.items} texts are undecided"


def _interval(result: QuestionResult) -> str:
    these = _between(
        result.alpha_low, result.alpha_high, f"{THESE} only, by a bootstrap over texts"
    )
    others = _between(
        result.others_low, result.others_high, f"{OTHERS}, by a jackknife over people"
    )
    parts = [others, these] if result.headline == OTHERS else [these, others]
    return "".join(f"; {part}" for part in parts if part)


def _between(low: float | None, high: float | None, whom: str) -> str:
    if low is None or high is None:
        return ""
    return f"95 % from {rounded(low, '.2f')} to {rounded(high, '.2f')} for {whom}"
