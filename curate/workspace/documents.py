"""Documents as they read after the edits of `clean`.

`clean` has one row for each row of `pool`, in the same order and shards: reading both is a zip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.errors import CurateError, DataError
from curate.rounds.views import View
from curate.text import TEXT, Edit, apply_edits, field_edits
from curate.workspace.index import find_rows, keys_of
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
class DocumentShard:
    """One shard of the documents: a file of pool, of clean, and of scores and mix on request.

    It is a small value that travels to workers, and they read it. `is_checked` says that clean is
    known to belong to pool; otherwise their ids are compared. `clusters` is a file with a column
    `cluster` of the kept documents.
    """

    number: int
    pool: Path
    clean: Path
    scores: Path | None = None
    mix: Path | None = None
    is_checked: bool = False
    clusters: Path | None = None

    @property
    def name(self) -> str:
        """The name of the shard's file in every table."""
        return self.pool.name

    def scored(self) -> set[str]:
        """Read the names of the columns of scores; none without them."""
        import pyarrow.parquet as pq

        return set() if self.scores is None else set(pq.read_schema(self.scores).names)

    def read(self, columns: Sequence[str], *, dropped: bool = False, rows: Any = None) -> pa.Table:
        """Read columns of the documents that `clean` kept (all if `dropped`), in pool order.

        `columns` are columns of pool, clean, scores, clusters or mix; `text` and `tokens` are those
        after the edits. Columns of scores and clusters are null for dropped documents, those of mix
        for documents that are no candidates. `rows` are the only rows of the shard that are wanted,
        ascending. Raises CurateError where clean is not of pool, DataError where scores, clusters
        or mix are not of clean.
        """
        import pyarrow as pa

        # Scores come first: the question `length` may have a value named as a signal of the rule.
        of_scores = _columns_of(self.scores, columns) - {"id"}
        of_clean = _columns_of(self.clean, columns) - {"id"} - of_scores
        of_mix = _columns_of(self.mix, columns) - {"id"} - of_clean - of_scores
        of_clusters = _columns_of(self.clusters, columns) - {"id"}
        of_pool = set(columns) - of_clean - of_scores - of_mix - of_clusters - {"id"}
        more = {"edits"} if "text" in of_pool else set()
        verdicts = _read(
            self.clean, {"id", "kept"} | of_clean | more | ({"tokens"} if of_mix else more)
        )
        documents = self._pool(of_pool | ({"holdout", "media"} if of_mix else set()), verdicts)
        arrays = {name: documents[name] for name in of_pool}
        arrays |= {name: verdicts[name] for name in ("id", *of_clean)}
        if self.scores is not None and of_scores:
            table = _read(self.scores, {"id", *of_scores})
            if "quality" in of_scores:
                check_qualities(table)
            arrays |= _spread(table, verdicts, verdicts["kept"], OTHER_SCORES)
        if self.clusters is not None and of_clusters:
            table = _read(self.clusters, {"id", *of_clusters})
            arrays |= _spread(table, verdicts, verdicts["kept"], OTHER_CLUSTERS)
        if self.mix is not None and of_mix:
            holdout, media = documents["holdout"], documents["media"]
            candidates = is_candidate(verdicts["kept"], holdout, verdicts["tokens"], media)
            table = _read(self.mix, {"id", *of_mix})
            arrays |= _spread(table, verdicts, candidates, OTHER_MIXTURE)
        whole = pa.table({"kept": verdicts["kept"], **arrays})
        edits = verdicts["edits"] if "text" in of_pool else None
        if rows is not None:
            whole, edits = whole.take(rows), None if edits is None else edits.take(rows)
        whole = whole if edits is None else with_edits(whole, edits)
        return (whole if dropped else whole.filter(whole["kept"])).select(list(columns))

    def _pool(self, columns: set[str], verdicts: pa.Table) -> pa.Table:
        if not columns and self.is_checked:
            return verdicts
        documents = _read(self.pool, columns if self.is_checked else {"id", *columns})
        same = documents.num_rows == verdicts.num_rows and (
            self.is_checked or documents["id"].equals(verdicts["id"])
        )
        if not same:
            raise CurateError("clean does not belong to pool", hint="run `curate clean` again")
        return documents


