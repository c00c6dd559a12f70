"""WebDataset: tar files whose members of one key, side by side, are a sample.

A key is a member's path up to the first dot of its name; what follows the dot says what it holds.
Media are columns of their ends (`jpg`, `left.png`), `json` is its value, other members are texts.
A shard that is packed, or lies in an object store, is first written to a scratch file. Media in it
have no address on disk, so they need `pool: {media: copy}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from curate.errors import DataError
from curate.media.kinds import FORMAT_OF
from curate.media.medium import MediumError
from curate.media.opening import plain
from curate.media.tars import Member, members, part
from curate.sources.readers.opening import Numbered, Reading, blocks, remote, split_suffix
from curate.sources.readers.unpacking import Lost

KEY = "__key__"
"""The column of a sample's key."""

MOST_UNPACKED = 16 << 30
"""A shard is unpacked to no more bytes: a small file may claim any size."""


def read(reading: Reading) -> Numbered:
    """Yield the samples of a shard; one with a damaged member is the reason in its place."""
    number = 0
    try:
        with _on_disk(reading) as path, plain(path) as listed, plain(path) as file:
            for number, (key, own) in enumerate(_samples(listed), 1):
                try:
                    yield number, {KEY: key, **_sample(reading, file, key, own)}
                except ValueError as error:
                    yield number, f"{key}: {error}"
    except MediumError as error:
        after = f", after sample {number}" if number else ""
        raise DataError(f"{reading.label}{after}: {error}") from None


def _is_elsewhere(reading: Reading) -> bool:
    """Whether a shard is packed, or lies in an object store."""
    return remote(reading.address) or bool(split_suffix(reading.address)[2])


@contextmanager
def _on_disk(reading: Reading) -> Iterator[Path]:
    """The path of a shard as a plain tar: its own, or of a scratch file until the context ends."""
    if not _is_elsewhere(reading):
        yield Path(reading.address)
        return
    with NamedTemporaryFile(suffix=".tar") as scratch:
        size = 0
        for block in blocks(reading):
            if isinstance(block, Lost):
                raise DataError(f"{reading.label}: {block.reason}")
            size += len(block)
            if size > MOST_UNPACKED:
                raise DataError(f"{reading.label}: it unpacks to more than {MOST_UNPACKED} bytes")
            scratch.write(block)
        scratch.flush()
        yield Path(scratch.name)


def _samples(file: BinaryIO) -> Iterator[tuple[str, list[Member]]]:
    """Yield keys and their members, in order; hidden members belong to no sample."""
    visible = (member for member in members(file) if _is_visible(member.name))
    for key, own in groupby(visible, lambda member: _split(member.name)[0]):
        yield key, list(own)


def _is_visible(name: str) -> bool:
    own = name.rpartition("/")[2]
    return bool(own) and not own.startswith(".")


def _split(name: str) -> tuple[str, str]:
    """The key of a member, and what it holds: `a/b.left.png` is `a/b` and `left.png`."""
    folder, slash, own = name.rpartition("/")
    stem, _, end = own.partition(".")
    return f"{folder}{slash}{stem}", end.lower()


def _sample(reading: Reading, file: BinaryIO, key: str, own: list[Member]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for member in own:
        end = _split(member.name)[1]
        if end in values:
            raise ValueError(f"it has two members {end}")
        values[end] = _value(reading, file, member, end)
    return values


def _value(reading: Reading, file: BinaryIO, member: Member, end: str) -> Any:
    suffix = f".{end.rpartition('.')[2]}"
    if suffix in FORMAT_OF:
        address = None if _is_elsewhere(reading) else f"{reading.label}!/{member.name}"
        return reading.referring(part(file, member), address, suffix)
    if member.size > reading.max_bytes:
        raise ValueError(f"{end} is longer than max_bytes ({reading.max_bytes})")
    text = reading.decoder.whole(part(file, member).read())
    return _json(text) if suffix == ".json" else text.strip()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("json: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"json: not JSON ({getattr(error, 'msg', error)})") from None
