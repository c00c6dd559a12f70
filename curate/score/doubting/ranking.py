"""Doubtful labels of all questions in one ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 5
"""The labels that are told on the terminal."""


@dataclass(frozen=True)
class DoubtfulLabel:
    """A label that heads and neighbours contradict; `value` and `predicted` are JSON."""

    id: str
    question: str
    value: str
    predicted: str
    doubt: float
    why: str


@dataclass(frozen=True)
class Doubtful:
    """Labels, and how many of them heads and neighbours contradict."""

    labels: tuple[DoubtfulLabel, ...]
    wrong: int

    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of the table `doubtful`."""
        return [{**vars(label), "rank": rank} for rank, label in enumerate(self.labels)]

    def shown(self) -> tuple[DoubtfulLabel, ...]:
        """The first of those that are contradicted."""
        return self.labels[: min(SHOWN, self.wrong)]


def ranked(parts: Sequence[Doubtful]) -> Doubtful:
    """All labels in one, the most doubtful first; of equal ones the smaller id first."""
    labels = [label for part in parts for label in part.labels]
    order = sorted(labels, key=lambda label: (-label.doubt, label.id, label.question))
    return Doubtful(tuple(order), sum(part.wrong for part in parts))
