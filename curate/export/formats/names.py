"""The names of formats, as settings have them."""

from typing import Literal

Name = Literal[
    "jsonl", "jsonl.gz", "jsonl.zst", "parquet", "datasets", "webdataset", "mds", "tokens"
]
"""The name of a format."""

LINES = ("jsonl", "jsonl.gz", "jsonl.zst")
"""The formats of JSON lines."""

BESIDE = (*LINES, "parquet")
"""The formats with media in files beside the shards."""
