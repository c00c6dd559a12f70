"""The tables that a mixture would have left, as far as its draw tells them: shard by shard.

Of a document that was not drawn nothing is known: it has no copies and no weight here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.export.parts import Layout
from curate.replay.finding import Found
from curate.tables import by_phase
from curate.workspace.documents import CAN, DocumentShard, is_candidate

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Group = tuple[str | None, str]
"""The phase of a group (None without phases), and its name."""


@dataclass(frozen=True)
class Sums:
    """What the lines hold that were found; tokens are as the pool counts them today.

    `lines` and `tokens` are by shard of the export. `documents`, `sizes` (as the budget counts) and
    `pool_tokens` are by group, copies counted. `changed` counts documents with other tokens than
    the draw tells.
    """

    lines: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    documents: Counter[Group] = field(default_factory=Counter)
    sizes: Counter[Group] = field(default_factory=Counter)
    pool_tokens: Counter[Group] = field(default_factory=Counter)
    changed: int = 0

    def joined(self, other: Sums) -> Sums:
        """The sums of both."""
        return Sums(
            self.lines + other.lines,
            self.tokens + other.tokens,
            self.documents + other.documents,
            self.sizes + other.sizes,
            self.pool_tokens + other.pool_tokens,
            self.changed + other.changed,
        )


@dataclass(frozen=True)
class WriteTables:
    """Writes the files of `mix` and `scores` of a shard, and the ranks of its lines.

    `extra` are more tokens that the budget counts for each document. It is None where the budget
    is counted by a tokenizer of its own: the draw tells sizes then.
    """

    found: Found
    layout: Layout
    folder: Path
    extra: int | None

    def __call__(self, shard: DocumentShard) -> Sums:
        """What the lines of the shard hold."""
        import numpy as np
        import pyarrow.compute as pc

        lines = self._lines(shard.number)
        np.save(ranks_path(self.folder, shard.number), lines["rank"].to_numpy())
        rows, first = np.unique(lines["row"].to_numpy(), return_index=True)
        documents = lines.take(first)
        table = shard.read(["id", *CAN], dropped=True)
        can = is_candidate(*(table[name] for name in CAN)).to_numpy()
        mix = self._mix(table["id"].filter(can), (np.cumsum(can) - 1)[rows], documents)
        storage.write_parquet(self.folder / "mix" / shard.name, mix)
        kept = table["kept"].to_numpy()
        scores = _scores(table["id"].filter(kept), (np.cumsum(kept) - 1)[rows], documents)
        storage.write_parquet(self.folder / "scores" / shard.name, scores)
        changed = pc.sum(pc.not_equal(documents["tokens"], documents["now"])).as_py() or 0
        return self._sums(lines, changed)

    def _lines(self, number: int) -> pa.Table:
        """The lines of a shard that were found, with the sizes of today."""
        import pyarrow.compute as pc

        lines = self.found.of(number)
        if self.extra is None:
            return lines
        return lines.set_column(
            lines.column_names.index("size"), "size", pc.add(lines["now"], self.extra)
        )

    def _mix(self, ids: pa.Table, places: NDArray[np.int64], documents: pa.Table) -> pa.Table:
        import pyarrow as pa

        own = tables.schema("mix")
        phases = [(name, pa.int64()) for name in self.layout.copies if name not in own.names]
        groups = by_phase("group", self.layout.phases)
        phases += [(name, pa.string()) for name in groups if name not in own.names]
        schema = pa.schema([*own, *phases])
        columns: dict[str, Any] = {"id": ids}
        for column in schema:
            if column.name in documents.column_names and column.name != "id":
                columns[column.name] = _placed(
                    documents[column.name], places, len(ids), self._default(column.name)
                )
            elif column.name != "id":  # the draw does not tell it
                columns[column.name] = pa.nulls(len(ids), column.type)
        return pa.table(columns).select(schema.names).cast(schema)

    def _default(self, name: str) -> Any:
        """What a document has that was not drawn."""
        if name.partition(":")[0] == "group":
            return self.layout.groups[0][0]
        return None if name == "bucket" else 0

    def _sums(self, lines: pa.Table, changed: int) -> Sums:
        sums = Sums(changed=changed)
        phases = lines["phase"].to_pylist() if self.layout.phases else [None] * lines.num_rows
        copies = dict(zip(self.layout.phases or (None,), self.layout.copies, strict=True))
        columns = [lines[name].to_pylist() for name in ("file", "group", "now", "size")]
        times = {name: lines[name].to_pylist() for name in self.layout.copies}
        groups = self._groups(lines, phases, columns[1])
        for row, (file, _, tokens, size) in enumerate(zip(*columns, strict=True)):
            group = phases[row], groups[row]
            number = times[copies[phases[row]]][row] if self.layout.by_group else 1
            sums.lines[file] += 1
            sums.tokens[file] += tokens
            sums.documents[group] += number
            sums.sizes[group] += number * size
            sums.pool_tokens[group] += number * tokens
        return sums

    def _groups(self, lines: pa.Table, phases: list[Any], groups: list[str]) -> list[str]:
        """The group of each line, in its own phase."""
        names = by_phase("group", self.layout.phases)
        if len(self.layout.phases) < 2:
            return groups
        own = {
            phase: lines[name].to_pylist()
            for phase, name in zip(self.layout.phases, names, strict=True)
        }
        return [own[phase][row] for row, phase in enumerate(phases)]


def ranks_path(folder: Path, number: int) -> Path:
    """Where the ranks of a shard's lines lie, in the order of rows, then of copies."""
    return folder / f"ranks-{number:05}.npy"


def _scores(ids: pa.Array, places: NDArray[np.int64], documents: pa.Table) -> pa.Table:
    import pyarrow as pa

    schema = tables.schema("scores")
    quality = _placed(documents["quality"], places, len(ids), None)
    flags = dict.fromkeys(("abstained", "out_of_fold"), pa.repeat(False, len(ids)))
    known = {"id": ids, "quality": quality, **flags}
    columns = [
        known[name] if name in known else pa.nulls(len(ids), schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _placed(column: pa.ChunkedArray, places: NDArray[np.int64], size: int, default: Any) -> Any:
    """A column of so many rows, with some values at their places and a default elsewhere."""
    import numpy as np
    import pyarrow as pa

    values = column.combine_chunks()
    rows = np.full(size, len(values))
    rows[places] = np.arange(len(places))
    whole = pa.concat_arrays([values, pa.array([default], values.type)])
    return whole.take(pa.array(rows))
