"""How far people agree, and how each of them answered."""

from __future__ import annotations

import json
from collections import Counter

from curate.report import charts
from curate.report.section import Section, last_result, section
from curate.workspace import Workspace


def agreement(workspace: Workspace) -> Section | None:
    last = last_result(workspace, "agree")
    told, pilots = last.get("questions", []), last.get("pilots", [])
    if not told and not pilots:
        return None
    rows = [
        {
            "round": "pilot, in no label" if q in pilots else "labels",
            "question": q["question"],
            "answers": q["answers"],
            "texts": q["items"],
            "annotators": q["annotators"],
            "alpha": q["alpha"],
            "low": q["alpha_low"],
            "high": q["alpha_high"],
            "settled by": q["method"],
            "undecided": q["undecided"],
        }
        for q in (*told, *pilots)
    ]
    first = told[0]["question"] if told else ""
    labels = workspace.read("labels").to_pylist()
    counts = Counter(str(json.loads(row["value"])) for row in labels if row["question"] == first)
    shares = [{"value": value, "texts": n} for value, n in sorted(counts.items())]
    words = (
        "Krippendorff's alpha is 1 where people agree fully and 0 where they agree as by chance; "
        "low and high are a 95 % bootstrap interval over texts."
    )
    chart = charts.bars(shares, "value", "texts") if 0 < len(shares) <= 12 else ""
    return section("Agreement", words, chart=chart, rows=rows)


def annotators(workspace: Workspace) -> Section | None:
    if not workspace.stored("annotators"):
        return None
    rows = workspace.read("annotators").to_pylist()
    kept = [{k: v for k, v in row.items() if k != "gold_right" or v is not None} for row in rows]
    if all(row["bias"] is None for row in kept):
        kept = [{k: v for k, v in row.items() if k != "bias"} for row in kept]
    statuses: Counter[str] = Counter(
        row["status"] for each in workspace.rounds for row in each.answers()
    )
    counted = ", ".join(f"{n:,} {status}" for status, n in statuses.most_common())
    words = f"Answers: {counted}. Skill is the estimated probability of the right answer."
    return section("Annotators", words, rows=kept)
