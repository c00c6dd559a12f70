"""The formats of shards by their names in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.export.formats.folder import place_in_split, read_arrow, write_splits, writing_arrow
from curate.export.formats.format import Format
from curate.export.formats.lines import ReadLines, WriteLines
from curate.export.formats.parquet import read_parquet, writing_parquet

FORMATS: dict[str, Format] = {
    "jsonl": Format(".jsonl", WriteLines(), ReadLines()),
    "jsonl.gz": Format(".jsonl.gz", WriteLines("gzip"), ReadLines("gzip")),
    "jsonl.zst": Format(".jsonl.zst", WriteLines("zstd"), ReadLines("zstd")),
    "parquet": Format(".parquet", writing_parquet, read_parquet),
    "datasets": Format(".arrow", writing_arrow, read_arrow, place_in_split, write_splits),
}
"""The formats whose shards hold whole lines; `tokens` needs its tokenizer: see `TokenIds`."""


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a shard as they were written; its ending tells the format.

    ValueError for an ending that none of FORMATS has.
    """
    for format in FORMATS.values():
        if path.name.endswith(format.ending):
            yield from format.read(path)
            return
    raise ValueError(f"{path.name} has the ending of no format")
