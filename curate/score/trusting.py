"""Where probabilities fit the labels, out of fold: in each group, or in the corpus as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.heads.abstaining import Trust, trusted
from curate.score.labelled import Labelled
from curate.score.learning import Model
from curate.score.measuring import compared
from curate.score.spec import ScoreSpec
from curate.warning import StageWarning, warn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHOLE = "all"
"""The one group of all documents, where the recipe names no groups."""


@dataclass(frozen=True)
class Trusts:
    """The tests of every question, by group.

    Only `grouped` documents abstain. If the corpus as a whole abstained, no quality would be left
    to take, and every mixture would be one at random. So that is a warning.
    """

    by_question: Mapping[str, tuple[Trust, ...]]
    grouped: bool

    def abstaining(self, questions: Sequence[str] | None) -> frozenset[str]:
        """The groups in which the probabilities of one of the questions (None: any) do not fit."""
        return frozenset(
            trust.group
            for name, trusts in self.by_question.items()
            if self.grouped and (questions is None or name in questions)
            for trust in trusts
            if trust.abstains
        )

    def doubts(self, documents: int) -> Iterator[StageWarning]:
        """Yield a warning for each question that does not fit; so many `documents` abstain."""
        for name, trusts in self.by_question.items():
            bad = [trust for trust in trusts if trust.abstains]
            if bad and self.grouped:
                yield _abstained(name, bad, documents)
            for trust in () if self.grouped else bad:
                yield _unfit(name, trust)


def trusts_of(spec: ScoreSpec, models: Sequence[Model], labelled: Labelled) -> Trusts:
    """Test the questions in the groups of `calibrate_by`; without it all documents are one."""
    return Trusts(
        {model.name: _trusts(spec, model, labelled) for model in models},
        spec.calibrate_by is not None,
    )


def _trusts(spec: ScoreSpec, model: Model, labelled: Labelled) -> tuple[Trust, ...]:
    import numpy as np

    truth, predicted, _ = compared(model)
    settled = model.labels.settled
    documents = model.labels.members[settled, 0]
    groups: NDArray[np.str_] = np.full(len(documents), WHOLE)
    if spec.calibrate_by is not None:
        groups = labelled.groups[spec.calibrate_by][documents]
    is_ordered = model.labels.question.kind == "rating"
    return trusted(truth[settled], predicted[settled], groups, ordered=is_ordered, seed=spec.seed)


def _abstained(question: str, trusts: Sequence[Trust], documents: int) -> StageWarning:
    words = (
        "the probabilities of {question} do not fit the labels of {groups}: their documents "
        "({documents:,} abstain in all) take the mean quality in `mix`"
    )
    groups = sorted(trust.group for trust in trusts)
    return warn("score.abstained", words, question=question, groups=groups, documents=documents)


def _unfit(question: str, trust: Trust) -> StageWarning:
    words = (
        "the probabilities of {question} do not fit its {labels} labels (calibration error "
        "{error:.3f}, p = {p_value:.3f}): `calibrate_by: source` says in which sources"
    )
    return warn(
        "score.unfit",
        words,
        question=question,
        labels=trust.calibration.labels,
        error=trust.calibration.error,
        p_value=trust.p_value,
    )
