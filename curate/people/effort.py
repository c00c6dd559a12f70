"""The work of each person, by day, week, month or round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Literal

Period = Literal["day", "week", "month", "round"]


@dataclass(frozen=True)
class Effort:
    """The work of a person in a period: texts answered or skipped, revisions, minutes.

    `withdrawn` of the answers stand no more: `curate status` does not count them.
    """

    annotator: str
    period: str
    answers: int
    skips: int
    revisions: int
    withdrawn: int
    minutes: float | None


def effort(
    history: Iterable[Mapping[str, Any]], period: Period, zone: tzinfo = UTC
) -> list[Effort]:
    """The work of each person and period, from rows of `annotations`, oldest first.

    Days, weeks and months begin at midnight in `zone`. A text counts once, in the period of its
    first answer, also if it is withdrawn later. A later change is a revision, in the period of the
    change. Minutes are measured by the server; None if it measures none. The time of a changed
    answer includes the time of the answer before it, so the longest time of a text counts.
    """
    work: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"answers": set(), "skips": set(), "revisions": set(), "seconds": {}}
    )
    first_periods: dict[tuple[str, str, int], str] = {}
    answers: dict[tuple[str, str, str, int], Any] = {}
    standing: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for row in history:
        annotator, task = row["annotator"], (row["annotator"], row["id"], row["round"])
        if row["status"] == "withdrawn":
            standing[task].discard(row["question"])
        if row["status"] not in ("submitted", "skipped"):
            continue
        standing[task].add(row["question"])
        name = _period_name(row, period, zone)
        key = (*task[:2], row["question"], row["round"])
        first_work = work[annotator, first_periods.setdefault(task, name)]
        if row["seconds"] is not None:
            seconds = first_work["seconds"]
            seconds[task] = max(seconds.get(task, 0.0), row["seconds"])
        if key in answers and answers[key] != (row["status"], row["value"]):
            work[annotator, name]["revisions"].add((*task, row["at"]))
        answers[key] = (row["status"], row["value"])
        kind, other = ("answers", "skips") if row["status"] == "submitted" else ("skips", "answers")
        first_work[kind].add(task)
        first_work[other].discard(task)
    return [
        Effort(
            annotator,
            name,
            len(totals["answers"]),
            len(totals["skips"]),
            len(totals["revisions"]),
            sum(not standing[task] for task in totals["answers"]),
            round(sum(totals["seconds"].values()) / 60, 2) if totals["seconds"] else None,
        )
        for (annotator, name), totals in sorted(work.items())
    ]


def _period_name(row: Mapping[str, Any], period: Period, zone: tzinfo) -> str:
    if period == "round":
        return f"{row['round']:02}"
    at = row["at"].astimezone(zone)
    year, week, _ = at.isocalendar()
    forms = {"day": "%Y-%m-%d", "week": f"{year}-W{week:02}", "month": "%Y-%m"}
    return str(at.strftime(forms[period]))
