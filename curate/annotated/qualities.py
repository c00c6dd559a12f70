"""The quality of labelled documents: the recipe's definition, applied to people's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curate import chance
from curate.annotated.answers import Answers
from curate.annotated.quality import Quality, quality_function
from curate.annotated.spec import QualitySpec
from curate.annotated.truth import Truth
from curate.rounds.design import Window
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 200
"""Answers drawn from each posterior."""


def quality_of(workspace: Workspace, answers: Mapping[str, Answers]) -> Quality | None:
    """The definition that scores were made with; None if people did not answer all it reads.

    It is a function of the answers, documents x values of each question.
    """
    learned = predicted_questions(workspace.tables)
    if not learned or not all(name in answers for name in learned):
        return None  # a comparison, or a question that nobody whom chance drew has answered
    questions = {name: answers[name].question for name in learned}
    own = workspace.tables.made("scores").spec.get("quality")
    return quality_function(None if own is None else QualitySpec.model_validate(own), questions)


def answered_together(answers: Sequence[Answers]) -> dict[str, Window | None]:
    """The documents with answers to all of these questions about the same part, with that part."""
    first, *others = answers
    return {
        id: window
        for id, window in first.windows.items()
        if all(other.windows.get(id, ()) == window for other in others)
    }


def quality_truth(quality: Quality, answers: Mapping[str, Answers], ids: Sequence[str]) -> Truth:
    """The quality of labelled documents, by people's answers.

    Quality may be any function of the answers. So its mean and its variance given the votes come
    from answers drawn from each posterior: one value of a choice, a mean of as many ratings as
    there are votes. Votes are not read together with the head here.
    """
    import numpy as np

    draws = {name: _drawn(own, ids) for name, own in answers.items()}
    qualities = np.stack(
        [quality({name: own[:, draw] for name, own in draws.items()}) for draw in range(DRAWS)]
    )
    return Truth(qualities.mean(axis=0), qualities.var(axis=0))


def _drawn(answers: Answers, ids: Sequence[str]) -> Array:
    """Answers drawn from posteriors: documents x draws x values that the form offers."""
    import numpy as np

    seeds = (chance.uniform(ids, 0, "quality") * 2**53).astype(np.int64)
    votes = answers.votes if answers.is_rating else np.ones_like(answers.votes)
    drawn = [
        np.random.default_rng(seed).multinomial(votes[row], answers.posterior[row], DRAWS)
        / votes[row]
        for row, seed in zip(answers.rows(ids).tolist(), seeds.tolist(), strict=True)
    ]
    return np.stack(drawn)[:, :, : len(answers.question.labels)]
