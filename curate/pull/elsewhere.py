"""How answers made with another tool are read: the options of the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from curate.errors import RecipeError
from curate.names import unknown
from curate.pull.formats.made import Columns
from curate.pull.formats.registry import TOOLS
from curate.pull.offsets import READINGS

LABELS = "csv"
"""What reads the tables that `curate labels` writes."""


@dataclass(frozen=True)
class Elsewhere:
    """How answers made with another tool are read.

    The tool, a key to join by, declared columns, and what offsets count (None: it is found out).
    """

    tool: str
    key: str | None = None
    columns: Columns = field(default_factory=Columns)
    offsets: str | None = None

    @staticmethod
    def of(
        tool: str, key: str | None, columns: Sequence[str], offsets: str | None = None
    ) -> Elsewhere:
        """The options of the command. Raises RecipeError for what is no such thing."""
        if tool not in TOOLS:
            raise unknown(f"--from: no tool is called {tool}", tool, TOOLS)
        if offsets is not None and offsets not in READINGS:
            raise unknown(f"--offsets: nothing is called {offsets}", offsets, READINGS)
        wrong = [own for own in columns if not all(own.partition("="))]
        if wrong:
            raise RecipeError(f"--column {wrong[0]}: not NAME=COLUMN", hint="as in text=sentence")
        declared: dict[str, list[str]] = {}
        for own in columns:
            name, _, column = own.partition("=")
            declared.setdefault(name, []).append(column)
        several = {name: tuple(own) for name, own in declared.items() if len(own) > 1}
        if several and tool != LABELS:
            raise RecipeError(
                f"--column {next(iter(several))} is given twice",
                hint=f"only a table (--from {LABELS}) has a column for each person",
            )
        single = {name: own for name, (own, *others) in declared.items() if not others}
        return Elsewhere(tool, key, Columns(single, several), offsets)
