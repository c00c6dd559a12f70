"""The media of an export, as its card tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curate.cards.quoting import cell, table
from curate.rounding import rounded


def media(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the section about media; nothing where the export has none."""
    about = manifest.get("media")
    if not about:
        return
    yield "## Media\n"
    yield f"What the lines hold, copies counted, the validation too. {_where(manifest, about)}\n"
    header = ("kind", "media", "bytes", "seconds", "by address only")
    yield table(header, (_row(kind, own) for kind, own in about["kinds"].items()))
    yield _places(about["without_places"])
    if any(own.get("addresses") for own in about["kinds"].values()):
        yield "Media with only an address were never read: their bytes are not in the export.\n"


def _where(manifest: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    if "files" in about:
        return (
            f"They are in `media/`, each once: {about['files']:,} files, {about['bytes']:,} bytes. "
            "`media` of a line has the `path` of each, relative to the export."
        )
    if manifest.get("format") == "webdataset":
        return "They are members of the tar files: `media` in a line's `.json` has their names."
    return "They are in the shards: `media` of a line has the column of each."


def _row(kind: str, own: Mapping[str, Any]) -> list[str]:
    seconds = rounded(own["seconds"], ",.0f") if "seconds" in own else ""
    numbers = [f"{own.get(name, 0):,}" for name in ("media", "bytes")]
    return [cell(kind), *numbers, seconds, f"{own.get('addresses', 0):,}"]


def _places(cleaned: int) -> str:
    words = "Bytes are those of the sources, compared by their sha256. "
    if cleaned:
        return (
            f"{words}Of {cleaned:,} files the metadata told a place: it was left out, and they "
            "have another `exported_sha256` than `sha256`.\n"
        )
    return f"{words}Places in metadata are never exported; none of these files told one.\n"
