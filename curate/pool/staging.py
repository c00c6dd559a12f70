"""Read one part of the sources into shards of the pool, before copies are set aside.

A worker reads a part alone. It writes the shards, a narrow file of ids beside each, and last the
record of the part. A part without a record is read again as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import chance, storage, tables, tokens
from curate.media.counting import MediaTokens
from curate.media.medium import Medium
from curate.sources.readers.referring import REFERRING, Referring
from curate.sources.reading import Bad, Part, Row, SourceSpec, content, read

if TYPE_CHECKING:
    import pyarrow as pa

AS_READ = (
    *("source", "origin", "template", "license", "language", "meta", "media", "turns", "details"),
)
"""The columns whose values stay as they were read."""

PART_BITS, SHARD_BITS = 24, 20
"""A shard's number holds its batch, its part, and its place among the shards of the part."""


@dataclass(frozen=True)
class Identity:
    """The settings that turn a row into a document of the pool.

    `counts` are the token columns and their tokenizers, `media` says what media count. `refused`
    are ids that were taken down. `share` is the share of all ids that stays.
    """

    counts: Mapping[str, str]
    holdout: float
    share: float
    seed: int
    batch: int
    refused: frozenset[str] = frozenset()
    media: MediaTokens | None = None


@dataclass(frozen=True)
class Plan:
    """Everything a worker needs to read parts; `names` are the sources' names in their order.

    `referring` is how media are referred to.
    """

    sources: tuple[SourceSpec, ...]
    names: tuple[str, ...]
    strict: bool
    identity: Identity
    folder: Path
    rows_per_shard: int
    chars_per_shard: int
    referring: Referring = REFERRING


@dataclass(frozen=True)
class StagedPart:
    """What a part held: the rows read, and how many of them were left out or refused.

    `encodings` counts the rows that were not UTF-8, `replaced` the characters that were no text.
    `guessed` are files whose encoding was guessed from few bytes: `file`, `encoding` and `bytes`.
    """

    rows: int
    left_out: int
    refused: int
    bad: tuple[dict[str, Any], ...]
    shards: tuple[str, ...]
    encodings: Mapping[str, int]
    replaced: int
    guessed: tuple[dict[str, Any], ...] = ()


def shard_number(batch: int, part: int, place: int) -> int:
    """The number of a shard; numbers sort as the names of shards do."""
    return ((batch << PART_BITS | part) << SHARD_BITS) | place


def shard_name(number: int) -> str:
    """The file name of a shard."""
    place, rest = number & ((1 << SHARD_BITS) - 1), number >> SHARD_BITS
    return f"{rest >> PART_BITS:04}-{rest & ((1 << PART_BITS) - 1):07}-{place:04}.parquet"


def number_of(name: str) -> int:
    """The number of the shard with that file name."""
    batch, part, place = name.removesuffix(".parquet").split("-")
    return shard_number(int(batch), int(part), int(place))


def ids_schema() -> pa.Schema:
    """The schema of the narrow files, which hold what is needed to find copies."""
    import pyarrow as pa

    return pa.schema(
        [
            ("id", pa.binary(16)),
            ("batch", pa.int32()),
            ("rank", pa.int32()),
            ("shard", pa.int64()),
            ("row", pa.int32()),
            ("also", pa.list_(pa.int32())),
        ]
    )


def stage(plan: Plan, item: tuple[int, Part]) -> StagedPart:
    """Write the shards of one part, then its record; do nothing if the record exists.

    The same part always gives the same bytes.
    """
    number, part = item
    path = plan.folder / f"{plan.identity.batch:04}-{number:07}.json"
    record = storage.read_json(path)
    if record is not None:
        return _staged_part(record)
    bad: list[dict[str, Any]] = []
    shards: list[str] = []
    counts = {"rows": 0, "left_out": 0, "refused": 0, "replaced": 0}
    encodings: Counter[str] = Counter()
    guessed: dict[str, dict[str, Any]] = {}
    for rows in _batches(plan, part, bad):
        table, left_out, refused = identify(rows, plan.identity)
        counts["rows"] += len(rows)
        counts["replaced"] += sum(row.replaced for row in rows)
        encodings.update(row.encoding for row in rows if row.encoding)
        guessed.update(_guessed(rows))
        counts["left_out"] += left_out
        counts["refused"] += refused
        if table.num_rows:
            shard = shard_number(plan.identity.batch, number, len(shards))
            _write(plan, shard, table)
            shards.append(shard_name(shard))
    record = {
        **counts,
        "bad": bad,
        "shards": shards,
        "encodings": dict(encodings),
        "guessed": [*guessed.values()],
    }
    storage.write_json(path, record)
    return _staged_part(record)


