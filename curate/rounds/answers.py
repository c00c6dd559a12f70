"""The answers of a round: append-only files, the newest of each key counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from curate.records import replaces

Answer = Mapping[str, Any]
"""A row of the table `annotations`."""

KEY = ("id", "question", "annotator")
"""What an answer is of, within a round."""


def newest(rows: Iterable[dict[str, Any]], names: Sequence[str] = KEY) -> list[dict[str, Any]]:
    """Keep the newest answer of each key; a draft never shadows a submission; ties go to the later.

    A withdrawal counts as the newest word on its key whatever its time, and so does an answer that
    comes after it: the server has it again.
    """
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        before = kept.get(key)
        if before is None or replaces(row["status"], row["at"], before["status"], before["at"]):
            kept[key] = row
    return list(kept.values())
