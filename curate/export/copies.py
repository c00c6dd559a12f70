"""The copies of documents in an export against its draw, in buckets of ids on disk.

Lines and draw are written to a temporary folder as they are read. All that is said of an id is then
brought together, and one bucket of ids is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.engine import Local
from curate.export.formats import read_batches
from curate.storage import read_parquet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

ROWS = 50_000
"""The most rows of a part, and about the number of a bucket."""

LARGEST = 1 << 62
"""Numbers of copies are smaller. It is the place of what no single line is to blame for."""


@dataclass
class Copies:
    """The ids and copies of the lines read so far; `parts` are the files that hold them."""

    folder: Path
    parts: list[Path] = field(default_factory=list)
    lines: int = 0
    ids: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, id: Any, number: Any) -> None:
        """Note a line: the id of its document, and the number of the copy.

        Raises ValueError for what is no number.
        """
        if type(number) is not int or abs(number) >= LARGEST:
            raise ValueError(f"{number!r} is no number of a copy")
        self.ids.append(str(id))
        self.numbers.append(number)
        if len(self.ids) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the lines noted since the last time."""
        import numpy as np
        import pyarrow as pa

        places = np.arange(self.lines, self.lines + len(self.ids))
        path = self.folder / f"lines-{len(self.parts):05}.arrow"
        ids, numbers = pa.array(self.ids, pa.string()), pa.array(self.numbers, pa.int64())
        self.parts.append(_write(path, ids, numbers, places))
        self.lines += len(self.ids)
        self.ids, self.numbers = [], []

    def check(self, draw: Draw, max_epochs: int) -> Iterator[str]:
        """Yield what is wrong with the copies, in the order of the first line of each document."""
        self.flush()
        checked = Local(1).shuffle(
            partial(_compare, max_epochs),
            [*self.parts, *draw.parts],
            self.folder / "checked",
            key="id",
            buckets=1 + (self.lines + draw.rows) // ROWS,
            load=_read,
        )
        rows = [row for path in checked for row in _problems(path)]
        yield from dict.fromkeys(problem for _, problem in sorted(rows, key=lambda row: row[0]))


@dataclass(frozen=True)
class Draw:
    """What `draw.parquet` holds: the most tokens of a document in each group, and what was drawn.

    `parts` are the files to which that was written, `rows` is the number of candidates.
    """

    largest: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Path, ...] = ()
    rows: int = 0


def read_draw(path: Path, folder: Path) -> Draw:
    """Read the draw in batches, and write to a folder which documents were drawn."""
    largest: dict[str, int] = {}
    parts, rows = [], 0
    batches = read_batches(path, ROWS, ("id", "group", "tokens", "copies"))
    for number, batch in enumerate(batches):
        for group, size in _largest(batch):
            largest[group] = max(largest.get(group, 0), size)
        parts.append(_write_drawn(folder, number, batch))
        rows += batch.num_rows
    return Draw(largest, tuple(parts), rows)


def _largest(draw: pa.RecordBatch) -> Iterator[tuple[str, int]]:
    """Yield the most tokens of a document in each group, drawn or not."""
    import pyarrow as pa

    columns = {name: draw.column(name) for name in ("group", "tokens")}
    largest = pa.table(columns).group_by("group").aggregate([("tokens", "max")])
    yield from zip(largest["group"].to_pylist(), largest["tokens_max"].to_pylist(), strict=True)


def _write_drawn(folder: Path, number: int, draw: pa.RecordBatch) -> Path:
    """Write which documents a part of the draw holds, and how often each was drawn."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    copies = draw.column("copies").cast(pa.int64())
    is_drawn = pc.fill_null(pc.not_equal(copies, 0), False)
    ids = pc.fill_null(draw.column("id").cast(pa.string()), "None").filter(is_drawn)
    path = folder / f"drawn-{number:05}.arrow"
    return _write(path, ids, copies.filter(is_drawn), np.full(len(ids), LARGEST))


def _write(path: Path, ids: pa.Array, numbers: pa.Array, places: NDArray[np.int64]) -> Path:
    import pyarrow as pa

    table = pa.table({"id": ids, "number": numbers, "place": places})
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _compare(max_epochs: int, bucket: pa.Table) -> pa.Table:
    """The problems with the documents of one bucket, and the place of each one's first line.

    Rows of the draw have the place LARGEST.
    """
    import pyarrow as pa

    lines: dict[str, list[int]] = {}
    places: dict[str, int] = {}
    drawn: dict[str, int] = {}
    for id, number, place in zip(
        *(bucket[name].to_pylist() for name in ("id", "number", "place")), strict=True
    ):
        if place == LARGEST:
            drawn[id] = number
        else:
            lines.setdefault(id, []).append(number)
            places.setdefault(id, place)
    problems = [
        (places[id], problem)
        for id, numbers in lines.items()
        for problem in _of_document(id, sorted(numbers), max_epochs)
    ]
    if drawn != {id: len(numbers) for id, numbers in lines.items()}:
        problems.append((LARGEST, "the documents are not those of draw.parquet"))
    places_of, words = zip(*problems, strict=True) if problems else ((), ())
    columns = [pa.array(places_of, pa.int64()), pa.array(words, pa.string())]
    return pa.table(columns, names=["place", "problem"])


def _of_document(id: str, numbers: list[int], max_epochs: int) -> Iterator[str]:
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{id} has the copies {numbers}"
    if len(numbers) > max_epochs:
        yield f"{id} stands {len(numbers)} times, more than {max_epochs} epochs"


def _problems(path: Path) -> Iterator[tuple[int, str]]:
    table = read_parquet(path)
    yield from zip(table["place"].to_pylist(), table["problem"].to_pylist(), strict=True)
