"""What the ledger says of the tables that are there: how they were made, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from curate import STAGES
from curate.warning import StageWarning, stored
from curate.workspace.ledger import Ledger, Stop
from curate.workspace.tables import FILES, Tables


@dataclass(frozen=True)
class Lineage:
    """Reads the ledger's lines about the tables of a workspace."""

    tables: Tables
    ledger: Ledger

    def inputs(self, name: str) -> Mapping[str, str | None]:
        """The fingerprints of what a table or file was made from; empty if that is not known."""
        record = self.tables.record(name)
        if record is not None:
            return record.inputs
        line = self.line(name) if name in FILES else None
        return dict(line["inputs"]) if line else {}

    def line(self, name: str) -> dict[str, Any] | None:
        """The ledger's line about the run that made the present table or file, if there is one."""
        return self._made_by(self.ledger.lines(), name)

    def of(self, name: str) -> dict[str, dict[str, Any]]:
        """The ledger's lines about a table or file and all that it was made from, by stage.

        What it was made from may have been made again since.
        """
        lines = self.ledger.lines()
        newest: dict[str, dict[str, Any]] = {}
        todo = [self._made_by(lines, name)]
        while todo:
            line = todo.pop()
            if line is not None and line["stage"] not in newest:
                newest[line["stage"]] = line
                todo += [_made(lines, *source) for source in line["inputs"].items()]
        return newest

    def _made_by(self, lines: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
        """The line about the present table: by its content, else by its record.

        A takedown changes the content of tables and not their records.
        """
        record = self.tables.record(name)
        same = (
            line
            for line in reversed(lines)
            if record and (line["spec"], line["inputs"]) == (record.spec, record.inputs)
            if name in line["outputs"]
        )
        return _made(lines, name, self.tables.fingerprint(name)) or next(same, None)

    def warnings(self, *stages: str) -> tuple[StageWarning, ...]:
        """The warnings of the newest runs of stages, in their order; by default of all.

        What a stage has made must still be there. A stage that has failed or was skipped since
        then has one more warning, that says so.
        """
        lines = self.ledger.lines()
        return tuple(
            warning for stage in stages or STAGES for warning in self._warnings(stage, lines)
        )

    def stop(self, stage: str) -> Stop | None:
        """How a stage ended that has made nothing since it was last tried; None if it has."""
        stop = _stop(stage, self.ledger.lines())
        how: Stop | None = stop["how"] if stop else None
        return how

    def _warnings(self, stage: str, lines: list[dict[str, Any]]) -> Iterator[StageWarning]:
        stop = _stop(stage, lines)
        if stop is not None:
            yield stop_warning(stop)
        made = next((line for line in reversed(lines) if line["stage"] == stage), None)
        if made and all(self.tables.fingerprint(name) for name in made["outputs"]):
            yield from stored((made["result"] or {}).get("warnings", ()))


def _made(lines: list[dict[str, Any]], name: str, content: str | None) -> dict[str, Any] | None:
    """The newest line about a run that made a table with this content."""
    made = (line for line in reversed(lines) if line["outputs"].get(name) == content)
    return next(made, None) if content is not None else None


def _stop(stage: str, lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the newest line about a stage says, if that is that it failed or was skipped."""
    for line in reversed(lines):
        if line["stage"] == "stopped" and line["result"]["stage"] == stage:
            return dict(line["result"]) if line["result"]["how"] else None
        if line["stage"] == stage:
            return None
    return None


def stop_warning(stop: Mapping[str, str]) -> StageWarning:
    """The warning about a stage that failed or was skipped, from its line in the ledger."""
    how = "was skipped" if stop["how"] == "skipped" else "failed"
    words = f"{stop['stage']} {how}: {stop['message']}"
    words += f" ({stop['hint']})" if stop["hint"] else ""
    return StageWarning(f"{stop['stage']}.{stop['how']}", words, dict(stop))
