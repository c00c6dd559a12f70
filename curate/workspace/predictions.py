"""The questions that the table `scores` answers."""

from __future__ import annotations

from dataclasses import dataclass

from curate.records import Kind
from curate.tables import predicted
from curate.workspace.tables import Tables


@dataclass(frozen=True)
class Predicted:
    """A question that `score` has learned: its kind and the values it may take.

    Its head reads `features`: embeddings by `encoder`, characters (no encoder), or both.
    """

    question: str
    kind: Kind
    values: tuple[str, ...]
    encoder: str | None
    features: str

    @property
    def makes_groups(self) -> bool:
        """Whether documents have a value of it: a comparison gives them a number."""
        return self.kind != "preference"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of `scores` with the probability of each value, in their order."""
        values = self.values if self.makes_groups else ()
        return tuple(f"{self.question}:{value}" for value in values)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of `scores` with what its head says of a document.

        A comparison has one: the probability to be preferred to an average document.
        """
        return self.columns if self.makes_groups else (predicted(self.question),)


def predicted_questions(tables: Tables) -> dict[str, Predicted]:
    """The questions of `scores` by name, in the order in which they were learned.

    Empty without scores, and for those of an older version.
    """
    scores = tables.stored("scores")
    facts = scores.made.facts.get("questions", {}) if scores else {}
    return {
        name: Predicted(
            name, own["kind"], tuple(own["values"]), own.get("encoder"), own.get("features", "")
        )
        for name, own in facts.items()
    }
