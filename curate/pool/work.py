"""What there is to read: files, parts, and what was read before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage, tokens
from curate.pool import batches
from curate.pool.batches import Before
from curate.pool.sources import File
from curate.pool.spec import PoolSpec
from curate.workspace import Workspace

ROWS_PER_SHARD = 10_000
CHARS_PER_SHARD = 32 << 20
"""A shard ends at whichever comes first, so that a worker's memory does not hang on the texts."""

FACTS = ("path", "size", "sha256")


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


def plan_work(workspace: Workspace, spec: PoolSpec, files: Sequence[File], was: Before) -> Work:
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
