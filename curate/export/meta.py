"""The column `meta`: values of the source's other columns by name, as the pool keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.media.addresses import plain_row
from curate.export.placing import NoPlace, Words, masked, masked_words, refused
from curate.names import unknown
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1_000
"""Rows of which the meta is read at once."""


def meta_type(names: Sequence[str]) -> pa.DataType:
    """The type of the column: a struct of strings; a value that a document lacks is null."""
    import pyarrow as pa

    return pa.struct([(name, pa.string()) for name in names])


def meta_column(documents: pa.Table, names: Sequence[str]) -> pa.Array:
    """The values of all documents, from columns id, text (before the edits), edits and meta.

    A string stands as it is, anything else as JSON; media in them hold no place. What `clean`
    masked in the text is masked here too. DataError for a document where that cannot be done.
    """
    import pyarrow as pa

    columns = [documents[name] for name in ("id", "text", "meta", "edits")]
    values = []
    for id, text, meta, edits in zip(*columns, strict=True):
        own = stored_edits(edits.as_py()) if edits.is_valid else ()
        words = masked_words(text.as_py(), own) if own else {}
        values.append(_values(id.as_py(), meta.as_py(), names, words))
    return pa.array(values, meta_type(names))


def _values(id: str, meta: str | None, names: Sequence[str], words: Words) -> dict[str, str | None]:
    stored = json.loads(meta) if meta else {}
    wanted = {name: stored.get(name) for name in names}
    try:
        return {name: _word(masked(plain_row(own, id), words)) for name, own in wanted.items()}
    except NoPlace:
        raise refused(id, "its `meta`", "meta") from None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)


def check_names(workspace: Workspace, names: Sequence[str]) -> None:
    """Raise RecipeError for a name that no document of the pool has; reads until all are found."""
    missing, known = set(names), set[str]()
    read = partial(names_in, wanted=frozenset(names))
    for path in workspace.tables.shards("pool") if missing else ():
        own = read(path)
        missing -= own
        known |= own
        if not missing:
            return
    for name in names:
        if name in missing:
            raise unknown(f"export.meta: no document has {name}", name, sorted(known))


def names_in(path: Path, wanted: frozenset[str]) -> set[str]:
    """The names in the meta of a shard of the pool, up to where all that are wanted are found."""
    from curate.export.formats import read_batches

    names: set[str] = set()
    for batch in read_batches(path, BATCH, ["meta"]):
        for meta in batch.column(0).drop_null():
            names |= json.loads(meta.as_py()).keys()
        if wanted <= names:
            break
    return names
