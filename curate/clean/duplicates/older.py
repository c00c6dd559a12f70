"""Older corpora to compare with: another run, a pool, an export, or files.

All of them become shards of (id, text, signature) beside the table that is being built, so the
comparison knows only one kind of shard.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.clean.duplicates.near import Shard, signatures
from curate.engine import Engine
from curate.errors import DataError
from curate.text import TEXT, apply_edits, canonical, content_id
from curate.walking import files_below

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".arrow")
ROWS = 10_000

EXPORTED = "_curate"
"""The key of an exported document in a row that is the source's own."""

Piece = tuple[Path, Path | None]
"""A file of texts, and the shard of `clean` (if any) with their verdicts and edits."""


def pieces(root: Path, names: Sequence[str]) -> list[Piece]:
    """The pieces of the corpora, in order. Raises DataError where a corpus has no texts."""
    corpora: list[Piece] = []
    for name in names:
        path = root / Path(name).expanduser()
        corpus = _pieces(path)
        if not corpus:
            raise DataError(
                f"clean.against: {path} holds no texts",
                hint="name a workspace, a pool, an export, or Parquet and JSONL files with `text`",
            )
        corpora += corpus
    return corpora


def _pieces(path: Path) -> list[Piece]:
    if path.is_file():
        return [(path, None)]
    if (path / "pool" / storage.MANIFEST).exists():
        pools, cleans = storage.shards(path / "pool"), storage.shards(path / "clean")
        if not cleans:
            return [(pool, None) for pool in pools]
        if [shard.name for shard in pools] != [shard.name for shard in cleans]:
            raise _strange(path)
        return list(zip(pools, cleans, strict=True))
    files = (file for file in sorted(files_below(path)) if file.name.endswith(SUFFIXES))
    without_texts = ("_", ".", "draw.parquet", "draw-validation.parquet")  # an export's records
    return [(file, None) for file in files if not file.name.startswith(without_texts)]


def digest(corpora: Sequence[Piece]) -> str:
    """A digest of names, sizes and times of the files, to see whether a corpus has changed."""
    files = [path for piece in corpora for path in piece if path is not None]
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return storage.digest(stats)


def sign(engine: Engine, corpora: Sequence[Piece], folder: Path, first: int) -> list[Shard]:
    """Write the corpora as signed shards into `folder`; return them, numbered from `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(engine.each(partial(_sign, folder), list(enumerate(corpora))))
    paths = [folder / name for place in range(len(corpora)) for name in names[place]]
    return [Shard(first + at, path, path, None, None, {}) for at, path in enumerate(paths)]


def _sign(folder: Path, item: tuple[int, Piece]) -> list[str]:
    """Write the shards of one piece; return their file names."""
    import pyarrow as pa

    place, piece = item
    rows = _rows(piece)
    names: list[str] = []
    while block := list(islice(rows, ROWS)):
        ids, texts = [id for id, _ in block], [text for _, text in block]
        names.append(f"{place:05}-{len(names):05}.parquet")
        column = pa.array(signatures(texts), pa.binary())
        table = pa.table({"id": ids, "text": texts, "_signature": column})
        storage.write_parquet(folder / names[-1], table)
    return names


def _rows(piece: Piece) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of every document. Raises DataError where a row has no text."""
    path, clean = piece
    read = {".parquet": _parquet, ".arrow": _arrow}.get(path.suffix, _jsonl)(path)
    if clean is not None:
        yield from _kept(path, clean)
        return
    for number, row in read:
        row = row.get(EXPORTED, row)
        text = row.get(TEXT)
        if not isinstance(text, str):
            raise DataError(f"{path.name}, row {number}: no text")
        text = canonical(text)
        id = row.get("id")
        yield id if isinstance(id, str) else content_id({TEXT: text}), text


def _kept(pool: Path, clean: Path) -> Iterator[tuple[str, str]]:

    table = storage.read_parquet(pool, columns=["id", TEXT])
    verdicts = storage.read_parquet(clean, columns=["id", "kept", "edits"])
    if not table["id"].equals(verdicts["id"]):
        raise _strange(clean.parent.parent)
    for row, verdict in zip(table.to_pylist(), verdicts.to_pylist(), strict=True):
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


def _arrow(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa

    number = 0
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as batches:
            for batch in batches:
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise DataError(f"{path.name} cannot be read: {error}") from None


def _jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa

    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with BufferedReader(pa.input_stream(str(path), compression=codec)) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    yield number, row if isinstance(row, dict) else {}
    except (ValueError, RecursionError, OSError) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from None