def _staged_part(record: Mapping[str, Any]) -> StagedPart:
    lists = {name: tuple(record.get(name, ())) for name in ("bad", "shards", "guessed")}
    return StagedPart(**{**record, **lists})


def _guessed(rows: Sequence[Row]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files of rows whose encoding was guessed from few bytes, by their names."""
    for row in rows:
        if row.evidence is not None:
            file = row.origin.rpartition(":")[0]
            yield file, {"file": file, "encoding": row.encoding, "bytes": row.evidence}


def _batches(plan: Plan, part: Part, bad: list[dict[str, Any]]) -> Iterator[list[Row]]:
    rows: list[Row] = []
    chars = 0
    source, referring = plan.sources[part.source], plan.referring
    for row in read(source, part, strict=plan.strict, referring=referring):
        if isinstance(row, Bad):
            bad.append(row._asdict())
            continue
        rows.append(row)
        chars += sum([len(text) for _, text in row.fields])
        if len(rows) >= plan.rows_per_shard or chars >= plan.chars_per_shard:
            yield rows
            rows, chars = [], 0
    if rows:
        yield rows


def identify(rows: Sequence[Row], identity: Identity) -> tuple[pa.Table, int, int]:
    """Give rows their canonical text, id, token counts and holdout mark. Pure.

    Returns the documents, the number of rows outside the share, and the number of refused rows.
    """
    contents = [content(row) for row in rows]
    ids = [document.id for document in contents]
    places = _places_in_share(ids, identity)
    refused = sum(ids[place] in identity.refused for place in places) if identity.refused else 0
    if refused:
        places = [place for place in places if ids[place] not in identity.refused]
    rows, contents = [rows[place] for place in places], [contents[place] for place in places]
    left_out = len(ids) - len(places) - refused
    ids = [ids[place] for place in places]
    texts = [document.text for document in contents]
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in AS_READ}
    columns |= {"id": ids, "text": texts, "fields": [document.fields for document in contents]}
    of_media = columns["media_tokens"] = [media_tokens(row.media, identity.media) for row in rows]
    for column, tokenizer in identity.counts.items():
        count = tokens.counter(tokenizer)
        columns[column] = [count(text) + own for text, own in zip(texts, of_media, strict=True)]
    columns["holdout"] = [False] * len(ids)
    if ids and identity.holdout:
        noise = chance.uniform(ids, identity.seed, "holdout")
        columns["holdout"] = (noise < identity.holdout).tolist()
    columns["batch"] = [identity.batch] * len(ids)
    columns["also"] = [[] for _ in ids]
    return _table(columns, len(ids)), left_out, refused


def media_tokens(media: Sequence[Mapping[str, Any]] | None, counted: MediaTokens | None) -> int:
    """What the media of a document count; they count nothing where that is not declared."""
    if not media or counted is None:
        return 0
    return sum(counted.of(Medium.of(medium)) for medium in media)


def _places_in_share(ids: Sequence[str], identity: Identity) -> list[int]:
    if identity.share >= 1:
        return list(range(len(ids)))
    noise = chance.uniform(ids, identity.seed, "share") if ids else ()
    return [place for place, value in enumerate(noise) if value < identity.share]


def _table(columns: Mapping[str, Any], rows: int) -> pa.Table:
    import pyarrow as pa

    schema = tables.schema("pool")
    arrays = {
        field.name: pa.array(columns.get(field.name, [None] * rows), field.type) for field in schema
    }
    more = {name: pa.array(columns[name], pa.int64()) for name in columns if ":" in name}
    return pa.table({**arrays, **more})


def _write(plan: Plan, shard: int, table: pa.Table) -> None:
    ranks = {name: rank for rank, name in enumerate(plan.names)}
    name = shard_name(shard)
    narrow = narrow_rows(table, shard, ranks)
    storage.write_parquet(plan.folder / "ids" / name, narrow)
    storage.write_parquet(plan.folder / name, table)


def narrow_rows(documents: pa.Table, shard: int, ranks: Mapping[str, int]) -> pa.Table:
    """The ids and places of a shard's documents, as needed to find copies."""
    import numpy as np
    import pyarrow as pa

    rows = documents.num_rows
    ids = pa.array([bytes.fromhex(id) for id in documents["id"].to_pylist()], pa.binary(16))
    rank = [ranks[source] for source in documents["source"].to_pylist()]
    also = [[ranks[name] for name in names or ()] for names in documents["also"].to_pylist()]
    columns = [
        ids,
        documents["batch"].combine_chunks(),
        pa.array(rank, pa.int32()),
        pa.array(np.full(rows, shard, np.int64)),
        pa.array(np.arange(rows, dtype=np.int32)),
        pa.array(also, pa.list_(pa.int32())),
    ]
    return pa.table(columns, schema=ids_schema())
