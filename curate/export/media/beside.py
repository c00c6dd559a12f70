"""Media beside the shards: a file for each, `media/ab/SHA256.jpg`, however many lines hold it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.media.bringing import Bringing, Stored
from curate.export.media.columns import placed, suffix_of

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "media"


def place_of(sha256: str, suffix: str) -> str:
    """Where a file lies within the export, by the sha256 of its bytes."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}{suffix}"


@dataclass(frozen=True)
class CopyMedia:
    """Copies the media of lines into an export, and says where they lie.

    A file that is there is whole, since it gets its name at the end: an export that was killed
    does not copy it again.
    """

    bring: Bringing
    folder: Path

    def __call__(self, lines: pa.Table) -> pa.Table:
        """The lines with the places of their media. DataError where one changed or is gone."""
        return placed(lines, self._place)

    def _place(self, medium: Stored) -> Mapping[str, Any]:
        suffix = suffix_of(medium)
        digest = self.bring.exported_sha256(medium)
        if not (self.folder / place_of(digest, suffix)).is_file():
            digest = self._copy(medium, suffix)
        return {**medium, "path": place_of(digest, suffix), "exported_sha256": digest}

    def _copy(self, medium: Stored, suffix: str) -> str:
        """Copy a medium; the sha256 of the bytes that were written."""
        temporary = self.folder / FOLDER / f".{medium['sha256']}.{os.getpid()}.tmp"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.writelines(self.bring.blocks(medium))
            digest = self.bring.exported_sha256(medium)
            path = self.folder / place_of(digest, suffix)
            path.parent.mkdir(exist_ok=True)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return digest
