"""How far people agree, how each of them answered, and what they confuse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from curate.report.section import (
    Key,
    Row,
    Section,
    Table,
    as_written,
    chart,
    result_of,
    say,
    section,
)
from curate.rounding import filled
from curate.workspace import Workspace

MATRIX = 8
"""Of questions with more values, pairs that differ are listed instead of a matrix."""

PAIRS = 24
"""The most pairs that are listed."""


def agreement(workspace: Workspace) -> Section | None:
    """How far people agree on each question, pilots included; None where `agree` has no answers."""
    last = result_of(workspace, "labels")
    questions, pilots = last.get("questions", []), last.get("pilots", [])
    if not questions and not pilots:
        return None
    rows = [
        {
            "round": Key("pilot, in no label" if row in pilots else "labels"),
            "question": row["question"],
            "answers": row["answers"],
            "texts": row["items"],
            "annotators": row["annotators"],
            "alpha": row["alpha"],
            "these people": interval(row["alpha_low"], row["alpha_high"]),
            "people like these": interval(row.get("others_low"), row.get("others_high")),
            "headline": Key(row["headline"]) if row.get("headline") else None,
            "settled by": row["method"],
            "undecided": row["undecided"],
        }
        for row in (*questions, *pilots)
    ]
    first = questions[0]["question"] if questions else ""
    labels = workspace.tables.read("labels").to_pylist()
    counts = Counter(_settled(row["value"]) for row in labels if row["question"] == first)
    shares = [{"value": value, "texts": count} for value, count in sorted(counts.items())]
    words = [say("agreement.words")]
    if left_out := last.get("excluded"):
        said = [
            say("agreement.excluded_one", name=name, count=count)
            for name, count in left_out.items()
        ]
        words.append(say("agreement.excluded", said=said))
    bars = chart("bars", shares, "value", "texts") if 0 < len(shares) <= 12 else None
    return section("agreement", *words, chart=bars, rows=rows)


def interval(low: float | None, high: float | None) -> str | None:
    """Both ends of an interval as text; None where it has none."""
    if low is None or high is None:
        return None
    return filled("{low:.3f} – {high:.3f}", {"low": low, "high": high})


def _settled(value: str | None) -> str:
    """A settled value as the chart names it."""
    if value is None:
        return Key("undecided")
    settled = json.loads(value)
    return f"{settled:.4g}" if isinstance(settled, float) else str(settled)


def annotators(workspace: Workspace) -> Section | None:
    """How each person answered, and the answers by status; None without annotators."""
    if not workspace.tables.stored("annotators"):
        return None
    people = workspace.tables.read("annotators").to_pylist()
    rows = [_person(row) for row in people]
    unknown = [name for name in ("bias", "gold items right") if not _any(rows, name)]
    told = [{name: row[name] for name in row if name not in unknown} for row in rows]
    statuses: Counter[str] = Counter(
        status for round_ in workspace.rounds.all() for status in round_.statuses().values()
    )
    counted = [
        say("annotators.counted", count=count, status=Key(status))
        for status, count in statuses.most_common()
    ]
    return section("annotators", say("annotators.words", counted=counted), rows=told)


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    """A person as the table shows them, by the name that the curator knows."""
    return {
        "annotator": row["annotator"],
        "question": row["question"],
        "answers": row["answers"],
        "skill": row["skill"],
        "90 % interval": interval(row["skill_low"], row["skill_high"]),
        "bias": row["bias"],
        "seconds": row["seconds"],
        "gold items right": row.get("gold_right"),
    }


def _any(rows: Sequence[Row], name: str) -> bool:
    return any(row[name] is not None for row in rows)


def mistaken(workspace: Workspace) -> Section | None:
    """What people confuse, as `agree` counted it; None where nobody shared a question."""
    questions = result_of(workspace, "labels").get("questions", [])
    tables = [
        _confused(row["question"], row["confusion"]) for row in questions if row.get("confusion")
    ]
    return section("mistaken", say("mistaken.words"), tables=tables) if tables else None


def _confused(question: str, pairs: Sequence[Mapping[str, Any]]) -> Table:
    """The answers to a question by the settled value: a matrix, or the pairs that differ."""
    values = sorted({value for own in pairs for value in (own["settled"], own["answer"])})
    caption = say("mistaken.caption", question=question)
    if len(values) > MATRIX:
        differing = [own for own in pairs if own["settled"] != own["answer"]]
        most = sorted(differing, key=lambda own: -own["answers"])[:PAIRS]
        rows = [
            {"settled": own["settled"], "people said": own["answer"], "answers": own["answers"]}
            for own in most
        ]
        return Table(tuple(rows), caption)
    counts = {(own["settled"], own["answer"]): own["answers"] for own in pairs}
    columns = {value: say("mistaken.said", value=as_written(value)) for value in values}
    matrix = [
        {"settled": settled}
        | {columns[answer]: counts.get((settled, answer), 0) for answer in values}
        for settled in values
    ]
    return Table(tuple(matrix), caption, is_matrix=True)
