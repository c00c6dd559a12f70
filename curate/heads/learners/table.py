"""The learners, by name and by kind of question."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curate.heads.learners.choice import Choices
from curate.heads.learners.ordinal import Ordinal
from curate.heads.learners.preference import Preference
from curate.heads.learners.protocol import Learner
from curate.heads.learners.ridge import Ridge

LEARNERS: Mapping[str, Callable[[tuple[str, ...]], Learner]] = {
    "logistic": Choices,
    "ridge": Ridge,
    "ordinal": Ordinal,
    "bradley-terry": Preference,
}
BY_KIND: Mapping[str, tuple[str, ...]] = {
    "choice": ("logistic",),
    "rating": ("ridge", "ordinal"),
    "preference": ("bradley-terry",),
}


def learners_of(kind: str, values: tuple[str, ...]) -> list[Learner]:
    """The learners that may be chosen for a kind of question, the simplest first."""
    return [LEARNERS[name](values) for name in BY_KIND[kind]]
