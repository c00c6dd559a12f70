"""Older corpora that near-duplicates are looked for in: another run, a pool, an export, or files.

Whatever they are, they become shards of (id, text, signature) beside the table that is being built,
so that comparing knows one kind of shard only.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.near import Shard, signatures
from curate.engine import Engine
from curate.errors import DataError
from curate.text import TEXT, apply_edits, canonical, content_id

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz")
ROWS = 10_000

Piece = tuple[Path, Path | None]
"""A file with texts, and the shard of `clean` that says which are kept and how they read."""


def pieces(root: Path, names: Sequence[str]) -> list[Piece]:
    """Return what the corpora are made of, in order. Raises DataError where one has no texts."""
    found: list[Piece] = []
    for name in names:
        path = root / Path(name).expanduser()
        here = _pieces(path)
        if not here:
            raise DataError(
                f"clean.against: {path} holds no texts",
                hint="name a workspace, a pool, an export, or Parquet and JSONL files with `text`",
            )
        found += here
    return found


def _pieces(path: Path) -> list[Piece]:
    if path.is_file():
        return [(path, None)]
    if (path / "pool" / storage.MANIFEST).exists():
        pools, cleans = storage.shards(path / "pool"), storage.shards(path / "clean")
        if not cleans:
            return [(pool, None) for pool in pools]
        if [each.name for each in pools] != [each.name for each in cleans]:
            raise _strange(path)
        return list(zip(pools, cleans, strict=True))
    files = (each for each in sorted(path.rglob("*")) if each.name.endswith(SUFFIXES))
    apart = ("_", ".", "draw.parquet")  # the record of an export's draw holds no text
    return [(each, None) for each in files if not each.name.startswith(apart)]


def digest(found: Sequence[Piece]) -> str:
    """Return what tells whether a corpus has changed: names, sizes and times of its files."""
    files = [path for piece in found for path in piece if path is not None]
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return storage.digest(stats)


def sign(engine: Engine, found: Sequence[Piece], folder: Path, first: int) -> list[Shard]:
    """Return the corpora's shards, signed, numbered from `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    made = dict(engine.each(partial(_sign, folder), list(enumerate(found))))
    paths = [folder / name for place in range(len(found)) for name in made[place]]
    return [Shard(first + at, path, path, None, None, {}) for at, path in enumerate(paths)]


def _sign(folder: Path, item: tuple[int, Piece]) -> list[str]:
    import pyarrow as pa

    place, piece = item
    rows = _rows(piece)
    names: list[str] = []
    while some := list(islice(rows, ROWS)):
        ids, texts = [id for id, _ in some], [text for _, text in some]
        names.append(f"{place:05}-{len(names):05}.parquet")
        signed = pa.array(signatures(texts), pa.binary())
        table = pa.table({"id": ids, "text": texts, "_signature": signed})
        storage.write_parquet(folder / names[-1], table)
    return names


def _rows(piece: Piece) -> Iterator[tuple[str, str]]:
    path, clean = piece
    read = _parquet(path) if path.suffix == ".parquet" else _jsonl(path)
    if clean is not None:
        yield from _kept(path, clean)
        return
    for number, row in read:
        text = row.get(TEXT)
        if not isinstance(text, str):
            raise DataError(f"{path.name}, row {number}: no text")
        text = canonical(text)
        id = row.get("id")
        yield id if isinstance(id, str) else content_id({TEXT: text}), text


def _kept(pool: Path, clean: Path) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(pool, columns=["id", TEXT])
    verdicts = pq.read_table(clean, columns=["id", "kept", "edits"])
    if not table["id"].equals(verdicts["id"]):
        raise _strange(clean.parent.parent)
    shown = zip(table.to_pylist(), verdicts.to_pylist(), strict=True)
    for row, verdict in shown:
        if verdict["kept"]:
            edits = (tuple(edit.values()) for edit in verdict["edits"] or ())
            yield row["id"], apply_edits(row[TEXT], edits)


def _strange(run: Path) -> DataError:
    return DataError(
        f"clean.against: in {run}, clean does not belong to pool", hint="run `curate clean` there"
    )


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = [name for name in ("id", TEXT) if name in file.schema_arrow.names]
        batches: Iterator[pa.RecordBatch] = file.iter_batches(batch_size=4096, columns=names)
        for number, batch in enumerate(batches):
            for at, row in enumerate(batch.to_pylist()):
                yield number * 4096 + at + 1, row
    except pa.ArrowException as error:
        raise DataError(f"{path.name} cannot be read: {error}") from None


def _jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    yield number, row if isinstance(row, dict) else {}
    except (ValueError, EOFError) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from None
