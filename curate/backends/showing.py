"""What a server's page gets in place of a medium's address: one of its own, signed, or the data.

    on the web                             as it is; the embedded servers play nothing from there
    data                                   as it is, without places
    on disk, an embedded server            a signed address; the file is copied to its shelf
    on disk, a server of the user's own    a small image as data; else refused by name

A file is compared with the hash that the pool has: nobody answers about another one. What its
metadata tell of a place is left out of what is shown.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from curate.errors import DataError
from curate.media.kinds import HEAD, kind_and_format, stranger
from curate.media.medium import Medium, MediumError
from curate.media.opening import check, digest, opened
from curate.media.placeless import placeless, placeless_data
from curate.records import Form, MediumKind, Task
from curate.servers.shelf import NAME, PLACE, TYPES, Shelf

MOST_DATA = 1_000_000
"""The most bytes of an image that travels as data, within its task."""

AN = {"image": "an image", "audio": "a sound", "video": "a film"}

AS_THEY_ARE = ("http://", "https://", "data:")
"""How addresses begin that the page opens by itself."""


def shown(form: Form, task: Task, shelf: Shelf | None, project: str) -> dict[str, str]:
    """The fields of a task as the page gets them: texts, and addresses that it can open.

    Raises DataError for a medium that cannot be shown.
    """
    fields = {name: task.fields.get(name, "") for name in form.fields}
    for name, kind in form.media:
        if not fields[name].lstrip().lower().startswith(AS_THEY_ARE):
            fields[name] = _address(task, name, kind, shelf, project)
        elif kind != "image" and shelf is not None:
            raise DataError(
                f"${name} of {task.id} cannot be shown: the embedded server plays sounds and films "
                f"only from disk, and it is at {fields[name][:60]}",
                hint="fetch the files, and pool where they lie",
            )
        else:
            fields[name] = _without_places(task, name, fields[name])
    return fields


def _without_places(task: Task, field: str, address: str) -> str:
    try:
        return placeless_data(address)
    except MediumError as error:
        raise DataError(f"${field} of {task.id} cannot be shown: {error}") from None


def _address(task: Task, field: str, kind: MediumKind, shelf: Shelf | None, project: str) -> str:
    medium = task.media.get(field)
    try:
        if medium is None:
            raise MediumError("the pool does not know where it is")
        if medium.kind != kind:
            raise MediumError(f"it is {AN[medium.kind]}, and the form shows {AN[kind]}")
        if shelf is None:
            return _data(medium, task)
        return _shelved(medium, task, shelf, project)
    except (MediumError, OSError) as error:
        raise DataError(
            f"${field} of {task.id} cannot be shown: {error} ({task.fields.get(field, '')[:100]})",
            hint="put the file right; or end the round with `curate round close`, leave the "
            "document out, and go on with `curate run --next-round`",
        ) from None


def _shelved(medium: Medium, task: Task, shelf: Shelf, project: str) -> str:
    """The signed address of a medium, of which the shelf has a copy."""
    if medium.sha256 and medium.format:
        name = f"{medium.sha256}.{_suffix(medium.kind, medium.format)}"
        if NAME.fullmatch(name) and shelf.has(project, name):
            return shelf.address(project, name)
    with opened(medium.address, task.folder) as file:
        format = _format(medium, file)
        shown = placeless(file, medium.kind, _size(file))
        name = shelf.put(project, format, file, shown)
    sha256 = name.partition(".")[0]
    if medium.sha256 not in (None, sha256):
        shelf.remove(project, [name])
        raise MediumError("the file has changed since it was pooled")
    return shelf.address(project, name)


def _data(medium: Medium, task: Task) -> str:
    """A small image as data."""
    if medium.kind != "image":
        raise MediumError(
            f"a server of your own gets {AN[medium.kind]} only by a web address: pool the "
            "addresses, or label on the embedded server"
        )
    with opened(medium.address, task.folder) as file:
        format = _format(medium, file)
        sha256, size = digest(file)
        check(medium, sha256, size)
        if size > MOST_DATA:
            raise MediumError(
                f"it has {size:,} bytes, and a server of your own gets images as data up to "
                f"{MOST_DATA:,}: pool their web addresses, or label on the embedded server"
            )
        shown = placeless(file, medium.kind, size) or file.read()
        data = base64.b64encode(shown).decode()
    return f"data:{TYPES[format]};base64,{data}"


def _size(file: BinaryIO) -> int:
    """The bytes of an open file; it is at its start then."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _format(medium: Medium, file: BinaryIO) -> str:
    """The format of an open file, by its first bytes; the file is at its start then.

    Raises MediumError for what is no medium of its kind, or nothing that a browser shows.
    """
    head = file.read(HEAD)
    file.seek(0)
    by_head = kind_and_format(head)
    if by_head is None:
        raise MediumError(stranger(head) or "the file is not an image, a sound or a film")
    kind, format = by_head
    if (kind == "image" and medium.kind != "image") or (medium.kind == "image" and kind != "image"):
        raise MediumError(f"the file is {AN[kind]}, not {AN[medium.kind]}")
    suffix = _suffix(medium.kind, format)
    if suffix not in TYPES:
        raise MediumError(f"no browser shows {format}: convert it")
    return suffix


def _suffix(kind: MediumKind, format: str) -> str:
    """The suffix of a copy: of Ogg and MP4 it tells sound from film."""
    return {("video", "ogg"): "ogv", ("audio", "mp4"): "m4a", ("audio", "webm"): "webm"}.get(
        (kind, format), format
    )


def names_in(rows: Iterable[Mapping[str, object]]) -> set[str]:
    """The names of the files on a shelf that fields show."""
    texts = (str(value) for row in rows for value in row.values())
    return {place["name"] for text in texts for place in PLACE.finditer(text)}
