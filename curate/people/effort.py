"""What people did, by day, week, month or round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Literal

Period = Literal["day", "week", "month", "round"]


@dataclass(frozen=True)
class Effort:
    """What a person did in a period: texts answered and skipped, answers changed later, minutes."""

    annotator: str
    period: str
    answers: int
    skips: int
    revisions: int
    minutes: float | None


def effort(
    history: Iterable[Mapping[str, Any]], period: Period, zone: tzinfo = UTC
) -> list[Effort]:
    """Return what each person did, by period, from rows of `annotations`, oldest first.

    Days, weeks and months begin at midnight in `zone`.

    A text counts once, in the period of its first answer; a change of it is a revision, in its
    own. Minutes are those that a server measured, None where it does not; an edit's time holds
    that of the answer before it.
    """
    done: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"answers": set(), "skips": set(), "revisions": set(), "seconds": {}}
    )
    first: dict[tuple[str, str, int], str] = {}
    said: dict[tuple[str, str, str, int], Any] = {}
    for row in history:
        if row["status"] not in ("submitted", "skipped"):
            continue
        who, task = row["annotator"], (row["annotator"], row["id"], row["round"])
        when = _period(row, period, zone)
        key = (*task[:2], row["question"], row["round"])
        spent = done[who, first.setdefault(task, when)]["seconds"]
        if row["seconds"] is not None:
            spent[task] = max(spent.get(task, 0.0), row["seconds"])
        if key in said and said[key] != (row["status"], row["value"]):
            done[who, when]["revisions"].add((*task, row["at"]))
        said[key] = (row["status"], row["value"])
        kind = "answers" if row["status"] == "submitted" else "skips"
        done[who, first[task]][kind].add(task)
        done[who, first[task]]["answers" if kind == "skips" else "skips"].discard(task)
    return [
        Effort(
            who,
            when,
            len(counted["answers"]),
            len(counted["skips"]),
            len(counted["revisions"]),
            round(sum(counted["seconds"].values()) / 60, 2) if counted["seconds"] else None,
        )
        for (who, when), counted in sorted(done.items())
    ]


def _period(row: Mapping[str, Any], period: Period, zone: tzinfo) -> str:
    if period == "round":
        return f"{row['round']:02}"
    at = row["at"].astimezone(zone)
    year, week, _ = at.isocalendar()
    forms = {"day": "%Y-%m-%d", "week": f"{year}-W{week:02}", "month": "%Y-%m"}
    return str(at.strftime(forms[period]))
