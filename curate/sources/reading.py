"""Read the sources: their files, the parts in which workers read them, and rows.

    sources ──find──▶ files ──parts──▶ parts ──read──▶ rows, and bad rows with their reason

Any worker can read a part alone. An origin is `label:line`, however the file is cut into parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from curate.errors import DataError
from curate.media.medium import KINDS
from curate.sources.finding import File, find
from curate.sources.readers import objects, parquet
from curate.sources.readers.decoding import AUTO, Decoder
from curate.sources.readers.evidence import NONE, Evidence, Foreign
from curate.sources.readers.opening import BLOCK, Reading, Skip, remote, split_suffix
from curate.sources.readers.referring import AGAIN, REFERRING, Referring
from curate.sources.readers.registry import reader
from curate.sources.readers.unpacking import packing_of
from curate.sources.rows import Bad, Content, Row, Shape, briefly, content
from curate.sources.source_spec import SourceSpec

__all__ = [
    "AsItCame",
    "Bad",
    "Content",
    "File",
    "Part",
    "Row",
    "SourceSpec",
    "content",
    "find",
    "parts",
    "read",
    "read_as_it_came",
]

MEND = "correct the row, or leave out `strict`: such rows are then kept aside and counted"

OPENING = 4096
"""The cost of opening a file, in bytes read: many tiny files still make several parts."""


@dataclass(frozen=True)
class Part:
    """A unit of reading; it can be pickled, and one worker reads it.

    `source`, `name`, `address`, `label`, `skip` and `columns` are those of its file. `start` and
    `end` are bytes (JSON lines) or row groups (Parquet), half-open; `first` is the number of the
    first line or row. `more` are further small files, read after this one. `foreign` is what is
    known of the lines of the file that are not UTF-8.
    """

    source: int
    name: str
    address: str
    label: str
    start: int = 0
    end: int | None = None
    first: int = 1
    format: str = "jsonl"
    skip: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    more: tuple[Part, ...] = ()
    foreign: Foreign | None = None


def parts(
    sources: Sequence[SourceSpec],
    root: Path,
    *,
    size: int = 32 << 20,
    files: Iterable[File] | None = None,
) -> list[Part]:
    """The parts to read, in the order of the sources; a part is about `size` bytes or one file.

    Plain JSON lines are cut at line ends, Parquet at row groups. Other large files stay whole;
    small files are put together. `files` are those to read (default: all that `find` lists).
    """
    all_parts: list[Part] = []
    small: list[Part] = []
    weight = 0
    for file in find(sources, root) if files is None else files:
        about = (file.source, file.name, file.address, file.label)
        whole = Part(*about, format=file.format, skip=file.skip, columns=file.columns)
        cost = file.size + OPENING
        if small and (weight + cost > size or small[0].source != file.source):
            all_parts.append(_together(small))
            small, weight = [], 0
        if file.size > size:
            all_parts += _cut(whole, sources[file.source], size)
        else:
            small.append(whole)
            weight += cost
    return [*all_parts, _together(small)] if small else all_parts


def _together(small: Sequence[Part]) -> Part:
    return replace(small[0], more=tuple(small[1:]))


def _cut(part: Part, source: SourceSpec, size: int) -> list[Part]:
    plain = not (remote(part.address) or split_suffix(part.address)[2] or _is_packed(part))
    part = _as_lines(part, source) if plain else part
    if part.format == "jsonl" and plain:
        edges, foreign = _line_edges(part, source, size)
        part = replace(part, foreign=foreign)
    elif part.format == "parquet":
        try:
            edges = parquet.edges(Reading(part.address, part.label, part.format), size)
        except DataError:
            return [part]  # its reader says what is wrong
    else:
        return [part]
    return [
        replace(part, start=start, end=end, first=first)
        for (start, first), (end, _) in pairwise(edges)
    ]


def _is_packed(part: Part) -> bool:
    """Whether a file is packed, though its name does not say so."""
    with Path(part.address).open("rb") as file:
        return packing_of(file.read(OPENING)) is not None


def _as_lines(part: Part, source: SourceSpec) -> Part:
    """The part as JSON lines if it holds them, else as JSON, which is never cut."""
    decoder = Decoder(source.encoding, foreign=NONE)
    reading = Reading(part.address, part.label, part.format, decoder=decoder)
    if part.format == "json" and objects.holds_lines(reading):
        return replace(part, format="jsonl")
    if part.format == "jsonl" and objects.spans_lines(reading):
        return replace(part, format="json")
    return part


def _line_edges(part: Part, source: SourceSpec, size: int) -> tuple[list[tuple[int, int]], Foreign]:
    """(byte, line number) of the start of every part, and of the end; and the lines' encoding."""
    edges, at, line, next_edge = [(0, 1)], 0, 1, size
    decoder = Decoder(source.encoding, foreign=NONE)
    evidence = Evidence()
    with Path(part.address).open("rb") as file:
        while block := file.read(BLOCK):
            if not at:
                decoder.start(block)
            if source.encoding == AUTO and not (decoder.wide or evidence.enough):
                evidence.add(block)
            while at + len(block) > next_edge and not decoder.wide:
                cut = block.find(b"\n", max(0, next_edge - at)) + 1
                if not cut:
                    break
                edges.append((at + cut, line + block.count(b"\n", 0, cut)))
                next_edge = at + cut + size
            at += len(block)
            line += block.count(b"\n")
    return [*(edge for edge in edges if edge[0] < at), (at, line)], evidence.foreign() or NONE


