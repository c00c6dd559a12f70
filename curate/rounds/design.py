"""Design rows: documents that label rounds chose with a known probability, and their weights.

A row's weight is the number of documents that it stands for: 1 / propensity. Only rows of the kind
`design` in label rounds have one. Gold items, tests of consistency, reviews, pilots, tasks sent
again and imports were chosen on purpose. Comparisons have none either, since they are pairs.

A row that nobody answered passes its weight on: the others of its round and stratum stand for it.
A window was placed at random in its document. It stands for what people say of such a window, never
for the whole document, so callers have to compare `windows` with the window of a label.

The frame of a round leaves out what earlier rounds have sent. So a round estimates a total as the
sum over the rows of earlier rounds, plus the sum of its own rows over their propensities. Rounds
are averaged by their numbers of random rows. If the last round took all that was left, it knows the
total and counts alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.rounds.round import Round

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Window = tuple[int, int]

Answered = Collection[str] | Mapping[str, Window | None]
"""The documents that have an answer; a mapping says which window of each it is about."""


@dataclass(frozen=True)
class DrawnRow:
    """A design row as its round drew it; `propensity` is that within the frame of the round.

    `window` is the part of the document that people saw, half-open; None is the whole.
    """

    id: str
    round: int
    stratum: str
    propensity: float
    is_answered: bool
    window: Window | None = None

    @property
    def cell(self) -> tuple[int, str]:
        """The round and the stratum: rows of one cell stand for each other."""
        return self.round, self.stratum

    @property
    def is_certain(self) -> bool:
        """Whether its round could not but take it."""
        return self.propensity >= 1


@dataclass(frozen=True)
class Design:
    """The answered design rows of all label rounds, one entry a row in every field.

    ids: the documents, each once. rounds, strata: where each was drawn. weights: documents that a
    row stands for, over all rounds (> 0). certain: whether its round took it with certainty. Such a
    row stands for itself alone. windows: the part that people saw; None is the whole. `asked` is
    the number of design rows, `answered` of those with an answer.
    """

    ids: tuple[str, ...]
    rounds: NDArray[np.int64]
    strata: tuple[str, ...]
    weights: NDArray[np.float64]
    certain: NDArray[np.bool_]
    windows: tuple[Window | None, ...]
    asked: int
    answered: int

    @property
    def propensities(self) -> NDArray[np.float64]:
        """1 / weight: the inclusion probabilities, given the frames and the answered shares.

        Above 1 are rows that only a part of the rounds counts, as certain ones of the last.
        """
        return 1 / self.weights

    @property
    def has_random_rows(self) -> bool:
        """Whether some row stands for others too."""
        return bool((~self.certain).any())


def design_rows(rounds: Iterable[Round], answered: Answered | None = None) -> Design:
    """The design rows of these rounds, corrected for the answered share of each stratum.

    `answered` holds the documents with a label of the question at hand. If it maps them to windows,
    a label of another window is no answer. None takes the documents with a submitted answer. Tasks
    that were taken down are left out.
    """
    sent = [round_ for round_ in rounds if round_.purpose == "label" and round_.push is not None]
    rows = [row for round_ in sent for row in read_drawn(round_, answered)]
    return weighed(rows, is_complete=bool(sent) and _took_all(max(sent, key=_number), rows))


def _number(round_: Round) -> int:
    return round_.number


def _took_all(round_: Round, rows: Iterable[DrawnRow]) -> bool:
    """Whether a round drew every document of its frame."""
    documents = round_.spec.get("frame", {}).get("documents", 0)
    drawn = sum(row.round == round_.number for row in rows)
    return 0 < documents <= drawn + len(round_.erased)


def read_drawn(round_: Round, answered: Answered | None = None) -> Iterator[DrawnRow]:
    """Read the design rows of a label round; see `design_rows`."""
    submitted = _submitted(round_) if answered is None else set()
    for row in round_.sample().to_pylist():
        members = row["members"] or (row["id"],)
        is_drawn = row["kind"] == "design" and row["propensity"] is not None
        if not is_drawn or len(members) > 1 or row["id"] in round_.erased:
            continue
        window = None if row["start"] is None else (row["start"], row["end"])
        is_answered = row["id"] in submitted or _has_label(members[0], window, answered or ())
        place = (members[0], round_.number, row["stratum"] or "")
        yield DrawnRow(*place, row["propensity"], is_answered, window)


def _has_label(document: str, window: Window | None, answered: Answered) -> bool:
    same = not isinstance(answered, Mapping) or answered.get(document, window) == window
    return document in answered and same


def _submitted(round_: Round) -> set[str]:
    return {row["id"] for row in round_.answers() if _counts(row)}


def _counts(answer: Mapping[str, Any]) -> bool:
    return answer["status"] == "submitted" and answer["value"] is not None


def weighed(rows: Sequence[DrawnRow], *, is_complete: bool = False) -> Design:
    """The answered rows with their weights over all rounds; rows that no round counts are left out.

    `is_complete` says that the last round took all that was left.
    """
    import numpy as np

    answered = [row for row in rows if row.is_answered]
    parts = round_parts(answered, is_complete=is_complete)
    weight_of = _weights(answered, answered_shares(rows), parts)
    counted = [row for row in answered if weight_of[row.id] > 0]
    return Design(
        ids=tuple(row.id for row in counted),
        rounds=np.array([row.round for row in counted], np.int64),
        strata=tuple(row.stratum for row in counted),
        weights=np.array([weight_of[row.id] for row in counted], np.float64),
        certain=np.array([row.is_certain for row in counted], np.bool_),
        windows=tuple(row.window for row in counted),
        asked=len(rows),
        answered=len(answered),
    )


def answered_shares(rows: Iterable[DrawnRow]) -> dict[tuple[int, str], float]:
    """The answered share of the rows of each round and stratum."""
    rows = list(rows)
    asked = Counter(row.cell for row in rows)
    answered = Counter(row.cell for row in rows if row.is_answered)
    return {cell: answered[cell] / count for cell, count in asked.items()}


def _weights(
    answered: Sequence[DrawnRow],
    shares: Mapping[tuple[int, str], float],
    parts: Mapping[int, float],
) -> dict[str, float]:
    """What each row counts in the mean of rounds: in its own by 1 / propensity, in later ones once.

    Both are divided by the answered share of its cell.
    """
    later = {
        number: sum(part for other, part in parts.items() if other > number) for number in parts
    }
    return {
        row.id: (parts[row.round] / row.propensity + later[row.round]) / shares[row.cell]
        for row in answered
    }


def round_parts(answered: Sequence[DrawnRow], *, is_complete: bool = False) -> dict[int, float]:
    """The part of each round in the mean of rounds: by its answered random rows.

    The parts sum to 1. If no row is random, all are 0. A complete last round has all.
    """
    numbers = sorted({row.round for row in answered})
    if is_complete:
        return {number: float(number == numbers[-1]) for number in numbers}
    random = Counter(row.round for row in answered if not row.is_certain)
    return {number: random[number] / max(random.total(), 1) for number in numbers}
