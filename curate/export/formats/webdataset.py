"""WebDataset: tar files whose members belong together by the name up to its first dot.

    KEY.jpg    the bytes of a medium; KEY.FIELD.jpg where a document has several
    KEY.txt    the text, where there is any
    KEY.json   all other columns of the line

KEY is the document's id and the number of its copy, so no key stands twice. The library
`webdataset` and Energon read such shards. No time and no owner stand in them: bytes depend on the
rows alone.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from curate.export.formats.energon import write_index, write_meta
from curate.export.formats.format import BATCH, Format, Write
from curate.export.media.bringing import Bringing, Stored, is_at_hand, is_whole
from curate.export.media.columns import NAME, nowhere, suffix_of
from curate.export.media.spoken import MESSAGES, places_in, spoken
from curate.export.quoting import quoted
from curate.export.values import rows_of
from curate.names import slug

if TYPE_CHECKING:
    import pyarrow as pa

ENDING = ".tar"
TEXT, JSON = "txt", "json"

RECORD = tarfile.RECORDSIZE
"""A tar file is filled up to a multiple of so many bytes."""

MOST_WORDS = 1 << 28
"""A text or a JSON member of more bytes is refused when it is read."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class WriteTar:
    """Opens a tar shard; `bring` gives the bytes of media, None where there are none."""

    bring: Bringing | None = None

    @property
    def format(self) -> Format:
        """The format of these shards."""
        return Format(ENDING, self, read_tar, beside=write_meta, media="within")

    def __call__(self, path: Path, schema: pa.Schema) -> AbstractContextManager[Write]:
        """Yield what appends documents to a shard."""
        return self._open(path, schema)

    @contextmanager
    def _open(self, path: Path, schema: pa.Schema) -> Iterator[Write]:
        with path.open("wb") as file:
            tar = _Tar(file)
            yield lambda table: self._append(tar, table.select(schema.names))
            starts = [*tar.starts, tar.size]
            tar.end()
        write_index(path, starts)

    def _append(self, tar: _Tar, table: pa.Table) -> None:
        for rows in table.to_batches(max_chunksize=BATCH):
            for line in rows_of(rows):
                self._line(tar, line)

    def _line(self, tar: _Tar, line: dict[str, Any]) -> None:
        """Append the members of one line: its media come first, since their sums stand in it."""
        tar.starts.append(tar.size)
        key = f"{line['id']}-{line['copy']}"
        text = line.pop("text")
        if line.get(NAME) is not None:
            names = member_names(line[NAME])
            line[NAME] = [
                self._medium(tar, key, medium, name)
                for medium, name in zip(line[NAME], names, strict=True)
            ]
            if line.get(MESSAGES) is not None:
                line[MESSAGES] = spoken(line[MESSAGES], places_in(line[NAME]))
        if text:
            tar.add(f"{key}.{TEXT}", [text.encode()])
        tar.add(f"{key}.{JSON}", [quoted(line).encode()])

    def _medium(self, tar: _Tar, key: str, medium: Stored, name: str) -> Mapping[str, Any]:
        if self.bring is None or not is_at_hand(medium):
            return nowhere(medium)
        path = f"{key}.{name}"
        size = None if is_whole(medium) else int(medium["bytes"])
        tar.add(path, self.bring.blocks(medium), size)
        digest = self.bring.exported_sha256(medium)
        return {**medium, "path": path, "exported_sha256": digest}


def member_names(media: Sequence[Stored]) -> list[str]:
    """What the members of a document's media are called after its key: `jpg`, or `FIELD.jpg`.

    Fields that are written alike are numbered.
    """
    suffixes = [suffix_of(m).lstrip(".") if is_at_hand(m) else "" for m in media]
    if len(media) == 1:
        return suffixes
    names = [slug(medium["field"]).replace(".", "-") or "medium" for medium in media]
    twice, seen = Counter(names), Counter[str]()
    told = []
    for name, suffix in zip(names, suffixes, strict=True):
        seen[name] += 1
        told.append(f"{name}-{seen[name]}.{suffix}" if twice[name] > 1 else f"{name}.{suffix}")
    return told


@dataclass
class _Tar:
    """A tar file that is written; `size` are its bytes so far, `starts` where samples begin."""

    file: BinaryIO
    size: int = 0
    starts: list[int] = field(default_factory=list)

    def add(self, name: str, blocks: Iterable[bytes], size: int | None = None) -> None:
        """Append a member; without its `size`, all of it is held in memory."""
        if size is None:
            blocks = list(blocks)
            size = sum(map(len, blocks))
        about = tarfile.TarInfo(name)
        about.size = size
        self._write(about.tobuf(tarfile.PAX_FORMAT))
        for block in blocks:
            self._write(block)
        self._write(bytes(-size % tarfile.BLOCKSIZE))

    def end(self) -> None:
        """Append what ends a tar file."""
        self._write(bytes(2 * tarfile.BLOCKSIZE))
        self._write(bytes(-self.size % RECORD))

    def _write(self, block: bytes) -> None:
        self.file.write(block)
        self.size += len(block)


def read_tar(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a shard, one in memory at a time.

    Each medium has the sum of its bytes there as `stored_sha256`. ValueError for a damaged shard.
    """
    key, parts, sums = "", dict[str, bytes](), dict[str, str]()
    try:
        with tarfile.open(path, "r|") as tar:
            for member in tar:
                name, dot, ending = member.name.partition(".")
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or not dot:
                    raise ValueError(f"{member.name} is not a member of a shard")
                if name != key and key:
                    yield _line(key, parts, sums)
                    parts, sums = {}, {}
                key = name
                if member.name in sums or ending in parts:
                    raise ValueError(f"{member.name} appears twice")
                if ending in (TEXT, JSON):
                    parts[ending] = _words(member, content)
                else:
                    sums[member.name] = _sum(content)
    except tarfile.TarError as error:
        raise ValueError(f"{path.name} is not a complete tar file: {error}") from None
    if key:
        yield _line(key, parts, sums)


def _words(member: tarfile.TarInfo, content: IO[bytes]) -> bytes:
    if member.size > MOST_WORDS:
        raise ValueError(f"{member.name} has {member.size} bytes: too many for words")
    return content.read()


def _sum(content: IO[bytes]) -> str:
    digest = sha256()
    while block := content.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _line(key: str, parts: Mapping[str, bytes], sums: dict[str, str]) -> dict[str, Any]:
    """A line from its members."""
    if JSON not in parts:
        raise ValueError(f"{key} has no {JSON}")
    line: dict[str, Any] = json.loads(parts[JSON])
    if key != f"{line['id']}-{line['copy']}":
        raise ValueError(f"{key} is not the key of its line")
    for medium in line.get(NAME) or ():
        medium["stored_sha256"] = sums.pop(str(medium["path"]), None)
    if sums:
        raise ValueError(f"{next(iter(sums))} belongs to no medium of its line")
    return {"id": line.pop("id"), "text": parts.get(TEXT, b"").decode(), **line}
