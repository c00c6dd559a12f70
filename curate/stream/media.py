"""The media of streamed documents: where each lies on this machine, or its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curate.errors import DataError

Media = Literal["paths", "bytes"]
"""What a loop gets of media: the `path` of each file, or its bytes as `data` too."""

FOLDER = "media"
"""The folder of an export with its media."""


@dataclass(frozen=True)
class Locate:
    """Says where the media of documents lie; `folder` is that of the export."""

    folder: Path
    media: Media

    def __call__(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the whole path of each medium. DataError for one that is not there."""
        if document.get("media"):
            document["media"] = [self._located(medium) for medium in document["media"]]
        return document

    def _located(self, medium: dict[str, Any]) -> dict[str, Any]:
        if medium.get("path") is None:
            return medium
        parts = Path(medium["path"]).parts
        path = self.folder.joinpath(*parts)
        if parts[:1] != (FOLDER,) or ".." in parts or not path.is_file():
            raise DataError(
                f"{path}: the medium is not there", hint="`curate verify` says what is missing"
            )
        located = {**medium, "path": str(path)}
        return located if self.media == "paths" else {**located, "data": path.read_bytes()}
