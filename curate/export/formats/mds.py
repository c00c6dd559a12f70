"""MosaicML streaming's shards (MDS, version 2), as `streaming.StreamingDataset` reads them.

    id, text    strings
    line        all other columns of the line, as JSON
    FIELD       the bytes of a medium, for each field of documents that is one; none for none

A shard is a number of samples, where each begins and where the last one ends (unsigned, 32 bits),
the description of its columns, and the samples: the sizes of their values, then the values. The
columns stand in the order of their names. `index.json` of a folder lists its shards. Source: the
format's own documentation (docs.mosaicml.com), and its writer.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, pairwise
from os import fstat
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from curate import storage
from curate.errors import DataError
from curate.export.formats.folder import place_in_split
from curate.export.formats.format import BATCH, Format, Write
from curate.export.media.columns import NAME
from curate.export.media.fields import MediaFields
from curate.export.media.within import MediaWithin
from curate.export.quoting import quoted
from curate.export.values import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

ENDING = ".mds"

INDEX = "index.json"

LINE = "line"
"""The column with all of a line but its id and its text."""

MOST = (1 << 32) - 1
"""Places in a shard are numbers of 32 bits."""


@dataclass(frozen=True)
class WriteMds:
    """Opens a shard; `media` brings the media of lines into columns of their own.

    `smaller` says by which setting shards become smaller.
    """

    fields: MediaFields = field(default_factory=MediaFields)
    media: MediaWithin | None = None
    smaller: str = "lower `export.shard_documents`"

    @property
    def format(self) -> Format:
        """The format of these shards."""
        return Format(
            ENDING, self, read_mds, place=place_in_split, beside=self.write_indices, media="within"
        )

    @property
    def encodings(self) -> dict[str, str]:
        """The columns of a sample and how each is written, by name in the order of the shard."""
        media = {name: "bytes" for name, _ in self.fields.columns}
        return dict(sorted({"id": "str", "text": "str", LINE: "json", **media}.items()))

    def described(self) -> dict[str, Any]:
        """What a shard says of its columns, and `index.json` of each shard."""
        return {
            "column_encodings": list(self.encodings.values()),
            "column_names": list(self.encodings),
            "column_sizes": [None] * len(self.encodings),
            "compression": None,
            "format": "mds",
            "hashes": [],
            "size_limit": MOST,
            "version": 2,
        }

    def __call__(self, path: Path, schema: pa.Schema) -> AbstractContextManager[Write]:
        """Yield what appends documents to a shard. DataError as soon as it has too many bytes."""
        return self._open(path, schema)

    @contextmanager
    def _open(self, path: Path, schema: pa.Schema) -> Iterator[Write]:
        config = json.dumps(self.described(), sort_keys=True).encode()
        with TemporaryFile(dir=path.parent) as samples:
            shard = _Shard(path.name, samples, 8 + len(config), self.smaller)
            yield lambda table: self._append(shard, table.select(schema.names))
            first = 4 * (len(shard.sizes) + 2) + len(config)
            places = list(accumulate(shard.sizes, initial=first))
            with path.open("wb") as file:
                file.write(_packed([len(shard.sizes), *places]) + config)
                samples.seek(0)
                shutil.copyfileobj(samples, file, 1 << 20)

    def _append(self, shard: _Shard, table: pa.Table) -> None:
        for lines in [table] if self.media is None else self.media(table):
            for rows in lines.to_batches(max_chunksize=BATCH):
                for line in rows_of(rows):
                    shard.add(self._sample(line))

    def _sample(self, line: dict[str, Any]) -> list[bytes]:
        """The sizes of a sample's values, and the values."""
        media = {name: line.pop(name, None) for name, _ in self.fields.columns}
        values = {name: value["bytes"] if value else b"" for name, value in media.items()}
        values |= {name: line.pop(name).encode() for name in ("id", "text")}
        values[LINE] = quoted(line).encode()
        own = [values[name] for name in self.encodings]
        return [_packed([len(value) for value in own]), *own]

    def write_indices(self, folder: Path, manifest: Mapping[str, Any], schema: pa.Schema) -> None:
        """List the shards of every folder: of each split, or of each group."""
        files = [*manifest["files"], *(manifest.get("validation") or {}).get("files", ())]
        folders: dict[str, list[Mapping[str, Any]]] = {}
        for file in files:
            folders.setdefault(PurePosixPath(file["path"]).parent.as_posix(), []).append(file)
        for place, own in folders.items():
            shards = [self._shard(folder / file["path"], file["documents"]) for file in own]
            storage.write_json(folder / place / INDEX, {"version": 2, "shards": shards})

    def _shard(self, path: Path, samples: int) -> dict[str, Any]:
        raw = {"basename": path.name, "bytes": path.stat().st_size, "hashes": {}}
        return {**self.described(), "raw_data": raw, "samples": samples, "zip_data": None}


@dataclass
class _Shard:
    """A shard that is written: its samples and their sizes; `size` are its bytes so far."""

    name: str
    samples: BinaryIO
    size: int
    smaller: str
    sizes: list[int] = field(default_factory=list)

    def add(self, sample: Sequence[bytes]) -> None:
        """Append a sample, whose place takes 4 bytes. DataError if there are too many bytes."""
        own = sum(map(len, sample))
        self.size += own + 4
        if self.size > MOST:
            raise DataError(
                f"{self.name} would have more bytes than a shard of MDS can have, {MOST:,}",
                hint=self.smaller,
            )
        self.samples.writelines(sample)
        self.sizes.append(own)


def read_mds(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a shard, one in memory at a time.

    Each medium has the sum of its bytes there as `stored_sha256`. ValueError for a damaged shard.
    """
    with path.open("rb") as file:
        places = _numbers(file, _numbers(file, 1)[0] + 1)
        names = json.loads(_read(file, places[0] - file.tell()))["column_names"]
        for start, end in pairwise(places):
            sizes = _numbers(file, len(names))
            if start + 4 * len(names) + sum(sizes) != end:
                raise ValueError(f"{path.name} is not a complete shard of MDS")
            yield _line({name: _read(file, size) for name, size in zip(names, sizes, strict=True)})
        if file.read(1) or file.tell() != places[-1]:
            raise ValueError(f"{path.name} is not a complete shard of MDS")


def _numbers(file: BinaryIO, count: int) -> Sequence[int]:
    return struct.unpack(f"<{count}I", _read(file, 4 * count))


def _read(file: BinaryIO, size: int) -> bytes:
    """So many bytes. ValueError, before anything is read, where the file has fewer left."""
    if not 0 <= size <= fstat(file.fileno()).st_size - file.tell():
        raise ValueError("the shard is cut off")
    return file.read(size)


def _packed(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _line(values: dict[str, bytes]) -> dict[str, Any]:
    """A line from the values of its sample."""
    line: dict[str, Any] = json.loads(values.pop(LINE))
    id, text = values.pop("id").decode(), values.pop("text").decode()
    for medium in line.get(NAME) or ():
        if medium["path"] is not None:
            medium["stored_sha256"] = sha256(values.get(medium["path"], b"")).hexdigest()
    return {"id": id, "text": text, **line}
