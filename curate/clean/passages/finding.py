"""The steps from texts to passages (see the package), as shuffles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from curate.clean.duplicates.comparing import tally, text_bytes
from curate.clean.duplicates.settling import Gone
from curate.clean.duplicates.shards import Shard
from curate.clean.duplicates.spec import PassagesSpec
from curate.clean.passages.anchoring import Anchors, once_each, shared, with_shard
from curate.clean.passages.hashing import anchor_words
from curate.clean.passages.repeating import Named, Windows, by_document, repeats, runs
from curate.engine import Engine, buckets_for
from curate.progress import Advance

if TYPE_CHECKING:
    pass

WORD_BYTES = 5
"""The fewest bytes that a word takes, on average, with the space behind it."""


def find(
    engine: Engine,
    shards: Sequence[Shard],
    gone: Gone,
    spec: PassagesSpec,
    folder: Path,
    *,
    advance: Advance = lambda n: None,
) -> list[Path]:
    """Find the passages of documents that neither a reason drops nor a near-duplicate replaces.

    Returns buckets by shard, with rows of `repeating.passage_schema`: the passages that are also in
    a document that has precedence. `folder` takes intermediate files. `advance` is called with
    numbers of anchors.
    """
    anchored = engine.shuffle(
        shared,
        shards,
        folder / "anchors",
        key="key",
        buckets=buckets_for(_anchors(shards, spec.tokens)),
        load=Anchors(spec.tokens, spec.sources, gone),
        advance=advance,
    )
    number = sum(map(_rows, anchored))
    if not number:
        return []
    members = engine.shuffle(
        once_each,
        anchored,
        folder / "members",
        key="shard",
        buckets=buckets_for(number),
        load=with_shard,
    )
    counts = engine.reduce(tally, members, add) or Counter()
    repeated = engine.shuffle(
        repeats,
        [shard for shard in shards if counts[shard.number]],
        folder / "windows",
        key="key",
        buckets=buckets_for(number * spec.tokens // 2, width=56),
        load=Windows(spec.tokens, members),
    )
    width = sum(map(_rows, repeated))
    if not width:
        return []
    found = engine.shuffle(
        runs(spec.tokens),
        repeated,
        folder / "runs",
        key="shard",
        buckets=buckets_for(width, width=56),
        load=with_shard,
    )
    buckets = buckets_for(sum(map(_rows, found)), width=160)
    named = engine.shuffle(
        Named(shards), found, folder / "named", key="kept_shard", buckets=buckets
    )
    return engine.shuffle(by_document, named, folder / "found", key="shard", buckets=buckets)


def _anchors(shards: Sequence[Shard], n: int) -> int:
    """About how many anchors there are."""
    words = sum(text_bytes(shard) for shard in shards) // WORD_BYTES
    return 2 * words // (n - anchor_words(n) + 2)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
