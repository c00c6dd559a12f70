"""What a stage did although its result is doubtful: a key, words, and the figures in them.

The Result of a stage carries its warnings, and the ledger keeps them with the Result. The terminal,
`--json` and the top of the report show them from there, also while the stage is fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curate.rounding import filled

MOST_NAMES = 5
"""So many names stand in a sentence; the figures hold all."""


@dataclass(frozen=True)
class StageWarning:
    """One warning. `key` is STAGE.KIND, `words` one sentence, `figures` what the words speak of."""

    key: str
    words: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def note(key: str, words: str, **figures: Any) -> StageWarning:
    """A sentence that is no doubt, such as what a judge weighs; made and said as a warning is."""
    return warn(key, words, **figures)


def warn(key: str, words: str, **figures: Any) -> StageWarning:
    """A warning whose `words` are a template, filled with its figures; names in a list are told."""
    shown = {
        name: named(value) if isinstance(value, list | tuple) else value
        for name, value in figures.items()
    }
    return StageWarning(key, filled(words, shown), figures)


def named(names: Sequence[Any]) -> str:
    """The first names of a list, and how many there are beside them."""
    more = len(names) - MOST_NAMES
    first = ", ".join(map(str, names[:MOST_NAMES]))
    return f"{first} and {more:,} more" if more > 0 else first


def stored(rows: Iterable[Mapping[str, Any]]) -> tuple[StageWarning, ...]:
    """Warnings as a ledger holds them."""
    return tuple(StageWarning(row["key"], row["words"], row["figures"]) for row in rows)
