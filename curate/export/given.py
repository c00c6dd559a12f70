"""An order of lines that is given to an export, as a draw lists it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from curate.engine import Engine
from curate.export.drawn import Drawn
from curate.export.order import Plan
from curate.export.parts import Layout

MISSING = "missing.csv"
"""The file about lines that an order names and that are not there."""


class Given(Protocol):
    """An order of lines, and what else an export of them has that is not its own."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The settings of all stages that made the draw."""

    @property
    def missing(self) -> str:
        """The text of `missing.csv`; empty where nothing is missing."""

    def write_keys(
        self, engine: Engine, folder: Path, numbers: Sequence[int], layout: Layout
    ) -> None:
        """Write the keys of the lines of every shard, whose entries lie in the same folder."""

    def plan(self, layout: Layout, drawn: Drawn) -> Plan:
        """How the lines are cut into shards."""
