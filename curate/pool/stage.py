"""The stage `pool`: plan the work, stage the parts, set copies aside, count the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.engine import buckets_for
from curate.errors import DataError
from curate.pool import batches, copies, referred
from curate.pool.aside import (
    NOTHING,
    bad_rows,
    first_bad,
    first_of,
    not_read,
    stop_at_known,
    write_records,
)
from curate.pool.copies import Counts, Finish, Ids
from curate.pool.doubts import Rows, count_copies, doubts
from curate.pool.spec import COPIES, PoolSpec
from curate.pool.staging import Identity, Plan, StagedPart, stage
from curate.pool.work import (
    CHARS_PER_SHARD,
    FACTS,
    ROWS_PER_SHARD,
    Work,
    as_stored,
    plan_work,
)
from curate.sources.partitions import SPLIT
from curate.sources.readers.referring import Referring
from curate.sources.reading import File, Part, find, parts
from curate.stage import Cost, Stage
from curate.takedown.listed import removed
from curate.warning import StageWarning
from curate.workspace import Workspace

if TYPE_CHECKING:
    from curate.storage import Provenance

READS: tuple[str, ...] = ()
WRITES = ("pool", "duplicates")

REASONS = 10
"""A result has at most this many reasons of rows that were not used."""


@dataclass(frozen=True)
class PoolResult:
    """What was read, what was new, and what the pool holds.

    `read` counts the rows read in this run, `added` the documents that they added as `batch`. All
    other fields are about the whole pool. `skipped` counts what is no document (a binary file);
    `reasons` are the most common ones of those and of bad rows. `encodings` counts rows that were
    not UTF-8, `replaced` characters that were no text, `lost_bytes` those of damaged files. `media`
    counts images, audio and video; `media_tokens` are those of `tokens` that these count.
    """

    rows: int
    documents: int
    copies: int
    shared: int
    bad_rows: int
    skipped: int
    reasons: dict[str, int]
    encodings: dict[str, int]
    replaced: int
    lost_bytes: int
    left_out: int
    tokens: int
    media_tokens: int
    media: dict[str, int]
    holdout: int
    read: int
    added: int
    batch: int
    sources: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[StageWarning, ...] = ()


def inputs(workspace: Workspace, spec: PoolSpec) -> dict[str, str | None]:
    """The digests of the source files' names, sizes and times, and of a tokenizer's file.

    Files of media that rows name count where they moved or changed since the pool was made.
    """
    stats = [(file.label, file.size, file.modified) for file in find(spec.sources, workspace.root)]
    digests: dict[str, str | None] = {"sources": storage.digest(stats)}
    if spec.tokenizer.endswith(".json") and workspace.path(spec.tokenizer).is_file():
        digests["tokenizer"] = storage.file_digest(workspace.path(spec.tokenizer))
    if referred.are_named(spec.sources):
        moved = referred.changed(workspace.tables.folder("pool"), workspace.root)
        digests |= {"media": moved} if moved else {}
    return digests


def run(workspace: Workspace, spec: PoolSpec) -> PoolResult:
    """Read the new files, give every document its id, and keep one document of each id.

    RecipeError without sources; DataError if they hold no document or, if `strict`, a bad row.
    """
    files = find(spec.sources, workspace.root)
    own_inputs = inputs(workspace, spec)
    has_moved = own_inputs.pop("media", None) is not None  # it reads them again
    was = batches.before(workspace.tables.folder("pool"), can_grow=not has_moved)
    work = plan_work(workspace, spec, files, was)
    if spec.strict and work.grows:
        stop_at_known(storage.read_json(workspace.tables.folder("pool") / "_rejected.json"))
    provenance = workspace.freshness.provenance(
        "pool",
        spec,
        own_inputs,
        sources=list(work.names),
        files=[{name: file[name] for name in FACTS} for file in work.files],
        tokenizer=work.counts["tokens"],
    )
    with workspace.tables.building("pool", provenance) as folder:
        staged = _staged(workspace, spec, work, folder / "_staged")
        counts = _without_copies(workspace, work, folder)
        if not counts.documents:
            raise DataError(f"the sources hold no document{first_bad(staged)}", hint=NOTHING)
        write_records(folder, workspace.tables.folder("pool"), work, staged, max(counts.batches))
        _duplicates(workspace, work, folder, provenance)
        if referred.are_named(spec.sources):
            referred.write(folder, workspace.root, [file.label for file in files])
        for scaffold in ("_staged", "_copies", "_changes", "_dropped"):
            storage.remove(folder / scaffold)
    return _result(workspace, spec, work, staged, counts, _splits(files))


def _staged(workspace: Workspace, spec: PoolSpec, work: Work, folder: Path) -> list[StagedPart]:
    """Read every part that was not read yet; return all of them in their order."""
    (folder / "ids").mkdir(parents=True, exist_ok=True)
    refused = removed(workspace.root)
    drawn = (spec.holdout, spec.share, spec.seed, work.batch)
    identity = Identity(work.counts, *drawn, refused, spec.media_tokens)
    store = workspace.root / COPIES if spec.media == "copy" else None
    referring = Referring(spec.media_limits, store, COPIES)
    bounds = (ROWS_PER_SHARD, CHARS_PER_SHARD)
    plan = Plan(spec.sources, work.names, spec.strict, identity, folder, *bounds, referring)
    todo = parts(spec.sources, workspace.root, files=work.fresh)
    staged: dict[int, StagedPart] = {}
    weights = _bytes(todo, work.fresh)
    with workspace.watch("reading, bytes", sum(weights)) as advance:
        for place, part in workspace.engine.each(partial(stage, plan), list(enumerate(todo))):
            staged[place] = part
            advance(weights[place])
    return [staged[place] for place in range(len(todo))]


def _bytes(todo: Sequence[Part], files: Sequence[File]) -> list[int]:
    """The bytes of the parts, near enough for a progress bar."""
    sizes = {file.address: file.size for file in files}
    cuts = Counter(part.address for part in todo)
    return [
        sum(
            sizes[file_part.address] // max(1, cuts[file_part.address])
            for file_part in (part, *part.more)
        )
        for part in todo
    ]


def _without_copies(workspace: Workspace, work: Work, folder: Path) -> Counts:
    """Write the final shards; return their counts."""
    engine, staging_folder = workspace.engine, folder / "_staged"
    ranks = {name: rank for rank, name in enumerate(work.names)}
    new = storage.shards(staging_folder / "ids")
    old = list(work.was.shards)
    buckets = buckets_for(work.was.rows + _rows(new))
    changes_by_shard: list[Path] = []
    if new:
        changes_by_id = engine.shuffle(
            copies.changes,
            [*old, *new],
            folder / "_copies",
            key="id",
            buckets=buckets,
            load=Ids(ranks, real=work.grows),
        )
        changes_by_shard = engine.shuffle(
            copies.by_shard, changes_by_id, folder / "_changes", key="shard", buckets=buckets
        )
    finish = Finish(
        folder,
        folder / "_dropped",
        changes_by_shard,
        work.names,
        work.counts,
        work.was.counts or {},
        work.media_tokens,
        work.was.media_tokens != as_stored(work.media_tokens),
    )
    shards = [*(old if work.grows else ()), *(staging_folder / path.name for path in new)]
    total = Counts()
    with workspace.watch("setting copies aside", None) as advance:
        for _, counts in engine.each(finish, shards):
            total += counts
            advance(counts.documents)
    return total


def _rows(shards: Sequence[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in shards)


def _splits(files: Sequence[File]) -> tuple[str, ...]:
    """The splits of files, where there are several."""
    splits = {dict(file.columns).get(SPLIT) for file in files} - {None}
    return tuple(sorted(map(str, splits))) if len(splits) > 1 else ()


def _notes(
    unused: Sequence[Mapping[str, Any]], encodings: Mapping[str, int], splits: Sequence[str]
) -> Iterator[str]:
    """Yield what a reader of the result should know about the rows."""
    if splits:
        yield f"several splits, told apart by `{SPLIT}` in meta: {', '.join(splits)}"
    for word, skipped in (("not used", False), ("skipped", True)):
        reasons = Counter[str]()
        for row in unused:
            if row["skipped"] is skipped:
                reasons[row["reason"]] += row.get("rows", 1)
        if reasons:
            most = ", ".join(f"{why} ({n:,})" for why, n in reasons.most_common(3))
            more = ", …" if len(reasons) > 3 else ""
            yield f"{word}: {most}{more}; each in pool/_rejected.json"
    if encodings:
        yield "rows in another encoding than UTF-8: " + ", ".join(
            f"{name} ({count:,})" for name, count in sorted(encodings.items())
        )


def _duplicates(workspace: Workspace, work: Work, folder: Path, provenance: Provenance) -> None:
    dropped = folder / "_dropped"
    shards = storage.shards(dropped) if dropped.exists() else []
    old = workspace.tables.folder("duplicates")
    if work.grows and old.exists():
        shards = [old, *shards]
    schema = tables.schema("duplicates")
    storage.write_file_parts(old, schema, shards, provenance)


def _result(
    workspace: Workspace,
    spec: PoolSpec,
    work: Work,
    staged: Sequence[StagedPart],
    counts: Counts,
    splits: Sequence[str],
) -> PoolResult:
    folder = workspace.tables.folder("pool")
    record = storage.read_json(folder / batches.RECORD)
    unused = storage.read_json(folder / "_rejected.json")
    bad = bad_rows(unused)
    aside = record["left_out"] + record["refused"]
    copies = count_copies(workspace.tables.folder("duplicates"))
    rows = Rows(
        work.names,
        counts.sources,
        copies,
        bad,
        record["replaced"],
        counts.holdout,
        spec.holdout,
        first_of(unused),
        sum(row.get("lost", 0) for row in unused),
        not_read(unused),
        record.get("guessed") or {},
    )
    return PoolResult(
        rows=counts.documents + copies.total() + bad + aside,
        documents=counts.documents,
        copies=copies.total(),
        shared=counts.shared,
        bad_rows=bad,
        skipped=sum(row["skipped"] for row in unused),
        reasons=dict(Counter(row["reason"] for row in unused).most_common(REASONS)),
        encodings=record["encodings"],
        replaced=record["replaced"],
        lost_bytes=rows.lost,
        left_out=aside,
        tokens=counts.tokens,
        media_tokens=counts.media_tokens,
        media=dict(sorted(counts.media.items())),
        holdout=counts.holdout,
        read=sum(part.rows + bad_rows(part.bad) for part in staged),
        added=counts.batches[work.batch],
        batch=record["batch"],
        sources={name: counts.sources[name] for name in work.names if counts.sources[name]},
        notes=tuple(_notes(unused, record["encodings"], splits)),
        warnings=tuple(doubts(rows)),
    )


STAGE = Stage(
    name="pool",
    spec=PoolSpec,
    run=run,
    reads=READS,
    writes=WRITES,
    examples=(
        "curate pool --holdout 0.05",
        "curate pool --tokenizer cl100k_base    (counts again what is stored)",
    ),
    inputs=inputs,
    bulk=True,
    cost=Cost(run, writes="pool"),
)
