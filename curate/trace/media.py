"""The media of a document: where they lie, whether they are as they were, and their copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from curate.export.formats import read_shard
from curate.export.formats.lines import OURS
from curate.media import Medium, MediumError
from curate.media.opening import checked
from curate.rounding import rounded
from curate.trace.results import Line, TracedMedium
from curate.workspace import Workspace


def media_of(
    workspace: Workspace, stored: Sequence[Mapping[str, Any]], lines: Sequence[Line]
) -> Iterator[TracedMedium]:
    """Yield what is known of each medium; their files are read to compare them.

    `lines` are those of the document in the export.
    """
    exported = _exported(workspace.root / "export", lines if stored else ())
    for medium in map(Medium.of, stored):
        yield TracedMedium(
            field=medium.field,
            kind=medium.kind,
            address=medium.address,
            sha256=medium.sha256,
            bytes=medium.bytes,
            about=_about(medium),
            state=_state(workspace, medium),
            exported=exported.get(medium.sha256 or ""),
        )


def _about(medium: Medium) -> str:
    """The format, size and duration of a medium, as far as they are known."""
    size = f"{medium.width} x {medium.height}" if medium.width and medium.height else ""
    seconds = f"{rounded(medium.seconds, '.1f')} s" if medium.seconds is not None else ""
    return ", ".join(filter(None, (medium.format or "", size, seconds)))


def _state(workspace: Workspace, medium: Medium) -> str:
    if medium.sha256 is None:
        return "only an address: its bytes were never read"
    try:
        checked(medium, workspace.path("."))
    except MediumError as error:
        return str(error)
    return "as `pool` read it"


def _exported(export: Path, lines: Sequence[Line]) -> dict[str, str]:
    """Where the media of a document lie in an export, by their sha256, as its first line says.

    The shard is read up to that line; one that cannot be read tells nothing.
    """
    for line in lines[:1]:
        try:
            rows = islice(read_shard(export / line.shard), line.position, line.position + 1)
            for row in rows:
                media = row.get(OURS, row)["media"] or ()
                return {own["sha256"]: own["path"] for own in media if own.get("path")}
        except (OSError, LookupError, ValueError):
            continue
    return {}
