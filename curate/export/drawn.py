"""What was drawn: its counts and the keys of its lines, shard by shard, and `draw.parquet`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import chance, tables
from curate.engine import in_order
from curate.export.order import key_path, line_keys
from curate.export.phases import Phases
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawn:
    """What was drawn, copies counted: lines and their tokens, and lines by licence and language.

    `lines` and `tokens` are by the number of their part, from 0; tokens are as the pool counts.
    """

    lines: Counter[int] = field(default_factory=Counter)
    tokens: Counter[int] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)

    def joined(self, other: Drawn) -> Drawn:
        """The sums of both."""
        return Drawn(
            self.lines + other.lines,
            self.tokens + other.tokens,
            self.licenses + other.licenses,
            self.languages + other.languages,
        )


def has_scores(workspace: Workspace) -> bool:
    """Whether the mixture was made with scores: others say nothing about how it was chosen."""
    mix = workspace.tables.stored("mix")
    return mix is not None and mix.made.inputs.get("scores") is not None


def shards_of(workspace: Workspace) -> list[DocumentShard]:
    """The shards of the documents with the mixture, and the scores that it was made with.

    Raises MissingInput, and DataError where the shards are not those of today's documents.
    """
    return workspace.documents.shards(scores=has_scores(workspace), mix=True)


def read_drawn(
    workspace: Workspace, shards: Sequence[DocumentShard], seed: int, folder: Path
) -> Drawn:
    """Count what was drawn, and write the keys of its lines into a folder.

    Raises DataError where mix or scores are not of the documents that `clean` keeps.
    """
    total = Drawn()
    count = Count(folder, seed, Phases.of(workspace))
    with workspace.watch("ordering", workspace.tables.rows("pool")) as advance:
        for documents, drawn in in_order(workspace.engine.each(count, shards)):
            total = total.joined(drawn)
            advance(documents)
    return total


@dataclass(frozen=True)
class Count:
    """Counts what was drawn of a shard, and writes the keys of its lines into a folder."""

    folder: Path
    seed: int
    phases: Phases

    def __call__(self, shard: DocumentShard) -> tuple[int, Drawn]:
        """The number of the shard's documents, and what was drawn of them."""
        import numpy as np
        import pyarrow.compute as pc

        about = ["id", "tokens", "license", "language", "copies", *self.phases.columns]
        table = shard.read(about)
        drawn = table.filter(pc.greater(table["copies"], 0))
        lines = self.phases.lines(drawn)
        ids, places = (
            drawn["id"].to_pylist(),
            zip(lines.row.tolist(), lines.copy.tolist(), strict=True),
        )
        words = (f"{ids[row]} {copy}" for row, copy in places)
        keys = line_keys(chance.uniform(words, self.seed, "shuffle"), lines.part)
        np.save(key_path(self.folder, shard.number), keys)
        copies, tokens = drawn["copies"].to_numpy(), drawn["tokens"].to_numpy()
        return table.num_rows, Drawn(
            _by_part(lines.part),
            _by_part(lines.part, tokens[lines.row]),
            _counts(drawn["license"], copies, "unknown"),
            _counts(drawn["language"], copies, ""),
        )


def _by_part(part: NDArray[np.int64], values: NDArray[np.int64] | None = None) -> Counter[int]:
    """The number of lines of each part, or the sum of their values."""
    import numpy as np

    return Counter(dict(enumerate(np.bincount(part, values).astype(int).tolist())))


def _counts(words: pa.ChunkedArray, copies: NDArray[np.int64], unknown: str) -> Counter[str]:
    """How many lines have each word, in the order of the first of each."""
    import numpy as np
    import pyarrow.compute as pc

    if not len(words):
        return Counter()
    known = pc.if_else(pc.equal(words, ""), unknown, words)
    encoded = pc.fill_null(known, unknown).combine_chunks().dictionary_encode()
    counts = np.bincount(encoded.indices.to_numpy(), copies).astype(int)
    return Counter(dict(zip(encoded.dictionary.to_pylist(), counts.tolist(), strict=True)))


def write_draw(workspace: Workspace, shards: Sequence[DocumentShard], path: Path) -> None:
    """Write every candidate, drawn or not, in pool order, one shard in memory at a time."""
    import pyarrow.parquet as pq

    schema = _draw_schema(Phases.of(workspace))
    with (
        workspace.watch("writing the draw", workspace.tables.rows("mix")) as advance,
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
    ):
        for shard in shards:
            candidates = _candidates(shard, schema)
            if candidates.num_rows:
                writer.write_table(candidates)
            advance(candidates.num_rows)


def _draw_schema(phases: Phases) -> pa.Schema:
    """The columns of `draw.parquet`; those of phases come last."""
    import pyarrow as pa

    names = (
        *("id", "source", "group", "bucket", "tokens", "quality", "weight", "copies"),
        *("earlier", "size"),
    )
    fields = [field for name in ("pool", "scores", "mix") for field in tables.schema(name, *names)]
    by_name = {field.name: field for field in fields}
    of_phases = [by_name[name.partition(":")[0]].with_name(name) for name in phases.columns]
    return pa.schema([*(by_name[name] for name in names), *of_phases])


def _candidates(shard: DocumentShard, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [name for name in schema.names if name != "quality" or shard.scores is not None]
    table = shard.read(columns)
    table = table.filter(table["copies"].is_valid())
    quality: Any = pa.nulls(table.num_rows, pa.float64())
    if "quality" in table.column_names:
        quality = pc.if_else(pc.is_nan(table["quality"]), None, table["quality"])
    arrays = {**{name: table[name] for name in table.column_names}, "quality": quality}
    return pa.table(arrays).select(schema.names).cast(schema)
