"""Votes: the majority, and votes that count by the skill of the person who gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curate.agree.truth.coded import Coded
from curate.metrics import leaders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MAX_ROUNDS = 20


def majority(coded: Coded) -> Array:
    """The shares of the answers: items x values."""
    return coded.shares()


def weighted_vote(coded: Coded) -> Array:
    """The shares of answers that weigh (values x skill - 1): items x values.

    The skill is the share of a person's answers that lead, drawn to the mean of all people by two
    answers. Skills and leading values follow from each other until the leading values stand still
    (Li and Yu 2014, "Error rate bounds and iterative weighted majority voting", arXiv 1411.4086).
    """
    import numpy as np

    posterior, answers = coded.shares(), coded.answers_of
    for _ in range(MAX_ROUNDS):
        leading = leaders(posterior)
        hits = coded.hits(leading)
        skill = (hits + 2 * hits.sum() / answers.sum()) / (answers + 2)
        posterior = coded.shares(np.maximum(len(coded.values) * skill - 1, 1e-6))
        if (leaders(posterior) == leading).all():
            break
    return posterior


def wawa(coded: Coded) -> Array:
    """The shares of answers that weigh by agreement with the majority: items x values.

    One round, without smoothing ("Worker Agreement With Aggregate", Appen).
    """
    return coded.shares(coded.hits(leaders(coded.shares())) / coded.answers_of)
