"""Settle a question about categories: its labels by a method, and the skill of each person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from curate.agree.truth import dawid_skene, hierarchical
from curate.agree.truth.coded import Coded
from curate.agree.truth.confusion import Confusion
from curate.agree.truth.skill import mean_skill, rightness, skills
from curate.agree.truth.truth import Label, Truth, Votes
from curate.agree.truth.votes import majority, wawa, weighted_vote
from curate.metrics import SAME, leaders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def mean_of_four(coded: Coded, model: Confusion) -> Array:
    """The mean posterior of two sharp methods and two blunt ones: items x values.

    No single model is calibrated on real crowds: answers to one text are not independent given its
    class, so that EM runs to certainty. The mean of sharp and blunt ones is calibrated.
    """
    import numpy as np

    sharp = (dawid_skene.posterior(coded), model.posterior)
    blunt = (weighted_vote(coded), wawa(coded))
    return np.asarray(np.mean([*sharp, *blunt], axis=0))


METHODS: Mapping[str, Callable[[Coded, Confusion], Array]] = {
    "auto": mean_of_four,
    "majority": lambda coded, _: majority(coded),
    "dawid_skene": lambda coded, _: dawid_skene.posterior(coded),
}
"""The posterior by each method, by its name in the settings.

A method gets the answers and the fitted hierarchical model, which the skills need as well.
"""

NAMES = {"auto": "mean_of_four"}
"""Names of methods in the tables, where these differ."""


def settle(votes: Votes, method: str, offered: Sequence[str] = ()) -> Truth:
    """Settle (item, annotator, value) votes.

    Values `offered` that nobody gave have probability 0. Skills are those of the hierarchical
    model, whatever the method.
    """
    coded = Coded.of(votes)
    model = hierarchical.fit(coded)
    right = rightness(coded, model)
    return Truth(
        NAMES.get(method, method),
        _labels(coded, METHODS[method](coded, model), offered),
        skill=skills(mean_skill(coded, model), right),
        rightness=right,
    )


def _labels(coded: Coded, posterior: Array, offered: Sequence[str]) -> tuple[Label, ...]:
    """The labels. A tie is undecided, and so is a value that leads though nobody gave it."""
    import numpy as np

    shares, leading = coded.shares(), leaders(posterior)
    votes = np.bincount(coded.item)
    zeros = dict.fromkeys(offered, 0.0)
    labels = []
    for place, item in enumerate(coded.items):
        best = np.flatnonzero(leading[place])
        is_undecided = len(best) > 1 or bool(shares[place, best[0]] < SAME)
        labels.append(
            Label(
                item=item,
                value=None if is_undecided else coded.values[best[0]],
                posterior=zeros | dict(zip(coded.values, posterior[place].tolist(), strict=True)),
                confidence=float(posterior[place].max()),
                votes=int(votes[place]),
                agreement=float(shares[place, best].max()),
                undecided=is_undecided,
            )
        )
    return tuple(labels)
