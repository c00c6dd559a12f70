"""What the manifest says of the media of an export."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.export.formats.format import Format
from curate.export.media.beside import FOLDER
from curate.export.media.columns import MediaCounts
from curate.export.spec import ExportSpec


def told(counts: MediaCounts, export: Path, marks: Path) -> dict[str, Any]:
    """The entry `media` of the manifest; empty where no line has any.

    Of each kind it tells what the lines hold, copies counted: their number, bytes and seconds, and
    how many have an address alone. `files` lie beside the shards, each once, with `bytes` in all.
    From the metadata of `without_places` media a place was left out.
    """
    if not counts:
        return {}
    kinds: dict[str, dict[str, Any]] = defaultdict(dict)
    for (kind, measure), number in sorted(counts.items()):
        if measure == "milliseconds":
            kinds[kind]["seconds"] = number / 1000
        else:
            kinds[kind][measure] = number
    paths = (path for path in (export / FOLDER).rglob("*.*") if not path.name.startswith("."))
    files = [path.stat().st_size for path in paths]
    beside = {"files": len(files), "bytes": sum(files)} if files else {}
    cleaned = sum(1 for _ in marks.iterdir()) if marks.is_dir() else 0
    return {"kinds": dict(kinds), **beside, "without_places": cleaned}


def check_format(format: Format, spec: ExportSpec, counts: MediaCounts) -> None:
    """Raise DataError where a format cannot hold the media that were drawn."""
    media = sum(number for (_, measure), number in counts.items() if measure == "media")
    if media and format.media == "nowhere":
        raise DataError(
            f"format {spec.format} holds only texts, and {media:,} media were drawn",
            hint="`webdataset`, `mds`, `datasets`, `jsonl` and `parquet` hold media",
        )
