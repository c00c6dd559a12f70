"""The formats of shards: how each is written, and read back."""

from curate.export.formats.format import BATCH, Format, Write
from curate.export.formats.names import LINES, Name
from curate.export.formats.parquet import read_batches
from curate.export.formats.registry import FORMATS, read_shard
from curate.export.formats.tokens import TokenIds

__all__ = [
    "BATCH",
    "FORMATS",
    "LINES",
    "Format",
    "Name",
    "TokenIds",
    "Write",
    "read_batches",
    "read_shard",
]
