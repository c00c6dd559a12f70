"""Looks at the data itself before people are asked: first rows of sources, documents kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from curate.errors import DataError
from curate.names import near, suggestion, unknown
from curate.sources.readers.opening import remote
from curate.sources.reading import Bad, File, Part, Row, SourceSpec, find, read
from curate.sources.source_spec import Column
from curate.workspace import Workspace
from curate.workspace.readers import COLUMNS

FILES = 3
"""Files of a source that are looked into."""

ROWS = 100
"""Rows of a file that are looked at."""

NO_COLUMN = "no column "


@dataclass(frozen=True)
class Looked:
    """A source, by its place in the recipe: its names in the pool, and the fields of a document.

    `meta` are the keys of what the rows hold besides. Both are None where no row was looked at.
    """

    place: int
    names: tuple[str, ...]
    fields: tuple[str, ...] | None = None
    meta: tuple[str, ...] | None = None


def look_into(workspace: Workspace, sources: Sequence[SourceSpec]) -> list[Looked]:
    """Find the files of every source, and look at the first rows of local ones.

    Raises DataError for a path that leads to no file, and for a column that no row has.
    """
    files = find(sources, workspace.root)
    return [
        _look(place, source, [file for file in files if file.source == place])
        for place, source in enumerate(sources)
    ]


def _look(place: int, source: SourceSpec, files: Sequence[File]) -> Looked:
    names = tuple(dict.fromkeys(file.name for file in files if not file.skip))
    local = [file for file in files if not (file.skip or source.database or source.dataset)]
    rows = [row for file in local[:FILES] for row in _first_rows(place, source, file)]
    meta = tuple(dict.fromkeys(key for row in rows for key in json.loads(row.meta or "{}")))
    _refuse_misspelt(place, source, rows, meta)
    fields = tuple(dict.fromkeys(name for row in rows[:1] for name, _ in row.fields))
    return Looked(place, names, fields or None, meta if rows else None)


def _first_rows(place: int, source: SourceSpec, file: File) -> Iterator[Row]:
    """Yield the rows that can be used. Raises DataError if all lack a column of the recipe."""
    if remote(file.address):
        return
    part = Part(file.source, file.name, file.address, file.label, format=file.format)
    rows = list(islice(read(source, part, strict=False), ROWS))
    bad = [row for row in rows if isinstance(row, Bad) and not row.skipped]
    if bad and len(bad) == len(rows) and all(row.reason.startswith(NO_COLUMN) for row in bad):
        raise DataError(
            f"pool.sources.{place}: {file.label}, line {bad[0].row}: {bad[0].reason}",
            hint="name the columns under `text`, `fields`, `media` or `chat` as they are",
        )
    yield from (row for row in rows if isinstance(row, Row))


def _refuse_misspelt(
    place: int, source: SourceSpec, rows: Sequence[Row], others: Sequence[str]
) -> None:
    """Raise DataError for a column of tags that no row has, while one is called almost so."""
    values_of: dict[str, set[str | None]] = {
        "license": {row.license for row in rows},
        "language": {row.language for row in rows},
    }
    for setting, values in values_of.items():
        column = getattr(source, setting)
        if not isinstance(column, Column) or values - {"unknown", None}:
            continue
        if near(column.field, others):
            raise DataError(
                f"pool.sources.{place}.{setting}: no row has a column {column.field}",
                hint=suggestion(column.field, sorted(others)),
            )


def check_documents(workspace: Workspace, shares: Mapping[str, Mapping[str, float]]) -> None:
    """Raise DataError for a wanted share of a source, language or license that no document has.

    `clean` has run: documents are those that it keeps, outside the holdout.
    """
    for key, wanted in shares.items():
        if key not in COLUMNS:
            continue
        present = _values(workspace, key)
        for value, share in wanted.items():
            if share and value not in present:
                raise unknown(
                    f"mix.between.shares: no document that `clean` keeps has {key} {value}",
                    value,
                    present,
                    kind=DataError,
                )


def _values(workspace: Workspace, column: str) -> list[str]:
    """The values of a column among the documents that a mixture can draw."""
    import pyarrow.compute as pc

    values: set[str] = set()
    for shard in workspace.documents.shards():
        table = shard.read([column, "holdout"])
        kept = table.filter(pc.invert(table["holdout"]))[column]
        values.update(pc.unique(kept.fill_null("unknown")).to_pylist())
    return sorted(values)
