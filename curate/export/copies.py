"""The copies of documents in an export against its draw, in buckets of ids on disk.

Lines and draw are written to a temporary folder as they are read. All that is said of an id is then
brought together, and one bucket of ids is in memory at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.engine import Local
from curate.export.formats import read_batches
from curate.storage import read_parquet
from curate.tables import by_phase

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

ROWS = 50_000
"""The most rows of a part, and about the number of a bucket."""

LARGEST = 1 << 62
"""Numbers of copies are smaller. It is the place of what no single line is to blame for."""


Group = tuple[str | None, str]
"""The phase of a group (None without phases), and its name."""

COLUMNS = ("id", "number", "part", "earlier", "place")
"""What is said of an id: in a line its number, or in the draw how often a part drew it."""


@dataclass
class Copies:
    """The ids and copies of the lines read so far; `parts` are the files that hold them.

    `phases` are the names of the mixture's parts, in order; none if it is one whole.
    """

    folder: Path
    phases: Sequence[str] = ()
    parts: list[Path] = field(default_factory=list)
    lines: int = 0
    ids: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    own_parts: list[int] = field(default_factory=list)

    def add(self, id: Any, number: Any, phase: str | None = None) -> None:
        """Note a line: the id of its document, the number of the copy, and its phase.

        Raises ValueError for what is no number.
        """
        if type(number) is not int or abs(number) >= LARGEST:
            raise ValueError(f"{number!r} is no number of a copy")
        self.ids.append(str(id))
        self.numbers.append(number)
        self.own_parts.append(0 if phase is None else self.phases.index(phase))
        if len(self.ids) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the lines noted since the last time."""
        import numpy as np
        import pyarrow as pa

        places = np.arange(self.lines, self.lines + len(self.ids))
        path = self.folder / f"lines-{len(self.parts):05}.arrow"
        ids, numbers = pa.array(self.ids, pa.string()), pa.array(self.numbers, pa.int64())
        part = np.array(self.own_parts, np.int64)
        self.parts.append(_write(path, ids, numbers, part, 0 * part, places))
        self.lines += len(self.ids)
        self.ids, self.numbers, self.own_parts = [], [], []

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

    `earlier` are the tokens that earlier parts drew of the candidates that can be drawn, by their
    group (of the first phase). Tokens are as the budget counts them. `parts` are the files to which
    it was written what was drawn, `rows` is the number of candidates.
    """

    largest: Mapping[Group, int] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Path, ...] = ()
    rows: int = 0


def read_draw(path: Path, folder: Path, phases: Sequence[str] = ()) -> Draw:
    """Read the draw in batches, and write to a folder which documents each phase drew."""
    largest: dict[Group, int] = {}
    earlier: Counter[str] = Counter()
    parts, rows = [], 0
    own = list(zip(by_phase("copies", phases), by_phase("group", phases), strict=True))
    names = dict.fromkeys(["id", "group", "size", "weight", "earlier", *chain(*own)])
    for number, batch in enumerate(read_batches(path, ROWS, list(names))):
        earlier.update(_earlier(batch))
        for part, (copies, group) in enumerate(own):
            for name, size in _by_group(batch.column(group), batch.column("size"), "max"):
                key = (phases[part] if phases else None, name)
                largest[key] = max(largest.get(key, 0), size)
            file = folder / f"drawn-{part}-{number:05}.arrow"
            parts.append(_write_drawn(file, part, batch, copies))
        rows += batch.num_rows
    return Draw(largest, earlier, tuple(parts), rows)


def _earlier(draw: pa.RecordBatch) -> dict[str, int]:
    """The tokens that earlier parts drew of each group, without those of a weight of 0."""
    import pyarrow.compute as pc

    tokens = pc.multiply(draw.column("earlier"), draw.column("size"))
    counted = pc.if_else(pc.greater(draw.column("weight"), 0), tokens, 0)
    return dict(_by_group(draw.column("group"), counted, "sum"))


def _by_group(groups: pa.Array, values: pa.Array, how: str) -> Iterator[tuple[str, int]]:
    """Yield the sum or the greatest of some values in each group."""
    import pyarrow as pa

    table = (
        pa.table({"group": groups, "value": values}).group_by("group").aggregate([("value", how)])
    )
    yield from zip(table["group"].to_pylist(), table[f"value_{how}"].to_pylist(), strict=True)


def _write_drawn(path: Path, part: int, draw: pa.RecordBatch, column: str) -> Path:
    """Write which documents a part of the mixture holds, and how often each was drawn."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    copies = draw.column(column).cast(pa.int64())
    is_drawn = pc.fill_null(pc.not_equal(copies, 0), False)
    ids = pc.fill_null(draw.column("id").cast(pa.string()), "None").filter(is_drawn)
    size = len(ids)
    earlier = draw.column("earlier").filter(is_drawn)
    return _write(
        path, ids, copies.filter(is_drawn), np.full(size, part), earlier, np.full(size, LARGEST)
    )


def _write(path: Path, *columns: pa.Array | NDArray[np.int64]) -> Path:
    import pyarrow as pa

    table = pa.table(dict(zip(COLUMNS, columns, strict=True)))
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _compare(max_epochs: int, bucket: pa.Table) -> pa.Table:
    """The problems with the documents of one bucket, and the place of each one's first line.

    Rows of the draw have the place LARGEST; copies of later parts have higher numbers.
    """
    import pyarrow as pa

    lines: dict[str, list[tuple[int, int]]] = {}
    places: dict[str, int] = {}
    drawn: dict[tuple[str, int], int] = {}
    had: dict[str, int] = {}
    for id, number, part, earlier, place in zip(
        *(bucket[name].to_pylist() for name in COLUMNS), strict=True
    ):
        if place == LARGEST:
            drawn[id, part] = number
            had[id] = earlier
        else:
            lines.setdefault(id, []).append((part, number))
            places.setdefault(id, place)
    problems = [
        (places[id], problem)
        for id, own in lines.items()
        for problem in _of_document(id, own, had.get(id, 0), max_epochs)
    ]
    if drawn != Counter((id, part) for id, own in lines.items() for part, _ in own):
        problems.append((LARGEST, "the documents are not those of draw.parquet"))
    places_of, words = zip(*problems, strict=True) if problems else ((), ())
    columns = [pa.array(places_of, pa.int64()), pa.array(words, pa.string())]
    return pa.table(columns, names=["place", "problem"])


def _of_document(
    id: str, lines: list[tuple[int, int]], earlier: int, max_epochs: int
) -> Iterator[str]:
    """Yield what is wrong with a document: part and number of its lines, and its earlier copies."""
    numbers = [number for _, number in sorted(lines)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{id} has the copies {numbers}"
    if earlier + len(numbers) > max_epochs:
        before = f" after {earlier} in earlier parts" if earlier else ""
        yield f"{id} stands {len(numbers)} times{before}, more than {max_epochs} epochs"


def _problems(path: Path) -> Iterator[tuple[int, str]]:
    table = read_parquet(path)
    yield from zip(table["place"].to_pylist(), table["problem"].to_pylist(), strict=True)
