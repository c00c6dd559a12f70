"""The bytes of a medium as an export writes them: those of the pool, without places.

Bytes are compared with the pool's sha256 while they are read. Only places in metadata
are left out: a mark beside the export then names the bytes that were written instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from curate import storage
from curate.errors import DataError
from curate.media import MediumError, placeless
from curate.media.metadata import without_places
from curate.media.opening import opened

BLOCK = 1 << 20
"""Bytes that are read at once."""

HINT = "bring the file back as it was, or run `curate pool` again and all that follows it"

PLACE_HINT = (
    "leave the document out by `clean: {privacy: {place: drop}}`, or clean the file and pool again"
)

Stored = Mapping[str, Any]
"""A medium as the column `media` has it."""


def is_whole(medium: Stored) -> bool:
    """Whether a medium is read into memory whole: places are looked for in all of it."""
    return placeless.is_whole(kind_of(medium), medium["bytes"])


def kind_of(medium: Stored) -> str:
    """Image, audio or video; a pool of an older version knew images alone."""
    return str(medium.get("kind") or "image")


def is_at_hand(medium: Stored) -> bool:
    """Whether the pool read the bytes, and so knows their format.

    Of what lies on the web, or was recorded elsewhere, it has the address alone.
    """
    return medium["sha256"] is not None and medium.get("format") is not None


@dataclass(frozen=True)
class Bringing:
    """Brings the bytes of media.

    Addresses are relative to `folder`. `marks` is a folder with a file for each medium that had a
    place: it is named by the sha256 of the source, and holds that of the bytes that are exported.
    """

    folder: Path
    marks: Path

    def exported_sha256(self, medium: Stored) -> str:
        """The sha256 of the bytes that were brought; of those not yet brought, the source's."""
        mark = self.marks / str(medium["sha256"])
        return mark.read_text(encoding="utf-8") if mark.is_file() else str(medium["sha256"])

    def whole(self, medium: Stored) -> bytes:
        """All bytes of a medium. Raises DataError where it changed or is gone."""
        return b"".join(self.blocks(medium))

    def blocks(self, medium: Stored) -> Iterator[bytes]:
        """Yield the bytes of a medium, all at once where places are looked for.

        What changed is known at its end, so nothing written is to be used before. Raises what
        `whole` does.
        """
        if is_whole(medium):
            yield self._without_places(medium, b"".join(self._checked(medium)))
            return
        self._check_places(medium)
        yield from self._checked(medium)

    def _without_places(self, medium: Stored, data: bytes) -> bytes:
        try:
            plain = without_places(data)
        except MediumError as error:
            raise DataError(f"{medium['address']}: {error}", hint=PLACE_HINT) from None
        if plain != data:
            digest = sha256(plain).hexdigest()
            storage.write_text(self.marks / str(medium["sha256"]), digest)
        return plain

    def _check_places(self, medium: Stored) -> None:
        """Refuse a large sound or film that tells a place."""
        with _open(medium, self.folder) as file:
            try:
                placeless.check_large(file)
            except MediumError as error:
                raise DataError(f"{medium['address']}: {error}", hint=PLACE_HINT) from None

    def _checked(self, medium: Stored) -> Iterator[bytes]:
        """Yield the bytes of the source, and raise DataError if they are not the pool's."""
        digest, size = sha256(), 0
        with _open(medium, self.folder) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
                if size > medium["bytes"]:
                    break
                yield block
        if size != medium["bytes"] or digest.hexdigest() != medium["sha256"]:
            raise _lost(medium, "it is not the file that `pool` read")


@contextmanager
def _open(medium: Stored, folder: Path) -> Iterator[BinaryIO]:
    try:
        with opened(medium["address"], folder) as file:
            yield file
    except MediumError as error:
        raise _lost(medium, str(error)) from None
    except OSError as error:
        raise _lost(medium, error.strerror or str(error)) from None


def _lost(medium: Stored, why: str) -> DataError:
    return DataError(f"{medium['address']}: {why}", hint=HINT)
