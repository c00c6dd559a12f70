"""Answers that a later import takes back: lines of status `withdrawn` or `rejected`.

A server withdraws an answer in the round where it was given. A file is a round of its own, so its
lines speak of what the same person said of the same task before, in whatever round.
"""

from __future__ import annotations

from curate.rounds.round import Round

Key = tuple[str, str, str]
"""Task, question, annotator."""

REJECTED = "rejected where it was made"
"""The reason of a line that came home as rejected. Other reasons are of our own checks: an answer
that does not fit the form takes nothing back."""


def taken_back(round_: Round) -> dict[Key, str]:
    """The answers that a round takes back, and by which status; only an import does so."""
    rows = round_.answers() if round_.purpose == "import" else ()
    return {
        (row["id"], row["question"], row["annotator"]): row["status"]
        for row in rows
        if row["status"] == "withdrawn"
        or (row["status"] == "rejected" and str(row["reason"]).startswith(REJECTED))
    }
