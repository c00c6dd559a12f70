"""Documents as they read after the edits of `clean`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.errors import CurateError
from curate.rounds.views import View
from curate.text import TEXT, Edit, apply_edits, field_edits

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Kept:
    """A document that `clean` kept: what it shows whole, its canonical text, the edits over it."""

    whole: View
    text: str
    edits: tuple[Edit, ...]


def joined_shard(pool: Path, clean: Path, columns: list[str], dropped: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    ours = set(tables.schema("clean").names) - {"id"}
    verdicts = pq.read_table(clean)
    wanted = [name for name in columns if name not in ours and name not in verdicts.column_names]
    documents = pq.read_table(pool, columns=sorted({*wanted, "id"}))
    same_rows(documents, verdicts)
    if "text" in columns:
        documents = _edited(documents, verdicts["edits"])
    parts = {
        name: (documents if name in documents.column_names else verdicts)[name] for name in columns
    }
    joined = pa.table(parts)
    return joined if dropped else joined.filter(verdicts["kept"])


def same_rows(documents: pa.Table, verdicts: pa.Table) -> None:
    if not documents["id"].equals(verdicts["id"]):
        raise CurateError("clean does not belong to pool", hint="run `curate clean` again")


def _edited(documents: pa.Table, edits: pa.ChunkedArray) -> pa.Table:
    import pyarrow as pa

    if not any(edits.is_valid().to_pylist()):
        return documents
    texts = [
        apply_edits(text, stored_edits(each))
        for text, each in zip(documents["text"].to_pylist(), edits.to_pylist(), strict=True)
    ]
    at = documents.column_names.index("text")
    return documents.set_column(at, "text", pa.array(texts, pa.string()))


def view(row: Mapping[str, Any], edits: tuple[Edit, ...]) -> View:
    if row["fields"]:
        return _view_of_fields(row, edits)
    return View({TEXT: apply_edits(row["text"], edits)}, edits=edits)


def _view_of_fields(row: Mapping[str, Any], edits: Sequence[Edit]) -> View:
    fields = dict(json.loads(row["fields"]))
    media = {each["field"] for each in json.loads(row["media"] or "[]")}
    texts = {name: text for name, text in fields.items() if name not in media}
    own = field_edits(texts, edits, row["template"])
    shown = {name: apply_edits(text, own.get(name, ())) for name, text in fields.items()}
    if len(fields) == 1:
        return View(shown, edits=own.get(next(iter(fields)), ()))
    return View(shown, by_field=own)


def stored_edits(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Edit, ...]:
    return tuple((each["start"], each["end"], each["replacement"]) for each in stored or ())