# ── reading


def read(
    source: SourceSpec, part: Part, *, strict: bool, referring: Referring = REFERRING
) -> Iterator[Row | Bad]:
    """Yield the rows of a part; a row that cannot be used is a `Bad`, or a DataError if `strict`.

    A file that ends too early or cannot be read is one `Bad`, after its rows. A query or a hub
    that fails is always a DataError. What is skipped is never an error. `referring` is how media
    are referred to.
    """
    for file_part in (part, *part.more):
        if file_part.skip:
            yield Bad(file_part.name, file_part.label, 0, file_part.skip, skipped=True)
        else:
            yield from _read_one(source, file_part, strict, referring)


@dataclass(frozen=True)
class AsItCame:
    """A row of a file as its reader has it, and what makes a row of the pool of it.

    `number` is that of its line or row in the file.
    """

    file: Part
    number: int
    values: Mapping[str, Any]
    shape: Shape

    def row(self) -> Row | None:
        """The row of the pool; None where it could not be used."""
        try:
            return self.shape(self.values, self.file.name, self.number)
        except ValueError:
            return None


def read_as_it_came(source: SourceSpec, file: Part) -> Iterator[AsItCame]:
    """Yield the rows of one file of a part as they came; what is no row is left out.

    DataError where a file cannot be read any further.
    """
    reading, shape = _opened(source, file, AGAIN)
    for number, result in reader(file.format)(reading):
        if isinstance(result, Mapping):
            yield AsItCame(file, number, result, shape)


def _opened(
    source: SourceSpec, part: Part, referring: Referring = REFERRING
) -> tuple[Reading, Shape]:
    """What a reader needs of a file, and what makes rows of the pool."""
    replacing = source.undecodable == "replace"
    decoder = Decoder(source.encoding, replace=replacing, foreign=part.foreign)
    where = (part.address, part.label, part.format, part.start, part.end, part.first)
    query = _query(source, part.format)
    reading = Reading(*where, source.max_bytes, query, decoder, referring=referring)
    return reading, Shape(source, reading, dict(part.columns))


def _read_one(
    source: SourceSpec, part: Part, strict: bool, referring: Referring
) -> Iterator[Row | Bad]:
    reading, shape = _opened(source, part, referring)
    number = part.first - 1
    try:
        for number, result in reader(part.format)(reading):
            if reading.lost:
                yield from _lost(reading, part, strict)
            if isinstance(result, Skip):
                yield Bad(part.name, part.label, number, briefly(result.reason), skipped=True)
            else:
                yield _row(result, number, part, shape, reading.decoder, strict)
        yield from _lost(reading, part, strict)
    except DataError as error:
        if strict or part.format in ("sql", "hub"):
            raise
        yield from _lost(reading, part, strict)
        cause = error.message.removeprefix(part.label).lstrip(":, ")
        yield Bad(part.name, part.label, number, briefly(cause))


def _row(
    result: Mapping[str, Any] | str,
    number: int,
    part: Part,
    shape: Shape,
    decoder: Decoder,
    strict: bool,
) -> Row | Bad:
    try:
        if isinstance(result, str):
            raise ValueError(result)
        row = shape(result, part.name, number)
    except ValueError as error:
        if strict:
            raise DataError(f"{part.label}, line {number}: {error}", hint=MEND) from None
        return Bad(part.name, part.label, number, briefly(str(error)))
    if decoder.odd:
        row = row._replace(
            encoding=decoder.encoding, evidence=decoder.evidence, replaced=decoder.taken()
        )
    return row


def _lost(reading: Reading, part: Part, strict: bool) -> Iterator[Bad]:
    """Yield what of a file could not be read since the last call; DataError for it if `strict`."""
    for lost in reading.lost:
        if strict:
            raise DataError(f"{part.label}, {lost.reason}", hint=MEND)
        is_mended = lost.harmless and not lost.size
        where = (part.name, part.label, lost.row, briefly(lost.reason))
        yield Bad(*where, skipped=is_mended, rows=lost.rows, lost=lost.size)
    reading.lost.clear()


def _query(source: SourceSpec, format: str) -> Any:
    if source.database:
        return source.database.query
    if format in ("csv", "tsv"):
        return source.delimiter
    if format == "pdf":
        return source.pages
    if format in KINDS:
        return source.captions
    hub = source.dataset
    return hub and (hub.config, hub.split, hub.revision)
