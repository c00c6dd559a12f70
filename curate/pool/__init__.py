"""Collect every distinct document, with an id that is its content and an exact token count.

    sources ──pool──▶ pool · duplicates

Workers read the sources part by part into shards; ids alone are shuffled to find exact copies, so
that memory stays flat however large the sources are. What was read before is not read again: new
files become a new batch.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from curate import storage, tables, tokens
from curate.engine import buckets_for
from curate.errors import DataError, RecipeError
from curate.pool import batches, copies
from curate.pool.batches import Before
from curate.pool.copies import Counts, Finish, Ids
from curate.pool.sources import File, Part, SourceSpec, find, parts
from curate.pool.staging import Found, Identity, Plan, stage
from curate.removals import removed
from curate.spec import Spec
from curate.workspace import Workspace

if TYPE_CHECKING:
    from curate.storage import Provenance

READS: tuple[str, ...] = ()
WRITES = ("pool", "duplicates")

REASONS = 10
"""How many reasons of rows that were not used a result tells."""

ROWS_PER_SHARD = 10_000
CHARS_PER_SHARD = 32 << 20
"""A shard ends at whichever comes first, so that a worker's memory does not hang on the texts."""


class PoolSpec(Spec):
    """What to collect, and how to count it."""

    sources: Annotated[
        tuple[SourceSpec, ...], Field(description="Where documents come from, in order.")
    ] = ()
    tokenizer: Annotated[
        str, Field(description="A bpe-openai encoding, `bytes`, or a tokenizer.json.")
    ] = tokens.DEFAULT
    holdout: Annotated[
        float, Field(ge=0, lt=1, description="Share kept to measure on, never shown or exported.")
    ] = 0.0
    share: Annotated[
        float, Field(gt=0, le=1, description="Share of all documents, by id, to try a recipe on.")
    ] = 1.0
    strict: Annotated[
        bool, Field(description="Stop at the first bad row; otherwise keep it aside, counted.")
    ] = False
    seed: Annotated[int, Field(description="Seed of the holdout and of the share.")] = 0


