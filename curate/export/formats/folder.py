"""A folder as `datasets` writes it (`save_to_disk`): Arrow streams, and what is told of each split.

`datasets.load_from_disk` opens it as a DatasetDict. It maps the streams into memory, so nothing is
copied. A layout by group has a split for each group. Media have a column for each field, of the
type Image, Audio or Video, with their bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.export.formats.format import BATCH, Format, Write
from curate.export.media.columns import NAME
from curate.export.media.fields import MediaFields, bytes_columns
from curate.export.media.within import MediaWithin
from curate.export.values import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

ENDING = ".arrow"

SPLITS = {"data": "train", "validation": "validation"}
"""The split of shards that lie in no folder of their own, by the first word of their names."""


@dataclass(frozen=True)
class ArrowFolder:
    """Writes a folder of `datasets`; `media` brings the media of lines into columns of their own.

    `fields` are those columns, none where no document has media.
    """

    fields: MediaFields = field(default_factory=MediaFields)
    media: MediaWithin | None = None

    @property
    def format(self) -> Format:
        """The format of these shards."""
        return Format(
            ending=ENDING,
            writing=self,
            read=read_arrow,
            place=place_in_split,
            beside=self.write_splits,
            shown=self.fields.added_to,
            media="within",
        )

    def __call__(self, path: Path, schema: pa.Schema) -> AbstractContextManager[Write]:
        """Open a shard."""
        return self._open(path, schema)

    @contextmanager
    def _open(self, path: Path, schema: pa.Schema) -> Iterator[Write]:
        """Yield what appends documents, in batches of the size of `datasets`'s."""
        import pyarrow as pa

        own = self.features(schema).arrow_schema
        with path.open("wb") as file, pa.ipc.new_stream(file, own) as writer:
            yield lambda table: self._append(writer, table.select(schema.names), own)

    def _append(self, writer: Any, table: pa.Table, schema: pa.Schema) -> None:
        if self.media is not None:
            for lines in self.media(table):
                _write_batches(writer, lines.cast(schema))
        else:
            _write_batches(writer, table.cast(schema))

    def features(self, schema: pa.Schema) -> Any:
        """The types of all columns as `datasets` knows them."""
        from datasets import Features

        return Features({**Features.from_arrow_schema(schema), **self.fields.features()})

    def write_splits(self, folder: Path, manifest: Mapping[str, Any], schema: pa.Schema) -> None:
        """Write what `datasets` reads first: the splits, and the files and the types of each."""
        files = [*manifest["files"], *(manifest.get("validation") or {}).get("files", ())]
        splits: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            splits.setdefault(str(PurePosixPath(file["path"]).parent), []).append(file)
        storage.write_json(folder / "dataset_dict.json", {"splits": list(splits)})
        features = self.features(schema).to_dict()
        about = {"citation": "", "description": "", "homepage": "", "license": ""}
        for split, own in splits.items():
            info = {**about, "features": features}
            storage.write_json(folder / split / "dataset_info.json", info)
            storage.write_json(folder / split / "state.json", _state(split, own))


def _write_batches(writer: Any, table: pa.Table) -> None:
    for start in range(0, table.num_rows, BATCH):
        (batch,) = table.slice(start, BATCH).combine_chunks().to_batches()
        writer.write_batch(batch)


def read_arrow(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of an Arrow stream, a batch in memory at a time.

    Each medium in a column of its own has the sum of its bytes there as `stored_sha256`.
    """
    import pyarrow as pa

    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as batches:
        columns = bytes_columns(batches.schema)
        for batch in batches:
            for line in rows_of(batch):
                _take_in(line, columns)
                yield line


def _take_in(line: dict[str, Any], columns: Sequence[str]) -> None:
    """Put the sums of media into the column `media`, in the place of columns with their bytes."""
    values = {name: line.pop(name) for name in columns}
    for medium in line.get(NAME) or ():
        if value := values.get(medium["path"]):
            medium["stored_sha256"] = sha256(value["bytes"] or b"").hexdigest()


def place_in_split(stem: str) -> str:
    """Where a shard lies: in the folder of its split, or of its group."""
    split = SPLITS[PurePosixPath(stem).name.partition("-")[0]]
    return f"{split}/{stem}" if PurePosixPath(stem).parent == PurePosixPath(".") else stem


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
