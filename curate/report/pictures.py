"""Small pictures beside documents in tables: the first image or film of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curate.media import Medium
from curate.report.section import Picture
from curate.report.thumbnails import thumbnail
from curate.workspace import Workspace


def pictures_of(workspace: Workspace, ids: Sequence[str]) -> dict[str, str]:
    """The pictures of documents as data addresses, by id; empty for documents without any."""
    if workspace.tables.stored("clean") is None:
        return {}
    pictures = {}
    for table in workspace.documents.lookup(ids, ["id", "media"]):
        for row in table.filter(table["media"].is_valid()).to_pylist():
            shown = thumbnail(row["id"], Medium.of(row["media"][0]), workspace.path("."))
            pictures[row["id"]] = shown.source
    return pictures


def picture_cell(pictures: Mapping[str, str], id: str) -> dict[str, Picture | None]:
    """The column `picture` of a row; no column where no document of the table has a picture."""
    if not any(pictures.values()):
        return {}
    return {"picture": Picture(pictures[id]) if pictures.get(id) else None}