@dataclass(frozen=True)
class PoolResult:
    """What was read, what was new, and what it amounts to.

    `read` counts the rows read in this run, `added` the documents that came of them as `batch`;
    `skipped` are what is no document (a binary file), and `reasons` the most common of those and
    of bad rows; `encodings` counts rows that were not UTF-8, `replaced` characters that were no
    text;
    all else is of the whole pool.
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
    left_out: int
    tokens: int
    holdout: int
    read: int
    added: int
    batch: int
    sources: dict[str, int]
    notes: tuple[str, ...]


def inputs(workspace: Workspace, spec: PoolSpec) -> dict[str, str | None]:
    """Return a digest of the source files' names, sizes and times, and of a tokenizer's file."""
    stats = [(each.label, each.size, each.modified) for each in find(spec.sources, workspace.root)]
    found: dict[str, str | None] = {"sources": storage.digest(stats)}
    if spec.tokenizer.endswith(".json") and workspace.path(spec.tokenizer).is_file():
        found["tokenizer"] = storage.file_digest(workspace.path(spec.tokenizer))
    return found


def run(workspace: Workspace, spec: PoolSpec) -> PoolResult:
    """Read what is new in the sources, give every document its id, and keep one of each."""
    if not spec.sources:
        raise RecipeError(
            "pool.sources: there are none", hint="name files under `pool: {sources: …}`"
        )
    files = find(spec.sources, workspace.root)
    was = batches.before(workspace.folder("pool"))
    work = _work(workspace, spec, files, was)
    if spec.strict and work.grows:
        _stop_at_known(storage.read_json(workspace.folder("pool") / "_rejected.json"))
    made = workspace.provenance(
        "pool",
        spec,
        inputs(workspace, spec),
        sources=list(work.names),
        files=[{name: each[name] for name in _FACTS} for each in work.files],
        tokenizer=work.counts["tokens"],
    )
    with workspace.building("pool", made) as folder:
        found = _staged(workspace, spec, work, folder / "_staged")
        counts = _without_copies(workspace, work, folder)
        if not counts.documents:
            raise DataError(f"the sources hold no document{_first_bad(found)}", hint=NOTHING)
        _records(folder, workspace.folder("pool"), work, found, max(counts.batches))
        copied = _duplicates(workspace, work, folder, made)
        for scaffold in ("_staged", "_copies", "_changes", "_dropped"):
            shutil.rmtree(folder / scaffold, ignore_errors=True)
    return _result(workspace, work, found, counts, copied)


_FACTS = ("path", "size", "sha256")


@dataclass(frozen=True)
class Work:
    """What there is to do: the files that are read, as which batch, beside which shards.

    `files` are the records of all files, `fresh` the files to read; `grows` says that the pool
    goes on from `was`, of which otherwise only the batches count.
    """

    names: tuple[str, ...]
    files: tuple[dict[str, Any], ...]
    fresh: tuple[File, ...]
    was: Before
    grows: bool
    reading: str
    batch: int
    counts: dict[str, str]


def _work(workspace: Workspace, spec: PoolSpec, files: Sequence[File], was: Before) -> Work:
    tokenizer = _path_of(workspace, spec.tokenizer)
    tokens.counter(tokenizer)  # a wrong name is told before anything is read
    reading = storage.digest([spec.holdout, spec.share, spec.seed])
    grows = batches.can_grow(was, files, spec.sources, reading)
    known = was.files if grows and was.files else {}
    fresh = [file for file in files if (file.label, file.name) not in known]
    facts = dict(workspace.engine.each(batches.fact, fresh))
    read = {file: facts[place] for place, file in enumerate(fresh)}
    records = [
        batches.record(file, spec.sources[file.source], read[file])
        if file in read
        else {**known[file.label, file.name], "modified": file.modified}
        for file in files
    ]
    counts = {"tokens": tokenizer}
    if grows:
        others = {each for each in (was.counts or {}).values() if each != tokenizer}
        counts |= {f"tokens:{Path(each).stem}": each for each in sorted(others)}
    names = tuple(dict.fromkeys(file.name for file in files))
    batch = was.batch + 1
    return Work(names, tuple(records), tuple(fresh), was, grows, reading, batch, counts)


def _path_of(workspace: Workspace, tokenizer: str) -> str:
    is_file = tokenizer.endswith(".json")
    return str(workspace.path(tokenizer).resolve()) if is_file else tokenizer


def _staged(workspace: Workspace, spec: PoolSpec, work: Work, folder: Path) -> list[Found]:
    """Read every part that is not read yet; return what the parts held, in their order."""
    (folder / "ids").mkdir(parents=True, exist_ok=True)
    identity = Identity(
        work.counts, spec.holdout, spec.share, spec.seed, work.batch, removed(workspace.root)
    )
    plan = Plan(
        spec.sources, work.names, spec.strict, identity, folder, ROWS_PER_SHARD, CHARS_PER_SHARD
    )
    todo = parts(spec.sources, workspace.root, files=work.fresh)
    found: dict[int, Found] = {}
    weights = _bytes(todo, work.fresh)
    with workspace.watch("reading, bytes", sum(weights)) as advance:
        for place, part in workspace.engine.each(partial(stage, plan), list(enumerate(todo))):
            found[place] = part
            advance(weights[place])
    return [found[place] for place in range(len(todo))]


def _bytes(todo: Sequence[Part], files: Sequence[File]) -> list[int]:
    """Return how many bytes each part has, near enough for a bar."""
    sizes = {file.address: file.size for file in files}
    cuts = Counter(part.address for part in todo)
    return [
        sum(sizes[each.address] // max(1, cuts[each.address]) for each in (part, *part.more))
        for part in todo
    ]


def _without_copies(workspace: Workspace, work: Work, folder: Path) -> Counts:
    """Write the shards as they stay; return what they amount to."""
    engine, staged = workspace.engine, folder / "_staged"
    ranks = {name: rank for rank, name in enumerate(work.names)}
    new = storage.shards(staged / "ids")
    old = list(work.was.shards)
    buckets = buckets_for(work.was.rows + _rows(new))
    changed: list[Path] = []
    if new:
        told = engine.shuffle(
            copies.changes,
            [*old, *new],
            folder / "_copies",
            key="id",
            buckets=buckets,
            load=Ids(ranks, real=work.grows),
        )
        changed = engine.shuffle(
            copies.by_shard, told, folder / "_changes", key="shard", buckets=buckets
        )
    finish = Finish(
        folder, folder / "_dropped", changed, work.names, work.counts, work.was.counts or {}
    )
    shards = [*(old if work.grows else ()), *(staged / path.name for path in new)]
    total = Counts()
    with workspace.watch("setting copies aside", None) as advance:
        for _, counts in engine.each(finish, shards):
            total += counts
            advance(counts.documents)
    return total


def _rows(shards: Sequence[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in shards)


def _stop_at_known(aside: Sequence[Mapping[str, Any]]) -> None:
    """Raise DataError for the first bad row of files that are not read again."""
    for row in aside:
        if not row["skipped"]:
            raise DataError(
                f"{row['file']}, line {row['row']}: {row['reason']}",
                hint="mend the row; without `strict` such rows are kept aside, counted",
            )


NOTHING = "check the paths under `pool:`; `curate pool --strict` stops at the first bad row"


def _first_bad(found: Sequence[Found]) -> str:
    for each in found:
        for row in each.bad:
            return f": {row['file']}, line {row['row']}: {row['reason']}"
    return ""


def _notes(
    unused: Sequence[Mapping[str, Any]], encodings: Mapping[str, int], replaced: int
) -> Iterator[str]:
    """Yield what a reader of the result should know about what was read."""
    for word, skipped in (("not used", False), ("skipped", True)):
        reasons = Counter(each["reason"] for each in unused if each["skipped"] is skipped)
        if reasons:
            most = ", ".join(f"{why} ({n:,})" for why, n in reasons.most_common(3))
            more = ", …" if len(reasons) > 3 else ""
            yield f"{word}: {most}{more}; each in pool/_rejected.json"
    if encodings:
        yield "rows in another encoding than UTF-8: " + ", ".join(
            f"{name} ({count:,})" for name, count in sorted(encodings.items())
        )
    if replaced:
        yield f"characters that were no text, replaced: {replaced:,}"


def _records(folder: Path, old: Path, work: Work, found: Sequence[Found], batch: int) -> None:
    """Write what was read and what was set aside, beside the shards."""
    aside = storage.read_json(old / "_rejected.json") or [] if work.grows else []
    _write_rows(
        folder / "_rejected.json", chain(aside, (row for each in found for row in each.bad))
    )
    was = work.was if work.grows else Before()
    record = {
        "files": work.files,
        "reading": work.reading,
        "counts": work.counts,
        "batch": batch,
        "left_out": was.left_out + sum(each.left_out for each in found),
        "refused": was.refused + sum(each.refused for each in found),
        "encodings": sum((Counter(each.encodings) for each in found), Counter(was.encodings)),
        "replaced": was.replaced + sum(each.replaced for each in found),
    }
    storage.write_json(folder / batches.RECORD, record)


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    storage.write_text(path, f"[\n{lines}\n]\n" if lines else "[]\n")


def _duplicates(workspace: Workspace, work: Work, folder: Path, made: Provenance) -> int:
    dropped = folder / "_dropped"
    shards = storage.shards(dropped) if dropped.exists() else []
    old = workspace.folder("duplicates")
    if work.grows and old.exists():
        shards = [old, *shards]
    schema = tables.schema("duplicates")
    return storage.write_file_parts(old, schema, shards, made).rows


def _result(
    workspace: Workspace, work: Work, found: Sequence[Found], counts: Counts, copied: int
) -> PoolResult:
    folder = workspace.folder("pool")
    record = storage.read_json(folder / batches.RECORD)
    unused = storage.read_json(folder / "_rejected.json")
    bad = sum(not each["skipped"] for each in unused)
    aside = record["left_out"] + record["refused"]
    return PoolResult(
        rows=counts.documents + copied + bad + aside,
        documents=counts.documents,
        copies=copied,
        shared=counts.shared,
        bad_rows=bad,
        skipped=len(unused) - bad,
        reasons=dict(Counter(each["reason"] for each in unused).most_common(REASONS)),
        encodings=record["encodings"],
        replaced=record["replaced"],
        left_out=aside,
        tokens=counts.tokens,
        holdout=counts.holdout,
        read=sum(each.rows + sum(not row["skipped"] for row in each.bad) for each in found),
        added=counts.batches[work.batch],
        batch=record["batch"],
        sources={name: counts.sources[name] for name in work.names if counts.sources[name]},
        notes=tuple(_notes(unused, record["encodings"], record["replaced"])),
    )
