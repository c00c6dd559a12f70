"""What the ledger says of the tables that are there: how they were made, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from curate import STAGES
from curate.warning import StageWarning, stored
from curate.workspace.ledger import Ledger
from curate.workspace.tables import Tables


@dataclass(frozen=True)
class Lineage:
    """Reads the ledger's lines about the tables of a workspace."""

    tables: Tables
    ledger: Ledger

    def warnings(self, *stages: str) -> tuple[StageWarning, ...]:
        """The warnings of the newest runs of stages, in their order; by default of all.

        What a stage has made must still be there. A stage that has failed or was skipped since
        then has one more warning, that says so.
        """
        lines = self.ledger.lines()
        return tuple(found for stage in stages or STAGES for found in self._warnings(stage, lines))

    def _warnings(self, stage: str, lines: list[dict[str, Any]]) -> Iterator[StageWarning]:
        for line in reversed(lines):
            if line["stage"] == "stopped" and line["result"]["stage"] == stage:
                yield stop_warning(line["result"])
                break
            if line["stage"] == stage:
                break
        made = next((line for line in reversed(lines) if line["stage"] == stage), None)
        if made and all(self.tables.fingerprint(name) for name in made["outputs"]):
            yield from stored((made["result"] or {}).get("warnings", ()))


def stop_warning(stop: Mapping[str, str]) -> StageWarning:
    """The warning about a stage that failed or was skipped, from its line in the ledger."""
    how = "was skipped" if stop["how"] == "skipped" else "failed"
    words = f"{stop['stage']} {how}: {stop['message']}"
    words += f" ({stop['hint']})" if stop["hint"] else ""
    return StageWarning(f"{stop['stage']}.{stop['how']}", words, dict(stop))
