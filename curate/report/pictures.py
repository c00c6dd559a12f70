"""Small pictures beside documents in tables: the first image or film of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curate.media import Medium
from curate.report.section import Picture
from curate.report.thumbnails import thumbnail

if TYPE_CHECKING:
    import pyarrow as pa


def pictures_in(documents: pa.Table, folder: Path) -> dict[str, str]:
    """The pictures of documents as data addresses, by id; those without media have none.

    `documents` are rows with the columns id and media; addresses are relative to the folder.
    """
    with_media = documents.filter(documents["media"].is_valid()).select(["id", "media"])
    return {
        row["id"]: thumbnail(row["id"], Medium.of(row["media"][0]), folder).source
        for row in with_media.to_pylist()
    }


def picture_cell(pictures: Mapping[str, str], id: str) -> dict[str, Picture | None]:
    """The column `picture` of a row; no column where no document of the table has a picture."""
    if not any(pictures.values()):
        return {}
    return {"picture": Picture(pictures[id]) if pictures.get(id) else None}
