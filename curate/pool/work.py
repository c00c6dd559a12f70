"""The plan of a run: which files to read, and what the pool already holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate import storage, tokens
from curate.media.counting import MediaTokens
from curate.pool import batches
from curate.pool.batches import Before
from curate.pool.spec import PoolSpec
from curate.sources.reading import File
from curate.workspace import Workspace

ROWS_PER_SHARD = 10_000
CHARS_PER_SHARD = 32 << 20
"""A shard ends at the first of both limits, so long texts do not fill a worker's memory."""

FACTS = ("path", "size", "sha256")
"""The facts of a file that its provenance states."""


@dataclass(frozen=True)
class Work:
    """The plan of a run: the files to read, their batch, and the pool before.

    `files` are the records of all files; `fresh` are the files to read. If the pool `grows`, the
    documents in `was` stay; otherwise only the batches of their ids count. `counts` are the token
    columns and their tokenizers, `media_tokens` says what media count.
    """

    names: tuple[str, ...]
    files: tuple[dict[str, Any], ...]
    fresh: tuple[File, ...]
    was: Before
    grows: bool
    reading: str
    batch: int
    counts: dict[str, str]
    media_tokens: MediaTokens | None = None


def as_stored(media_tokens: MediaTokens | None) -> dict[str, Any] | None:
    """What media count, as the pool's record keeps it."""
    return None if media_tokens is None else media_tokens.model_dump(mode="json")


def plan_work(workspace: Workspace, spec: PoolSpec, files: Sequence[File], was: Before) -> Work:
    """Plan a run: read only the new files if the pool can grow, otherwise all files.

    RecipeError for an unknown tokenizer.
    """
    tokenizer = _path_of(workspace, spec.tokenizer)
    tokens.counter(tokenizer)  # fails on a wrong name before anything is read
    drawn: list[Any] = [spec.holdout, spec.share, spec.seed]
    if spec.differs("media") or spec.differs("media_limits"):
        drawn += [spec.media, spec.media_limits.settings()]
    reading = storage.digest(drawn)
    grows = batches.can_grow(was, files, spec.sources, reading)
    earlier_records = was.files if grows and was.files else {}
    fresh = [file for file in files if (file.label, file.name) not in earlier_records]
    facts = dict(workspace.engine.each(batches.fact, fresh))
    fact_of = {file: facts[place] for place, file in enumerate(fresh)}
    records = [
        batches.record(file, spec.sources[file.source], fact_of[file])
        if file in fact_of
        else {**earlier_records[file.label, file.name], "modified": file.modified}
        for file in files
    ]
    counts = {"tokens": tokenizer}
    if grows:
        others = {other for other in (was.counts or {}).values() if other != tokenizer}
        counts |= {f"tokens:{Path(other).stem}": other for other in sorted(others)}
    names = tuple(dict.fromkeys(file.name for file in files))
    batch = was.batch + 1
    about = (was, grows, reading, batch, counts, spec.media_tokens)
    return Work(names, tuple(records), tuple(fresh), *about)


def _path_of(workspace: Workspace, tokenizer: str) -> str:
    is_file = tokenizer.endswith(".json")
    return str(workspace.path(tokenizer).resolve()) if is_file else tokenizer
