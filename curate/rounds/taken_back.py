"""Answers that a later import takes back: lines of status `withdrawn` or `rejected`.

A server withdraws an answer in the round where it was given. A file is a round of its own, so its
lines speak of what the same person said of the same task before, in whatever round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from curate.records import moment
from curate.rounds.round import Round

Key = tuple[str, str, str]
"""Task, question, annotator."""

REJECTED = "rejected where it was made"
"""The reason of a line that came home as rejected. Other reasons are of our own checks: an answer
that does not fit the form takes nothing back."""


def taken_back(round_: Round, earlier: Iterable[Round]) -> dict[Key, str]:
    """The answers of `earlier` rounds that a round takes back, and by which status.

    Only an import does so. What a person said after the import stands.
    """
    rows = round_.answers() if round_.purpose == "import" else ()
    statuses = {
        (row["id"], row["question"], row["annotator"]): row["status"]
        for row in rows
        if row["status"] == "withdrawn"
        or (row["status"] == "rejected" and str(row["reason"]).startswith(REJECTED))
    }
    said = {key for other in earlier for key in _said_after(round_, other)} if statuses else set()
    return {key: status for key, status in statuses.items() if key not in said}


def _said_after(imported: Round, other: Round) -> Iterator[Key]:
    """Yield the answers that came home after an import, and were given after it.

    An import of an earlier version does not say what was at home: it takes everything back.
    """
    at_home = imported.spec.get("at_home")
    made = moment(imported.spec.get("created"))
    if at_home is None or made is None:
        return
    known = at_home.get(str(other.number), 0)
    for row in other.history()[known:] if other.count_answers() > known else ():
        if row["status"] == "submitted" and row["at"] >= made:
            yield row["id"], row["question"], row["annotator"]