@dataclass(frozen=True)
class Documents:
    """The documents of a workspace: tables `pool` and `clean`, read together."""

    tables: Tables

    def shards(self, *, scores: bool = False, mix: bool = False) -> list[DocumentShard]:
        """The shards of the documents, on request with those of `scores` and of `mix`.

        Raises MissingInput, and DataError where scores or mix have other shards than clean.
        """
        pools, cleans = self.tables.shards("pool"), self.tables.shards("clean")
        if _names(pools) != _names(cleans):
            raise CurateError("clean does not belong to pool", hint="run `curate clean` again")
        nothing: list[Path | None] = [None] * len(pools)
        of_scores = self._shards("scores", cleans, OTHER_SCORES) if scores else nothing
        of_mix = self._shards("mix", cleans, OTHER_MIXTURE) if mix else nothing
        inputs = self.tables.made("clean").inputs
        is_checked = inputs.get("pool") == self.tables.fingerprint("pool")
        paths = zip(pools, cleans, of_scores, of_mix, strict=True)
        return [DocumentShard(number, *four, is_checked) for number, four in enumerate(paths)]

    def _shards(self, name: str, cleans: list[Path], other: Other) -> Sequence[Path]:
        paths = self.tables.shards(name)
        if _names(paths) != _names(cleans):
            raise DataError(other[0], hint=other[1])
        return paths

    def batches(
        self, columns: Sequence[str] = ("id", "text"), *, dropped: bool = False
    ) -> Iterator[pa.Table]:
        """Yield the documents that `clean` kept (all if `dropped`), one table a shard.

        `columns` are columns of pool or clean; `text` and `tokens` are those after the edits.
        """
        for shard in self.shards():
            yield shard.read(columns, dropped=dropped)

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read columns of the kept documents as one table: for tests and notebooks alone."""
        import pyarrow as pa

        parts = list(self.batches(columns))
        schemas = [tables.schema(name, *columns) for name in ("pool", "clean")]
        fields = {field.name: field for schema in schemas for field in schema}
        schema = pa.schema(list(fields.values()))
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def lookup(
        self,
        ids: Iterable[str],
        columns: Sequence[str],
        *,
        scores: bool = False,
        dropped: bool = False,
    ) -> Iterator[pa.Table]:
        """Yield the kept documents (all if `dropped`) with these ids, shard by shard, by the index.

        `columns` are those of pool, clean, and on request scores.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(set(ids)), pa.string())
        keys = keys_of(wanted)
        for shard in self.shards(scores=scores) if len(wanted) else ():
            rows = find_rows(shard.clean, keys)
            if len(rows):
                names = list(dict.fromkeys(["id", *columns]))
                table = shard.read(names, dropped=dropped, rows=rows)
                yield table.filter(pc.is_in(table["id"], wanted)).select(list(columns))

    def find_views(self, ids: Iterable[str], *, edited: bool = True) -> dict[str, View]:
        """Read the views of whole documents, by id, after the edits of `clean` or as they came.

        `edited` needs the table clean, and reads only documents that it kept.
        """
        rows = self._kept_rows(ids) if edited else self._pool_rows(ids)
        return {row["id"]: view_of(row, stored_edits(row.get("edits"))) for row in rows}

    def find_kept(self, ids: Iterable[str]) -> dict[str, KeptDocument]:
        """Read documents that `clean` kept, by id."""
        return {
            row["id"]: KeptDocument(view_of(row, edits), row["text"], edits)
            for row in self._kept_rows(ids)
            for edits in [stored_edits(row["edits"])]
        }

    def _kept_rows(self, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of kept documents as they came, with their edits."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(set(ids)), pa.string())
        keys = keys_of(wanted)
        for shard in self.shards() if len(wanted) else ():
            rows = find_rows(shard.clean, keys)
            if len(rows):
                verdicts = shard.read(["id", "kept", "edits"], dropped=True, rows=rows)
                documents = _read(shard.pool, _OF_VIEWS).take(rows)
                documents = documents.append_column("edits", verdicts["edits"])
                documents = documents.filter(verdicts["kept"])
                yield from documents.filter(pc.is_in(documents["id"], wanted)).to_pylist()

    def _pool_rows(self, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of pool with these ids: `clean` may not be there yet."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(set(ids)), pa.string())
        for path in self.tables.shards("pool"):
            rows = pc.indices_nonzero(pc.is_in(_read(path, {"id"})["id"], wanted))
            if len(rows):
                yield from _read(path, _OF_VIEWS).take(rows).to_pylist()


_OF_VIEWS = {"id", "text", "fields", "template", "media"}
"""The columns of pool that a view is made of."""


def _read(path: Path, columns: Iterable[str]) -> pa.Table:
    return storage.read_parquet(path, sorted(columns))


def check_qualities(scores: pa.Table) -> None:
    """Raise DataError for a quality that is not from 0 to 1; null and NaN are unknown."""
    import pyarrow.compute as pc

    quality = scores["quality"]
    outside = pc.or_(pc.less(quality, 0.0), pc.greater(quality, 1.0))
    wrong = scores.filter(outside).slice(0, 1).to_pydict()
    if wrong["id"]:
        raise DataError(
            f"scores: the quality of {wrong['id'][0]} is {wrong['quality'][0]}, not 0 to 1",
            hint="run `curate score` again",
        )


def _columns_of(path: Path | None, columns: Sequence[str]) -> set[str]:
    import pyarrow.parquet as pq

    return set() if path is None else set(columns) & set(pq.read_schema(path).names)


def _names(paths: Iterable[Path]) -> list[str]:
    return [path.name for path in paths]


Other = tuple[str, str]
"""What is wrong with a table that is not of today's clean, and what helps."""

OTHER_SCORES: Other = ("some documents have no scores yet", "run `curate score` again")
OTHER_CLUSTERS: Other = ("the clusters are not of what `clean` keeps", "run `curate score` again")
OTHER_MIXTURE: Other = ("the mixture is not of what `clean` keeps", "run `curate mix` again")


CAN = ("kept", "holdout", "tokens", "media")
"""The columns that tell whether a document can be mixed, as `is_candidate` takes them."""


def is_candidate(
    kept: pa.ChunkedArray,
    holdout: pa.ChunkedArray,
    tokens: pa.ChunkedArray,
    media: pa.ChunkedArray,
) -> pa.ChunkedArray:
    """Which documents can be mixed: kept, outside the holdout, and with tokens or media."""
    import pyarrow.compute as pc

    has_content = pc.or_(pc.greater(tokens, 0), pc.is_valid(media))
    return pc.and_(pc.and_(kept, pc.invert(holdout)), has_content)


def _spread(
    table: pa.Table, verdicts: pa.Table, mask: pa.ChunkedArray, other: Other
) -> dict[str, pa.Array | pa.ChunkedArray]:
    """The columns of a table that has rows for `mask` alone, with nulls for the others."""
    import numpy as np
    import pyarrow as pa

    ids, table = table["id"], table.drop_columns(["id"])
    if not ids.equals(verdicts["id"].filter(mask)):
        raise DataError(other[0], hint=other[1])
    has_row = mask.to_numpy()
    if has_row.all():
        return {name: table[name] for name in table.column_names}
    rows = pa.array(np.where(has_row, np.cumsum(has_row) - 1, 0), mask=~has_row)
    return {name: table[name].take(rows) for name in table.column_names}


def with_edits(documents: pa.Table, edits: pa.ChunkedArray) -> pa.Table:
    """The documents with the edits laid over their texts; most have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    has_edits = pc.fill_null(pc.greater(pc.list_value_length(edits), 0), False)
    rows = pc.indices_nonzero(has_edits)
    if not len(rows):
        return documents
    texts, own = documents["text"].take(rows).to_pylist(), edits.take(rows).to_pylist()
    edited = [
        apply_edits(text, stored_edits(stored)) for text, stored in zip(texts, own, strict=True)
    ]
    column = pc.replace_with_mask(
        documents["text"].combine_chunks(),
        has_edits.combine_chunks(),
        pa.array(edited, pa.string()),
    )
    return documents.set_column(documents.column_names.index("text"), "text", column)


def view_of(row: Mapping[str, Any], edits: tuple[Edit, ...]) -> View:
    """The view of a whole document, from its row of pool, after its edits."""
    if row["fields"]:
        return _view_of_fields(row, edits)
    return View({TEXT: apply_edits(row["text"], edits)}, edits=edits)


def _view_of_fields(row: Mapping[str, Any], edits: Sequence[Edit]) -> View:
    fields = {field["name"]: field["text"] for field in row["fields"]}
    media = {image["field"] for image in row["media"] or ()}
    texts = {name: text for name, text in fields.items() if name not in media}
    by_field = field_edits(texts, edits, row["template"])
    edited = {name: apply_edits(text, by_field.get(name, ())) for name, text in fields.items()}
    if len(fields) == 1:
        return View(edited, edits=by_field.get(next(iter(fields)), ()))
    return View(edited, by_field=by_field)


def stored_edits(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Edit, ...]:
    """The edits of a document, from its cell in clean; none for null."""
    return tuple((edit["start"], edit["end"], edit["replacement"]) for edit in stored or ())
