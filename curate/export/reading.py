"""The lines of an export as `verify` reads them back, in every format.

A token shard holds ids alone: id, group and copy of a line are those of `draw.parquet`, or of
`draw-validation.parquet`. Its text is what the ids decode to, where the tokenizer gives every text
back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from curate.export.claims import Claims, FileClaim, TokenClaim
from curate.export.documents import Document
from curate.export.formats import read_shard
from curate.export.formats.lines import OURS
from curate.export.formats.token_ids import Encoder, encoder
from curate.export.formats.tokens import documents_of
from curate.export.holding import draw_tables

DRAW_ROWS = 10_000
"""Rows of the draw that are read at once."""


class Lines(Protocol):
    """Reads the lines of a shard. `has_texts` says whether their texts can be known."""

    @property
    def has_texts(self) -> bool:
        """Whether every line has its text; else it has its `sizes`."""

    def __call__(self, file: FileClaim) -> Iterator[Document]:
        """Yield the lines of a shard. ValueError, OSError or LookupError if it is damaged."""


def lines_of(folder: Path, claims: Claims) -> Lines:
    """What reads the shards of an export."""
    if claims.token_ids is None:
        return WholeLines(folder, claims.original)
    name = claims.budget_tokenizer or claims.tokenizer
    path = str(folder / name) if name.endswith(".json") else name
    by_group = claims.layout == "by_group"
    return TokenLines(folder, claims.token_ids, path, claims.extra_tokens, by_group)


@dataclass(frozen=True)
class WholeLines:
    """Reads shards whose lines hold everything; `original` lines have it under a key."""

    folder: Path
    original: bool
    has_texts: bool = True

    def __call__(self, file: FileClaim) -> Iterator[Document]:
        """Yield the lines of a shard."""
        lines = read_shard(self.folder / file.path)
        yield from (line[OURS] for line in lines) if self.original else lines


@dataclass(frozen=True)
class TokenLines:
    """Reads token shards beside the draw, which names their lines."""

    folder: Path
    ids: TokenClaim
    tokenizer: str
    extra: int
    by_group: bool

    @property
    def has_texts(self) -> bool:
        """Whether the tokenizer gives every text back."""
        return encoder(self.tokenizer).exact

    def __call__(self, file: FileClaim) -> Iterator[Document]:
        """Yield the lines of a shard."""
        known = encoder(self.tokenizer)
        rows = self._rows(file.path)
        for place, ids in enumerate(documents_of(self.folder / file.path, self.ids.dtype)):
            row = next(rows, {})
            if row.get("position") != place:
                raise ValueError(f"draw.parquet does not name its line {place}")
            yield {
                **{name: row.get(name) for name in ("id", "group", "copy", "phase")},
                "copies": self._copies(row),
                **self._content(ids.tolist(), row, known),
                **{"edited": True, "labels": None, "fields": None, "media": None},
            }

    def _copies(self, row: dict[str, Any]) -> Any:
        """How often a line counts: by group it stands for all copies of its document in a phase."""
        return row.get(f"copies:{row.get('phase')}", row["copies"]) if self.by_group else 1

    def _rows(self, shard: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of the draw for the lines of a shard, in order."""
        import pyarrow.compute as pc
        import pyarrow.dataset as ds

        draw = ds.dataset(draw_tables(self.folder))
        own = pc.field("shard") == shard
        for batch in draw.to_batches(filter=own, batch_size=DRAW_ROWS):
            yield from batch.to_pylist()

    def _content(self, ids: list[int], row: dict[str, Any], known: Encoder) -> dict[str, Any]:
        """The text of a document, or its tokens as budget and pool count them."""
        if self.ids.end_of_text is not None:
            if ids[-1:] != [self.ids.end_of_text]:
                raise ValueError(f"{row['id']} does not end with {self.ids.end_of_text}")
            ids = ids[:-1]
        if max(ids, default=0) >= known.size:
            raise ValueError(f"{row['id']} holds an id beyond the vocabulary")
        if not known.exact:
            size = len(ids) + self.extra
            if row["size"] not in (size, None):  # the budget counts none of the holdout
                raise ValueError(f"{row['id']} has {size} tokens, not {row['size']}")
            return {"text": None, "sizes": (size, row["tokens"])}
        text = known.decode(ids)
        if known.encode(text) != ids:
            raise ValueError(f"the ids of {row['id']} are not those of its text")
        return {"text": text}
