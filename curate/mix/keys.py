"""What documents can be grouped and limited by, and how it is read from a shard.

A key is a column (`source`), what is made of one (`host`, `meta.KEY`), a fifth of quality in the
whole pool (`quality_bucket`), a cluster of the embeddings, or the predicted class of a question.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import tables
from curate.mixture.selection import Boundary, Rows, ascending
from curate.workspace.documents import DocumentShard
from curate.workspace.index import keys_of
from curate.workspace.readers import COLUMNS, HOST, META, UNKNOWN

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BUCKET, CLUSTER = "quality_bucket", "cluster"
KEYS = (*COLUMNS, HOST, BUCKET, CLUSTER)
"""Keys that are no questions, beside `meta.KEY`."""

UNDECIDED = "undecided"


def is_question(key: str) -> bool:
    """Whether a key is a question, whose predicted class makes groups."""
    return key not in KEYS and not key.startswith(META)


def column_of(key: str) -> str:
    """The column of a key that is one: of documents, or of the predicted class of a question."""
    return tables.predicted(key) if is_question(key) else key


def tie_of(values: Collection[str]) -> str:
    """The class of documents that people left undecided: `undecided`, or `undecided:`.

    The latter is for questions with a value `undecided`; `values` are those of the question.
    """
    return f"{UNDECIDED}:" if UNDECIDED in values else UNDECIDED


@dataclass(frozen=True)
class BucketReader:
    """Reads the fifth of quality among all candidates, `1` to `5`; unknown without quality.

    `edges` are where the second to the fifth fifth begin; ties are broken by id.
    """

    edges: tuple[Boundary | None, ...]
    columns: tuple[str, ...] = ("id", "quality", "abstained")

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.Array:
        """The fifth of every row."""
        import numpy as np
        import pyarrow as pa

        rows, is_known = ranked(table)
        fifths = np.ones(len(rows.key), np.int64)
        for edge in self.edges:
            if edge is not None:
                key, tie = np.uint64(edge.key), np.uint64(edge.tie)
                fifths += (rows.key > key) | ((rows.key == key) & (rows.tie >= tie))
        words = np.full(len(is_known), UNKNOWN, object)
        words[is_known] = fifths.astype(str)
        return pa.array(words, pa.string())


def ranked(table: pa.Table) -> tuple[Rows, NDArray[np.bool_]]:
    """The rows with a quality that is trusted, all in one group, and which rows they are."""
    import numpy as np

    quality = trusted_quality(table)
    is_known = ~np.isnan(quality)
    ones = np.ones(int(is_known.sum()), np.int64)
    ties = keys_of(table["id"])[is_known]
    return Rows(0 * ones, ascending(quality[is_known]), ties, ones), is_known


def trusted_quality(table: pa.Table) -> NDArray[np.float64]:
    """The quality of every row; NaN where it is unknown, or where its group abstained."""
    import numpy as np

    return np.where(flags(table, "abstained"), np.nan, floats(table, "quality"))


def floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers, NaN for null; all NaN where there is no such column."""
    import numpy as np

    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)


def flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    """A column of truth values, false for null; all false where there is no such column."""
    import numpy as np

    if name not in table.column_names:
        return np.zeros(table.num_rows, bool)
    return np.asarray(table[name].fill_null(False).to_numpy(), bool)
