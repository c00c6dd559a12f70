"""The ledger: one line of ledger.jsonl for each run of a stage."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from curate.errors import CurateError
from curate.records import now
from curate.storage import Provenance, regular, replacing

LINE = frozenset({"stage", "at", "spec", "inputs", "outputs", "result"})
"""What every line holds; one without is damaged, and its stage counts as not run."""

Stop = Literal["failed", "skipped"]
"""How a stage ended that made nothing."""


@dataclass(frozen=True)
class Ledger:
    """The runs of stages in a workspace, with their inputs and results. Append-only."""

    root: Path

    def append(
        self,
        provenance: Provenance,
        outputs: dict[str, str | None],
        result: Any,
        seconds: float,
        *,
        overridden: Sequence[str] = (),
    ) -> None:
        """Append one line; `outputs` are the fingerprints of what the stage wrote.

        `overridden` are the dotted names of settings that came from the command line.
        """
        line = {
            "stage": provenance.stage,
            "at": now(),
            "spec": provenance.spec,
            "inputs": provenance.inputs,
            "outputs": outputs,
            "result": plain(result),
            "seconds": round(seconds, 3),
            "version": provenance.version,
            **({"overridden": [*overridden]} if overridden else {}),
        }
        self._write(line)

    def append_stop(self, stage: str, how: Stop, reason: CurateError) -> None:
        """Append a line about a stage that failed or was skipped, and why."""
        result = {"stage": stage, "how": how, "message": reason.message, "hint": reason.hint}
        self.append(Provenance("stopped", {}, {}, ""), {}, result, 0.0)

    def end_stop(self, stage: str) -> None:
        """Append a line that says that a stage is no longer stopped."""
        self.append(Provenance("stopped", {}, {}, ""), {}, {"stage": stage, "how": None}, 0.0)

    def _write(self, line: dict[str, Any]) -> None:
        with regular(self.root / "ledger.jsonl").open("ab+") as file:
            # A line that a kill cut short must not join the next one.
            if file.tell() and _last_byte(file) != b"\n":
                file.write(b"\n")
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[dict[str, Any]]:
        """Read every whole line, oldest first."""
        path = regular(self.root / "ledger.jsonl")
        lines = []
        # Bytes: text would split at other line ends too, and a line cut short may not decode.
        for line in path.read_bytes().split(b"\n") if path.exists() else ():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue  # cut short by a kill: its stage counts as not run
            if isinstance(row, dict) and row.keys() >= LINE:
                lines.append(row)
        return lines

    def forget(self, ids: Collection[str]) -> None:
        """Take the texts of documents out of the warnings that quote them (`templates`)."""
        path = regular(self.root / "ledger.jsonl")
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        kept = [_forgotten(line, ids) for line in lines]
        if kept != lines:
            with replacing(path) as temporary:
                temporary.write_bytes(b"\n".join(kept))

    def last(self, stage: str) -> dict[str, Any] | None:
        """Read the last line of a stage; None if the stage has not run."""
        return next((line for line in reversed(self.lines()) if line["stage"] == stage), None)

    def last_round(self) -> int:
        """Read the highest number that a round ever had; 0 if there was none."""
        opened = (line for line in self.lines() if line["stage"] in ("sample", "import"))
        return max((line["result"]["round"] for line in opened), default=0)


GONE = "(taken down)"
"""What stands in a warning in place of the text of a document that was taken down."""


def _forgotten(line: bytes, ids: Collection[str]) -> bytes:
    """A line of the ledger without the texts of these documents; as it is if it quotes none."""
    if b'"templates"' not in line:
        return line
    try:
        row = json.loads(line)
        warnings = row["result"].get("warnings") or ()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return line  # cut short by a kill, or of another kind
    quoting = [
        (warning, template)
        for warning in warnings
        for template in warning["figures"].get("templates") or ()
        if template["id"] in ids and template["text"]
    ]
    for warning, template in quoting:
        warning["words"] = warning["words"].replace(template["text"], GONE)
        template["text"] = GONE
    return json.dumps(row, ensure_ascii=False).encode() if quoting else line


def plain(result: Any) -> Any:
    """A stage's result as plain JSON values."""
    return json.loads(json.dumps(result, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
