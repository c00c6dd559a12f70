"""How far people agree, and how each of them answered."""

from __future__ import annotations

import json
from collections import Counter

from curate.report import charts
from curate.report.section import Section, result_of, section
from curate.rounds.answers import submissions
from curate.workspace import Workspace


def agreement(workspace: Workspace) -> Section | None:
    """How far people agree on each question, pilots included; None where `agree` has no answers."""
    last = result_of(workspace, "labels")
    questions, pilots = last.get("questions", []), last.get("pilots", [])
    if not questions and not pilots:
        return None
    rows = [
        {
            "round": "pilot, in no label" if row in pilots else "labels",
            "question": row["question"],
            "answers": row["answers"],
            "texts": row["items"],
            "annotators": row["annotators"],
            "alpha": row["alpha"],
            "these people": _interval(row["alpha_low"], row["alpha_high"]),
            "people like these": _interval(row.get("others_low"), row.get("others_high")),
            "headline": row.get("headline"),
            "settled by": row["method"],
            "undecided": row["undecided"],
        }
        for row in (*questions, *pilots)
    ]
    first = questions[0]["question"] if questions else ""
    labels = workspace.tables.read("labels").to_pylist()
    counts = Counter(_settled(row["value"]) for row in labels if row["question"] == first)
    shares = [{"value": value, "texts": count} for value, count in sorted(counts.items())]
    words = (
        "Krippendorff's alpha is 1 where people agree fully and 0 where they agree as by chance. "
        "Its 95 % intervals speak of these people only (a bootstrap over texts), or of people like "
        "them (a jackknife over people); the headline says which to quote. What is undecided has "
        "no value anywhere; its posterior is kept."
    )
    if left_out := last.get("excluded"):
        said = ", ".join(f"{name} ({count:,} answers)" for name, count in left_out.items())
        words += f" Left out by the settings of `agree`: {said}."
    chart = charts.bars(shares, "value", "texts") if 0 < len(shares) <= 12 else ""
    return section("Agreement", words, chart=chart, rows=rows)


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _settled(value: str | None) -> str:
    """A settled value as the chart names it."""
    return "undecided" if value is None else str(json.loads(value))


def annotators(workspace: Workspace) -> Section | None:
    """How each person answered, and the answers by status; None without annotators."""
    if not workspace.tables.stored("annotators"):
        return None
    rows = workspace.tables.read("annotators").to_pylist()
    rows = [
        {name: value for name, value in row.items() if name != "gold_right" or value is not None}
        for row in rows
    ]
    if all(row["bias"] is None for row in rows):
        rows = [{name: value for name, value in row.items() if name != "bias"} for row in rows]
    statuses: Counter[str] = Counter(
        status
        for round_ in workspace.rounds.all()
        for status in submissions(round_.answers(), round_.required).values()
    )
    counted = ", ".join(f"{count:,} {status}" for status, count in statuses.most_common())
    words = (
        f"Answers until now: {counted}. Skill is the probability of the right answer, with its "
        "90 % interval."
    )
    return section("Annotators", words, rows=rows)
