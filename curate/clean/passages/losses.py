"""What sources lost to passages: documents, words and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.clean.passages.applying import BEFORE, REASON, WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PassageCounts:
    """The passages of a source.

    `documents` hold a passage that another one keeps, of so many `words`; `removed` are the tokens
    that went for it, and `left` the tokens of all documents in which passages were looked for.
    """

    documents: int = 0
    words: int = 0
    removed: int = 0
    left: int = 0

    def __add__(self, other: PassageCounts) -> PassageCounts:
        """The passages of both together."""
        return PassageCounts(
            self.documents + other.documents,
            self.words + other.words,
            self.removed + other.removed,
            self.left + other.left,
        )


def lost_to_passages(pool: Path, clean: Path) -> Iterator[tuple[str, PassageCounts]]:
    """Yield each source of a shard with its passages; nothing where none were looked for."""
    import numpy as np
    import pyarrow.parquet as pq

    if WORDS not in pq.read_schema(clean).names:
        return
    table = storage.read_parquet(clean, ["id", "kept", "reason", "tokens", WORDS])
    sources = storage.read_parquet(pool, ["source"])["source"].combine_chunks().dictionary_encode()
    of_row, names = sources.indices.to_numpy(), sources.dictionary.to_pylist()
    words = np.nan_to_num(table[WORDS].to_numpy())
    counted = table["kept"].to_numpy() | (table["reason"].to_numpy() == REASON)
    tokens = np.where(counted & ~np.isnan(table[WORDS].to_numpy()), table["tokens"].to_numpy(), 0)
    before = clean.parent / BEFORE / clean.name
    removed = np.zeros(len(tokens), np.int64)
    if before.exists():
        earlier = storage.read_parquet(before, ["id", "tokens"])
        at = _rows(table["id"].to_pylist(), earlier["id"].to_pylist())
        removed[at] = earlier["tokens"].to_numpy() - table["tokens"].to_numpy()[at]
    for number, name in enumerate(names):
        own = of_row == number
        yield (
            name,
            PassageCounts(
                int((words[own] > 0).sum()),
                int(words[own].sum()),
                int(removed[own].sum()),
                int(tokens[own].sum()),
            ),
        )


def _rows(ids: list[str], wanted: list[str]) -> NDArray[np.int64]:
    """The row of each wanted id."""
    import numpy as np

    row_of = {id: row for row, id in enumerate(ids)}
    return np.array([row_of[id] for id in wanted], np.int64)
