"""The columns of a stage's tables that people are shown; `--json` has all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.wording.numbers import share

SHOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "agree": {
        "questions": ("question", "method", "answers", "items", "annotators", "alpha"),
        "people": ("annotator", "question", "answers", "skill", "gold_right"),
    },
    "score": {
        "questions": ("question", "labels", "accuracy", "trivial_accuracy", "macro_f1", "encoder"),
        "most_doubtful": ("id", "question", "value", "predicted"),
    },
    "mix": {
        "groups": (
            *("group", "phase", "wanted", "promised", "realised", "expected", "tokens"),
            *("documents", "epochs"),
        ),
        "limits": ("limit", "phase", "low", "high", "share", "side"),
    },
    "evaluate": {"proxy": (), "comparisons": (), "judges": (), "epochs": (), "trainings": ()},
}
"""For each stage its tables, and their columns by worth. An empty one is told in words already."""

NAMES = {
    "annotator": "person",
    "annotators": "people",
    "items": "texts",
    "trivial_accuracy": "commonest alone",
    "accuracy": "right",
    "gold_right": "gold right",
}
"""What a column is called for people, where that is another word."""

SHARES = frozenset(
    (
        *("accuracy", "trivial_accuracy", "wanted", "promised", "realised", "expected"),
        *("share", "low", "high", "skill", "gold_right"),
    )
)
"""The columns that are shares: they are told in percent."""


def shown(stage: str, table: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a stage's table as people read them; empty for one that is left out."""
    records = [dict(row) if isinstance(row, Mapping) else dict(vars(row)) for row in rows]
    columns = SHOWN.get(stage, {}).get(table)
    if columns is None:
        return records
    if not columns:
        return []
    return [
        {NAMES.get(name, name): _cell(name, row.get(name)) for name in columns} for row in records
    ]


def _cell(name: str, value: Any) -> Any:
    return share(value) if name in SHARES and isinstance(value, float) else value
