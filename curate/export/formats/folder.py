"""A folder as `datasets` writes it (`save_to_disk`): Arrow streams, and what is told of each split.

`datasets.load_from_disk` opens it as a DatasetDict. It maps the streams into memory, so nothing is
copied. A layout by group has a split for each group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.formats.format import BATCH, Write
from curate.export.values import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS = {"data": "train", "validation": "validation"}
"""The split of shards that lie in no folder of their own, by the first word of their names."""


@contextmanager
def writing_arrow(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Yield what appends documents to an Arrow stream, in batches of the size of `datasets`'s."""
    import pyarrow as pa

    own = _with_features(schema)
    with path.open("wb") as file, pa.ipc.new_stream(file, own) as writer:
        yield lambda table: _write_batches(writer, table.select(schema.names).cast(own))


def _write_batches(writer: Any, table: pa.Table) -> None:
    for start in range(0, table.num_rows, BATCH):
        (batch,) = table.slice(start, BATCH).combine_chunks().to_batches()
        writer.write_batch(batch)


def _with_features(schema: pa.Schema) -> pa.Schema:
    """The schema with the types as `datasets` knows them."""
    from datasets import Features

    features: pa.Schema = Features.from_arrow_schema(schema).arrow_schema
    return features


def read_arrow(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of an Arrow stream, a batch in memory at a time."""
    import pyarrow as pa

    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as batches:
        for batch in batches:
            yield from rows_of(batch)


def place_in_split(stem: str) -> str:
    """Where a shard lies: in the folder of its split, or of its group."""
    split = SPLITS[PurePosixPath(stem).name.partition("-")[0]]
    return f"{split}/{stem}" if PurePosixPath(stem).parent == PurePosixPath(".") else stem


def write_splits(folder: Path, manifest: Mapping[str, Any], schema: pa.Schema) -> None:
    """Write what `datasets` reads first: the splits, and the files and the types of each."""
    from datasets import Features

    files = [*manifest["files"], *(manifest.get("validation") or {}).get("files", ())]
    splits: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        splits.setdefault(str(PurePosixPath(file["path"]).parent), []).append(file)
    storage.write_json(folder / "dataset_dict.json", {"splits": list(splits)})
    features = Features.from_arrow_schema(schema).to_dict()
    about = {"citation": "", "description": "", "homepage": "", "license": ""}
    for split, own in splits.items():
        storage.write_json(folder / split / "dataset_info.json", {**about, "features": features})
        storage.write_json(folder / split / "state.json", _state(split, own))


def _state(split: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    """The files of a split, in order; its fingerprint, by which `datasets` caches, is of these."""
    content = sha256("".join(file["sha256"] for file in files).encode()).hexdigest()
    return {
        "_data_files": [{"filename": PurePosixPath(file["path"]).name} for file in files],
        "_fingerprint": content[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split if split in SPLITS.values() else None,
    }
