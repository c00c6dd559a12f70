"""How fast is the stream of an export by group, beside a plain reader of the same Parquet files?

    python -m tests.benchmarks.streaming [DOCUMENTS]

Both yield every document once, in one process: the plain reader file after file (pyarrow, a
thousand rows at once, as dicts), the stream in the order of the mixture, shuffled. CPU seconds are
taken in turns, five times each. Lines have the columns of an export without labels.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.stream import Mixture
from tests.benchmarks import setting

GROUPS, PAIRS, SHARDS = (4, 40), 5, 4
CHARACTERS = 3_000
"""The mean length of a document."""


def main():
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 80_000
    figures = {"documents": documents, "characters": CHARACTERS}
    for groups in GROUPS:
        with TemporaryDirectory() as folder:
            write(Path(folder), documents, groups)
            figures[f"{groups} groups"] = {
                name: measured(Path(folder), columns)
                for name, columns in {"text": ["text"], "all columns": None}.items()
            }
    setting.write("streaming", figures, range(PAIRS))


def write(folder, documents, groups):
    """Write what an export by group looks like."""
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, size))) for size in rng.integers(2, 10, 9_000)]
    text = " ".join(rng.choice(words, 3_000_000))
    told, files, draw = [], [], []
    for group in range(groups):
        place, count = f"{group:02}-g/", documents // groups // SHARDS
        (folder / place).mkdir()
        for shard in range(SHARDS):
            sizes = (CHARACTERS * rng.gamma(2, 0.5, count)).astype(int) + 1
            starts = rng.integers(0, len(text) - sizes.max(), count)
            columns = {
                "id": [f"{group:04}{shard:04}{n:024}" for n in range(count)],
                "text": [text[at : at + size] for at, size in zip(starts, sizes, strict=True)],
                **{name: ["web"] * count for name in ("source", "group", "license")},
                "copy": [1] * count,
                "quality": rng.random(count),
            }
            path = f"{place}data-{shard:05}.parquet"
            rows = pa.table(columns)
            pq.write_table(rows, folder / path, row_group_size=2_000, compression="zstd")
            files.append({"path": path, "documents": count})
            draw.append(pa.table({"shard": [path] * count, "size": sizes // 4 + 1}))
        tokens = sum(int(pa.compute.sum(own["size"]).as_py()) for own in draw[-SHARDS:])
        own = {"group": str(group), "folder": place, "tokens": tokens}
        told.append(own | {"stored_documents": count * SHARDS})
    pq.write_table(pa.concat_tables(draw), folder / "draw.parquet")
    manifest = {"layout": "by_group", "groups": told, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def measured(folder, columns):
    """CPU seconds of both, and how fast the stream is beside the plain reader."""
    seconds = {plain: [], stream: []}
    for _ in range(PAIRS):
        for read, own in seconds.items():
            began = time.process_time()
            read(folder, columns)
            own.append(time.process_time() - began)
    return {
        "plain": round(median(seconds[plain]), 3),
        "stream": round(median(seconds[stream]), 3),
        "speed": round(median(a / b for a, b in zip(*seconds.values(), strict=True)), 3),
    }


def plain(folder, columns):
    """Read every document, file after file; return the characters."""
    total = 0
    for path in sorted(folder.glob("*/*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1_000, columns=columns, use_threads=False):
                for document in batch.to_pylist():
                    total += len(document["text"])
    return total


def stream(folder, columns):
    """Read every document in the order of the mixture; return the characters."""
    return sum(len(document["text"]) for document in Mixture(folder, columns=columns))


if __name__ == "__main__":
    main()
