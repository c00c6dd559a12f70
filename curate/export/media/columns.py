"""The column `media` of lines: what the pool knows of each medium, and where its bytes lie.

path              of a file in the export, of a member of its tar, or the name of a column;
null where the pool had an address alone
exported_sha256   of the bytes there; it differs from `sha256` where a place was left out. Without
                  a path it is that of an address `data:…` from which a place was left out
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.export.media.bringing import Stored, is_at_hand, kind_of
from curate.export.media.spoken import with_places

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

NAME = "media"

Place = Callable[[Stored], Mapping[str, Any]]
"""Gives a medium its place in the export."""

MediaCounts = Counter[tuple[str, str]]
"""What lines hold, by kind and measure: `media`, `bytes`, `milliseconds`, `addresses` alone."""

SUFFIXES = {"jpeg": ".jpg", "tiff": ".tif", "aiff": ".aif", "mpeg": ".mpg"}
"""The suffixes of formats whose name is another."""


def exported_type() -> pa.DataType:
    """The type of the column."""
    import pyarrow as pa

    stored = tables.schema("pool", NAME).field(NAME).type.value_type
    return pa.list_(pa.struct([*stored, ("path", pa.string()), ("exported_sha256", pa.string())]))


def stored_media(media: pa.ChunkedArray) -> pa.ChunkedArray:
    """The media of documents as lines have them, without a place; older pools know less of them."""
    return media.cast(exported_type())


def suffix_of(medium: Stored) -> str:
    """What the name of a medium's file ends with, by its format."""
    name = str(medium["format"])
    return SUFFIXES.get(name, f".{name}")


def nowhere(medium: Stored) -> dict[str, Any]:
    """A medium of which the export has the address alone; from that a place may be left out."""
    return {**medium, "path": None, "exported_sha256": medium.get("exported_sha256")}


def has_media(lines: pa.Table) -> bool:
    """Whether any line has media."""
    return NAME in lines.column_names and lines[NAME].null_count < lines.num_rows


def with_media(lines: pa.Table, values: Sequence[Any]) -> pa.Table:
    """Lines with other values in the column `media`."""
    import pyarrow as pa

    place = lines.column_names.index(NAME)
    return lines.set_column(place, NAME, pa.array(values, exported_type()))


def media_of(lines: pa.Table | pa.RecordBatch) -> Iterator[list[dict[str, Any]]]:
    """Yield the media of every line; none for null."""
    for value in lines.column(NAME):
        yield value.as_py() or []


def placed(lines: pa.Table, place: Place) -> pa.Table:
    """Lines whose media have their places, also where messages and lists name them."""
    if not has_media(lines):
        return lines
    media = [[place(m) if is_at_hand(m) else nowhere(m) for m in own] for own in media_of(lines)]
    return with_places(with_media(lines, media), media)


def count_media(documents: pa.Table, times: NDArray[np.int64]) -> MediaCounts:
    """Count the media of documents; those of a document count so many times."""
    counts = MediaCounts()
    if not has_media(documents):
        return counts
    for own, copies in zip(media_of(documents), times.tolist(), strict=True):
        for medium in own if copies else ():
            for key, number in count_of(medium).items():
                counts[key] += copies * number
    return counts


def count_of(medium: Stored) -> dict[tuple[str, str], int]:
    """What one medium counts."""
    kind = kind_of(medium)
    counts = {(kind, "media"): 1}
    if not is_at_hand(medium):
        return counts | {(kind, "addresses"): 1}
    counts[kind, "bytes"] = int(medium["bytes"] or 0)
    if kind != "image":
        counts[kind, "milliseconds"] = round(1000 * (medium.get("seconds") or 0))
    return counts
