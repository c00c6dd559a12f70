"""What the labels say of the whole corpus: the estimates with their intervals."""

from __future__ import annotations

from typing import Any

from curate import storage
from curate.report.section import Key, Say, Section, chart, say, section
from curate.rounding import filled, rounded
from curate.workspace import Workspace

MOST = 24
"""The most intervals in the chart: those of the corpus come first."""


def estimates(workspace: Workspace) -> Section | None:
    """Shares and means with their intervals; None if `curate estimate` has not run."""
    stored = storage.read_json(workspace.root / "estimates.json")
    if not stored:
        return None
    rows = stored["rows"]
    quoted = [row for row in rows if row["quote"] != "nothing"]
    ordered = sorted(quoted, key=lambda row: row["group"] is not None)
    marks = chart("intervals", [_mark(row) for row in ordered[:MOST]]) if ordered else None
    return section(
        "estimates",
        say("estimates.words"),
        chart=marks,
        rows=[*map(_told, rows)],
        warning=_older(workspace, stored),
    )


def _older(workspace: Workspace, stored: dict[str, Any]) -> list[Say]:
    """A sentence if the estimates are of other tables than the present ones; else none."""
    inputs = stored["inputs"]
    today = workspace.tables.fingerprints([*inputs])
    changed = [name for name in inputs if inputs[name] != today[name]]
    return [say("estimates.older", tables=changed)] if changed else []


def _mark(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the chart draws it: the estimate to be quoted, beside the naive one."""
    names = (row["question"], row["value"], row["group"])
    return {"name": " · ".join(filter(None, names)), **row[row["quote"]],
            "naive": row["naive"]["value"]}  # fmt: skip


def _told(row: dict[str, Any]) -> dict[str, Any]:
    words = {"powered": Key("with predictions"), "hajek": Key("labels weighted"), "nothing": None}
    return {
        "question": row["question"],
        "value": row["value"],
        "group": row["group"] or Key("all"),
        "documents": row["documents"],
        "labels": row["labels"],
        "effective": row["effective"],
        "naive": _interval(row["naive"]),
        "labels weighted": _interval(row["hajek"]),
        "with predictions": _interval(row["powered"]),
        "votes only": _interval(row["by_votes"]),
        "quote": words[row["quote"]],
    }


def _interval(stored: dict[str, Any] | None) -> str | None:
    if stored is None:
        return None
    if stored["low"] is None:
        return rounded(stored["value"], ".3f")
    return filled("{value:.3f} ({low:.3f} – {high:.3f})", stored)
