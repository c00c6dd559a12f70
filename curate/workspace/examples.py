"""Documents that stand as examples of what a stage did, by their ids, for the report.

`clean` writes them beside its table, in `_examples.json`. A takedown removes the ids of what is
gone. No text is stored: whoever shows an example looks its text up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate import storage

FILE = "_examples.json"


@dataclass(frozen=True)
class Near:
    """A document, and its value of what the reason looks at; None where that is no number."""

    id: str
    value: float | None


@dataclass(frozen=True)
class BothSides:
    """Documents on both sides of a limit: those that fail it and those that pass, nearest first.

    `limit` is the bound in figures, as `min 50`; empty for a reason without one.
    """

    reason: str
    limit: str
    fails: tuple[Near, ...]
    passes: tuple[Near, ...]


def write(folder: Path, examples: Sequence[BothSides]) -> None:
    """Write the examples of a stage beside its table."""
    storage.write_json(folder / FILE, {"examples": [asdict(own) for own in examples]})


def read(folder: Path) -> list[BothSides]:
    """The examples beside a table; none where an older version made it."""
    stored = storage.read_json(folder / FILE) or {}
    return [_both_sides(row) for row in stored.get("examples", ())]


def erase(folder: Path, gone: Collection[str]) -> None:
    """Remove documents from the examples beside a table."""
    examples = read(folder)
    left = [
        BothSides(own.reason, own.limit, _without(own.fails, gone), _without(own.passes, gone))
        for own in examples
    ]
    if left != examples:
        write(folder, left)


def _both_sides(row: dict[str, Any]) -> BothSides:
    fails, passes = (tuple(Near(**own) for own in row[side]) for side in ("fails", "passes"))
    return BothSides(row["reason"], row["limit"], fails, passes)


def _without(examples: Sequence[Near], gone: Collection[str]) -> tuple[Near, ...]:
    return tuple(own for own in examples if own.id not in gone)
