"""Documents as they read after the edits of `clean`.

`clean` has one row for each row of `pool`, in the same order and shards: reading both is a zip.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.errors import CurateError
from curate.rounds.views import View
from curate.text import TEXT, Edit, apply_edits, field_edits
from curate.workspace.tables import Tables

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class KeptDocument:
    """A document that `clean` kept: the view of the whole, its canonical text, and its edits."""

    whole: View
    text: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Documents:
    """The documents of a workspace: tables `pool` and `clean`, read together."""

    tables: Tables

    def batches(
        self, columns: Sequence[str] = ("id", "text"), *, dropped: bool = False
    ) -> Iterator[pa.Table]:
        """Yield the documents that `clean` kept (all if `dropped`), one table a shard.

        `columns` are columns of pool or clean; `text` and `tokens` are those after the edits.
        """
        shards = zip(self.tables.shards("pool"), self.tables.shards("clean"), strict=True)
        for pool, clean in shards:
            yield _joined_shard(pool, clean, list(columns), dropped)

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read columns of the kept documents as one table; for ids and numbers, not for texts."""
        import pyarrow as pa

        parts = list(self.batches(columns))
        schemas = [tables.schema(name, *columns) for name in ("pool", "clean")]
        fields = {field.name: field for schema in schemas for field in schema}
        schema = pa.schema(list(fields.values()))
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def find_views(self, ids: Iterable[str], *, edited: bool = True) -> dict[str, View]:
        """Read the views of whole documents, by id, after the edits of `clean` or as they came.

        `edited` needs the table clean, and reads only documents that it kept.
        """
        return {row["id"]: _view(row, edits) for row, edits in self._find(ids, edited=edited)}

    def find_kept(self, ids: Iterable[str]) -> dict[str, KeptDocument]:
        """Read documents that `clean` kept, by id."""
        return {
            row["id"]: KeptDocument(_view(row, edits), row["text"], edits)
            for row, edits in self._find(ids, edited=True)
        }

    def _find(
        self, ids: Iterable[str], *, edited: bool
    ) -> Iterator[tuple[dict[str, Any], tuple[Edit, ...]]]:
        """Yield the rows of pool with these ids, with their edits (none if not `edited`)."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        columns = ["id", "text", "fields", "template", "media"]
        id_array = pa.array(sorted(set(ids)), pa.string())
        pools = self.tables.shards("pool")
        cleans = self.tables.shards("clean") if edited else [None] * len(pools)
        for pool, clean in zip(pools, cleans, strict=True):
            table = pq.read_table(pool, columns=columns)
            if clean is not None:
                verdicts = pq.read_table(clean, columns=["id", "kept", "edits"])
                _check_same_rows(table, verdicts)
                table = table.append_column("edits", verdicts["edits"]).filter(verdicts["kept"])
            for row in table.filter(pc.is_in(table["id"], id_array)).to_pylist():
                yield row, _stored_edits(row.get("edits"))


def _joined_shard(pool: Path, clean: Path, columns: list[str], dropped: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    verdicts = pq.read_table(clean)
    clean_columns = {*tables.schema("clean").names, *verdicts.column_names} - {"id"}
    pool_columns = {"id", *(name for name in columns if name not in clean_columns)}
    documents = pq.read_table(pool, columns=sorted(pool_columns))
    _check_same_rows(documents, verdicts)
    if "text" in columns:
        documents = _edited(documents, verdicts["edits"])
    arrays = {
        name: (documents if name in documents.column_names else verdicts)[name] for name in columns
    }
    joined = pa.table(arrays)
    return joined if dropped else joined.filter(verdicts["kept"])


def _check_same_rows(documents: pa.Table, verdicts: pa.Table) -> None:
    if not documents["id"].equals(verdicts["id"]):
        raise CurateError("clean does not belong to pool", hint="run `curate clean` again")


def _edited(documents: pa.Table, edits: pa.ChunkedArray) -> pa.Table:
    import pyarrow as pa

    if not any(edits.is_valid().to_pylist()):
        return documents
    texts = [
        apply_edits(text, _stored_edits(stored))
        for text, stored in zip(documents["text"].to_pylist(), edits.to_pylist(), strict=True)
    ]
    position = documents.column_names.index("text")
    return documents.set_column(position, "text", pa.array(texts, pa.string()))


def _view(row: Mapping[str, Any], edits: tuple[Edit, ...]) -> View:
    if row["fields"]:
        return _view_of_fields(row, edits)
    return View({TEXT: apply_edits(row["text"], edits)}, edits=edits)


def _view_of_fields(row: Mapping[str, Any], edits: Sequence[Edit]) -> View:
    fields = dict(json.loads(row["fields"]))
    media = {item["field"] for item in json.loads(row["media"] or "[]")}
    texts = {name: text for name, text in fields.items() if name not in media}
    by_field = field_edits(texts, edits, row["template"])
    edited = {name: apply_edits(text, by_field.get(name, ())) for name, text in fields.items()}
    if len(fields) == 1:
        return View(edited, edits=by_field.get(next(iter(fields)), ()))
    return View(edited, by_field=by_field)


def _stored_edits(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Edit, ...]:
    return tuple((edit["start"], edit["end"], edit["replacement"]) for edit in stored or ())
