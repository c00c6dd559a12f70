"""The formats of shards by their names in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.export.formats.folder import ArrowFolder
from curate.export.formats.format import Format
from curate.export.formats.lines import ReadLines, WriteLines
from curate.export.formats.mds import WriteMds
from curate.export.formats.parquet import read_parquet, writing_parquet
from curate.export.formats.webdataset import WriteTar

FORMATS: dict[str, Format] = {
    "jsonl": Format(".jsonl", WriteLines(), ReadLines()),
    "jsonl.gz": Format(".jsonl.gz", WriteLines("gzip"), ReadLines("gzip")),
    "jsonl.zst": Format(".jsonl.zst", WriteLines("zstd"), ReadLines("zstd")),
    "parquet": Format(".parquet", writing_parquet, read_parquet),
    "datasets": ArrowFolder().format,
    "webdataset": WriteTar().format,
    "mds": WriteMds().format,
}
"""The formats whose shards hold whole lines, for those without media.

Some need more than their name: `tokens` its tokenizer (see `TokenIds`), and those that hold media
in their shards what brings these.
"""


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a shard as they were written; its ending tells the format.

    ValueError for an ending that none of FORMATS has.
    """
    for format in FORMATS.values():
        if path.name.endswith(format.ending):
            yield from format.read(path)
            return
    raise ValueError(f"{path.name} its suffix names no format")
