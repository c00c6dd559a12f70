"""What another mixture would change: the documents whose copies differ, counted shard by shard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.engine import in_order
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Change:
    """How a mixture differs from today's: numbers of documents and tokens.

    `changed` documents have another number of copies; `entered` had none, `left` have none now.
    `tokens_added` and `tokens_removed` are those of the copies.
    """

    changed: int = 0
    entered: int = 0
    left: int = 0
    tokens_added: int = 0
    tokens_removed: int = 0


def change(workspace: Workspace, other: Workspace) -> Change:
    """Compare the table mix of `other` with that of a workspace; both have the same pool.

    `clean` may have dropped other documents there.

    Memory is that of a shard in each worker. Raises DataError where a table is not of the
    documents.
    """
    pairs = list(
        zip(workspace.documents.shards(mix=True), other.documents.shards(mix=True), strict=True)
    )
    total = workspace.tables.rows("pool")
    with workspace.watch("comparing mixtures", total) as advance:
        parts = []
        for own in in_order(workspace.engine.each(_compared, pairs)):
            parts.append(own[1:])
            advance(own[0])
    return Change(*(sum(column) for column in zip(*parts, strict=True))) if parts else Change()


def _compared(pair: tuple[DocumentShard, DocumentShard]) -> tuple[int, ...]:
    """The rows of a shard, and what changes in it, in the order of the fields of `Change`."""
    import numpy as np

    shard, other = pair
    table = shard.read(["tokens", "copies"], dropped=True)
    tokens, before = _counts(table, "tokens"), _counts(table, "copies")
    after = _counts(other.read(["copies"], dropped=True), "copies")
    more = (after - before) * tokens
    return (
        table.num_rows,
        int(np.count_nonzero(after != before)),
        int(np.count_nonzero((before == 0) & (after > 0))),
        int(np.count_nonzero((before > 0) & (after == 0))),
        int(more[more > 0].sum()),
        int(-more[more < 0].sum()),
    )


def _counts(table: pa.Table, name: str) -> NDArray[np.int64]:
    """A column of whole numbers; 0 for documents that are no candidates."""
    import numpy as np

    return np.asarray(table[name].fill_null(0).to_numpy(), np.int64)
