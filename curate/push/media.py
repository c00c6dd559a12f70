"""The media of a round's tasks: which fields are images, sounds or films, and where these lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from curate.backends.showing import AS_THEY_ARE, MOST_DATA
from curate.errors import DataError
from curate.media.medium import Medium, MediumError
from curate.media.metadata import without_places
from curate.media.opening import digest, opened, read
from curate.push.columns import column_of
from curate.records import Form
from curate.rounds import Round
from curate.rounds.views import SIDES, View
from curate.workspace import Workspace

Media = Mapping[str, Medium]
"""The media of a task by field."""


def media_of(workspace: Workspace, form: Form, current: Round) -> dict[str, Media]:
    """The media that each task of a round shows, by its id; empty for a form of texts.

    They are those of the pool, so each is known by the hash of its bytes. Of gold items only the
    address is known: it must lie within the workspace. Raises DataError.
    """
    if not form.media:
        return {}
    documents, views = current.documents(), current.views()
    ids = {id for members in documents.values() for id in members}
    pooled = column_of(workspace, "media", ids)
    return {
        task: dict(_of_task(workspace.root, form, view, documents[task], pooled))
        for task, view in views.items()
    }


def shown_digests(media: Media, folder: Path) -> list[str | None] | None:
    """Of each medium the sha256 of what a server of the user's own gets, if it is not the file's.

    Such a server gets images as data, without places. None if all are the files themselves.
    """
    digests = [_digest_of_data(medium, folder) for medium in media.values()]
    return digests if any(digests) else None


def _digest_of_data(medium: Medium, folder: Path) -> str | None:
    if medium.kind != "image" or (medium.bytes or 0) > MOST_DATA:
        return None
    try:
        data = read(medium.address, folder, most=MOST_DATA)
        cleaned = without_places(data)
    except MediumError:
        return None  # sending it says why
    return None if cleaned is data else sha256(cleaned).hexdigest()


def _of_task(
    root: Path, form: Form, view: View, members: tuple[str, ...], pooled: Mapping[str, Any]
) -> Iterator[tuple[str, Medium]]:
    """Yield the fields of a task that are media on disk."""
    own = [[Medium.of(struct) for struct in pooled.get(id) or ()] for id in members]
    for field, kind in form.media:
        address = view.fields.get(field, "")
        if address.lower().startswith(AS_THEY_ARE):
            continue
        if known := _known(field, address, own):
            yield field, _hashed(replace(known, field=field), root)
        elif not any(id in pooled for id in members):
            yield field, _hashed(Medium(field, kind, _inside(address, root)), root)


def _known(field: str, address: str, own: Sequence[Sequence[Medium]]) -> Medium | None:
    """The medium of a field, from those of each document shown; None if the pool has none.

    A file may have moved since the round was drawn, and been pooled again: the same document has
    the same bytes. Then its field tells it, and in a comparison its side.
    """
    sides = dict(zip(SIDES, own, strict=False)) if len(own) == len(SIDES) else {}
    media = sides.get(field, [medium for part in own for medium in part])
    there = [medium for medium in media if medium.address == address]
    named = [medium for medium in there or media if medium.field == field]
    alone = media if field in sides and len(media) == 1 else []
    return next(iter((*named, *there, *alone)), None)


def _hashed(medium: Medium, root: Path) -> Medium:
    """A medium whose hash is known: an answer is given to these bytes. Raises DataError."""
    if medium.sha256 is not None:
        return medium
    try:
        with opened(medium.address, root) as file:
            own, size = digest(file)
    except MediumError as error:
        raise DataError(f"{medium.address[:100]} cannot be shown: {error}") from None
    return replace(medium, sha256=own, bytes=size)


def _inside(address: str, root: Path) -> str:
    """An address of a gold item. Raises DataError for one outside of the workspace."""
    path = (root / address.partition("!/")[0]).resolve()
    if not address or not path.is_relative_to(root.resolve()):
        raise DataError(
            f"the gold item {address[:60]!r} is outside the workspace",
            hint="put its files into the workspace, or give a web address",
        )
    return address
