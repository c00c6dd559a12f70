"""What people saw of each labelled document, by its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from curate.rounds.round import Round
from curate.rounds.views import View

Place = tuple[str, int | None, int | None]
"""A document or comparison, and the half-open window that people saw (None: the whole)."""


def seen(rounds: Iterable[Round]) -> dict[Place, View]:
    """The view of every task that was sent, by its place; of several rounds the newest."""
    views: dict[Place, View] = {}
    for round_ in rounds:
        own = round_.views() if round_.push is not None else {}
        sample = round_.sample().select(["id", "members", "start", "end"])
        for row in sample.to_pylist() if own else ():
            members: list[str] = row["members"] or []
            document = members[0] if len(members) == 1 else row["id"]
            views[document, row["start"], row["end"]] = own[row["id"]]
    return views


def one_text(fields: Mapping[str, str]) -> str:
    """The fields of a task as one text; each stands after its name if there are several."""
    if len(fields) == 1:
        return next(iter(fields.values()))
    return "\n\n".join(f"{name}: {text}" for name, text in fields.items())
