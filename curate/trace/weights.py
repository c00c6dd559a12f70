"""Why a document has its weight and its copies: its group, the limits, and where the cut lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.formats import read_shard
from curate.export.formats.lines import OURS
from curate.export.holding import HELD_OUT
from curate.tables import by_phase
from curate.trace.results import Line, Weight
from curate.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

OF_MIX = ("group", "bucket", "weight", "copies", "earlier", "size", "max_epochs", "factor")

OF_GROUPS = (
    *("group", "phase", "wanted", "promised", "realised", "low", "high", "bound", "epochs"),
    "tokens",
)

OF_LINES = ("shard", "position", "copy")

ROWS = 100_000
"""Lines of a draw that are looked through at once."""


@dataclass(frozen=True)
class Mixture:
    """The groups of the mixture, by phase and name, and what it was made with."""

    groups: Mapping[tuple[str | None, str], Mapping[str, Any]]
    phases: tuple[str, ...]
    settings: Mapping[str, Any]

    @staticmethod
    def of(workspace: Workspace) -> Mixture:
        """Read the mixture of a workspace."""
        rows = workspace.tables.read("groups", OF_GROUPS).to_pylist()
        settings = workspace.tables.made("mix").spec
        phases = tuple(str(phase["name"]) for phase in settings.get("phases") or ())
        return Mixture({(row["phase"], row["group"]): row for row in rows}, phases, settings)

    @property
    def columns(self) -> list[str]:
        """The columns of mix that say how a document was drawn."""
        own = [*by_phase("copies", self.phases), *by_phase("group", self.phases)]
        return list(dict.fromkeys([*OF_MIX, *own]))

    def weights(self, row: Mapping[str, Any]) -> Iterator[Weight]:
        """Yield why a candidate was drawn as it was, for each phase."""
        names = by_phase("copies", self.phases), by_phase("group", self.phases)
        for phase, copies, group in zip(self.phases or (None,), *names, strict=True):
            yield self._weight(row, phase, row[copies], row[group])

    def _weight(self, row: Mapping[str, Any], phase: str | None, copies: int, group: str) -> Weight:
        of_group = self.groups[phase, group]
        total = sum(own["tokens"] for (name, _), own in self.groups.items() if name == phase)
        names = ("wanted", "promised", "realised", "low", "high", "bound")
        return Weight(
            phase=phase,
            group=group,
            bucket=row["bucket"],
            weight=row["weight"],
            copies=copies,
            earlier=row["earlier"],
            size=row["size"],
            max_epochs=row["max_epochs"],
            factor=row["factor"],
            share=copies * row["size"] / total if total else 0.0,
            **{name: of_group[name] for name in names},
            why=_why(row, copies, of_group, self.settings),
        )


def _why(
    row: Mapping[str, Any], copies: int, group: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """What decided how often a document was drawn, in words."""
    strategy = settings.get("within", {}).get("strategy", "")
    if not row["weight"]:
        return f"its weight is 0 by within.strategy {strategy}: such documents are not drawn"
    if not group["tokens"]:
        return f"its group {group['group']} was promised no tokens"
    told = f"its group holds {group['promised']:.4g} of the tokens, {group['epochs']:.4g} epochs"
    if group["bound"]:
        told += f", bound by {group['bound']}"
    side = "above" if copies else "below"
    earlier = f", after {row['earlier']} in earlier exports" if row["earlier"] else ""
    return f"{told}: it is {side} the cut with {copies} copies{earlier}"


# ── where it lies in the export


def lines(path: Path, ids: Sequence[str]) -> Iterator[tuple[str, Line]]:
    """Yield the lines of documents in an export, by its `draw.parquet`, in their order."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not says_lines(path):
        return
    wanted = pa.array(list(ids), pa.string())
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=["id", *OF_LINES]):
            for row in batch.filter(pc.is_in(batch["id"], wanted)).to_pylist():
                yield row["id"], Line(row["shard"], row["position"], row["copy"])


def held_out_line(export: Path, id: str) -> Line | None:
    """The line of a document in the validation split of an export, whose files are read for it.

    None where it is in none, or where a file cannot be read back.
    """
    if (export / HELD_OUT).is_file():
        return next((line for _, line in lines(export / HELD_OUT, [id])), None)
    manifest = storage.read_json(export / "manifest.json") or {}
    for file in manifest.get("validation", {}).get("files", ()):
        try:
            for position, line in enumerate(read_shard(export / file["path"])):
                if line.get(OURS, line)["id"] == id:
                    return Line(file["path"], position, 1)
        except (OSError, LookupError, ValueError):
            continue
    return None


def says_lines(path: Path) -> bool:
    """Whether a draw is there and says where each line stands: older ones do not."""
    import pyarrow.parquet as pq

    return path.is_file() and {*OF_LINES} <= {*pq.read_schema(path).names}
