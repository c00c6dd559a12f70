"""Images, audio and video: a file is one document, with a caption if one lies beside it.

The id of the document comes from the sha256 of the file's bytes. `reading.query` are the suffixes
of files with captions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.media.opening import plain
from curate.sources.readers.opening import (
    Numbered,
    Reading,
    opened,
    remote,
    split_suffix,
    whole_text,
)
from curate.sources.readers.referring import Referred

CAPTION = "caption"
"""The column of a caption that lies in a file of its own."""


def read(reading: Reading) -> Numbered:
    """Yield the one document of a file: its medium, its name and its caption."""
    try:
        medium = _referred(reading)
        if medium["kind"] != reading.format:
            _check_kind(medium["kind"], reading.format)
        row: dict[str, Any] = {medium["kind"]: medium, "path": reading.name}
        yield 1, row | dict(_caption(reading))
    except ValueError as error:
        yield 1, str(error)


def _check_kind(kind: str, format: str) -> None:
    """Refuse an image among audio or video, and the other way round.

    A container of sound alone may have the suffix of a video.
    """
    if "image" in (kind, format):
        raise ValueError(f"it is of the kind {kind}, not {format}")


def _referred(reading: Reading) -> Referred:
    _, suffix, packing = split_suffix(reading.address)
    if packing:
        raise ValueError(f"it is packed ({packing}): unpack it")
    if remote(reading.address):
        with opened(reading, seekable=True) as file:
            return reading.referring(file, None, suffix)  # what a store holds is copied
    with plain(Path(reading.address)) as file:
        return reading.referring(file, reading.label, suffix)


def _caption(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the caption of the first file beside it; none for a file in an object store."""
    if remote(reading.address):
        return
    stem = Path(reading.address).with_suffix("")
    for suffix in reading.query or ():
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            beside = replace(reading, address=str(path), label=path.name, format="text", query=None)
            try:
                yield CAPTION, whole_text(beside).strip()
            except (ValueError, DataError) as error:
                raise ValueError(f"its caption, {path.name}: {error}") from None
            return
