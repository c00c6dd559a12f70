"""The media of a document: where they lie, whether they are as they were, and their copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from curate.media import Medium, MediumError
from curate.media.opening import checked
from curate.trace.results import TracedMedium
from curate.workspace import Workspace

FOLDER = "media"
"""The folder of an export with its media, each named by the sha256 of its bytes."""


def media_of(workspace: Workspace, stored: Iterable[Mapping[str, Any]]) -> Iterator[TracedMedium]:
    """Yield what is known of each medium; their files are read to compare them."""
    for medium in map(Medium.of, stored):
        yield TracedMedium(
            field=medium.field,
            kind=medium.kind,
            address=medium.address,
            sha256=medium.sha256,
            bytes=medium.bytes,
            about=_about(medium),
            state=_state(workspace, medium),
            exported=tuple(_exported(workspace, medium)),
        )


def _about(medium: Medium) -> str:
    """The format, size and duration of a medium, as far as they are known."""
    size = f"{medium.width} x {medium.height}" if medium.width and medium.height else ""
    seconds = f"{medium.seconds:.1f} s" if medium.seconds is not None else ""
    return ", ".join(filter(None, (medium.format or "", size, seconds)))


def _state(workspace: Workspace, medium: Medium) -> str:
    if medium.sha256 is None:
        return "an address alone: its bytes were never read"
    try:
        checked(medium, workspace.path("."))
    except MediumError as error:
        return str(error)
    return "as `pool` read it"


def _exported(workspace: Workspace, medium: Medium) -> Iterator[str]:
    """Yield the path of its file in the export; one without a place has another name there."""
    export = workspace.root / "export"
    if medium.sha256:
        folder = export / FOLDER / medium.sha256[:2]
        yield from (
            path.relative_to(export).as_posix()
            for path in sorted(folder.glob(f"{medium.sha256}.*"))
        )
