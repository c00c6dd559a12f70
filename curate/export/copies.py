"""The copies of documents in an export, in buckets of ids on disk.

Lines are written to a temporary folder as they are read. All that is said of an id is then brought
together, and one bucket of ids is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.engine import Local
from curate.storage import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 50_000
"""The most rows of a part, and about the number of a bucket."""

LARGEST = 1 << 62
"""Numbers of copies are smaller."""

HELD_OUT = -1
"""The part of a line of the holdout; the others count from 0."""

COLUMNS = ("id", "number", "part", "earlier", "place")
"""What a line says of an id: the number of its copy, its part, earlier copies, and its place."""


@dataclass
class Copies:
    """The ids and copies of the lines read so far; `parts` are the files that hold them.

    `phases` are the names of the mixture's parts, in order; none if it is one whole.
    """

    folder: Path
    phases: Sequence[str] = ()
    parts: list[Path] = field(default_factory=list)
    lines: int = 0
    rows: list[tuple[str, int, int, int, int]] = field(default_factory=list)

    def add(self, id: Any, number: Any, phase: str | None = None, earlier: int = 0) -> None:
        """Note a line to train on; `earlier` are the copies of its document in earlier exports.

        Raises ValueError for what is no number.
        """
        if type(number) is not int or abs(number) >= LARGEST:
            raise ValueError(f"{number!r} is not the number of a copy")
        self._note(str(id), number, 0 if phase is None else self.phases.index(phase), earlier)

    def add_held_out(self, id: Any) -> None:
        """Note a line of the holdout."""
        self._note(str(id), 1, HELD_OUT, 0)

    def _note(self, id: str, number: int, part: int, earlier: int) -> None:
        self.rows.append((id, number, part, earlier, self.lines))
        self.lines += 1
        if len(self.rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the lines noted since the last time."""
        import pyarrow as pa

        path = self.folder / f"lines-{len(self.parts):05}.arrow"
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(COLUMNS)
        types = (pa.string(), *(pa.int64() for _ in COLUMNS[1:]))
        arrays = [pa.array(column, type) for column, type in zip(columns, types, strict=True)]
        table = pa.table(arrays, names=list(COLUMNS))
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
        self.parts.append(path)
        self.rows = []

    def check(self, max_epochs: int) -> Iterator[str]:
        """Yield what is wrong with the copies, in the order of the first line of each document."""
        self.flush()
        checked = Local(1).shuffle(
            partial(_compare, max_epochs),
            self.parts,
            self.folder / "checked",
            key="id",
            buckets=1 + self.lines // ROWS,
            load=_read,
        )
        rows = [row for path in checked for row in _problems(path)]
        yield from dict.fromkeys(problem for _, problem in sorted(rows, key=lambda row: row[0]))


def _read(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _compare(max_epochs: int, bucket: pa.Table) -> pa.Table:
    """The problems with the documents of one bucket, and the place of each one's first line."""
    import pyarrow as pa

    lines: dict[str, list[tuple[int, int]]] = {}
    about: dict[str, tuple[int, int]] = {}
    for id, number, part, earlier, place in zip(
        *(bucket[name].to_pylist() for name in COLUMNS), strict=True
    ):
        lines.setdefault(id, []).append((part, number))
        about.setdefault(id, (place, earlier))
    problems = [
        (about[id][0], problem)
        for id, own in lines.items()
        for problem in _of_document(id, own, about[id][1], max_epochs)
    ]
    places_of, words = zip(*problems, strict=True) if problems else ((), ())
    columns = [pa.array(places_of, pa.int64()), pa.array(words, pa.string())]
    return pa.table(columns, names=["place", "problem"])


def _of_document(
    id: str, lines: list[tuple[int, int]], earlier: int, max_epochs: int
) -> Iterator[str]:
    """Yield what is wrong with a document: part and number of its lines, and its earlier copies."""
    numbers = [number for part, number in sorted(lines) if part != HELD_OUT]
    held_out = len(lines) - len(numbers)
    if held_out > 1:
        yield f"{id} appears {held_out} times in the holdout"
    if held_out and numbers:
        yield f"{id} is in the mixture and in the holdout"
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{id} has the copies {numbers}"
    if earlier + len(numbers) > max_epochs:
        before = f" after {earlier} in earlier parts" if earlier else ""
        yield f"{id} stands {len(numbers)} times{before}, more than {max_epochs} epochs"


def _problems(path: Path) -> Iterator[tuple[int, str]]:
    table = read_parquet(path)
    yield from zip(table["place"].to_pylist(), table["problem"].to_pylist(), strict=True)
