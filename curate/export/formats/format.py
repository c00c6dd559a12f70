"""A format of shards: the value that describes it, and what every format shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]
"""Appends rows to a shard."""

Writing = Callable[[Path, "pa.Schema"], AbstractContextManager[Write]]
"""Opens a new shard, whose rows have a schema."""

BATCH = 1_000
"""Rows that are made or read at once."""


def as_it_is(stem: str) -> str:
    """The place of a shard in most formats."""
    return stem


def nothing_more(folder: Path, manifest: Mapping[str, Any], schema: pa.Schema) -> None:
    """Most formats need no file beside the shards."""


def lines_alone(schema: pa.Schema) -> pa.Schema:
    """Most formats show the columns of lines as they are."""
    return schema


MediaAt = Literal["beside", "within", "nowhere"]
"""Where the bytes of media lie: in files beside the shards, or in the shards; or they cannot."""


@dataclass(frozen=True)
class Format:
    """How shards are written and read back; workers get it, so it can be pickled.

    Attributes:
        ending: The ending of a shard's name, with its dot.
        writing: Opens a new shard.
        read: The lines of a shard as they were written; ValueError if it is damaged.
        place: Where a shard lies, from its place in other formats without the ending.
        beside: Writes what a reader needs beside the shards, given the manifest.
        shown: The columns that a reader of the shards sees, from those of lines.
        media: Where the bytes of media lie.
    """

    ending: str
    writing: Writing
    read: Callable[[Path], Iterator[dict[str, Any]]]
    place: Callable[[str], str] = as_it_is
    beside: Callable[[Path, Mapping[str, Any], pa.Schema], None] = nothing_more
    shown: Callable[[pa.Schema], pa.Schema] = lines_alone
    media: MediaAt = "beside"

    def path(self, stem: str) -> str:
        """The path of a shard within the export: `stem` is its place, as in `data-00000`."""
        return self.place(stem) + self.ending
